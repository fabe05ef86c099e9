"""Paths that make git, Claude Code, a shell or an editor run commands, at the top of a folder and in git directories.

File tools do not write them at any depth. For commands the sandbox forbids them one by one, so they are listed here by
what is on the disk. A command may write most of a git directory, `HEAD` among it. So whether a folder is a git
directory is decided by what a command cannot remove.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from claude_openai.claude_code.processes.placeholders import COMMON
from claude_openai.system.workspace import folded, within

CONTROL: Final = frozenset(
    {
        *(".git", ".gitmodules", ".husky", ".envrc", ".claude", ".mcp.json"),
        *(".vscode", ".idea", ".cursor", ".devcontainer"),
    }
)
"""Names that file tools do not write at any depth."""

HEAD: Final = "HEAD"
"""Without it git takes no folder but one named `.git` for a git directory."""

_CONFIG: Final = "config"

_OBEYED: Final = (_CONFIG, "config.worktree", "hooks", COMMON)
"""In a git directory: what makes git run commands, or read its configuration elsewhere."""

_MODULES: Final = "modules"
"""In a git directory: the git directories of submodules."""

_IN_GIT_DIRECTORY: Final = frozenset({*_OBEYED, _MODULES, "objects", "refs", "info", "worktrees"})
"""Names that file tools do not write beside a `HEAD`."""

_MOST_MODULES: Final = 1_000
"""Limit on the folders that are searched for git directories of submodules; it takes some 20 ms."""

_SUBMODULE: Final = re.compile(r'^\s*\[submodule\s+"(.+)"\]', re.MULTILINE)
"""In `.gitmodules`: the name of a submodule, which is that of its folder in `modules`."""

_WORKTREE: Final = re.compile(r"^\s*worktree\s*=(.+)$", re.MULTILINE)
"""In the configuration of a submodule: its working tree, relative to the git directory."""


def control(folders: Iterable[str]) -> tuple[str, ...]:
    """What commands must not write at the top of each of `folders`, whether it exists or not. Of a git directory that
    exists they may write all but what git obeys; where there is none, none can be made.
    """
    return tuple(dict.fromkeys(path for folder in folders for path in _control(folder.rstrip(os.sep))))


def unmade_modules(folders: Iterable[str]) -> tuple[str, ...]:
    """Where git would make the git directories of submodules that have none yet, in the git directories of `folders`.
    Commands must not make them, since git would use them. The whole `modules` where it does not exist, or is too large
    to be searched.
    """
    return tuple(dict.fromkeys(path for folder in folders for path in _unmade_modules(folder.rstrip(os.sep))))


def linked_directories(folder: str) -> tuple[str, ...]:
    """The git directories of a linked worktree: its own part, and that of the main repository, which Claude Code opens
    to commands (measured). Empty where `folder` is no linked worktree.
    """
    part = _named_in(Path(folder, ".git"), "gitdir:")
    main = _named_in(part / COMMON) if part else None
    return (str(part), str(main)) if main else ()


def git_directory_around(folder: str) -> str | None:
    """The git directory that `folder` is or lies in; None where it is a working tree, even one in a bare repository."""
    for place in (Path(folder), *Path(folder).parents):
        if place.name == ".git" or (
            os.path.lexists(place / HEAD) and any(os.path.lexists(place / name) for name in ("objects", COMMON))
        ):
            return str(place)
        if os.path.lexists(place / ".git") and ".git" not in place.parts:
            return None
    return None


def is_git_control(path: str, depth: int) -> bool:
    """Whether `path`, as far as its last `depth` names, would make a git directory of a folder with another name than
    `.git`, or is one of git's files in such a folder.
    """
    place = Path(path)
    if folded(place.name) == folded(HEAD):
        return True
    steps = (place, *place.parents)[:depth]
    return any(folded(step.name) in _IN_GIT_DIRECTORY and os.path.lexists(step.parent / HEAD) for step in steps)


def link_on_the_way(paths: Iterable[str], folders: Iterable[str]) -> str | None:
    """The first symbolic link that is one of `paths`, or on the way to one, below one of `folders`."""
    inside = ((path, folder) for path in sorted(paths) for folder in folders if within(path, folder))
    steps = (
        step for path, folder in inside for step in (path, *map(str, Path(path).parents)) if len(step) > len(folder)
    )
    return next(filter(os.path.islink, steps), None)


def _control(folder: str) -> Iterator[str]:
    yield from (f"{folder}/{name}" for name in (*sorted(CONTROL - {".git"}), HEAD))
    git = Path(folder, ".git")
    yield from (str(git),) if git.is_file() else (f"{git}/{_CONFIG}", f"{git}/hooks")
    for directory in _git_directories(folder):
        # Claude Code holds a worktree's part read-only, so the sandbox can make nothing there to keep a name. The same
        # goes for what no command can write anyway.
        held = () if _is_open(directory, folder) else _OBEYED
        yield from (f"{directory}/{name}" for name in _OBEYED if name not in held or os.path.lexists(directory / name))


def _unmade_modules(folder: str) -> Iterator[str]:
    for directory in _git_directories(folder):
        if not _is_open(directory, folder):
            continue
        modules = directory / _MODULES
        if not os.path.lexists(modules) or _repositories(modules) is None:
            yield str(modules)
            continue
        worktree = _WORKTREE.search(_text(directory / _CONFIG))
        tree = directory / worktree[1].strip() if worktree else directory.parent
        for name in _SUBMODULE.findall(_text(tree / ".gitmodules")):
            repository = os.path.normpath(modules / name)
            if within(repository, str(modules)) and not os.path.lexists(repository):
                yield repository


def _is_open(directory: Path, folder: str) -> bool:
    """Whether commands that work in `folder` can write in the git directory."""
    return directory.parent.name != "worktrees" and any(
        within(str(directory), root) for root in (folder, *linked_directories(folder)[1:])
    )


def _git_directories(folder: str) -> Iterator[Path]:
    """The git directory of `folder`, and those that git reads from there: of the main repository, of linked worktrees
    and of submodules; and the folder itself, if it is one.
    """
    git = Path(folder, ".git")
    named = _named_in(git, "gitdir:") if git.is_file() else git
    own = [named] if named and has_content(str(named)) else []
    bare = [Path(folder)] if _has_head(Path(folder)) else []
    for directory in (*own, *bare):
        main = _named_in(directory / COMMON) or directory
        yield from dict.fromkeys((directory, main))
        yield from main.glob("worktrees/*/")
        yield from _repositories(main / _MODULES) or ()


def has_content(folder: str) -> bool:
    """Whether `folder` exists and is not empty, as what the sandbox puts in the place of a folder is."""
    try:
        return bool(os.listdir(folder))  # noqa: PTH208 -- a text
    except (OSError, ValueError):
        return False


def _repositories(modules: Path) -> list[Path] | None:
    """The git directories of submodules in the folder; None where it is too large to be searched."""
    found = []
    for searched, (place, below, files) in enumerate(os.walk(modules)):
        if searched >= _MOST_MODULES:
            return None
        if _CONFIG in files or HEAD in files:
            found.append(Path(place))
            below[:] = [name for name in below if name == _MODULES]
    return found


def _has_head(directory: Path) -> bool:
    """Whether there is a `HEAD` that is not empty, as the one is that the sandbox puts there while a command runs."""
    try:
        return os.lstat(directory / HEAD).st_size > 0
    except (OSError, ValueError):
        return False


def _named_in(file: Path, before: str = "") -> Path | None:
    """The folder that git's `file` names, after the word `before`; None where it names none."""
    text = _text(file).strip()
    named = text.removeprefix(before).strip()
    return (
        Path(os.path.normpath(file.parent / named)) if named and text.startswith(before) and "\0" not in named else None
    )


def _text(file: Path) -> str:
    """The content of `file`; empty where it cannot be read."""
    try:
        return file.read_text(errors="replace")
    except (OSError, ValueError):
        return ""
