"""The account's rate limit as headers of an answer, as far as it is known.

Claude Code tells of no numbers of requests or tokens, so there is no limit here and nothing remaining, but for the 0 of
a rejection. What OpenAI has a name for is told under it and in its form; the names of the rest are ours.
"""

import math
from typing import Final

from claude_openai.core.events import RateLimitReported

RESET: Final = "x-ratelimit-reset-requests"
REMAINING: Final = "x-ratelimit-remaining-requests"
STATUS: Final = "x-ratelimit-status"
WINDOW: Final = "x-ratelimit-window"
UTILIZATION: Final = "x-ratelimit-utilization"
RETRY_AFTER: Final = "retry-after"

HEADERS: Final = (RESET, REMAINING, STATUS, WINDOW, UTILIZATION)

_BAD_REQUEST = 400
_TOO_MANY_REQUESTS = 429


def headers(known: RateLimitReported | None, now: float, status: int) -> dict[str, str]:
    """What an answer of this HTTP `status` says of the limit `known` last; `now` is in Unix seconds.

    Nothing once the window is over. An answer that was let through proves an earlier rejection to be over or another
    model's, and says nothing of it.
    """
    if known is None or known.resets_at is None:
        return {}
    seconds = math.ceil(known.resets_at - now)
    rejected = known.status == "rejected"
    if seconds <= 0 or (rejected and status < _BAD_REQUEST):
        return {}
    told = {RESET: duration(seconds), STATUS: known.status}
    if known.window is not None:
        told[WINDOW] = known.window
    if known.utilization is not None:
        told[UTILIZATION] = f"{known.utilization:g}"
    if rejected:
        told[REMAINING] = "0"
    if rejected and status == _TOO_MANY_REQUESTS:
        told[RETRY_AFTER] = str(seconds)
    return told


def duration(seconds: int) -> str:
    """As OpenAI writes it: `59s`, `6m0s`, `1h0m0s`, and days as hours."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
