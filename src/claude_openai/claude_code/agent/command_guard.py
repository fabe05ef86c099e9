"""Checks before each command of an agent whether the sandbox of its process still fits the files on the disk.

Claude Code's sandbox forbids paths by a list. Which of git's paths belong on the list depends on the repositories
there, and the user may add a repository or a submodule while the process lives. So the guard makes the list again
before each command, and applies it to the running process where it has grown (measured: it holds from the next command
on, and the model gets the whole list then). Where that fails, the guard refuses the command; also where a protected
path is a symbolic link, since a command can replace a link in the sandbox (measured).
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import to_thread

from claude_openai.claude_code.agent import sandbox
from claude_openai.claude_code.agent.git_paths import has_content, link_on_the_way, linked_directories, unmade_modules
from claude_openai.claude_code.agent.paths import opened_paths
from claude_openai.claude_code.agent.running_commands import RunningCommands
from claude_openai.claude_code.agent.tool_policy import ToolPolicy
from claude_openai.claude_code.processes.placeholders import COMMON, Placeholders
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.core.failures import Failure
from claude_openai.system.workspace import real_path

_LINKED = (
    "{link} is a symbolic link, and no sandbox can keep a command from putting something else in its place. So no"
    " command can be run here. Use the other tools, or say that the link has to be replaced by what it leads to."
)

_CHANGED = (
    "The repository here has changed since this conversation's process was started, and its sandbox does not fit any"
    " more. Commands can be run again from the next user message on."
)

_MOVED = (
    "{folder} has been moved or replaced. Commands can be run again from the next user message on, once the folder is"
    " what it was."
)

_OTHERS_RUN = (
    "Another command is running in this folder, or in one above or below it, and could move what is in it. Try again"
    " later."
)

_APPLY_SECONDS = 5
"""Longest wait for Claude Code to apply a list, which takes some 20 ms."""

Apply = Callable[[Mapping[str, object]], Awaitable[bool]]
"""Changes the settings of the running process. Returns whether Claude Code took them."""


class CommandGuard:
    """Guards the commands of one process, which works in the folders `work` and has its temporary files in `scratch`.

    `running` has the commands of all agents. `sandbox_settings` returns Claude Code's `sandbox` setting for the files
    on the disk; `variables` the names of the variables in the user's settings, which commands must not get; `widened`
    why those settings now allow commands more than the sandbox does.
    """

    def __init__(
        self,
        policy: ToolPolicy,
        work: tuple[str, ...],
        scratch: Scratch,
        *,
        running: RunningCommands,
        sandbox_settings: Callable[[], Mapping[str, object]],
        variables: Callable[[], frozenset[str]],
        widened: Callable[[], Failure | None],
    ) -> None:
        self._policy = policy
        self._work = work
        self._scratch = scratch
        self._running = running
        self._entered: set[str] = set()
        self._identities = [_identity(folder) for folder in work]
        self._sandbox_settings = sandbox_settings
        self._variables = variables
        self._widened = widened
        self._hidden: frozenset[str] = frozenset()
        self._forbidden: frozenset[str] = frozenset()
        self._unmade = tuple(path for path in unmade_modules(work) if not os.path.lexists(path))
        self._linked = self._linked_directories()
        self._stubs: tuple[str, ...] = ()
        self._checking = anyio.Lock()
        self.apply: Apply | None = None
        self.pid: int | None = None
        self.is_outdated = False
        """Whether commands need a new process."""

    def record(self) -> None:
        """Record which paths the sandbox forbids, and may leave in the folders. Call it before the process starts; it
        is called again before the sandbox changes.
        """
        denied = self._denied()
        folders = (*self._work, *filter(self._policy.workspace.holds, self._linked))
        absent = Placeholders.before(folders, denied, self._scratch).absent
        self._stubs = tuple(path for path in absent if path in denied and Path(path).name == COMMON)
        self._forbidden |= denied
        self._hidden |= self._variables()

    async def refusal(self, call_id: str) -> str | None:
        """Return why the command of this call may not run now, as a sentence for the model; None if it may. Then it
        counts as running until `finished`.
        """
        prefixes = self._policy.workspace.prefixes
        writable = (*self._work, *filter(self._policy.workspace.holds, self._linked))
        if not await self._running.enter_command(call_id, writable=writable, readable=prefixes):
            return _OTHERS_RUN
        self._entered.add(call_id)
        reason: str | None = _CHANGED
        try:
            reason = await self._refusal()
        finally:
            if reason is not None:
                self.finished(call_id)
        return reason

    async def file_tool_refusal(self, call_id: str, tool: str, arguments: Mapping[str, object], cwd: str) -> str | None:
        """Return why a file tool may not be used now, as a sentence for the model; None if it may. Then it counts as
        running until `finished`.
        """
        if not await self._running.enter_file_tool(
            call_id, opened_paths(tool, arguments, self._policy.protected.home, cwd)
        ):
            return _OTHERS_RUN
        self._entered.add(call_id)
        return None

    def finished(self, call_id: str) -> None:
        """The command or file tool of this call has ended, or was refused. Other ids are ignored."""
        if call_id in self._entered:
            self._entered.remove(call_id)
            self._running.leave(call_id)

    def finish_all(self) -> None:
        """No command runs any more: the process has ended."""
        for call_id in tuple(self._entered):
            self.finished(call_id)

    async def _refusal(self) -> str | None:
        async with self._checking:  # commands of one message can be checked at the same time
            if widened := self._widened():  # Claude Code obeys a change of the user's settings at once (measured)
                return widened.message
            if moved := self._moved():
                self.is_outdated = True
                return _MOVED.format(folder=moved)
            denied = await to_thread.run_sync(self._denied)
            if link := await to_thread.run_sync(link_on_the_way, denied, self._work):
                return _LINKED.format(link=link)
            # A path that was forbidden once stays so, since Claude Code merges lists of settings (measured): git could
            # not commit. And Claude Code itself forbids the paths of a worktree that it finds at its start.
            if any(map(has_content, self._unmade)) or self._linked_directories() != self._linked:
                self.is_outdated = True
            if self.is_outdated:
                return _CHANGED
            if not (denied <= self._forbidden and self._variables() <= self._hidden):
                await to_thread.run_sync(self.record)
                settings = await to_thread.run_sync(self._sandbox_settings)
                applied = False
                with anyio.move_on_after(_APPLY_SECONDS):
                    applied = self.apply is not None and await self.apply({"sandbox": settings})
                self.is_outdated = not applied
            elif not all(map(os.path.lexists, self._stubs)):
                await to_thread.run_sync(self.record)
            return _CHANGED if self.is_outdated else None

    def _moved(self) -> str | None:
        """The first folder that is not the one any more that the process was started for, or an allowed folder that a
        link has replaced since the server's start; None if all are as they were.
        """
        for prefix in self._policy.workspace.prefixes:
            if os.path.lexists(prefix) and real_path(prefix) != prefix:
                return prefix
        for folder, identity in zip(self._work, self._identities, strict=True):
            if real_path(folder) != folder or _identity(folder) != identity:
                return folder
        with suppress(OSError):  # not on every system
            if self.pid is not None and _identity(f"/proc/{self.pid}/cwd") != self._identities[0]:
                return self._work[0]
        return None

    def _linked_directories(self) -> tuple[str, ...]:
        return tuple(directory for folder in self._work for directory in linked_directories(folder))

    def _denied(self) -> frozenset[str]:
        return frozenset(sandbox.unwritable(self._policy.protected, self._work))


def _identity(folder: str) -> tuple[int, int] | None:
    """The device and the inode of a folder; None if it is not there, or a link to it cannot be followed."""
    try:
        found = os.stat(folder)  # noqa: PTH116 -- a text
    except OSError:
        return None
    return found.st_dev, found.st_ino
