"""Placeholders: the empty files and folders that the sandbox creates where commands must create nothing.

While a command runs, bubblewrap has a mount point at each such path: in a home a read-only `.bashrc`, `.netrc` and some
ninety more (measured). Claude Code removes them after the command. If it is killed meanwhile, with its server or for an
answer that is cut, they stay. So the paths that did not exist are recorded in the process's folder. Those that exist
afterwards and are empty are removed with the process, or by the next start of a server.

While another agent works in the same folder, nothing is removed there: the file may be a mount point of its sandbox,
and the mount would go with it. The record is then left to that agent's process, which removes them at its end.
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
from claude_openai.system.untrusted_files import folder_without_links, read_regular_file
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
            *(
                "NOTES_MERGE_WORKTREE",
                "worktrees",
                "modules",
                "info",
                "objects/info/alternates",
                "objects/info/http-alternates",
            ),
            *(f"{where}/.claude-sandbox-noreplace" for where in ("info", "objects/info", "objects/info/commit-graphs")),
        )
    ),
)
"""Paths that Claude Code itself denies in a work folder (read in Claude Code, measured)."""

_ITS_OWN: Final = ("/config.worktree", "/.gitconfig")
"""Empty files that Claude Code makes itself, and that are writable: in the git directory of each repository with a
command, and in the home at the start of a process with a sandbox (measured)."""

COMMON: Final = "commondir"
"""A file in a git directory that names the git directory from which git reads the configuration."""

_STUB: Final = ".\n"
"""A `commondir` with which git reads its configuration where it does without one. git fails with the empty file that
the sandbox would put there (measured)."""

_NAME: Final = "placeholders"

_READ_ONLY: Final = 0o444
"""The mode of a file that bubblewrap makes (measured)."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The placeholders of a process that may write in `folders`: the paths that did not exist before it (`absent`), and
    may exist after it.
    """

    folders: tuple[str, ...]
    absent: tuple[str, ...]

    @classmethod
    def before(cls, folders: tuple[str, ...], denied: Iterable[str], scratch: Scratch) -> Self:
        """Find and record the placeholders of a process whose start, or new sandbox, is next. `denied` are the paths
        that commands must not write. A denied `commondir` that does not exist is created, unless a part of its path is
        a link: that leads to a folder of others.
        """
        denied = tuple(denied)
        codes = (*_CLAUDE_CODES, *(name.removeprefix(".git/") for name in _CLAUDE_CODES if name.startswith(".git/")))
        named = [*denied, *(f"{folder}/{name}" for folder in folders for name in codes)]
        absent = {
            step
            for path in named
            for step in (path, *map(str, Path(path).parents))
            if any(within(step, folder) and step != folder for folder in folders) and not os.path.lexists(step)
        }
        for record in _records(scratch):  # these paths did not exist before the process started
            if earlier := cls.on_record(record):
                absent.update(path for path in earlier.absent if str(Path(path).parent) not in earlier.absent)
        for record in _records_of_others([scratch]):  # a path that another process recorded did not exist before that
            if other := cls.on_record(record):
                absent.update(path for path in other.absent if any(within(path, folder) for folder in folders))
        made = cls(folders, tuple(sorted(absent)))
        made.save(scratch.root / _NAME)
        for path in made.absent:
            if path in denied and Path(path).name == COMMON:
                with suppress(OSError):
                    _make_stub(Path(path))
        return made

    def save(self, file: Path) -> None:
        """Write the record to `file`.

        Raises:
            OSError: the file cannot be written.
        """
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def on_record(cls, file: Path) -> Self | None:
        """Read the record in `file`; None where there is none, or an incomplete one."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            read = json.loads(file.read_text())
            return cls(tuple(map(str, read["folders"])), tuple(map(str, read["absent"])))
        return None


def remove_placeholders(*scratches: Scratch) -> None:
    """Remove the placeholders of the processes of `scratches`, which have ended: recorded paths that are empty. Where
    another process works, they are left to that process, with the record of them.
    """
    absent: set[str] = set()
    for record in (record for scratch in scratches for record in _records(scratch)):
        if left := Placeholders.on_record(record):
            absent.update(left.absent)
        record.unlink(missing_ok=True)
    others = [(record, found) for record in _records_of_others(scratches) if (found := Placeholders.on_record(record))]
    kept: dict[Path, list[str]] = {}
    for path in sorted(absent, key=len, reverse=True):
        busy = next((record for record, other in others if any(within(path, folder) for folder in other.folders)), None)
        if busy:
            kept.setdefault(busy, []).append(path)
        else:
            with suppress(OSError):
                _remove(path)
    for record, paths in kept.items():
        with suppress(OSError):
            Placeholders((), tuple(paths)).save(record.parent / f"{_NAME}-{scratches[0].root.name}")


def _records(scratch: Scratch) -> Iterable[Path]:
    """Return the files of records of the process of `scratch`: its own, and those that other processes left to it."""
    return scratch.root.glob(f"{_NAME}*")


def _records_of_others(scratches: Iterable[Scratch]) -> Iterator[Path]:
    """Yield the files of records of all processes except those of `scratches`, of other servers too."""
    own = {scratch.root for scratch in scratches}
    servers = {root.parent for root in own} | {
        server for root in own for server in root.parent.parent.glob(f"{FOLDER_PREFIX}*")
    }
    for record in (record for server in servers for record in server.glob(f"*/{_NAME}*")):
        if record.parent not in own:
            yield record


def _make_stub(path: Path) -> None:
    """Make the `commondir` at `path`.

    Raises:
        OSError: it cannot be made, it is there already, or a part of its path is a link.
    """
    with folder_without_links(path.parent) as folder:
        descriptor = os.open(path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "w") as stub:
            stub.write(_STUB)


def _remove(path: str) -> None:
    """Remove `path` if it is a placeholder. A folder on the way that has become a symbolic link leads to another place,
    where nothing is removed.

    Raises:
        OSError: it does not exist, or cannot be removed.
    """
    parent, name = os.path.split(path)
    with folder_without_links(parent) as folder:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=folder)  # only if it is empty
        elif stat.S_ISREG(found.st_mode) and (
            (found.st_size == 0 and (stat.S_IMODE(found.st_mode) == _READ_ONLY or path.endswith(_ITS_OWN)))
            or (name == COMMON and read_regular_file(path, len(_STUB) + 1) == _STUB.encode())
        ):
            os.unlink(name, dir_fd=folder)
