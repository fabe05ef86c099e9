"""How the server of a soak is set: as a user's, only that nothing is kept for long, so that a run comes to its end.

The one place for that: the installed command gets these settings as flags, a server within this process as values.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Values = Mapping[str, int]

WARM_PROCESSES: Final = 1
"""How many Claude Codes such a server has while it has nothing to do."""

SETTINGS: Final[Values] = MappingProxyType(
    {
        "idle_timeout": 10,
        "max_concurrency": 4,
        "max_processes": 9,
        "max_retries": 1,
        "session_ttl": 5,
        "tool_timeout": 15,
        "warm_processes": WARM_PROCESSES,
    }
)
"""By the names of `claude_openai.settings.Settings`. A stall lasts for the idle time-out. There are more clients than
places, so some wait in the queue, and about as many as processes, so some conversations are put out for others.
"""


def flags(settings: Values) -> list[str]:
    """As the command takes them."""
    return [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
