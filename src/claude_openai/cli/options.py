"""The server's command line options, generated from the settings.

Click only splits the command line. The values stay texts, because `Settings` checks values from all sources.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from claude_openai.settings import Setting

Command = Callable[..., Any]

SWITCH_VALUES: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""The values that a switch may have; they are those of the variables."""


class ServerCommand(click.Command):
    """A command whose switches may have a value: `--debug`, `--debug true` and `--debug=false` all work.

    Click knows only switches and options with a value; an option with an optional value takes the following word, even
    if that is a command.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments after the values of switches are turned into switches."""
        return super().parse_args(ctx, with_plain_switches(args, self.get_params(ctx)))


def with_plain_switches(arguments: Sequence[str], parameters: Sequence[click.Parameter]) -> list[str]:
    """The arguments with each `--trace true` and `--trace=true` as `--trace`, and `--trace false` as `--no-trace`.

    Only the arguments before the first that is not an option are changed: what follows belongs to a subcommand.
    """
    options = {name: each for each in parameters if isinstance(each, click.Option) for name in each.opts}
    plain: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        word = rest.pop(0)
        name, given_with_it, value = word.partition("=")
        option = options.get(name)
        if option is None or not option.is_bool_flag or option.is_eager:
            plain.append(word)
            if option is not None and not option.is_flag and not option.count and not given_with_it and rest:
                plain.append(rest.pop(0))
            continue
        if not given_with_it and rest and rest[0].lower() in SWITCH_VALUES:
            value = rest.pop(0)
        elif not given_with_it:
            value = "true"
        wanted = SWITCH_VALUES.get(value.lower())
        if wanted is None:
            raise click.BadOptionUsage(name, f"{name}: {value!r} is not true or false")
        plain += [name] if wanted else option.secondary_opts[:1]
    return [*plain, *rest]


def options_of_settings() -> list[click.Parameter]:
    """The options of all settings."""
    from claude_openai.settings import catalogue  # noqa: PLC0415 -- pydantic, which `status` need not wait for

    return [click.Option(**_option(setting)) for setting in catalogue()]


def server_options(command: Command) -> Command:
    """A decorator that adds the options of all settings."""
    from claude_openai.settings import catalogue  # noqa: PLC0415 -- see above

    return some_options(*(setting.name for setting in catalogue()))(command)


def some_options(*names: str) -> Callable[[Command], Command]:
    """A decorator that adds the options of the settings with these names; click lists the last one applied first."""

    def with_some(command: Command) -> Command:
        from claude_openai.settings import catalogue  # noqa: PLC0415 -- see above

        for setting in reversed(catalogue()):
            if setting.name in names:
                named = _option(setting)
                command = click.option(*named.pop("param_decls"), **named)(command)
        return command

    return with_some


def given(parameters: Mapping[str, object]) -> dict[str, object]:
    """The options that are on the command line: the others are None or empty, since options have no defaults."""
    return {name: value for name, value in parameters.items() if value not in (None, ())}


def as_arguments(flags: Mapping[str, object]) -> list[str]:
    """The command line arguments for `flags`, to start a server from another command."""
    from claude_openai.settings import catalogue  # noqa: PLC0415 -- see above

    arguments: list[str] = []
    for setting in catalogue():
        match flags.get(setting.name):
            case None:
                pass
            case bool() as value if not setting.metavar:
                arguments.append(setting.flag if value else setting.negated_flag)
            case tuple() as values:
                arguments += [f"{setting.flag}={each}" for each in values]
            case value:
                arguments.append(f"{setting.flag}={value}")
    return arguments


def _option(setting: "Setting") -> dict[str, Any]:
    """The arguments of the click option of `setting`."""
    switch = not setting.metavar
    flag = f"{setting.flag}/{setting.negated_flag}" if switch else setting.flag
    return {
        "param_decls": (flag, setting.name),
        "default": None,
        "is_flag": switch,
        "multiple": setting.repeatable,
        "metavar": setting.metavar or None,
        "help": f"{setting.description}  [env: {', '.join(setting.variables)}; default: {setting.default}]",
    }
