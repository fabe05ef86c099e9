"""What the sandbox of an agent's commands puts where nothing may be made, and leaves there if it is killed.

For as long as a command runs, bubblewrap has an empty file or folder in the place of each that must not be made: in a
home a read-only `.bashrc`, `.netrc` and some ninety more (measured). Claude Code removes them after the command. Where
it is killed meanwhile, with its server or for an answer that is cut, they stay. So what was not there is on record in
the process's folder, and what is there afterwards and still empty goes with the process, or by the next start of a
server.

As long as another agent works in the same folder, nothing is removed there: the file may be what a mount of its sandbox
stands on, and would take that with it. The last one to leave removes it.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from claude_openai.claude_code.processes.scratch import FOLDER_PREFIX, Scratch
from claude_openai.system.workspace import within

_CLAUDE_CODES: Final = (
    *(".gitconfig", ".gitmodules", ".bashrc", ".bash_profile", ".zshrc", ".zprofile", ".profile", ".ripgreprc"),
    *(".mcp.json", ".vscode", ".idea", ".git", "HEAD", "objects", "refs"),
    *(
        f".claude/{name}"
        for name in (
            *("commands", "agents", "settings.json", "settings.local.json", "hooks", "skills", "workflows", "plugins"),
            *("launch.json", "loop.md", "output-styles", "rules", "routines", "scheduled_tasks.json", "worktrees"),
        )
    ),
    *(
        f".git/{name}"
        for name in (
            *("hooks", "config.lock", "config.worktree", "config.worktree.lock", "remotes", "branches", "glab-cli"),
            *("worktrees", "modules", "info", "objects/info/alternates", "objects/info/http-alternates"),
            *(f"{where}/.claude-sandbox-noreplace" for where in ("info", "objects/info", "objects/info/commit-graphs")),
        )
    ),
)
"""What Claude Code itself denies in the folder of the work (read in Claude Code, measured)."""

_ITS_OWN: Final = "/.git/config.worktree"
"""An empty file that Claude Code makes itself, which every command in a repository leaves (measured)."""

COMMON: Final = "commondir"
"""In a git directory it names the one that git reads the configuration from."""

_STUB: Final = ".\n"
"""Of a git directory's `commondir`: that git is to read its configuration where it would anyway. git fails with the
empty file that the sandbox would put there (measured)."""

_NAME: Final = "placeholders"

_READ_ONLY: Final = 0o444
"""The mode of a file that bubblewrap makes (measured)."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Of a process that may write in `folders`: what was not `there` before it, and may be there after it."""

    folders: tuple[str, ...]
    absent: tuple[str, ...]

    @classmethod
    def before(cls, folders: tuple[str, ...], denied: Iterable[str], scratch: Scratch) -> Self:
        """For a process that is about to start, with what commands are `denied` to write; it is put on record. A
        `commondir` that is to be denied is made.
        """
        denied = tuple(denied)
        named = [*denied, *(f"{folder}/{name}" for folder in folders for name in _CLAUDE_CODES)]
        absent = {step for path in named for step in _steps(path, folders) if not os.path.lexists(step)}
        for other in _others(scratch):  # what these have put there now was not there before them
            absent.update(path for path in other.absent if any(within(path, folder) for folder in folders))
        made = cls(folders, tuple(sorted(absent)))
        (scratch.root / _NAME).write_text(json.dumps(asdict(made)))
        for path in made.absent:
            if path in denied and Path(path).name == COMMON:
                with suppress(OSError), Path(path).open("x") as stub:
                    stub.write(_STUB)
        return made

    @classmethod
    def on_record(cls, file: Path) -> Self | None:
        """What a process has put on record; None where there is nothing of it."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            told = json.loads(file.read_text())
            return cls(tuple(map(str, told["folders"])), tuple(map(str, told["absent"])))
        return None

    def remove(self, others: Iterable[Self]) -> None:
        """Remove what is there by now and empty, but not where `others` work."""
        busy = [folder for other in others for folder in other.folders]
        for path in sorted(self.absent, key=len, reverse=True):
            if not any(within(path, folder) for folder in busy):
                with suppress(OSError):
                    _remove(path)


def remove_placeholders(scratch: Scratch) -> None:
    """What the process of `scratch` has left, once it has ended."""
    record = scratch.root / _NAME
    left = Placeholders.on_record(record)
    record.unlink(missing_ok=True)
    if left:
        left.remove(_others(scratch))


def _others(scratch: Scratch) -> Iterator[Placeholders]:
    """Those of all other processes, of other servers too."""
    of_this_server = scratch.root.parent.glob(f"*/{_NAME}")
    of_others = scratch.root.parent.parent.glob(f"{FOLDER_PREFIX}*/*/{_NAME}")
    for file in {*of_this_server, *of_others} - {scratch.root / _NAME}:
        if told := Placeholders.on_record(file):
            yield told


def _steps(path: str, folders: Iterable[str]) -> Iterator[str]:
    """`path` and what it lies in, as far as that is in one of `folders`."""
    for step in (path, *map(str, Path(path).parents)):
        if any(within(step, folder) and step != folder for folder in folders):
            yield step


def _remove(path: str) -> None:
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode):
        os.rmdir(path)  # noqa: PTH106 -- a text, and only if it is empty
    elif stat.S_ISREG(found.st_mode) and (
        (found.st_size == 0 and (stat.S_IMODE(found.st_mode) == _READ_ONLY or path.endswith(_ITS_OWN)))
        or (path.endswith(f"/{COMMON}") and Path(path).read_text() == _STUB)
    ):
        os.unlink(path)  # noqa: PTH108
