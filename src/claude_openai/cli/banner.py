"""The banner of a ready server on standard error: its URL, its backend, and what is still missing.

Pure; colours are for terminals only.
"""

from typing import TYPE_CHECKING

import click

from claude_openai import __version__
from claude_openai.cli.terminal import as_called

if TYPE_CHECKING:
    from claude_openai.server.wiring import Ready

SIMULATED = "SIMULATED: a script answers here, no model. Leave out --simulate for real answers."


def banner(ready: "Ready", *, colours: bool) -> str:
    """A headline and a line for each fact; a simulated model and a missing login stand out."""
    login = ready.login or "not known yet"
    if ready.login_remedy:
        login = click.style(
            f"{ready.login or 'not logged in'}: {as_called(ready.login_remedy)}", fg="yellow", bold=True
        )
    facts = [
        ("URL", click.style(f"{ready.url}/v1", fg="cyan", underline=True)),
        *(("Also at", f"{url}/v1") for url in ready.also),
        ("Backend", ready.backend),
        ("Model", ready.model),
        ("API key", "needed" if ready.needs_key else "not needed, only this machine can connect"),
        ("Login", login),
    ]
    lines = [click.style(f"claude-openai {__version__}", bold=True)]
    if ready.simulated:
        lines.append(click.style(f"  {SIMULATED}", fg="black", bg="yellow", bold=True))
    text = "".join(f"{line}\n" for line in (*lines, *(f"  {name:<8} {value}" for name, value in facts)))
    return text if colours else click.unstyle(text)
