"""A passive health check: whether upstream accepts this server's account, from the results of recent turns.

Claude Code reports that there is a login, not that upstream accepts it. So a refusal of the account counts until there
is newer evidence: an answer that begins, a login that was stored since, the end of the usage window. Failures of one
request or one model do not count, nor do temporary ones such as an overload. Times are Unix seconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from claude_openai.core.events import Event, RateLimitReported, TurnFailed, TurnStarted
from claude_openai.core.failures import LOG_IN, Kind
from claude_openai.core.load import Outage
from claude_openai.core.ports import Login

BELIEVED_SECONDS: Final = 900.0
"""How long a refusal counts that no later turn confirms. A load balancer that sends requests to ready servers only
would otherwise never see that the account works again: a key that was enabled, credit that was bought."""

MODEL_WINDOWS: Final = frozenset({"seven_day_opus", "seven_day_sonnet"})
"""Usage windows of one model, of those that the Agent SDK lists (`RateLimitType`); other models still answer."""

NOT_SIGNED_IN: Final = f"Claude Code is not signed in. On the server's machine, {LOG_IN}."

_REFUSALS: Final[Mapping[Kind, str]] = {
    Kind.NOT_LOGGED_IN: (
        f"Upstream refused Claude Code's login with the last request. On the server's machine, {LOG_IN}."
    ),
    Kind.INSUFFICIENT_QUOTA: "The account's credit is used up, by upstream's answer to the last request.",
}


class UpstreamHealth:
    """Call `note` with every event of every turn, and `learn` with each login that Claude Code reports."""

    def __init__(self) -> None:
        self._refused: tuple[Kind, float] | None = None
        self._window: RateLimitReported | None = None

    @property
    def refuses_login(self) -> bool:
        """Whether upstream refused the login that Claude Code reports."""
        return self._refused is not None and self._refused[0] is Kind.NOT_LOGGED_IN

    def note(self, event: Event, now: float) -> None:
        """Record an event of a turn."""
        match event:
            case TurnStarted():
                self._refused = self._window = None
            case TurnFailed(failure) if failure.kind in _REFUSALS:
                self._refused = failure.kind, now
            case RateLimitReported(window=window) if window not in MODEL_WINDOWS:
                self._window = event if event.status == "rejected" else None
            case _:
                pass

    def learn(self, login: Login) -> None:
        """Forget a refused login when Claude Code reports none, or one that was stored after the refusal."""
        if self.refuses_login and self._refused:
            _, refused_at = self._refused
            if not login.ready or (login.stored_at is not None and login.stored_at > refused_at):
                self._refused = None

    def outage(self, login: Login, now: float) -> Outage | None:
        """Why no request would be answered at `now`; None if no reason is known."""
        if not login.ready:
            return Outage(NOT_SIGNED_IN)
        if self._refused is not None:
            kind, refused_at = self._refused
            if now - refused_at < BELIEVED_SECONDS:
                return Outage(_REFUSALS[kind])
        window = self._window
        if window is not None and window.resets_at is not None and now < window.resets_at:
            ends = datetime.fromtimestamp(window.resets_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            name = f" ({window.window})" if window.window else ""
            return Outage(f"The account's usage window{name} is used up until {ends}.", window.resets_at)
        return None
