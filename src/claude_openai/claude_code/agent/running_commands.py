"""Keeps apart the commands of agents that could swap each other's folders.

The sandbox of a command mounts its folders by their paths, after the server has checked them. Another command that may
write to a folder above could put a symbolic link in the place of one meanwhile, and the sandbox would open what the
link leads to (measured: it read and wrote the user's home). So a command waits as long as another one runs that may
write to a folder above one of its own, and the other way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from claude_openai.system.workspace import within

WAIT_SECONDS: Final = 30.0
"""Longest wait of a command for others. A hook that takes too long would refuse the command without a reason."""


@dataclass(frozen=True, slots=True)
class _Command:
    mounted: tuple[str, ...]
    writable: tuple[str, ...]

    def can_swap(self, other: "_Command") -> bool:
        """Whether it may rename a folder that `other` mounts: one below a folder that it may write to."""
        return any(within(folder, above) and folder != above for folder in other.mounted for above in self.writable)


class RunningCommands:
    """The commands of all agents of this server that run or are about to start, by the ids of their calls."""

    def __init__(self) -> None:
        self._commands: dict[str, _Command] = {}
        self._changed = anyio.Event()

    async def enter(self, call_id: str, *, writable: Sequence[str], readable: Sequence[str]) -> bool:
        """Wait until no command runs that could swap a folder of this one, and record it. Return whether that was so
        within `WAIT_SECONDS`.
        """
        wanted = _Command((*writable, *readable), tuple(writable))
        with anyio.move_on_after(WAIT_SECONDS):
            while any(other.can_swap(wanted) or wanted.can_swap(other) for other in self._commands.values()):
                await self._changed.wait()
            self._commands[call_id] = wanted
            return True
        return False

    def leave(self, call_id: str) -> None:
        """The command has ended, or will not start. An unknown id is ignored."""
        if self._commands.pop(call_id, None):
            self._changed.set()
            self._changed = anyio.Event()
