"""Starts Claude Code processes that wait: for a conversation, a history, or the server's first questions.

It does not load the SDK, so that a start of the server can start the first process before. Loading the SDK and the rest
of the server takes as long as Claude Code's own start, some 0.5 s (measured), and so both happen at once.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from claude_openai.claude_code.processes.child import Child, child_process
from claude_openai.claude_code.processes.late_history import LateHistory
from claude_openai.claude_code.processes.pool_state import WaitsFor
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.claude_code.processes.warm_pool import StartedProcess
from claude_openai.claude_code.sdk.command import command_of_warm_process
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable


@dataclass(frozen=True, slots=True)
class FirstProcess:
    """A process that was started before the backend. It ends with `resources`, which `describe` takes over."""

    child: Child
    resources: AsyncExitStack


async def start_waiting(
    owned: AsyncExitStack,
    kind: WaitsFor,
    claude_code: ClaudeCodeExecutable,
    scratch: Callable[[], AbstractContextManager[Scratch]],
) -> StartedProcess:
    """Start a process that waits for a new conversation, or for a history. It ends with `owned`.

    Raises:
        OSError: it cannot be started.
    """
    folder = owned.enter_context(scratch())
    history = LateHistory(folder) if kind is WaitsFor.HISTORY else None
    child = await owned.enter_async_context(child_process(command_of_warm_process(claude_code, folder, history)))
    folder.record(child.pid)
    return StartedProcess(child, history)


@asynccontextmanager
async def first_process(
    claude_code: ClaudeCodeExecutable, scratch: Callable[[], AbstractContextManager[Scratch]]
) -> AsyncIterator[FirstProcess | None]:
    """A context manager with a process that starts while the server is loaded. None if it cannot be started: then
    `SdkBackend.describe` tries again, and reports why not.
    """
    async with AsyncExitStack() as resources:
        try:
            started = await start_waiting(resources, WaitsFor.NEW_CONVERSATION, claude_code, scratch)
        except OSError:
            started = None
        yield FirstProcess(started.child, resources) if started else None
