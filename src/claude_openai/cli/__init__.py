"""The command line: `claude-openai` starts the server; each subcommand is a module that is loaded when it is used. This
module dispatches to the command, and converts its errors to an exit code and one sentence on standard error.

Standard output is for data. Exit codes are those of `errors.ExitCode`.
"""

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from textwrap import wrap

import click
from click.exceptions import NoSuchCommand
from click.shell_completion import CompletionItem

from claude_openai import __version__
from claude_openai.cli.options import ServerCommand, given, options_of_settings
from claude_openai.cli.terminal import as_called
from claude_openai.errors import ExitCode, LaunchError
from claude_openai.settings import process_environment

NAME = "claude-openai"

EXAMPLES = f"""\b
Examples:
  {NAME}
  {NAME} --background
  {NAME} --port 9000 --model-alias gpt-4o=sonnet
  {NAME} --simulate
  CLAUDE_OPENAI_API_KEY=... {NAME} --host 0.0.0.0
"""
"""The \\b keeps click from folding the lines into one."""

COMMON_OPTIONS = (
    "background",
    "port",
    "host",
    "api_key_file",
    "default_model",
    "model_aliases",
    "allowed_working_directory_prefixes",
    "simulate",
    "log_file",
    "debug",
    "config",
)
"""The options in `--help`; `--help-all` has the others too."""

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"  {code.value:<4} {code.meaning}" for code in ExitCode)

COMMANDS = {
    "status": "Show your running servers and their health.",
    "stop": "Stop one of your servers.",
    "runs": "List the latest runs: one run is one request.",
    "tail": "Show the output of a run, and follow it.",
    "cancel": "Cancel a run.",
    "logs": "Show the log, or follow it.",
    "keys": "Make, limit, list and revoke API keys with a name.",
    "open": "Open the server's page in a browser.",
    "connect": "Print a client's configuration for the server, or write it.",
    "doctor": "Check whether a server would work here.",
    "config": "Show each setting and where it comes from.",
    "completion": "Print the completion script for a shell.",
    "claude": "Run the Claude Code of the server: `claude auth login`.",
    "service": "Install the server as a service of systemd or launchd.",
    "simulator": "Serve a simulated Messages API, without a model.",
}
"""The commands, each in the module of its name. The texts are here, so that --help loads no module."""


_OTHER_WORDS = ("serve", "start", "help", "version")
"""What `run` understands besides the commands."""


def main() -> None:
    """Run the command line of this process, and exit with its code."""
    # Standard streams that the shell closed (`>&-`) are opened on the null device, so that no file gets their number.
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 -- for good
    if isinstance(sys.stdout, TextIOWrapper):  # characters that the terminal's encoding lacks are escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:], process_environment())
    sys.exit(exit_code_of(sys.stdout.flush) or code)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one invocation; return its exit code.

    Words that other programs have are understood: `serve` and `start` serve, `help [COMMAND]` and `version` show that.
    """
    match list(arguments):
        case ["serve" | "start", *options]:
            arguments = options
        case ["help", *command]:
            arguments = [*command, "--help"]
        case ["version"]:
            arguments = ["--version"]
        case _:
            pass
    return exit_code_of(lambda: program.main(list(arguments), NAME, obj=environ, standalone_mode=False))


class _HelpFormatter(click.HelpFormatter):
    """Wraps lines between words only; click also breaks long variables and paths, which then cannot be copied."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        column = min(max(len(term) for term, _ in rows), col_max) + col_spacing
        left, width = " " * self.current_indent, max(self.width - self.current_indent - column, 10)
        for term, text in rows:
            lines = wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
            if len(term) + col_spacing > column:
                self.write(f"{left}{term}\n")
                term = ""  # noqa: PLW2901 -- it is on its own line
            self.write(f"{left}{term:<{column}}{lines[0]}\n")
            self.write("".join(f"{left}{'':{column}}{line}\n" for line in lines[1:]))


class _Context(click.Context):
    """A context whose help names the commands as they were called, and wraps lines between words only."""

    formatter_class = _HelpFormatter

    def get_help(self) -> str:
        return as_called(super().get_help())


class Commands(ServerCommand, click.Group):
    """Loads a command only when it is used, which keeps the start fast."""

    context_class = _Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; where a command is the first of them, there are no options of the server."""
        if args and args[0] in COMMANDS:
            ctx.meta[_COMMAND_FIRST] = True
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The options, those of the settings among them; these are made when they are first needed, since that takes
        most of the time of a start.
        """
        own = super().get_params(ctx)
        if _COMMAND_FIRST in ctx.meta and not ctx.resilient_parsing:
            return own
        if self._of_settings is None:
            self._of_settings = options_of_settings()
        return [*own[:1], *self._of_settings, *own[1:]]

    _of_settings: list[click.Parameter] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options that people use, each in its first sentence, unless all are asked for."""
        if _ALL in ctx.meta:
            super().format_options(ctx, formatter)
            return
        records = []
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if option.name in (*COMMON_OPTIONS, "help_all") else None
            if record:
                records.append(
                    (record[0].partition(" / ")[0], record[1].partition("  [env: ")[0].partition(". ")[0].rstrip("."))
                )
        with formatter.section("Options"):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if _ALL in ctx.meta:
            formatter.write(f"\n{EXIT_CODES.removeprefix(chr(8))}\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"claude_openai.cli.commands.{cmd_name}"), cmd_name)
        command.context_class = _Context
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Report an unknown command; click would suggest loaded commands only."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise NoSuchCommand(args[0], possibilities=[*_OTHER_WORDS, *COMMANDS], ctx=ctx)
        return super().resolve_command(ctx, args)


_COMMAND_FIRST = f"{__name__}.command_first"
"""In the context's `meta` where a command is the first argument."""

_ALL = f"{__name__}.all"
"""In the context's `meta` where all options are to be shown."""


def _show_all(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        context.meta[_ALL] = True
        click.echo(context.get_help(), color=context.color)
        context.exit()


@click.group(
    NAME,
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    subcommand_metavar="[COMMAND]",
    epilog=EXAMPLES,
)
@click.option(
    "--background",
    is_flag=True,
    help="Serve detached: return when the server is ready, or report why it did not start.",
)
@click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show all options, with their variables and defaults, and the exit codes.",
)
@click.version_option(__version__, "-V", "-v", "--version", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context, /, *, background: bool, **parameters: object) -> None:
    """Answer OpenAI clients with Claude Code, in the foreground until stopped."""
    flags = given(parameters)
    if context.invoked_subcommand is not None:
        if flags or background:
            name = context.invoked_subcommand
            raise click.UsageError(f"the options before {name!r} are the server's; it has its own")
    elif background:
        from claude_openai.cli.background import start  # noqa: PLC0415 -- only this option needs it

        start(flags, context.obj)
    else:
        gc.disable()  # 8 % of the start (measured); `system.threads.favour_event_loop` enables it
        from claude_openai.cli.serve import serve  # noqa: PLC0415 -- 0.1 s, which other commands need not spend
        from claude_openai.settings import Settings  # noqa: PLC0415 -- see `Commands.get_params`

        serve(Settings.load(flags, context.obj), context.obj)


_UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""Errors of writing to standard output. Code that writes to a named file reports its own errors."""


def exit_code_of(command: Callable[[], object]) -> int:
    """Run `command` and report any error: the only catch-all of the command line.

    Click returns an exit code for `--help` and `--version`, and else the command's return value. Task groups wrap even
    a single error in an exception group, which is unwrapped.
    """
    try:
        code = command()
    except Exception as error:  # noqa: BLE001 -- the top of the command line
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        return _report(error)
    return code if isinstance(code, int) else ExitCode.OK


def _report(error: Exception) -> int:
    match error:
        case click.exceptions.Abort():
            return ExitCode.INTERRUPTED
        case click.ClickException():
            command_path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else NAME
            _print_error(error.format_message().removesuffix("."), f"see {command_path} --help")
            return error.exit_code
        case LaunchError():
            _print_error(error.message, error.hint)
            return error.exit_code
        case OSError(errno=number, filename=None) if number in _UNWRITTEN:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that flushing the rest does not fail again
            _print_error(f"cannot write to standard output: {error.strerror}", None)
            return ExitCode.FAILED
        case _:
            from claude_openai.logs import crashed, redacted  # noqa: PLC0415 -- see `program`

            crashed(error)
            _print_error(
                redacted(f"ended by an unexpected error: {type(error).__name__}: {error}"),
                "run it with --debug to see where",
            )
            return ExitCode.FAILED


def _print_error(sentence: str, hint: str | None) -> None:
    """Print one line to standard error. The parts have no full stops, so that a command at the end can be copied."""
    with suppress(OSError):  # there is no other place for the message
        click.echo(f"{NAME}: {as_called(sentence)}" + (f" ({as_called(hint)})" if hint else ""), err=True)
