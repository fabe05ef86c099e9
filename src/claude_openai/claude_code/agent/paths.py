"""The paths in a tool's arguments, as Claude Code reads them. What it may read otherwise than it looks has no reading.

Measured: it takes white space off both ends, "~" before a slash for the home and "~name" as it stands, and follows a
pattern from the part of it that has nothing wild.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from claude_openai.core.path_patterns import WILD, alternatives

SEARCHING: Final = ("Glob", "Grep")
"""They look at all that is under a folder."""

_PATHS: Final = ("file_path", "notebook_path", "path", "cwd", "dir", "directory", "workdir")
"""The arguments that are paths, of whichever tool."""

_UNCLEAR: Final = re.compile(r"[\s\ufeff]|.*[\s\ufeff]\Z|~[^/]|//|\\\\|.*\0", re.DOTALL)
"""White space at an end, somebody's home, another machine."""

_UNCLEAR_ON_WINDOWS: Final = re.compile(r"[\\/]|[A-Za-z]:(?![\\/])|..+:", re.DOTALL)
"""A drive that is not named, or named by a slash as in "/c/"; another stream of a file."""


def interpretations(sent: object, home: str, cwd: str, *, windows: bool = os.name == "nt") -> tuple[str, ...]:
    """Where the path `sent` leads, links followed; nothing where that is not clear.

    Claude Code opens it in the spelling that was sent (measured). Where that is not there, another of the same letters
    that is counts too: a version that tries those must not come by it.
    """
    if not isinstance(sent, str) or _UNCLEAR.match(sent) or (windows and _UNCLEAR_ON_WINDOWS.match(sent)):
        return ()
    path = home + sent[1:] if sent.startswith("~") else sent
    spellings = [Path(cwd, path)]
    if not os.path.lexists(spellings[0]):
        others = (Path(cwd, unicodedata.normalize(form, path)) for form in ("NFC", "NFD"))
        spellings += filter(os.path.lexists, others)
    return tuple(dict.fromkeys(map(os.path.realpath, spellings)))


def paths_named(tool: str, arguments: Mapping[str, object]) -> Iterable[object]:
    """All that `arguments` name: of a pattern the folder where it begins, and where ".." in it could lead."""
    yield from (arguments[name] for name in _PATHS if arguments.get(name) is not None)
    if tool == "Glob":
        yield from _bases(arguments.get("pattern"), arguments.get("path"))
    if tool == "Grep" and arguments.get("path") is None:
        yield "."
    if tool == "Grep" and arguments.get("glob") is not None:
        yield from _bases(arguments["glob"], arguments.get("path"))


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
        yield from _beginnings(folder, re.split(r"[/\\]", alternative))


def _beginnings(folder: str, steps: list[str]) -> Iterator[object]:
    """The folder that is searched, and what lies below if a sign that counts as wild here should be plain."""
    wild = next((n for n, step in enumerate(steps) if WILD.search(step)), len(steps))
    if any(".." in step for step in steps[wild:]):
        yield None
    for end in range(wild, len(steps) + 1):
        yield str(Path(folder, "/".join(steps[:end]) or ("/" if end else ".")))
