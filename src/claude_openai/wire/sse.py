"""Server-sent events, as far as OpenAI uses them: data without names, ids or retries.

A line ends in CR, LF or both, so data that holds such an end becomes several `data:` lines, which the client joins
again with LF.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def event(data: str) -> bytes:
    """One event."""
    return _block("data: ", data)


def comment(text: str = "keep-alive") -> bytes:
    """What clients skip: it only keeps the connection open."""
    return _block(": ", text)


def _block(prefix: str, text: str) -> bytes:
    return "".join(f"{prefix}{line}\n" for line in _LINE_END.split(text)).encode() + b"\n"


DONE = event("[DONE]")
"""What ends a stream that succeeded."""
