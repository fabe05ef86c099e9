"""The fence around Claude Code's own tools: what they may touch, whatever the permission mode and its rules allow.

It is asked before each use of a tool, sub-agents' included, and can only refuse: Claude Code's own rules come after it.
A tool that is not known here is refused, so a new version of Claude Code brings none that was not looked at. Commands
are held by Claude Code's sandbox; without one there are none.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from claude_openai.core.agent import Workspace
from claude_openai.workspace import within

SEARCHING: Final = ("Glob", "Grep")
"""They look at all that is under a folder."""

READING: Final = ("Read", "Glob", "Grep", "LS", "NotebookRead")
WRITING: Final = ("Write", "Edit", "MultiEdit", "NotebookEdit")
COMMANDS: Final = ("Bash", "BashOutput", "KillBash", "KillShell")
OTHERS: Final = ("Agent", "Task", "TaskOutput", "TaskStop", "TodoWrite", "Skill", "WebFetch", "WebSearch")
PLANNED: Final = "ExitPlanMode"
"""Presents a plan for approval. Its opposite is not known here: nobody could lead the model out again."""

_KNOWN: Final = frozenset((*READING, *WRITING, *COMMANDS, *OTHERS, PLANNED))

_PATHS: Final = ("file_path", "notebook_path", "path", "cwd", "dir", "directory", "workdir")
"""The arguments that are paths, of whichever tool."""

_UNSANDBOXED: Final = "dangerouslyDisableSandbox"

_ISOLATED: Final = "isolation"
"""Asks for a copy of the repository to work in, made by commands that no sandbox holds."""

_CONTROL: Final = frozenset({".git", ".claude", ".mcp.json", ".gitmodules"})
"""Names, at any depth, of what makes git or Claude Code run commands: never written to by a file tool."""

_LOGINS: Final = (
    ".claude",
    ".claude.json",
    ".config/claude",
    ".claude-openai",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".docker",
    ".git-credentials",
    ".gnupg",
    ".kube",
    ".netrc",
    ".ssh",
)
"""In a home, which may be in an allowed folder: what Claude Code and this server keep, and other logins."""

_WILD: Final = re.compile(r"[*?\[{(!]")
_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")

_MOST_ALTERNATIVES: Final = 200
"""Of a pattern. One with more is refused: nobody writes it, and to look at all takes for ever."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Around `workspace`, but for what is `private` in it. `commands`: there is a sandbox for them. `client` is how the
    names of the client's tools begin, which are run by the client.
    """

    workspace: Workspace
    private: tuple[str, ...]
    commands: bool
    client: str

    def refusal(self, tool: str, arguments: Mapping[str, object], cwd: str) -> str | None:
        """Why `tool` must not be used so, in words for the model; None where nothing speaks against it."""
        if tool.startswith(self.client):
            return None
        if tool not in _KNOWN:
            return f"{tool} is not available here."
        if tool in COMMANDS and (reason := self._command(arguments)):
            return reason
        if tool == "WebFetch" and not str(arguments.get("url")).lower().startswith(("http://", "https://")):
            return "WebFetch is for http and https only."
        if arguments.get(_ISOLATED):
            return "Work in a copy of the repository is not available here."
        return next(filter(None, (self._path(tool, path, cwd) for path in _paths(tool, arguments))), None)

    def _kept(self) -> Iterable[str]:
        """Some disks take upper case for lower; to refuse too much does no harm."""
        return map(str.lower, self.private)

    def _command(self, arguments: Mapping[str, object]) -> str | None:
        if not self.commands:
            return "Commands cannot be run here: this machine has no sandbox for them. Use the other tools."
        return "Commands run in the sandbox only." if arguments.get(_UNSANDBOXED) else None

    def _path(self, tool: str, sent: object, cwd: str) -> str | None:
        if not isinstance(sent, str) or "\0" in sent:
            return f"{sent!r} is no path."
        real = os.path.realpath(Path(cwd, _at_home(sent)))
        if tool in WRITING and not _CONTROL.isdisjoint(map(str.lower, Path(real).parts)):
            return f"{sent} is a file that decides what git or Claude Code run, and must not be changed here."
        if any(
            within(real.lower(), each) or (tool in SEARCHING and within(each, real.lower())) for each in self._kept()
        ):
            return f"{sent} is, or has in it, what people sign in with, which is out of bounds here."
        if self.workspace.holds(real):
            return None
        return f"{sent} is outside the folders that may be used here: {', '.join(self.workspace.prefixes)}."


def logins(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the user of this `environment` signs in with, as far as it is there: files and folders, links followed."""
    home = environment.get("HOME") or environment.get("USERPROFILE") or os.sep
    configured = environment.get("CLAUDE_CONFIG_DIR") or str(Path(home, ".claude"))
    paths = (configured, *(str(Path(home, each)) for each in _LOGINS))
    return tuple(sorted({os.path.realpath(path) for path in paths if os.path.exists(path)}))  # noqa: PTH110 -- as below


def _paths(tool: str, arguments: Mapping[str, object]) -> Iterable[object]:
    """All that `arguments` name: of a pattern the folder where it begins, and where ".." in it could lead."""
    yield from (arguments[name] for name in _PATHS if arguments.get(name) is not None)
    if tool == "Glob":
        yield from _bases(arguments.get("pattern"), arguments.get("path"))
    if tool == "Grep" and arguments.get("path") is None:
        yield "."
    if tool == "Grep" and arguments.get("glob") is not None:
        yield from _bases(arguments["glob"], arguments.get("path"))


def _bases(pattern: object, path: object) -> Iterable[object]:
    folder = path if isinstance(path, str) else "."
    if not isinstance(pattern, str):
        yield pattern
        return
    for number, alternative in enumerate(_alternatives(pattern)):
        if number == _MOST_ALTERNATIVES:
            yield "/"
            return
        steps = re.split(r"[/\\]", _at_home(alternative))
        wild = next((n for n, step in enumerate(steps) if _WILD.search(step)), len(steps))
        begins = "/".join(steps[:wild])
        yield str(Path(folder, begins or ("/" if wild else ".")))
        if any(".." in step for step in steps[wild:]):
            yield "/"


def _alternatives(pattern: str) -> Iterator[str]:
    """What `{a,b}` in `pattern` stands for, one by one."""
    group = _INNERMOST.search(pattern)
    if group is None:
        yield pattern
        return
    for choice in group[1].split(","):
        yield from _alternatives(pattern[: group.start()] + choice + pattern[group.end() :])


def _at_home(path: str) -> str:
    """As Claude Code reads it: a "~" at the beginning is the home of whoever runs the server."""
    return os.path.expanduser(path)  # noqa: PTH111 -- `Path.expanduser` raises where there is no such user
