"""How the server of a soak is set: as a user's, only that nothing is kept for long, so that a run comes to its end.

The one place for that: the installed command gets these settings as variables, a server within this process as values.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from claude_openai.settings.catalogue import PREFIX

Values = Mapping[str, float]

SETTINGS: Final[Values] = MappingProxyType({"max_retries": 1, "idle_timeout": 10, "tool_timeout": 15})
"""By the names of `claude_openai.settings.Settings`. A stall lasts for the idle time-out."""

WARM_PROCESSES: Final = 0
"""How many Claude Codes such a server keeps ready while it has nothing to do."""


def variables(settings: Values) -> dict[str, str]:
    """As the command reads them."""
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}
