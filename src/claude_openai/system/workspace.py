"""The allowed folders of agents: whether a path is in one of them, with links and ".." resolved.

Every check reads the disk, since a link can change. It can also change between the check and the use of the path:
`docs/guide/agent.md` says what follows from that.
"""

import errno
import os
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path


class AllowedFolders:
    """Implements `core.agent.Workspace` for `prefixes`, absolute or relative to the working directory."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self.prefixes = tuple(dict.fromkeys(real_path(each) or os.path.abspath(each) for each in prefixes))  # noqa: PTH100

    def folder(self, path: str) -> str | None:
        """See `core.agent.Workspace.folder`. A relative `path` is relative to the first allowed folder."""
        if "\0" in path:
            return None
        found = real_path(Path(self.prefixes[0], path))
        is_folder = os.path.isdir(found)  # noqa: PTH112 -- False where `Path.is_dir` raises: a parent without access
        return found if is_folder and self._allowed(found) else None

    def holds(self, path: str) -> bool:
        """See `core.agent.Workspace.holds`."""
        return "\0" not in path and self._allowed(real_path(path))

    def _allowed(self, real: str) -> bool:
        return any(below(real, prefix) is not None for prefix in self.prefixes)


def real_path(path: str | Path) -> str:
    """`path` with its links resolved. "" where that cannot be done, as for a link to `/proc/1/cwd`, which only root may
    read, a link that leads to itself, or while somebody replaces a part of it: that is in no folder, and is no path.

    The path need not exist. A folder that cannot be searched (mode 0) ends the resolution: the names after it are mere
    names, and this user can open nothing there.
    """
    try:
        real = os.path.realpath(path)
        return "" if os.path.islink(real) or _is_loop(real) else real  # noqa: PTH114 -- a text
    except OSError:
        return ""


def _is_loop(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def unprotectable_name(path: str) -> str | None:
    """Return the first name in `path` that Claude Code's rules cannot express: one with a backslash, or with white
    space at its end, is not what a rule with it denies (measured). None where there is none.
    """
    if os.name == "nt":
        return None
    return next((name for name in Path(path).parts if "\\" in name or name != name.rstrip()), None)


def within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it, by their names alone: "/ab" is not below "/a"."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def below(path: str, folder: str) -> tuple[str, ...] | None:
    """The path components from `folder` to `path`; None if `path` is not below it. Both must have their links resolved.

    Some file systems take several spellings for the same name (composed letters or not, capitals or not), others do
    not. If the names alone do not decide, the file system does, through the existing parents of `path`.
    """
    if within(path, folder):
        return Path(path).relative_to(folder).parts
    names = Path(path)
    for parent in (names, *names.parents):
        if folded(str(parent)) == folded(folder):
            with suppress(OSError):
                if parent.samefile(folder):
                    return names.relative_to(parent).parts
    return None


@lru_cache(maxsize=4096)
def folded(path: str) -> str:
    """`path` as the most lenient file system compares it: without case, normalised, without invisible characters."""
    letters = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFC", "".join(each for each in letters if unicodedata.category(each) != "Cf"))
