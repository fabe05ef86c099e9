"""The session of a request for which Claude Code was not started."""

from collections.abc import AsyncGenerator, Sequence

import anyio

from claude_openai.claude_code.processes.pool_state import StartBackoff
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.ports import SessionStart
from claude_openai.core.turn import Turn


class FailedSession:
    """Implements `core.ports.Session`: its only event is the failure `why`."""

    start: SessionStart = "cold"

    def __init__(self, why: Failure) -> None:
        self._why = why

    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        """See `core.ports.Session.events`."""
        yield [TurnFailed(self._why)]

    async def resume(self, turn: Turn) -> bool:  # noqa: ARG002 -- the port's
        """See `core.ports.Session.resume`."""
        return False

    def is_resumable(self) -> bool:
        """See `core.ports.Session.is_resumable`."""
        return False

    def should_recycle(self) -> bool:
        """See `core.ports.Session.should_recycle`."""
        return False

    async def wait_closed(self) -> None:
        """See `core.ports.Session.wait_closed`."""
        await anyio.sleep_forever()


def start_back_off_failure(backoff: StartBackoff) -> Failure:
    """Return the failure of a request during the back-off after failed starts."""
    when = f"in {backoff.pause:.0f} s" if backoff.pause else "with the next request"
    message = f"Claude Code failed to start {backoff.failures} times in a row; the next try is {when}."
    return Failure(Kind.CLAUDE_CODE_FAILED, f"{message} The server's log says why.", retry_after=backoff.pause)
