"""Claude Code as it is, at work in a directory: what a request may ask of it."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["chat", "agent"]
"""A faithful model endpoint, or Claude Code with its own tools."""

PermissionMode = Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"]

SettingSource = Literal["user", "project", "local"]


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """How Claude Code works for a turn. `directory` and `add_dirs` are absolute and resolved, and were allowed when
    they were read; `allowed_tools` and `disallowed_tools` are Claude Code's own rules. `show_activity` tells how the
    client wants to see what Claude Code does with its tools, if at all.
    """

    directory: str
    permission_mode: PermissionMode = "default"
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    add_dirs: tuple[str, ...] = ()
    setting_sources: tuple[SettingSource, ...] = ()
    max_turns: int | None = None
    max_budget_usd: float | None = None
    show_activity: Literal["reasoning", "events"] | None = None
