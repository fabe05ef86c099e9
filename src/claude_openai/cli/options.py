"""The server's command line options, made from the settings, so that the two cannot disagree.

Click only splits the command line here. Values go on as they were written, because `Settings` checks them the same way
wherever they come from.
"""

from collections.abc import Callable, Mapping
from typing import Any

import click

from claude_openai.settings import Setting, catalogue

Command = Callable[..., Any]


def server_options(command: Command) -> Command:
    """A decorator, like click's own; the last one applied is the first one listed."""
    for setting in reversed(catalogue()):
        command = _option(setting)(command)
    return command


def some_options(*names: str) -> Callable[[Command], Command]:
    """A decorator with the settings of these names only, for a command that needs no others."""

    def with_some(command: Command) -> Command:
        for setting in reversed(catalogue()):
            command = _option(setting)(command) if setting.name in names else command
        return command

    return with_some


def given(parameters: Mapping[str, object]) -> dict[str, object]:
    """Only what was on the command line: the options have no defaults of their own."""
    return {name: value for name, value in parameters.items() if value not in (None, ())}


def as_arguments(flags: Mapping[str, object]) -> list[str]:
    """The command line that gives `flags` again, for a server started by another command."""
    return [argument for setting in catalogue() for argument in _written(setting, flags.get(setting.name))]


def _written(setting: Setting, value: object) -> list[str]:
    match value:
        case None:
            return []
        case bool() if not setting.metavar:
            return [setting.flag if value else _negated(setting)]
        case tuple():
            return [f"{setting.flag}={each}" for each in value]
        case _:
            return [f"{setting.flag}={value}"]


def _negated(setting: Setting) -> str:
    return f"--no-{setting.flag.removeprefix('--')}"


def _option(setting: Setting) -> Callable[[Command], Command]:
    switch = not setting.metavar
    flag = f"{setting.flag}/{_negated(setting)}" if switch else setting.flag
    return click.option(
        flag,
        setting.name,
        default=None,
        is_flag=switch,
        multiple=setting.repeatable,
        metavar=setting.metavar or None,
        help=_help(setting),
    )


def _help(setting: Setting) -> str:
    return f"{setting.description}  [env: {', '.join(setting.variables)}; default: {setting.default}]"
