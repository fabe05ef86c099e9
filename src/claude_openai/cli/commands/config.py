"""`claude-openai config`: shows the settings of a server that is started here, and the source of each."""

import json
import sys
from collections.abc import Sequence

import click

from claude_openai.cli.options import ServerCommand, given, server_options
from claude_openai.cli.terminal import wants_colours
from claude_openai.settings import Effective, Settings, doubts, effective
from claude_openai.settings.origins import DEFAULT
from claude_openai.text import one_line

EXAMPLES = """\b
Examples:
  claude-openai config
  claude-openai config --port 9000 --config ./other.toml
  claude-openai config --json | jq '.settings[] | select(.origin != "default")'
"""


@click.command(cls=ServerCommand, epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the settings, and warnings about them.")
@server_options
@click.pass_context
def config(context: click.Context, /, *, as_json: bool, **parameters: object) -> None:
    """Show each setting, its value and its source: a flag, a variable, the settings file or the default.

    It takes the server's options and shows the settings of a server with these options. API keys are hidden.
    """
    flags = given(parameters)
    settings, doubtful = effective(flags, context.obj), list(doubts(Settings.load(flags, context.obj), context.obj))
    if as_json:
        listed = [{"name": each.setting.name, "value": each.value, "origin": each.origin} for each in settings]
        click.echo(json.dumps({"settings": listed, "doubts": doubtful}, indent=2))
        return
    colours = wants_colours(sys.stdout, context.obj)
    click.echo(table(settings, colours=colours), nl=False, color=colours)
    for doubt in doubtful:
        click.echo(f"doubtful: {doubt}", err=True)


def table(settings: Sequence[Effective], *, colours: bool = False) -> str:
    """A line for each setting: name, value, origin. With colours, settings that are not defaults stand out."""
    names = max(len(each.setting.name) for each in settings)
    values = max(len(one_line(each.text)) for each in settings)
    lines = (f"{each.setting.name:<{names}}  {one_line(each.text):<{values}}  {each.origin}" for each in settings)
    return "".join(
        f"{click.style(line, bold=True) if colours and each.origin != DEFAULT else line}\n"
        for each, line in zip(settings, lines, strict=True)
    )
