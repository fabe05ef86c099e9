"""Keeps apart the uses of tools of which one could swap a folder that the other one is about to open.

The sandbox of a command mounts its folders, and the paths in them that it protects, by their names, after the server
has checked them. A file tool opens its path after that, too. A command that runs meanwhile could put a symbolic link in
the place of a folder on the way, and the sandbox or the tool would open what the link leads to (measured: two commands
of one agent, in one repository, read the user's home). So nothing is opened in a folder to which a running command may
write: a command waits for the other commands there, and a file tool for all commands there. So does the start of a
process, which opens its working directory by name and runs git in it (measured: its directory was outside).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from claude_openai.system.workspace import within

WAIT_SECONDS: Final = 150.0
"""Longest wait of one use for others: longer than Claude Code lets a command run by default (120 s). The hook that
waits must be given more time: one that takes too long would refuse the use without a reason."""


@dataclass(frozen=True, slots=True)
class _Use:
    writable: tuple[str, ...]
    opened: tuple[str, ...]
    readable: tuple[str, ...]

    def can_swap(self, other: "_Use") -> bool:
        """Whether it may replace something on the way to what `other` opens."""
        return any(
            any(within(path, folder) for path in other.opened)
            or any(within(path, folder) and path != folder for path in other.readable)
            for folder in self.writable
        )


class RunningCommands:
    """The commands and file tools of all agents of this server that run or are about to start, by the ids of their
    calls.
    """

    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}
        self._changed = anyio.Event()

    async def enter_command(self, call_id: str, *, writable: Sequence[str], readable: Sequence[str]) -> bool:
        """Wait until a command can start that may write to the folders `writable`, with paths in them that its sandbox
        mounts, and can read the folders `readable`, and record it. Return whether that was so within `WAIT_SECONDS`.
        """
        return await self._enter(call_id, _Use(tuple(writable), tuple(writable), tuple(readable)))

    async def enter_file_tool(self, call_id: str, paths: Sequence[str]) -> bool:
        """Wait until a file tool can open `paths`, and record it. Return whether that was so within `WAIT_SECONDS`."""
        return await self._enter(call_id, _Use((), tuple(paths), ()))

    async def enter_start(self, start_id: str, folders: Sequence[str]) -> bool:
        """Wait until a process can start that opens `folders`, and record it. Return whether that was so within
        `WAIT_SECONDS`.
        """
        return await self._enter(start_id, _Use((), tuple(folders), ()))

    def leave(self, call_id: str) -> None:
        """The command or the file tool has ended, or will not start. An unknown id is ignored."""
        if self._uses.pop(call_id, None):
            self._changed.set()
            self._changed = anyio.Event()

    async def _enter(self, call_id: str, wanted: _Use) -> bool:
        with anyio.move_on_after(WAIT_SECONDS):
            while any(other.can_swap(wanted) or wanted.can_swap(other) for other in self._uses.values()):
                await self._changed.wait()
            self._uses[call_id] = wanted
            return True
        return False
