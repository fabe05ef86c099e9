"""Interprets the paths in a tool's arguments as Claude Code does. An ambiguous path has no interpretation, and is
refused.

Claude Code strips white space, expands "~" before a slash but not "~name", and searches a pattern from its part without
wildcards (measured).
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from claude_openai.core.path_patterns import WILD, alternatives
from claude_openai.system.workspace import real_path

SEARCHING: Final = ("Glob", "Grep")
"""Tools that search everything below a folder."""

_PATHS: Final = ("file_path", "notebook_path", "path", "cwd", "dir", "directory", "workdir")
"""Names of arguments that are paths, of any tool."""

_UNCLEAR: Final = re.compile(r"[\s\ufeff]|.*[\s\ufeff]\Z|~[^/]|//|\\\\|.*\0", re.DOTALL)
"""White space at an end, another user's home, a network path, NUL."""

_UNCLEAR_ON_WINDOWS: Final = re.compile(r"[\\/]|[A-Za-z]:(?![\\/])|..+:", re.DOTALL)
"""No drive, a drive as in "/c/", an alternate data stream."""


def interpretations(sent: object, home: str, cwd: str, *, windows: bool = os.name == "nt") -> tuple[str, ...]:
    """Return the real paths that `sent` may lead to, with links resolved; empty where it is ambiguous.

    Claude Code opens the path in the spelling that was sent (measured). Where no such file exists, existing files in
    another Unicode normal form count too, in case a later version tries those.
    """
    if not isinstance(sent, str) or _UNCLEAR.match(sent) or (windows and _UNCLEAR_ON_WINDOWS.match(sent)):
        return ()
    path = home + sent[1:] if sent.startswith("~") else sent
    spellings = [Path(cwd, path)]
    if not os.path.lexists(spellings[0]):
        others = (Path(cwd, unicodedata.normalize(form, path)) for form in ("NFC", "NFD"))
        spellings += filter(os.path.lexists, others)
    return tuple(dict.fromkeys(map(real_path, spellings)))


def paths_named(tool: str, arguments: Mapping[str, object]) -> Iterable[object]:
    """Yield all paths in `arguments`; for a pattern its base folders, and those that ".." in it could lead to. None
    stands for an ambiguous argument.
    """
    yield from (arguments[name] for name in _PATHS if arguments.get(name) is not None)
    if tool == "Glob":
        yield from _bases(arguments.get("pattern"), arguments.get("path"))
    if tool == "Grep" and arguments.get("path") is None:
        yield "."
    if tool == "Grep" and arguments.get("glob") is not None:
        yield from _bases(arguments["glob"], arguments.get("path"))


def opened_paths(tool: str, arguments: Mapping[str, object], home: str, cwd: str) -> tuple[str, ...]:
    """Return the paths of `paths_named`, each as it was sent and with links resolved. Ambiguous ones are left out."""
    paths: list[str] = []
    for sent in paths_named(tool, arguments):
        if isinstance(sent, str) and (real := interpretations(sent, home, cwd)):
            paths += (os.path.normpath(Path(cwd, home + sent[1:] if sent.startswith("~") else sent)), *real)
    return tuple(dict.fromkeys(paths))


def _bases(pattern: object, path: object) -> Iterator[object]:
    folder = path if isinstance(path, str) else "."
    if not isinstance(pattern, str) or _UNCLEAR.match(pattern) or pattern.startswith("~"):
        yield None
        return
    read = alternatives(pattern)
    if read is None:
        yield None
        return
    for alternative in read:
        steps = re.split(r"[/\\]", alternative)
        wild = next((n for n, step in enumerate(steps) if WILD.search(step)), len(steps))
        if any(".." in step for step in steps[wild:]):
            yield None
        for end in range(wild, len(steps) + 1):  # longer beginnings, too, in case Claude Code knows fewer wildcards
            yield str(Path(folder, "/".join(steps[:end]) or ("/" if end else ".")))
