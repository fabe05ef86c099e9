"""Text for people: foreign text made harmless or shortened, and durations, counts and costs in one short form.

Pure, and light to import, since every command does.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

COMMANDS_CLIENT: Final = "claude-openai-command"
"""The User-Agent of this program's own commands, whose requests have no line on the server's terminal."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters except the tab and the line break, and characters that change the writing direction."""


_LONGEST_CUT: Final = 12
"""Characters of a word that is left out of a shortened text, so that the next one is whole."""


_TO_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def ascii_lower(text: str) -> str:
    """`text` with the capital letters of ASCII as small ones, and all others unchanged, as SQLite's `lower` does it."""
    return text.translate(_TO_LOWER)


def harmless(text: str) -> str:
    """`text` with control characters escaped: text of a client must not control the terminal."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """`text` as a part of a line: control characters escaped, white space of any kind replaced by one space."""
    return harmless(" ".join(text.split()))


def columns_of(text: str) -> int:
    """The columns of a terminal that `text` takes: two for a wide character, none for a combining one."""
    return sum(map(_columns, text))


_REMEDY: Final = re.compile(
    r"Did you mean `[^`]+`\?|`(?=claude-openai |--)[^`]+`|(?:claude-openai|--[a-z][a-z-]+)(?: [^\s,;()]+(?<!\.))+"
)
"""What was meant, a command, or an option with its value, in a sentence."""


def shortened(text: str, columns: int) -> str:
    """`text` in at most `columns` columns: beginning and end with an ellipsis between, since a message ends with its
    remedy. A command, or a name that was meant, that would be cut is shown after the beginning in place of the end.
    """
    if columns_of(text) <= columns:
        return text
    room = max(0, columns - 1)
    remedy = next((found[0] for found in _REMEDY.finditer(text)), "")
    if remedy and columns_of(remedy) <= room * 4 // 5:
        short = _with_ellipsis(text, room, columns)
        return short if remedy in short else f"{_fitting(text, room - columns_of(remedy) - 1).rstrip()}\u2026 {remedy}"
    return _with_ellipsis(text, room, columns)


def _with_ellipsis(text: str, room: int, columns: int) -> str:
    head = _fitting(text, room * 2 // 5)
    tail = _fitting(reversed(text), room - columns_of(head))[::-1]
    _, space, whole = tail.partition(" ")
    if space and len(whole) >= len(tail) - _LONGEST_CUT:  # at the beginning of a word, unless that is far
        tail = whole
    return f"{head.rstrip()}\u2026{tail.lstrip()}" if columns > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fitting(characters: Iterable[str], columns: int) -> str:
    """The first of `characters` that fit in `columns`."""
    found = ""
    for character in characters:
        columns -= _columns(character)
        if columns < 0:
            break
        found += character
    return found


def duration(seconds: float) -> str:
    """`80ms`, `0.8s`, `42s`, `2m05s`, `3h07m`, `2d04h`."""
    seconds = max(0.0, seconds)
    if seconds < 0.0995:  # noqa: PLR2004 -- below a tenth of a second milliseconds count
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:  # noqa: PLR2004 -- below ten a tenth counts
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days}d{hours_left:02}h"
    if hours:
        return f"{hours}h{minutes_left:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def client_name(user_agent: str) -> str:
    """The program of a User-Agent, without its version and comments: `curl`, `OpenAI/Python`, `browser`; or `-`."""
    if user_agent.startswith("Mozilla/"):
        return "browser"
    return re.split(r"[ (]|/v?[0-9]", user_agent, maxsplit=1)[0][:LONGEST_CLIENT] or "-"


LONGEST_CLIENT: Final = 24
"""Characters of a client's name."""


def count(number: int) -> str:
    """`999`, `1.2k`, `45k`, `1.2M`."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.1f}{unit}" if number < 10 * size else f"{number // size}{unit}"
    return str(number)


def cost(dollars: float) -> str:
    """`$0.0123`, `$1.23`."""
    return f"${dollars:.4f}" if dollars < 1 else f"${dollars:.2f}"


LONGEST_SHOWN = 256
"""Characters of a client's text that are repeated to it or in the log."""


def shown(text: str) -> str:
    """`text` of a client, shortened for an error message."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
