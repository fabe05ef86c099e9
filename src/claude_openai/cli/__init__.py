"""The command line: `claude-openai` serves, its subcommands are one module each. This module finds the command, and
turns whatever ends it into an exit code and at most one sentence on standard error.

Standard output is for data. Exit codes are those of `errors.ExitCode`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import click

from claude_openai import __version__, logs
from claude_openai.cli.options import given, server_options
from claude_openai.cli.serve import serve
from claude_openai.cli.simulator import simulator
from claude_openai.errors import ExitCode, LaunchError
from claude_openai.settings import Settings, process_environment

NAME = "claude-openai"

EXAMPLES = f"""\b
Examples:
  {NAME}
  {NAME} --port 9000 --model-alias gpt-4o=sonnet
  {NAME} --simulate
  CLAUDE_OPENAI_API_KEY=... {NAME} --host 0.0.0.0
"""
"""The \\b keeps click from folding the lines into one."""


def main() -> None:
    sys.exit(run(sys.argv[1:], process_environment()))


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """One invocation, as a function of what it was given."""
    return exit_code_of(lambda: program.main(list(arguments), NAME, obj=environ, standalone_mode=False))


@click.group(
    NAME,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    subcommand_metavar="[COMMAND]",
    epilog=EXAMPLES,
)
@server_options
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context, /, **parameters: object) -> None:
    """Answer OpenAI clients with Claude Code: serves in the foreground until it is stopped."""
    flags = given(parameters)
    if context.invoked_subcommand is None:
        serve(Settings.load(flags, context.obj), context.obj)
    elif flags:
        raise click.UsageError(f"the options before {context.invoked_subcommand!r} are the server's; it has its own")


program.add_command(simulator)


def exit_code_of(command: Callable[[], object]) -> int:
    """Runs `command`; the one place of the command line that lets no error through.

    Click gives back an exit code for `--help` and `--version`, and what the command returned otherwise.
    """
    try:
        code = command()
    except Exception as error:  # noqa: BLE001 -- the top of the command line
        return _tell(_sole_cause(error))
    return code if isinstance(code, int) else ExitCode.OK


def _tell(error: Exception) -> int:
    match error:
        case click.exceptions.Abort():
            return ExitCode.INTERRUPTED
        case click.ClickException():
            _say(error.format_message().removesuffix("."), f"see {NAME} --help")
            return error.exit_code
        case LaunchError():
            _say(error.message, error.hint)
            return error.exit_code
        case _:
            logs.crashed(error)
            _say(
                logs.redacted(f"ended by an unexpected error: {type(error).__name__}: {error}"),
                "run it with --log-level debug to see more",
            )
            return ExitCode.FAILED


def _say(sentence: str, hint: str | None) -> None:
    """The parts come without full stops, so that a command at the end can be copied."""
    click.echo(f"{NAME}: {sentence}" + (f" ({hint})" if hint else ""), err=True)


def _sole_cause(error: Exception) -> Exception:
    """A task group wraps even a single error; what it wraps is what happened."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
