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


def given(parameters: Mapping[str, object]) -> dict[str, object]:
    """Only what was on the command line: the options have no defaults of their own."""
    return {name: value for name, value in parameters.items() if value not in (None, ())}


def _option(setting: Setting) -> Callable[[Command], Command]:
    switch = not setting.metavar
    flag = f"{setting.flag}/--no-{setting.flag.removeprefix('--')}" if switch else setting.flag
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
