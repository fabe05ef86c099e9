"""The agent profile, in which Claude Code works in a directory with its own tools: its parameters and its limits."""

from dataclasses import dataclass
from typing import Literal, Protocol

Mode = Literal["chat", "agent"]
"""`chat` is a faithful model endpoint, `agent` is Claude Code with its own tools."""

PermissionMode = Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"]

SettingSource = Literal["user", "project", "local"]

Shown = Literal["reasoning", "events"]
"""How the client sees Claude Code's tool calls."""


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """How Claude Code works for a turn. `directory` and `add_dirs` are absolute and resolved, and were allowed when
    the request was parsed; `allowed_tools` and `disallowed_tools` are Claude Code's own rules. `show_activity` is how
    the client sees Claude Code's tool calls, if at all.
    """

    directory: str
    permission_mode: PermissionMode = "default"
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    add_dirs: tuple[str, ...] = ()
    setting_sources: tuple[SettingSource, ...] = ()
    max_turns: int | None = None
    max_budget_usd: float | None = None
    show_activity: Shown | None = None


class Workspace(Protocol):
    """The folders in and under which agents may work, read and write. Every check reads the disk anew."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """These folders; the first is the working directory of requests that name none."""
        ...

    def folder(self, path: str) -> str | None:
        """`path` with links and ".." resolved; None if it is not a folder, or not in one of these folders."""
        ...

    def holds(self, path: str) -> bool:
        """Whether the absolute `path`, with links resolved, is in one of these folders. It need not exist."""
        ...


@dataclass(frozen=True, slots=True)
class AgentRules:
    """What the operator allows. `default_mode` is the mode of requests that choose none."""

    workspace: Workspace
    default_mode: Mode = "chat"
    permission_modes: tuple[PermissionMode, ...] = ("acceptEdits", "auto", "default", "plan")
    setting_sources: tuple[SettingSource, ...] = ("user",)
