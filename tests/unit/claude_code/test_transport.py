"""The SDK gets the control messages of Claude Code, and who answers the others, in order and in bounded number."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from claude_agent_sdk import CLIJSONDecodeError, ProcessError

from claude_openai.claude_code.processes.child import Command, child_process
from claude_openai.claude_code.sdk.transport import MAX_UNREAD, ChildTransport
from tests.patience import PATIENCE_SECONDS
from tests.server.store.samples import until

pytestmark = pytest.mark.anyio

REQUEST = {"type": "control_request", "request_id": "1"}


def message(number: int) -> dict[str, Any]:
    return {"type": "stream_event", "number": number}


@asynccontextmanager
async def writing(folder: Path, program: str) -> AsyncIterator[ChildTransport]:
    """The transport over a program in Python; it writes with `say`."""
    say = "import json, sys\ndef say(*all): print(*map(json.dumps, all), sep='\\n', flush=True)\n"
    command = Command((sys.executable, "-I", "-c", say + program), {}, folder, folder / "stderr")
    with anyio.fail_after(PATIENCE_SECONDS):
        async with child_process(command) as child:
            yield ChildTransport(child)


async def test_control_messages_go_to_the_sdk_and_all_others_wait_to_be_received(tmp_path: Path) -> None:
    lines = [message(1), REQUEST, message(2)]
    async with writing(tmp_path, f"say(*json.loads({json.dumps(lines)!r}))\nprint('a warning')") as transport:
        control = [each async for each in _until_failure(transport)]
        assert control == [REQUEST]
        assert transport.unread == 2
        assert [await transport.receive(), await transport.receive()] == [message(1), message(2)]
        with pytest.raises(ProcessError):  # Claude Code answers `initialize` before it ends
            await transport.receive()


async def test_a_line_that_is_no_json_ends_both(tmp_path: Path) -> None:
    async with writing(tmp_path, f"say({message(1)!r})\nprint('{{broken', flush=True)\nsys.stdin.read()") as transport:
        with pytest.raises(CLIJSONDecodeError):
            [each async for each in transport.read_messages()]
        assert await transport.receive() == message(1)
        with pytest.raises(CLIJSONDecodeError):
            await transport.receive()


async def test_messages_that_nobody_receives_are_not_read_without_end(tmp_path: Path) -> None:
    count = 20 * MAX_UNREAD
    async with (
        writing(tmp_path, f"say(*({{'type': 'stream_event', 'number': n}} for n in range({count})))") as transport,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(_drained, transport)
        await until(lambda: transport.unread == MAX_UNREAD)
        await anyio.wait_all_tasks_blocked()
        assert transport.unread == MAX_UNREAD
        assert [await transport.receive() for _ in range(count)] == [message(number) for number in range(count)]


async def _until_failure(transport: ChildTransport) -> AsyncIterator[dict[str, Any]]:
    try:
        async for each in transport.read_messages():
            yield each
    except ProcessError:
        return
    raise AssertionError("the program did not answer `initialize`")


async def _drained(transport: ChildTransport) -> None:
    assert [each async for each in _until_failure(transport)] == []
