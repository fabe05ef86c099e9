"""The banner of a ready server on standard error: its URL, its backend, and what is still missing.

Pure; colours are for terminals only.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from claude_openai import __version__

if TYPE_CHECKING:
    from claude_openai.server.wiring import Ready

SIMULATED = "SIMULATED: a script answers here, no model. Leave out --simulate for real answers."


def banner(ready: "Ready", *, colours: bool) -> str:
    """A headline and a line for each fact; a simulated model and a missing login stand out."""
    text = "".join(f"{line}\n" for line in _lines(ready))
    return text if colours else click.unstyle(text)


def _lines(ready: "Ready") -> Iterator[str]:
    yield click.style(f"claude-openai {__version__}", bold=True)
    if ready.simulated:
        yield click.style(f"  {SIMULATED}", fg="black", bg="yellow", bold=True)
    yield _fact("URL", click.style(f"{ready.url}/v1", fg="cyan", underline=True))
    for url in ready.also:
        yield _fact("Also at", f"{url}/v1")
    yield _fact("Backend", ready.backend)
    yield _fact("Model", ready.model)
    yield _fact("API key", "needed" if ready.needs_key else "not needed, only this machine can connect")
    yield _fact("Login", _login(ready))


def _login(ready: "Ready") -> str:
    if ready.login_remedy:
        return click.style(f"{ready.login or 'not logged in'}: {ready.login_remedy}", fg="yellow", bold=True)
    return ready.login or "not known yet"


def _fact(name: str, value: str) -> str:
    return f"  {name:<8} {value}"
