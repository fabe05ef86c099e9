"""The banner of a ready server on standard error: its URL, its backend, and what is still missing.

Pure; colours are for terminals only.
"""

from typing import TYPE_CHECKING

import click

from claude_openai import __version__
from claude_openai.cli.terminal import as_called
from claude_openai.core.failures import SUBSCRIPTION_TERMS

if TYPE_CHECKING:
    from claude_openai.server.wiring import Ready

SIMULATED = "SIMULATED: a script answers, no model. Leave out --simulate for real answers."


def banner(ready: "Ready", *, colours: bool, serves_others: bool = False) -> str:
    """A headline and a line for each fact; a simulated model, a missing login and one that is not for others stand out.

    `serves_others` is `Settings.serves_others`.
    """
    login = ready.login or "not known yet"
    if ready.login_remedy:
        login = click.style(
            f"{ready.login or 'not logged in'}: {as_called(ready.login_remedy)}", fg="yellow", bold=True
        )
    facts = [
        ("URL", click.style(f"{ready.url}/v1", fg="cyan", underline=True)),
        *(("Also at", f"{url}/v1") for url in ready.also),
        ("Page", f"{ready.url}/ui/"),
        ("Backend", ready.backend),
        ("Model", ready.model),
        ("API key", "needed" if ready.needs_key else "not needed, only this machine can connect"),
        ("Login", login),
    ]
    if ready.is_subscription and serves_others:
        facts.append(("Terms", click.style(SUBSCRIPTION_TERMS, fg="yellow", bold=True)))
    lines = [click.style(f"claude-openai {__version__}", bold=True)]
    if ready.simulated:
        lines.append(click.style(f"  {SIMULATED}", fg="black", bg="yellow", bold=True))
    text = "".join(f"{line}\n" for line in (*lines, *(f"  {name:<8} {value}" for name, value in facts)))
    return text if colours else click.unstyle(text)
