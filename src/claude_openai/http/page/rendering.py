"""The templates, and how values are shown in them. Everything is escaped: models, clients and tools wrote the texts."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from claude_openai import __version__
from claude_openai.http.page.logins import STATIC
from claude_openai.text import cost, count, duration

_SYMBOLS: Final = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
}
"""Control characters as the symbols that Unicode has for them."""


def visible(text: str) -> str:
    """`text` with every control character shown: those of C0 as symbols, others, of direction too, as `<U+202E>`."""
    text = text.replace("\r\n", "\n").translate(_SYMBOLS)
    return "".join(f"<U+{ord(each):04X}>" if _is_control(each) else each for each in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in "\n\t\u200d"


def iso(seconds: float) -> str:
    """Unix `seconds` as a date of HTML's `time` element."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_time(seconds: float) -> str:
    """Unix `seconds` as the time of the day in UTC, which the page's script replaces by the local time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def render(template: str, values: Mapping[str, Any]) -> str:
    """The page, or the part of one. It takes some milliseconds: call it in a thread."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("claude_openai.http.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible,
        "iso": iso,
        "clock_time": clock_time,
        "duration": duration,
        "count": count,
        "cost": cost,
    }
    environment.globals |= {"static": f"{STATIC}{__version__}", "version": __version__}
    return environment
