"""The server's command line options, generated from the settings.

Click only splits the command line. The values stay texts, because `Settings` checks values from all sources.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click

from claude_openai.settings import Setting, catalogue

Command = Callable[..., Any]


def server_options(command: Command) -> Command:
    """A decorator that adds the options of all settings; click lists the last one applied first."""
    for setting in reversed(catalogue()):
        command = _option(setting)(command)
    return command


def some_options(*names: str) -> Callable[[Command], Command]:
    """A decorator that adds the options of the settings with these names."""

    def with_some(command: Command) -> Command:
        for setting in reversed(catalogue()):
            command = _option(setting)(command) if setting.name in names else command
        return command

    return with_some


def given(parameters: Mapping[str, object]) -> dict[str, object]:
    """The options that are on the command line: the others are None or empty, since options have no defaults."""
    return {name: value for name, value in parameters.items() if value not in (None, ())}


def as_arguments(flags: Mapping[str, object]) -> list[str]:
    """The command line arguments for `flags`, to start a server from another command."""
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


def _option(setting: Setting) -> Callable[[Command], Command]:
    switch = not setting.metavar
    flag = f"{setting.flag}/{setting.negated_flag}" if switch else setting.flag
    return click.option(
        flag,
        setting.name,
        default=None,
        is_flag=switch,
        multiple=setting.repeatable,
        metavar=setting.metavar or None,
        help=f"{setting.description}  [env: {', '.join(setting.variables)}; default: {setting.default}]",
    )
