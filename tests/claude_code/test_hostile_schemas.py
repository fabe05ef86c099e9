"""Schemas that take for ever to check: the server answers others meanwhile, and stops when it is told."""

import contextlib
import itertools
import json
import signal
from typing import Any

import anyio
import httpx2
import psutil
import pytest

from claude_openai.claude_code.schema_checks.checks import INLINE_CHARACTERS
from claude_openai.core.tool_call_checks import call_fault
from claude_openai.jsontools.work_limit import TooMuch, bounded
from claude_openai.simulator import Reply, Simulator, ToolUse
from tests.claude_code.test_command import Running, ended, running
from tests.patience import PATIENCE_SECONDS
from tests.processes import checks_schemas

pytestmark = [pytest.mark.anyio, pytest.mark.proves("safety.event-loop.checks")]

Upstream = tuple[Simulator, dict[str, str]]

CHAT = "/v1/chat/completions"
LETTERS = "a" * 48 + "!"


def an_object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


HOSTILE: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "nested repetition": (an_object(a={"pattern": "^(a+)+$"}), {"a": LETTERS}),
    "two ways to match": (an_object(a={"pattern": "^(a|a)*$"}), {"a": LETTERS}),
    "many repetitions": (an_object(a={"pattern": "^a*a*a*a*a*a*a*a*b$"}), {"a": "a" * 2000}),
    "names": (an_object(a={"patternProperties": {"^(a+)+$": {}}}), {"a": {LETTERS: 1}}),
    "other names": (
        an_object(a={"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False, "minProperties": 1}),
        {"a": {LETTERS: 1}},
    ),
    "names that are dependent": (
        an_object(a={"dependentSchemas": {"b": {"patternProperties": {"^(a*)*$": {}}}}}),
        {"a": {"b": 1, LETTERS: 1}},
    ),
    "what is unevaluated": (
        an_object(a={"$ref": "#/$defs/d0", "unevaluatedProperties": False})
        | {
            "$defs": {
                **{
                    f"d{n}": {"dependentSchemas": {key: {"$ref": f"#/$defs/d{n + 1}"} for key in "bc"}}
                    for n in range(22)
                },
                "d22": {"properties": {"b": {}, "c": {}}},
            }
        },
        {"a": {"b": 1, "c": 1}},
    ),
    "the same again and again": (
        an_object(a={"$ref": "#/$defs/d0"})
        | {"$defs": {**{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(24)}, "d24": {}}},
        {"a": 1},
    ),
    "alternatives of alternatives": (
        an_object(a={"$ref": "#/$defs/d0"})
        | {
            "$defs": {
                **{f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 8} for n in range(22)},
                "d22": {"type": "integer"},
            }
        },
        {"a": "x"},
    ),
    "large objects that differ": (
        an_object(a={"uniqueItems": True}),
        {"a": [{"n": number, "t": [number]} for number in range(2000)]},
    ),
    "a large choice": (
        an_object(a={"items": {"enum": [[n] for n in range(5000)]}}),
        {"a": [[4999]] * 2000},
    ),
}


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {"end": 1}
    for _ in range(levels):
        value = {"a": value}
    return value


def operations(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"op": "o3", "left": value, "right": 1}
    return value


SIDES = {"left": {"$ref": "#/$defs/d"}, "right": {"$ref": "#/$defs/d"}}
OPERATION = {"anyOf": [{"type": "number"}, *({"properties": {"op": {"const": f"o{n}"}, **SIDES}} for n in range(4))]}
RECURSIVE: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "alternatives that recur": (an_object(a={"anyOf": [{"$ref": "#"}] * 8, "minProperties": 1}), nested(24)),
    "a tree of operations": (an_object(a={"$ref": "#/$defs/d"}) | {"$defs": {"d": OPERATION}}, {"a": operations(24)}),
}
"""Alternatives that each lead back to all: each level of the value multiplies Claude Code's own check by eight or four.
"""

HOSTILE |= RECURSIVE


def asking(schema: dict[str, object], *, form: bool) -> dict[str, object]:
    asked: dict[str, object] = {"messages": [{"role": "user", "content": "hi"}]}
    if form:
        return {**asked, "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}}
    return {**asked, "tools": [{"type": "function", "function": {"name": "do", "parameters": schema}}]}


def plays(simulator: Simulator, given: dict[str, object]) -> None:
    """Calls the tool that a request offers, and says a word where it offers none."""

    def script(request: Any) -> Reply:
        names = [tool["name"] for tool in request.tools]
        return Reply((ToolUse(names[0], given),)) if names else Reply.of("kiwi")

    simulator.script = script
    simulator.requests.clear()


async def a_check_by(server: Running) -> psutil.Process:
    """The worker, as soon as there is one."""
    while True:
        for process in filter(checks_schemas, server.family()):
            return process
        await anyio.sleep(0.01)


@pytest.mark.parametrize("name", [name for name, value in HOSTILE.items() if len(str(value)) < INLINE_CHARACTERS])
def test_on_the_event_loop_a_check_is_given_up_within_its_steps(name: str) -> None:
    """What is left then is for the worker, which the kernel ends; the servers below show it for some kinds."""
    steps = itertools.count()

    def give_up() -> None:
        if next(steps) > 1000:
            raise TooMuch

    schema, given = map(json.dumps, HOSTILE[name])
    with contextlib.suppress(TooMuch), bounded(give_up):
        call_fault("do", schema, given, "quick")


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (False, ("nested repetition", "the same again and again", "large objects that differ", *RECURSIVE)),
        (True, ("nested repetition", "names", "other names", "alternatives of alternatives", *RECURSIVE)),
    ],
    ids=["tool", "answer"],
)
async def test_others_are_answered_while_what_takes_for_ever_is_checked(
    upstream: Upstream, names: tuple[str, ...], *, form: bool
) -> None:
    simulator, login = upstream
    async with (
        running(login, "--log-level", "info") as server,
        httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http,
    ):
        for name in names:
            schema, given = HOSTILE[name]
            plays(simulator, given)
            answers: list[httpx2.Response] = []

            async def ask(body: dict[str, object], answers: list[httpx2.Response] = answers) -> None:
                answers.append(await http.post(CHAT, json=body))

            meanwhile = list[int]()
            with anyio.fail_after(PATIENCE_SECONDS):
                async with anyio.create_task_group() as group:
                    group.start_soon(ask, asking(schema, form=form))
                    while not answers:
                        meanwhile.append((await http.get("/health")).status_code)
                        await anyio.sleep(0.02)
            assert (name, answers[0].status_code) == (name, 200)
            assert set(meanwhile) == {200}
            message = answers[0].json()["choices"][0]["message"]
            written = message["content"] if form else message["tool_calls"][0]["function"]["arguments"]
            assert json.loads(written) == given
        server.process.terminate()
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await server.process.wait() == 0


@pytest.mark.proves("lifetime.stop")
async def test_a_server_stops_in_the_middle_of_a_check(upstream: Upstream) -> None:
    simulator, login = upstream
    schema, given = HOSTILE["nested repetition"]
    plays(simulator, given)
    async with (
        running(login, "--shutdown-timeout", "0.1") as server,
        httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http,
        anyio.create_task_group() as group,
    ):
        group.start_soon(lambda: http.post(CHAT, json=asking(schema, form=False)))
        with anyio.fail_after(PATIENCE_SECONDS):
            await a_check_by(server)
            family = server.family()
            server.process.send_signal(signal.SIGTERM)
            assert await server.process.wait() == 0
        assert ended(family)


@pytest.mark.proves("lifetime.stop")
async def test_a_client_whose_request_is_on_its_way_when_the_server_stops_is_told_so(upstream: Upstream) -> None:
    async with running(upstream[1], "--shutdown-timeout", "0.1") as server:
        port = httpx2.URL(server.url).port
        assert port is not None
        async with await anyio.connect_tcp("127.0.0.1", port) as connection:
            with anyio.fail_after(PATIENCE_SECONDS):
                await connection.send(
                    f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{{".encode()
                )
                async with httpx2.AsyncClient(base_url=server.url) as http:
                    await http.get("/health")
                server.process.send_signal(signal.SIGTERM)
                answer = b""
                with contextlib.suppress(anyio.EndOfStream):
                    while True:
                        answer += await connection.receive()
                assert await server.process.wait() == 0
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "shutting_down"


async def test_what_only_the_patterns_take_for_ever_hides_no_other_fault(upstream: Upstream) -> None:
    simulator, login = upstream
    schema, given = HOSTILE["nested repetition"]
    plays(simulator, {**given, "b": 1})
    async with running(login) as server, httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http:
        body = asking({**schema, "required": ["c"]}, form=False)
        with anyio.fail_after(PATIENCE_SECONDS):
            answer = await http.post(CHAT, json=body)
            server.process.terminate()
            await server.process.wait()
    assert answer.json()["error"]["code"] == "invalid_tool_arguments"
    assert "'c' is a required property" in answer.json()["error"]["message"]


async def test_what_does_not_fit_and_is_too_long_for_a_model_is_not_asked_for_again(upstream: Upstream) -> None:
    simulator, login = upstream
    schema = an_object(a={"items": {"const": ["x"]}})
    long = json.dumps({"a": [["y" * 100_000]] * 6})
    pieces = tuple(long[start : start + 50_000] for start in range(0, len(long), 50_000))

    def script(request: Any) -> Reply:
        """A long call that does not fit first, and afterwards one that does."""
        names = [tool["name"] for tool in request.tools]
        if not names:
            return Reply.of("kiwi")
        wrong = "StructuredOutput" if "StructuredOutput" in names else "no such tool"
        begins = len(json.dumps(request.messages)) < len(long)
        return Reply((ToolUse(wrong, {}, raw=pieces) if begins else ToolUse(names[0], {"a": []}),))

    simulator.script = script
    async with running(login) as server, httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http:
        with anyio.fail_after(PATIENCE_SECONDS):
            call = await http.post(CHAT, json=asking(schema, form=False))
            answer = await http.post(CHAT, json=asking(schema, form=True))
            server.process.terminate()
            await server.process.wait()
    assert call.json()["error"]["code"] == "invalid_tool_arguments"
    assert answer.json()["error"]["code"] == "invalid_structured_output"
    assert "500,000 characters" in call.json()["error"]["message"]
