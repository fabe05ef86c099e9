"""Encodes server-sent events: data, with a name where the protocol has one; no ids and no retry times.

A line ends in CR, LF or both. Data that contains such an end becomes several `data:` lines, which the client joins
again with LF.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def event(data: str, name: str | None = None) -> bytes:
    """One event; `name` is a word of the protocol's."""
    lines = "\ndata: ".join(_LINE_END.split(data))
    return (f"event: {name}\ndata: {lines}\n\n" if name else f"data: {lines}\n\n").encode()


def comment(text: str = "keep-alive") -> bytes:
    """A comment, which clients skip: it only keeps the connection open."""
    lines = "\n: ".join(_LINE_END.split(text))
    return f": {lines}\n\n".encode()


DONE = event("[DONE]")
"""The last event of a stream that succeeded."""
