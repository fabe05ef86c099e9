"""What hostile input costs: `python -m benchmarks.hostile` sends it to a real server, without an account. Words
behind it pick attacks by their names.

Beside each attack a client goes on with its own conversation, as at rest. It is alone in its process, and so is the
model that answers it: each attack, and the model that answers the attacks, have processes of their own. So what that
client waits for is the server. The command fails where an attack gets anything but the answer that it should, where
that client is not answered, or where a connection is left; never for its times.
"""

import gc
import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import anyio
import httpx2
import psutil
from anyio.abc import SocketAttribute, SocketStream
from anyio.to_thread import run_sync

from benchmarks.asking import CHAT_COMPLETIONS, ChatCompletions, measured
from benchmarks.machine import commit
from benchmarks.model import MODEL, model
from benchmarks.progress import show
from benchmarks.server import Server, running_server
from claude_openai.simulator import RecordedRequest, Reply, Simulator, ToolUse
from claude_openai.testing.environment import simulated_login

PAUSE_SECONDS: Final = 0.05
"""Between two requests of the client beside the attack."""

ATTACK_SECONDS: Final = 90
"""Bound on an attack: each is over in a few seconds, but for what waits for a limit of the server's."""

HELD_SECONDS: Final = 10.0
"""How long connections that only take up room are held."""

MESSAGES: Final = 100_000
CONNECTIONS: Final = 200
PIPELINED: Final = 1000
UNKNOWN: Final = 500_000
MEBIBYTE: Final = 1024 * 1024

HEAD: Final = f"POST {CHAT_COMPLETIONS} HTTP/1.1\r\nhost: localhost\r\n".encode()

Attack = Callable[[str], Awaitable[str]]
"""Gives what the server at this address answered, in a word."""

SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of an attack: what the server answered and should have, its seconds, the bytes that the server grew by while it
    lasted, the seconds to the first token of each answer that the client beside it got, and the seconds of each
    `GET /health`, which only needs the server itself.
    """

    name: str
    answer: str
    expected: str
    seconds: float
    grown: int
    beside: tuple[float, ...]
    health: tuple[float, ...]


def main() -> int:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="claude-openai-hostile-") as folder:
        rest, outcomes, left = anyio.run(_attack_all, Path(folder), sys.argv[1:])
    print(table(rest, outcomes, left))
    print(f"Load average: {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end; {os.cpu_count()} cores.")
    right = all(each.answer == each.expected and each.beside for each in outcomes)
    return 0 if right and not left else 1


async def _attack_all(folder: Path, picked: Sequence[str]) -> tuple[Outcome, list[Outcome], int]:
    """At rest, under each attack, and how many connections the server still has afterwards."""
    outcomes: list[Outcome] = []
    left = 0
    with ExitStack() as stack:
        beside, attacked = (stack.enter_context(_process(_serve_upstream)) for _ in range(2))
        models = await run_sync(beside.recv), await run_sync(attacked.recv)
        url = await run_sync(stack.enter_context(_process(_route, *models)).recv)
        for descriptors, attacks in ((None, ATTACKS), (DESCRIPTORS, ATTACKS_OF_FEW_DESCRIPTORS)):
            chosen = {
                name: each for name, each in attacks.items() if not picked or any(word in name for word in picked)
            }
            if descriptors is not None and not chosen:
                continue
            login = simulated_login(url, folder, os.environ)
            async with running_server(login, folder, descriptors=descriptors) as server:
                conversation = ChatCompletions(server.http, "Someone else's.")
                await measured(conversation.ask("Count to 5"))
                if descriptors is None:
                    rest = await _outcome(server, conversation, REST, "")
                for name, (expected, _) in chosen.items():
                    outcomes.append(await _outcome(server, conversation, name, expected))
                show("")
                await anyio.sleep(1)
                port = int(server.url.rpartition(":")[2])
                connections = server.process.net_connections()
                open_now = [each for each in connections if each.status == psutil.CONN_ESTABLISHED]
                left += sum(each.laddr.port == port for each in open_now) - 1  # the client beside has one
        return rest, outcomes, left


async def _outcome(server: Server, conversation: ChatCompletions, name: str, expected: str) -> Outcome:
    show(name)
    beside, health, before, peak = list[float](), list[float](), server.process.memory_info().rss, 0

    async def go_on() -> None:
        while True:
            beside.append((await measured(conversation.ask("Count to 5"))).first)
            await anyio.sleep(PAUSE_SECONDS)

    async def ask_health() -> None:
        async with httpx2.AsyncClient(base_url=server.url, timeout=ATTACK_SECONDS) as client:
            while True:
                asked = time.monotonic()
                await client.get("/health")
                health.append(time.monotonic() - asked)
                await anyio.sleep(PAUSE_SECONDS)

    async def look() -> None:
        nonlocal peak
        while True:
            peak = max(peak, server.process.memory_info().rss)
            await anyio.sleep(PAUSE_SECONDS)

    with _process(_attack, name, server.url) as attacker:
        await run_sync(attacker.recv)
        async with anyio.create_task_group() as group:
            group.start_soon(go_on)
            group.start_soon(ask_health)
            group.start_soon(look)
            await anyio.sleep(1)
            began = time.monotonic()
            attacker.send("begin")
            answer = await run_sync(attacker.recv)
            seconds = time.monotonic() - began
            await anyio.sleep(1)
            group.cancel_scope.cancel()
    conversation.messages = conversation.messages[:1]
    await measured(conversation.ask("Count to 5"))
    return Outcome(name, answer, expected, seconds, max(0, peak - before), tuple(beside), tuple(health))


@contextmanager
def _process(work: Callable[..., None], *arguments: str) -> Iterator[Connection]:
    """A process that does `work` with one end of a pipe, for the block, which has the other end."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_without_collections, args=(work, there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        process.terminate()
        process.join()
        here.close()


def _without_collections(work: Callable[..., None], *arguments: object) -> None:
    """Do `work` without collections of cyclic garbage: one among 100,000 messages takes half a second (measured), in
    which the client beside would wait for this program and not for the server.
    """
    gc.disable()
    work(*arguments)


def _serve_upstream(pipe: Connection) -> None:
    """The model: sends its address, and serves until the other end of the pipe is closed."""

    async def serve() -> None:
        async with Simulator(_answer).serve() as url:
            pipe.send(url)
            with suppress(EOFError):  # the other end is closed, be it because that process was killed
                await run_sync(pipe.recv)

    anyio.run(serve)


def _route(pipe: Connection, beside: str, attacked: str) -> None:
    """One address for two models: a connection whose first request names the model of the client beside leads to
    `beside`, any other to `attacked`. A model that reads 100,000 messages answers nobody else for seconds (measured).
    """

    async def copy(source: SocketStream, target: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                await target.send(await source.receive())
        await target.aclose()

    async def lead(client: SocketStream) -> None:
        async with client:
            begin = b""
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while not (named := NAMED_MODEL.search(begin)) and (not begin or begin.startswith(b"POST")):
                    begin += await client.receive()
                address = httpx2.URL(beside if named and named[1] == MODEL.encode() else attacked)
                async with await anyio.connect_tcp(address.host, address.port or 80) as model:
                    await model.send(begin)
                    async with anyio.create_task_group() as group:
                        group.start_soon(copy, client, model)
                        group.start_soon(copy, model, client)

    async def serve() -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, lead)
            port = listener.extra_attributes[SocketAttribute.local_port]()
            pipe.send(f"http://127.0.0.1:{port}")
            with suppress(EOFError):
                await run_sync(pipe.recv)
            group.cancel_scope.cancel()

    anyio.run(serve)


def _attack(pipe: Connection, name: str, url: str) -> None:
    """One attack: announces that it is ready, waits for the word to begin, and sends what the server answered."""
    attack = _nothing if name == REST else {**ATTACKS, **ATTACKS_OF_FEW_DESCRIPTORS}[name][1]

    async def run() -> str:
        with anyio.move_on_after(ATTACK_SECONDS):
            return await attack(url)
        return "none"

    pipe.send("ready")
    pipe.recv()
    pipe.send(anyio.run(run))


# The attacks

REST: Final = "at rest"

Json = dict[str, object]

LETTERS: Final = "a" * 48 + "!"

NAMED_MODEL: Final = re.compile(rb'"model":"([^"]*)"')

_GIVEN: Final[dict[str, Json]] = {}
"""By its mark, what the model gives where a request that has it offers a tool."""


def _answer(request: RecordedRequest) -> Reply:
    asked = json.dumps(request.messages[:3])
    marks = [mark for mark in _GIVEN if mark in asked]
    if marks and request.tools:
        return Reply((ToolUse(str(request.tools[0]["name"]), _GIVEN[marks[0]]),))
    return model(request)


def _checked(schema: Json, given: Json, *, form: bool = False) -> Attack:
    """The model gives `given`, which the server is to hold against `schema`."""
    mark = f"attack-{len(_GIVEN)}-"
    _GIVEN[mark] = given
    asked: Json = {"model": "sonnet", "messages": [{"role": "user", "content": mark}]}
    described = {"type": "object", **schema}
    if form:
        asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "a", "schema": described}}
    else:
        asked["tools"] = [{"type": "function", "function": {"name": "do", "parameters": described}}]
    return _body(json.dumps(asked).encode())


def _of(a: Json, **beside: object) -> Json:
    return {"properties": {"a": a}, **beside}


def _chain(link: Callable[[Json], Json], length: int) -> Json:
    """Definitions that each lead to the next."""
    links = {f"d{at}": link({"$ref": f"#/$defs/d{at + 1}"}) for at in range(length)}
    return {**links, f"d{length}": {}}


def _tools(count: int, described: Json) -> bytes:
    tools = [{"type": "function", "function": {"name": f"t{at}", "parameters": described}} for at in range(count)]
    return json.dumps({"model": "sonnet", "messages": [{"role": "user", "content": "hi"}], "tools": tools}).encode()


def _referring(references: int, address: str, **beside: object) -> Json:
    properties = {f"p{at}": {"$ref": address} for at in range(references)}
    return {"type": "object", "properties": {"a": {"properties": properties}}, **beside}


CHOICES: Final[Json] = {"anyOf": [{"const": at} for at in range(300)]}
DIFFERENT: Final = [{"number": at, "text": [str(at)]} for at in range(2000)]


async def _nothing(_: str) -> str:
    await anyio.sleep(HELD_SECONDS)
    return ""


def _body(content: bytes) -> Attack:
    async def attack(url: str) -> str:
        headers = {"content-type": "application/json"}
        async with httpx2.AsyncClient(base_url=url, timeout=ATTACK_SECONDS) as client:
            return str((await client.post(CHAT_COMPLETIONS, content=content, headers=headers)).status_code)

    return attack


def _messages(count: int) -> bytes:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": f"Count to {number % 9}"} for number in range(count + 1)]
    return json.dumps({"model": "sonnet", "messages": messages}).encode()


async def _endless(url: str) -> str:
    """Until the server takes no more."""
    async with _connected(url) as stream:
        await stream.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        with suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        return "cut"


async def _slow(url: str) -> str:
    """A byte a second on each of many connections, until the server has closed them all."""
    async with _many(url) as streams:
        for number in range(len(HEAD)):
            for stream in streams:
                with suppress(anyio.BrokenResourceError):
                    await stream.send(HEAD[number : number + 1])
            await anyio.sleep(1)
        return "closed" if not any([await _is_open(stream) for stream in streams]) else "open"


async def _idle(url: str) -> str:
    async with _many(url) as streams:
        await anyio.sleep(HELD_SECONDS)
        return f"{len(streams)} held"


async def _idle_above_the_limit(url: str) -> str:
    """More connections than the server may have, and then a request on another one."""
    async with _many(url, 400):
        await anyio.sleep(HELD_SECONDS)
        async with httpx2.AsyncClient(base_url=url, timeout=ATTACK_SECONDS) as client:
            return str((await client.get("/health")).status_code)


async def _pipelined(url: str) -> str:
    async with _connected(url) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n" * PIPELINED)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < PIPELINED:
            received += await stream.receive()
        return f"{PIPELINED} answers"


async def _headers(url: str) -> str:
    async with _connected(url) as stream:
        with suppress(anyio.BrokenResourceError):
            await stream.send(HEAD + b"x: " + b"x" * 10_000_000)
        return (await stream.receive()).split()[1].decode()


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[SocketStream]:
    address = httpx2.URL(url)
    async with await anyio.connect_tcp(address.host, address.port or 80) as stream:
        yield stream


@asynccontextmanager
async def _many(url: str, count: int = CONNECTIONS) -> AsyncIterator[list[SocketStream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_connected(url)) for _ in range(count)]


async def _is_open(stream: SocketStream) -> bool:
    with anyio.move_on_after(0.1), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        await stream.receive()
    try:
        await stream.send(b"x")
        await stream.send(b"x")
    except anyio.BrokenResourceError:
        return False
    return True


ATTACKS: Final[dict[str, tuple[str, Attack]]] = {
    "arrays nested 10,000 deep": ("400", _body(b"[" * 10_000 + b"]" * 10_000)),
    "10 MiB of open brackets": ("400", _body(b"[" * (10 * MEBIBYTE))),
    "10 MiB of one text": (
        "200",
        _body(json.dumps({"messages": [{"role": "user", "content": "x" * 10_000_000}]}).encode()),
    ),
    "100,000 messages": ("200", _body(_messages(MESSAGES))),
    "an integer of 1,000,000 digits": ("400", _body(b'{"seed": ' + b"9" * 1_000_000 + b"}")),
    "500,000 unknown fields": ("400", _body(json.dumps({f"f{number}": 0 for number in range(UNKNOWN)}).encode())),
    "(a+)+ in an argument": ("200", _checked(_of({"pattern": "^(a+)+$"}), {"a": LETTERS})),
    "(a|a)* in an argument": ("200", _checked(_of({"pattern": "^(a|a)*$"}), {"a": LETTERS})),
    "(a+)+ in an answer": ("200", _checked(_of({"pattern": "^(a+)+$"}), {"a": LETTERS}, form=True)),
    "(a+)+ in names": ("200", _checked(_of({"patternProperties": {"^(a+)+$": {}}}), {"a": {LETTERS: 1}})),
    "(a*)* in dependentSchemas": (
        "200",
        _checked(_of({"dependentSchemas": {"b": {"patternProperties": {"^(a*)*$": {}}}}}), {"a": {"b": 1, LETTERS: 1}}),
    ),
    "uniqueItems, 2,000 objects": ("200", _checked(_of({"uniqueItems": True}), {"a": DIFFERENT})),
    "allOf, 2^24 times": (
        "200",
        _checked(_of({"$ref": "#/$defs/d0"}, **{"$defs": _chain(lambda on: {"allOf": [on, on]}, 24)}), {"a": 1}),
    ),
    "enum of 5,000, 2,000 times": (
        "200",
        _checked(_of({"items": {"enum": [[at] for at in range(5000)]}}), {"a": [[4999]] * 2000}),
    ),
    "const of 100 KB, 4 times": (
        "200",
        _checked(_of({"items": {"const": list(range(20_000))}}), {"a": [list(range(20_000))] * 4}),
    ),
    "const of 90 KB, 5 times, in an answer": (
        "200",
        _checked(_of({"items": {"const": list(range(15_000))}}), {"a": [list(range(15_000))] * 5}, form=True),
    ),
    "40 references to 300 choices": ("200", _body(_tools(1, _referring(40, "#/$defs/a", **{"$defs": {"a": CHOICES}})))),
    "20,000 references": ("200", _body(_tools(1, _referring(20_000, "#/$defs/a", **{"$defs": {"a": CHOICES}})))),
    "required, 20,000 objects": ("400", _body(_tools(1, {"type": "object", "required": DIFFERENT * 10}))),
    "properties, a list of 2,000,000": ("400", _body(_tools(1, {"type": "object", "properties": [0] * 2_000_000}))),
    "5 MB of choices": ("400", _body(_tools(1, {"type": "object", "anyOf": CHOICES["anyOf"] * 1000}))),  # type: ignore[operator]
    "128 tools of 300 choices": ("200", _body(_tools(128, _of(CHOICES)))),
    "5,000 tools": ("400", _body(_tools(5000, _of({})))),
    "100 MB, announced": ("413", _body(b" " * 100_000_000)),
    "a body without end": ("cut", _endless),
    "10 MB of headers": ("431", _headers),
    "1,000 pipelined requests": ("1000 answers", _pipelined),
    "200 idle connections": ("200 held", _idle),
    "200 heads, a byte a second": ("closed", _slow),
}
"""By name, with the answer each should get."""

DESCRIPTORS: Final = 256

ATTACKS_OF_FEW_DESCRIPTORS: Final[dict[str, tuple[str, Attack]]] = {
    "400 idle connections, 256 descriptors": ("200", _idle_above_the_limit),
}
"""Those on a server of its own, which may open `DESCRIPTORS` files."""


def table(rest: Outcome, outcomes: Sequence[Outcome], left: int) -> str:
    """For people: Markdown that reads well in a terminal too."""
    head = (f"commit {commit()}", "answer", "seconds", "server grew by", "others: first token, worst", "/health, worst")
    rows = [head, ("---",) * len(head), *(_row(each) for each in (rest, *outcomes))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([*lines, "", f"Connections left: {left}."])


def _row(outcome: Outcome) -> tuple[str, ...]:
    beside = sorted(outcome.beside) or [float("nan")]
    middle, worst = beside[len(beside) // 2] * 1000, beside[-1] * 1000
    answer = outcome.answer if outcome.answer == outcome.expected else f"{outcome.answer}, NOT {outcome.expected}"
    grown = f"{outcome.grown / MEBIBYTE:.0f} MiB"
    health = max(outcome.health, default=float("nan")) * 1000
    return outcome.name, answer, f"{outcome.seconds:.1f}", grown, f"{middle:.0f} ms, {worst:.0f} ms", f"{health:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
