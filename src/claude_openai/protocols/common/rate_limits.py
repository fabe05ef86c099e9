"""Encodes the limits of a key and the account's rate limit as response headers, as far as they are known.

Claude Code does not report numbers of requests or tokens of the account, so there is no header for a limit of it, and
none for the remaining requests except the 0 of a rejection. Headers that OpenAI has are in its form; the others have
names of our own.
"""

import math
from collections.abc import Iterable
from typing import Final

from claude_openai.core.events import RateLimitReported
from claude_openai.core.limits import Left

RESET: Final = "x-ratelimit-reset-requests"
REMAINING: Final = "x-ratelimit-remaining-requests"
STATUS: Final = "x-ratelimit-status"
WINDOW: Final = "x-ratelimit-window"
UTILIZATION: Final = "x-ratelimit-utilization"
RETRY_AFTER: Final = "retry-after"

OF_A_KEY: Final = tuple(
    f"x-ratelimit-{part}-{unit}" for unit in ("requests", "tokens") for part in ("limit", "remaining", "reset")
)
"""OpenAI's headers: the limit, what is left of it, and the time until all of it is there again."""

HEADERS: Final = (*OF_A_KEY, STATUS, WINDOW, UTILIZATION)

_BAD_REQUEST = 400
_TOO_MANY_REQUESTS = 429


def headers(known: RateLimitReported | None, now: float, status: int) -> dict[str, str]:
    """The headers of a response with this HTTP `status`; `known` is the last report, `now` is in Unix seconds.

    There are none once the window is over, and none of an earlier rejection in a response that succeeded: it proves the
    rejection to be over, or to concern another model.
    """
    if known is None or known.resets_at is None:
        return {}
    seconds = math.ceil(known.resets_at - now)
    rejected = known.status == "rejected"
    if seconds <= 0 or (rejected and status < _BAD_REQUEST):
        return {}
    encoded = {RESET: duration(seconds), STATUS: known.status}
    if known.window is not None:
        encoded[WINDOW] = known.window
    if known.utilization is not None:
        encoded[UTILIZATION] = f"{known.utilization:g}"
    if rejected:
        encoded[REMAINING] = "0"
    if rejected and status == _TOO_MANY_REQUESTS:
        encoded[RETRY_AFTER] = str(seconds)
    return encoded


def headers_of_key(left: Iterable[Left]) -> dict[str, str]:
    """The headers with what is left of a key's limits."""
    encoded: dict[str, str] = {}
    for each in left:
        encoded[f"x-ratelimit-limit-{each.unit}"] = str(int(each.limit))
        encoded[f"x-ratelimit-remaining-{each.unit}"] = str(int(each.remaining))
        encoded[f"x-ratelimit-reset-{each.unit}"] = duration(math.ceil(each.reset_seconds))
    return encoded


def duration(seconds: int) -> str:
    """`seconds` in OpenAI's form: `59s`, `6m0s`, `1h0m0s`, and days as hours."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
