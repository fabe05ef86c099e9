"""`claude-openai completion`: prints the completion script for a shell."""

from pathlib import PurePath
from typing import Final

import click
from click.shell_completion import get_completion_class

INSTALL: Final = {
    "bash": "claude-openai completion bash >> ~/.bashrc",
    "zsh": "claude-openai completion zsh >> ~/.zshrc",
    "fish": "mkdir -p ~/.config/fish/completions; "
    "claude-openai completion fish > ~/.config/fish/completions/claude-openai.fish",
}

EXAMPLES: Final = "\b\nTo install it:\n" + "\n".join(f"  {line}" for line in INSTALL.values())


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(list(INSTALL)), required=False)
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print the completion script for SHELL, or for yours; its last line says how to install it."""
    shell = shell or PurePath(context.obj.get("SHELL", "")).name
    if shell not in INSTALL:
        raise click.UsageError(f"name the shell: {', '.join(INSTALL)}")
    program = context.find_root()
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 -- click has all three
    click.echo(made(program.command, {}, "claude-openai", "_CLAUDE_OPENAI_COMPLETE").source().rstrip())
    click.echo(f"\n# To install it: {INSTALL[shell]}")
