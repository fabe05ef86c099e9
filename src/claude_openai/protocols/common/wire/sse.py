"""Server-sent events, as far as they are used here: data, with a name where the protocol has one; no ids or retries.

A line ends in CR, LF or both, so data that holds such an end becomes several `data:` lines, which the client joins
again with LF.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def event(data: str, name: str | None = None) -> bytes:
    """One event; `name` is a word of the protocol's."""
    named = f"event: {name}\n".encode() if name else b""
    return named + _block("data: ", data)


def comment(text: str = "keep-alive") -> bytes:
    """What clients skip: it only keeps the connection open."""
    return _block(": ", text)


def _block(prefix: str, text: str) -> bytes:
    return "".join(f"{prefix}{line}\n" for line in _LINE_END.split(text)).encode() + b"\n"


DONE = event("[DONE]")
"""What ends a stream that succeeded."""
