"""A conversation with a history is answered by a process that waited for one: upstream cannot tell the difference."""

import base64
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
import psutil
import pytest

from claude_openai.claude_code.processes.late_history import CAN_COME_LATE
from claude_openai.simulator import RecordedRequest, Reply, ToolUse
from tests.claude_code.conftest import OLD_MODEL, Rig, Serve, spoken, text
from tests.claude_code.test_live import Chat, in_turn, native, ways
from tests.claude_code.test_tools import PNG, TOOLS, message
from tests.claude_code.test_warm import processes, shown, total, until
from tests.patience import PATIENCE_SECONDS
from tests.unit.claude_code.test_late_history import session_files_open

pytestmark = pytest.mark.skipif(not CAN_COME_LATE, reason="here every history is a file")

SECRET: Final = "Nobody else may know it. "

LARGE: Final = base64.b64encode(base64.b64decode(PNG) + random.Random(1).randbytes(1_250_000)).decode()
"""A picture of 1.7 MB: what follows the end of a PNG is not looked at."""


def picture(data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def words(count: int) -> list[dict[str, Any]]:
    return in_turn([f"{SECRET}{number}" for number in range(count)])


ROUND_OF_TOOLS: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]

FORM: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    },
}

REQUESTS: Final[list[dict[str, Any]]] = [
    {"messages": [{"role": "system", "content": SECRET * 12_000}, *words(401)], "reasoning_effort": "low"},
    {
        "messages": [
            {"role": "user", "content": [text("see"), picture(LARGE), picture(LARGE), picture(LARGE)]},
            {"role": "assistant", "content": f"I see. {SECRET}"},
            {"role": "user", "content": [text("and this?"), picture(PNG)]},
        ],
        "response_format": FORM,
    },
    {
        "messages": [*ROUND_OF_TOOLS, {"role": "assistant", "content": SECRET}, {"role": "user", "content": "Oslo?"}],
        "tools": TOOLS,
        "tool_choice": "required",
        "model": OLD_MODEL,
        "temperature": 0.25,
        "stop": ["halt"],
        "max_tokens": 321,
    },
]
"""Instructions over 300 kB and 400 messages; five megabytes of pictures; tools, their results and all that is drawn."""


def played(request: RecordedRequest) -> Reply:
    """In the form, where there is one."""
    in_form = any(each["name"] == "StructuredOutput" for each in request.tools)
    return Reply((ToolUse("StructuredOutput", {"a": "fine"}),)) if in_form else Reply.of("fine")


def session_files(process: psutil.Process) -> list[Path]:
    """The files that the process was told to resume from."""
    with suppress(psutil.Error):
        return [Path(each.removeprefix("--resume=")) for each in process.cmdline() if each.startswith("--resume=")]
    return []


def contents(folder: Path) -> Iterator[bytes]:
    """Of all files in it; Claude Code removes and replaces some while it runs."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):
                if path.is_file():
                    yield path.read_bytes()


def waiting() -> list[psutil.Process]:
    """The processes that wait for a history: their session file is still a FIFO."""
    return [process for process in processes() if any(path.is_fifo() for path in session_files(process))]


async def until_one_waits(rig: Rig, beside: psutil.Process | None = None) -> psutil.Process:
    """The process that waits for a history: the only one at all, or the only one beside another."""
    count = 1 if beside is None else 2
    await until(lambda: len(waiting()) == rig.gateway.load().processes.warm == 1)
    await until(lambda: len(processes()) == total(rig) == count)
    (process,) = waiting()
    return process


async def used_to_histories(rig: Rig) -> psutil.Process:
    """A conversation was rebuilt, so a process waits for the next one."""
    rig.plays(played)
    await Chat(rig).answer(words(3))
    await rig.gateway.close_idle_sessions()
    return await until_one_waits(rig)


def upstream(request: RecordedRequest) -> dict[str, Any]:
    """All that upstream gets but the id of the session."""
    return {name: value for name, value in request.body.items() if name != "metadata"}


@pytest.mark.proves("processes.warm.history", "safety.argv")
async def test_upstream_gets_the_same_from_a_process_that_waited_for_the_history(rig: Rig, serve: Serve) -> None:
    async with serve(warm_processes=1) as quick:
        await used_to_histories(quick)
        for request in REQUESTS:
            rig.plays(played)
            await Chat(rig, **request).answer(request["messages"])
            cold = upstream(rig.asked)
            await rig.gateway.close_idle_sessions()
            waited, before = await until_one_waits(quick), ways(quick)
            rig.plays(played)
            await Chat(quick, **request).answer(request["messages"])
            assert upstream(rig.asked) == cold
            assert (ways(quick) - before)["rebuilt"] == 1
            assert waited.is_running()
            assert await until_one_waits(quick, beside=waited) != waited
            (folder,) = (path.parent for path in session_files(waited))
            assert not any(SECRET.encode() in content for content in contents(folder))
            assert SECRET not in shown(waited)
            await quick.gateway.close_idle_sessions()
            assert not folder.exists()
        # The conversation goes on in that process, and one that ends in results is answered by a cold one.
        waited, chat = await until_one_waits(quick), Chat(quick)
        chat.messages = words(2)
        await chat.say("one")
        await chat.say("two")
        assert spoken(rig.simulator.requests[-1]) == native(chat.messages[:-1])
        assert waited.is_running()
        await quick.gateway.close_idle_sessions()
        waited, before = await until_one_waits(quick), ways(quick)
        await Chat(quick, tools=TOOLS).answer(ROUND_OF_TOOLS)
        assert (ways(quick) - before)["rebuilt"] == 1
        assert waiting() == [waited]
    assert session_files_open() == []


@pytest.mark.proves("processes.warm.history")
async def test_a_process_that_dies_or_hangs_before_it_has_its_history_costs_time_only(serve: Serve) -> None:
    large: list[dict[str, Any]] = [
        {"role": "user", "content": [text("see"), picture(LARGE)]},
        {"role": "assistant", "content": "I see."},
    ]
    async with serve(warm_processes=1) as rig:
        (await used_to_histories(rig)).send_signal(signal.SIGKILL)
        await Chat(rig).answer(words(3))  # whether or not its end has been noticed
        await rig.gateway.close_idle_sessions()

        hanging = await until_one_waits(rig)
        hanging.send_signal(signal.SIGSTOP)
        before, answers = ways(rig), list[str | None]()
        async with anyio.create_task_group() as group:
            rig.plays(played)
            group.start_soon(_answered, rig, [*large, *words(1)], answers)
            await until(lambda: rig.gateway.load().processes.warm == 0)
            hanging.send_signal(signal.SIGKILL)
        assert answers == ["fine"]
        assert spoken(rig.asked)[0]["content"][1]["source"]["data"] == LARGE
        assert (ways(rig) - before)["rebuilt"] == 1
        await rig.gateway.close_idle_sessions()

        hanging = await until_one_waits(rig)
        hanging.send_signal(signal.SIGSTOP)
        rig.plays(played)
        async with anyio.create_task_group() as group:
            group.start_soon(_answered, rig, [*large, *words(1)], answers)
            await until(lambda: rig.gateway.load().processes.warm == 0)
            group.cancel_scope.cancel()
        await until(lambda: hanging not in processes())
        await until_one_waits(rig)
        assert rig.simulator.requests == []
    assert session_files_open() == []
    assert processes() == set()


async def _answered(rig: Rig, messages: list[dict[str, Any]], answers: list[str | None]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        answers.append(message(await Chat(rig).answer(messages)).content)
