"""`claude-openai claude`: runs the Claude Code that the server uses in the person's terminal, to sign in above all."""

import os
import subprocess
import sys

import click

from claude_openai.server.backends import executable
from claude_openai.settings import Settings

EXAMPLES = """\b
Examples:
  claude-openai claude auth login
  claude-openai claude auth status
  claude-openai claude --version
"""


@click.command(
    epilog=EXAMPLES,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@click.pass_context
def claude(context: click.Context, /, *, arguments: tuple[str, ...]) -> int:
    """Run the Claude Code that the server uses, with your arguments, environment and terminal.

    It is the one of the settings (--claude-command, as a variable or in the settings file), else the bundled one.
    All arguments are Claude Code's own; its own help comes with: claude-openai claude -- --help
    """
    command = [executable(Settings.load({}, context.obj)), *arguments]
    if os.name == "posix":  # elsewhere exec would return to the shell at once
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606 -- its arguments are the person's own, and no shell reads them
    return subprocess.call(command)
