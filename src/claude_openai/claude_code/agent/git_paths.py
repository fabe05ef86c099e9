"""Paths that make git, Claude Code, a shell or an editor run commands, at the top of a folder and in git directories.

File tools do not write them at any depth. The sandbox forbids them to commands one by one, so this module lists them,
by the repositories on the disk. A command may write most of a git directory, `HEAD` among it. So only files that a
command cannot remove decide whether a folder is a git directory.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from claude_openai.claude_code.processes.placeholders import COMMON
from claude_openai.system.untrusted_files import read_regular_file
from claude_openai.system.workspace import below, folded, real_path, within

CONTROL: Final = frozenset(
    {
        *(".git", ".gitmodules", ".husky", ".envrc", ".claude", ".mcp.json"),
        *(".vscode", ".idea", ".cursor", ".devcontainer"),
    }
)
"""Names that file tools do not write at any depth."""

HEAD: Final = "HEAD"
"""Without this file git does not take a folder for a git directory, unless its name is `.git`."""

_CONFIG: Final = "config"

_SIGNS: Final = (
    *((name, os.path.isfile) for name in (HEAD, _CONFIG, "packed-refs")),
    *((name, os.path.isdir) for name in ("objects", "refs", "hooks")),
)
"""What a git directory has. A command may move all but `config` and `hooks` away, and back later."""

_FORMAT: Final = re.compile(r"^\s*repositoryformatversion\b", re.MULTILINE | re.IGNORECASE)
"""In `config`: what git writes into every git directory that it makes, and nowhere else."""

_MOST_BYTES: Final = 10_000_000
"""Limit on what is read of a file of git's, which an agent may have made."""

_OBEYED: Final = (_CONFIG, "config.worktree", "hooks", COMMON)
"""In a git directory: files and folders that make git run commands, or read its configuration elsewhere."""

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
    """Return the paths that commands must not write at the top of each of `folders`, whether they exist or not.
    Commands may write in a git directory that exists, except the paths that git obeys; they cannot make a new one.
    """
    found: list[str] = []
    for folder in (each.rstrip(os.sep) for each in folders):
        found += (f"{folder}/{name}" for name in (*sorted(CONTROL - {".git"}), HEAD))
        git = Path(folder, ".git")
        found += (str(git),) if _is_file(git) else (f"{git}/{_CONFIG}", f"{git}/hooks")
        for directory in _git_directories(folder):
            # Claude Code holds a worktree's part read-only, so the sandbox can make nothing there to keep a name. The
            # same goes for a directory that no command can write in anyway.
            held = () if _is_open(directory, folder) else _OBEYED
            found += (f"{directory}/{n}" for n in _OBEYED if n not in held or os.path.lexists(directory / n))
    return tuple(dict.fromkeys(found))


def unmade_modules(folders: Iterable[str]) -> tuple[str, ...]:
    """Return where git would make the git directories of submodules that have none yet, in the git directories of
    `folders`. Commands must not make them, since git would use them. The result has the whole `modules` where that does
    not exist, or is too large to be searched.
    """
    found: list[str] = []
    for folder in (each.rstrip(os.sep) for each in folders):
        for directory in _git_directories(folder):
            if not _is_open(directory, folder):
                continue
            modules = directory / _MODULES
            if not os.path.lexists(modules) or _repositories(modules) is None:
                found.append(str(modules))
                continue
            worktree = _WORKTREE.search(_text(directory / _CONFIG))
            tree = directory / worktree[1].strip() if worktree else directory.parent
            for name in _SUBMODULE.findall(_text(tree / ".gitmodules")):
                repository = os.path.normpath(modules / name)
                if within(repository, str(modules)) and not os.path.lexists(repository):
                    found.append(repository)
    return tuple(dict.fromkeys(found))


def linked_directories(folder: str) -> tuple[str, ...]:
    """Return the git directories of a linked worktree: its own part, and that of the main repository, which Claude Code
    opens to commands (measured). Empty where `folder` is no linked worktree.
    """
    part = _named_in(Path(folder, ".git"), "gitdir:")
    main = _named_in(part / COMMON) if part else None
    return (str(part), str(main)) if main else ()


def git_directory_around(folder: str) -> str | None:
    """Return the git directory that `folder` is or lies in; None for a working tree, even one in a bare repository,
    unless a `.git` above it names that repository.
    """
    tree = False
    for place in (Path(folder), *Path(folder).parents):
        if place.name == ".git":
            return str(place)
        if named := next((each for each in _named_by(place) if within(folder, each)), None):
            return named
        steps = Path(folder).relative_to(place).parts
        if _is_git_directory(place) and not (tree and folded(steps[0]) not in _IN_GIT_DIRECTORY):
            return str(place)
        tree = tree or os.path.lexists(place / ".git")
    return None


def control_folder(folder: str, prefixes: Iterable[str]) -> str | None:
    """Return the folder of a name in `CONTROL` that `folder` is or lies in; None where the nearest of `prefixes` around
    it lies there, too, so that the operator allowed it.
    """
    nearest = min((parts for each in prefixes if (parts := below(folder, each)) is not None), key=len, default=())
    steps = (Path(folder), *Path(folder).parents)[: len(nearest)]
    return next((str(step) for step in reversed(steps) if folded(step.name) in CONTROL), None)


def is_git_control(path: str, depth: int) -> bool:
    """Whether `path`, as far as its last `depth` names, would make a git directory of a folder with another name than
    `.git`, or is one of git's files in such a folder.
    """
    place = Path(path)
    if folded(place.name) == folded(HEAD):
        return True
    steps = (place, *place.parents)[:depth]
    return any(
        (
            folded(step.name) in _IN_GIT_DIRECTORY
            and (os.path.lexists(step.parent / HEAD) or _is_git_directory(step.parent))
        )
        or any(within(path, named) for named in _named_by(step.parent))
        for step in steps
    )


def link_on_the_way(paths: Iterable[str], folders: Iterable[str]) -> str | None:
    """Return the first symbolic link that is one of `paths`, or on the way to one, below one of `folders`."""
    inside = ((path, folder) for path in sorted(paths) for folder in folders if within(path, folder))
    steps = (
        step for path, folder in inside for step in (path, *map(str, Path(path).parents)) if len(step) > len(folder)
    )
    return next(filter(os.path.islink, steps), None)


def _is_open(directory: Path, folder: str) -> bool:
    """Whether commands that work in `folder` can write in the git directory."""
    return directory.parent.name != "worktrees" and any(
        within(str(directory), root) for root in (folder, *linked_directories(folder)[1:])
    )


def _is_git_directory(place: Path) -> bool:
    """Whether git's files are in `place`, also where a command has moved some of them away."""
    if os.path.lexists(place / HEAD) and any(os.path.lexists(place / name) for name in ("objects", COMMON)):
        return True
    found = {name for name, is_there in _SIGNS if is_there(place / name)}
    return (
        {"objects", "refs"} <= found
        or (len(found) > 1 and not found <= {"objects", "refs", "hooks"})  # folders alone are in other projects, too
        or (_CONFIG in found and _FORMAT.search(_text(place / _CONFIG)) is not None)
    )


def _named_by(tree: Path) -> tuple[str, ...]:
    """Return the git directories that a `.git` in `tree` leads to, a file or a link: its own, and the main one if that
    lies in `tree`, too.
    """
    git = tree / ".git"
    if os.path.islink(git) and os.path.isdir(git):  # noqa: PTH112, PTH114 -- False where a parent cannot be read
        return tuple(filter(None, (real_path(git),)))
    named = _named_in(git, "gitdir:")
    main = _named_in(named / COMMON) if named else None
    real = tuple(path for each in (named, main) if each and (path := real_path(each)))
    return real[:1] + tuple(each for each in real[1:] if within(each, str(tree)))


def _git_directories(folder: str) -> Iterator[Path]:
    """Yield the git directory of `folder`, and those that git reads from there: of the main repository, of linked
    worktrees and of submodules; and the folder itself, if it is one.
    """
    git = Path(folder, ".git")
    named = _named_in(git, "gitdir:") if _is_file(git) else git
    own = [named] if named and has_content(str(named)) else []
    with suppress(OSError, ValueError):
        if os.lstat(Path(folder, HEAD)).st_size > 0:  # the sandbox puts an empty one there while a command runs
            own.append(Path(folder))
    for directory in own:
        main = _named_in(directory / COMMON) or directory
        yield from dict.fromkeys((directory, main))
        yield from main.glob("worktrees/*/")
        yield from _repositories(main / _MODULES) or ()


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 -- False where `Path.is_file` raises: a link that cannot be followed


def has_content(folder: str) -> bool:
    """Whether `folder` exists and is not empty: the sandbox puts empty folders in places that it forbids."""
    try:
        return bool(os.listdir(folder))  # noqa: PTH208 -- a text
    except (OSError, ValueError):
        return False


def _repositories(modules: Path) -> list[Path] | None:
    """Return the git directories of submodules in the folder; None where it is too large to be searched."""
    found = []
    for searched, (place, folders, files) in enumerate(os.walk(modules)):
        if searched >= _MOST_MODULES:
            return None
        if _CONFIG in files or HEAD in files:
            found.append(Path(place))
            folders[:] = [name for name in folders if name == _MODULES]
    return found


def _named_in(file: Path, before: str = "") -> Path | None:
    """Return the folder that git's `file` names, after the word `before`; None where it names none."""
    text = _text(file).strip()
    named = text.removeprefix(before).strip()
    return (
        Path(os.path.normpath(file.parent / named)) if named and text.startswith(before) and "\0" not in named else None
    )


def _text(file: Path) -> str:
    """Return the content of `file`; empty where it cannot be read, or is no regular file."""
    try:
        return read_regular_file(file, _MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return ""
