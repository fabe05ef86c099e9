"""Claude Code as it is, at work in a directory: what a request may ask of it, and who says what is allowed."""

from dataclasses import dataclass
from typing import Literal, Protocol

Mode = Literal["chat", "agent"]
"""A faithful model endpoint, or Claude Code with its own tools."""

PermissionMode = Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"]

SettingSource = Literal["user", "project", "local"]

Shown = Literal["reasoning", "events"]
"""How the client wants to see what Claude Code does with its tools."""


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
    show_activity: Shown | None = None


class Workspace(Protocol):
    """The folders in and under which Claude Code may work, read and write. The disk is asked anew each time."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """These folders; the first is where a request works that names none."""
        ...

    def folder(self, path: str) -> str | None:
        """The folder that `path` is, with links and ".." resolved; None where it is none, or none of these."""
        ...

    def holds(self, path: str) -> bool:
        """Whether `path`, absolute, is in one of these folders, wherever links lead, and whether it exists or not."""
        ...


@dataclass(frozen=True, slots=True)
class AgentRules:
    """What the person who runs the server allows. `default_mode` is that of requests that choose none."""

    workspace: Workspace
    default_mode: Mode = "chat"
    permission_modes: tuple[PermissionMode, ...] = ("acceptEdits", "auto", "default", "plan")
    setting_sources: tuple[SettingSource, ...] = ("user",)
