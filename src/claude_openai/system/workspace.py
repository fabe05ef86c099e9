"""Where the agent profile may work: whether a path lies in an allowed folder, wherever links and ".." lead.

The disk is asked each time, since a link can lead elsewhere tomorrow. What nobody can promise is that it still leads
there when the path is used: `docs/agent.md` says what follows from that.
"""

import os
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


class AllowedFolders:
    """Implements `core.agent.Workspace` over `prefixes`, absolute or relative to the folder this program runs in."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self.prefixes = tuple(dict.fromkeys(map(_real, prefixes)))

    def folder(self, path: str) -> str | None:
        """See `core.agent.Workspace.folder`. A relative `path` begins at the first of the allowed folders."""
        if "\0" in path:
            return None
        found = _real(str(Path(self.prefixes[0], path)))
        return found if self._allowed(found) and _is_folder(found) else None

    def holds(self, path: str) -> bool:
        """See `core.agent.Workspace.holds`."""
        return "\0" not in path and self._allowed(_real(path))

    def _allowed(self, real: str) -> bool:
        return any(below(real, prefix) is not None for prefix in self.prefixes)


def within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies under it, by their names alone: "/ab" does not lie under "/a"."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def below(path: str, folder: str) -> tuple[str, ...] | None:
    """The names that lead from `folder` to `path`; None where it does not lie there. Neither has a link in it.

    A disk may take several spellings for one name (composed letters or not, capitals or not), and another disk has a
    file for each: so what no name decides the disk does, by the folders on the way to `path` that are there.
    """
    if within(path, folder):
        return Path(path).relative_to(folder).parts
    names = Path(path)
    for parent in (names, *names.parents):
        if folded(str(parent)) == folded(folder) and _is_same(str(parent), folder):
            return names.relative_to(parent).parts
    return None


@lru_cache(maxsize=4096)
def folded(path: str) -> str:
    """`path` as the most careless disk takes it: letters without case, in one of their spellings, nothing unseen."""
    letters = unicodedata.normalize("NFD", path).casefold()
    return unicodedata.normalize("NFC", "".join(each for each in letters if unicodedata.category(each) != "Cf"))


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)  # noqa: PTH121 -- texts
    except OSError:
        return False


def _real(path: str) -> str:
    return os.path.realpath(path)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 -- says no where `Path.is_dir` raises: on the way to it is a closed folder
