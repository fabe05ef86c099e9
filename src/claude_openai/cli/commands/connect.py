"""`claude-openai connect`: prints a client's configuration for the server, or writes it to the client's file."""

import os
import shlex
import shutil
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from textwrap import fill
from typing import Final

import click
from click.shell_completion import CompletionItem

from claude_openai.cli.client import ServerOption, about_a_server, needs_key
from claude_openai.cli.config_merge import CannotMergeError
from claude_openai.errors import ExitCode, LaunchError
from claude_openai.recipes import ANY, KEY_VARIABLE, RECIPES, URL, Part

EXAMPLES: Final = """\b
Examples:
  claude-openai connect
  claude-openai connect any
  claude-openai connect opencode --write
  claude-openai connect openai-python > hello.py
"""


_NAME_THE_KEYS: Final = "name the server's file of keys with --show-key --api-key-file FILE"


class NotWritten(LaunchError):
    """The client's configuration file was not changed."""

    exit_code = ExitCode.FAILED


class _Client(click.ParamType[str]):
    """The name of a recipe, in whatever case; another word stays as it is."""

    name = "client"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 -- click's
        ctx: click.Context | None,  # noqa: ARG002 -- click's
    ) -> str:
        name = value.lower().replace(" ", "-").replace("_", "-")
        return name if name in RECIPES else value

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        param: click.Parameter,  # noqa: ARG002 -- click's
        incomplete: str,
    ) -> list[CompletionItem]:
        return [CompletionItem(name, help=each.title) for name, each in RECIPES.items() if name.startswith(incomplete)]


@click.command(epilog=EXAMPLES)
@click.argument("client", type=_Client(), required=False)
@click.option("--write", is_flag=True, help="Merge it into the client's configuration file.")
@click.option("--show-key", is_flag=True, help="Print the first API key of the settings too.")
@about_a_server
@click.pass_context
def connect(context: click.Context, choice: ServerOption, client: str | None, write: bool, show_key: bool) -> None:
    """Print the configuration of CLIENT for the running server; without CLIENT, list the clients.

    `any` is what any client needs, and what is printed for one that is not known. The text to paste goes to standard
    output, the place to paste it to standard error. If no server runs, the text is for a server at the default address.
    """
    if client is None:
        click.echo(listed(), nl=False)
        return
    if client not in RECIPES:
        unknown = f"no recipe for {client!r}{_did_you_mean(client)}"
        if write:
            raise NotWritten(unknown, f"see claude-openai connect {ANY}")
        click.echo(unknown, err=True)
    found = choice.found()
    notes = () if client in RECIPES else ("This is what any client needs:",)
    for note in (*notes, *(() if found else ("no server of yours runs; this is for one at the usual address",))):
        click.echo(note, err=True)
    recipe = RECIPES.get(client, RECIPES[ANY]).at(f"{found}/v1" if found else URL)
    if write and recipe.config:
        click.echo(_written(recipe.config, recipe.name, context.obj), err=True)
    keys = choice.settings.api_keys
    needed = needs_key(found) if found and not (show_key and keys) else None
    if show_key and needed and not keys:
        click.echo(f"The server asks for a key that is not known here: {_NAME_THE_KEYS}.", err=True)
    elif show_key:  # only on request, because terminals may be recorded
        click.echo(f"export {KEY_VARIABLE}={shlex.quote(keys[0].get_secret_value() if keys else 'none')}")
    elif recipe.reads_key:
        click.echo(
            _about_the_key(choice.settings.needs_key if needed is None else needed, bool(keys), context.obj), err=True
        )
    for part in recipe.parts:
        if not (write and part.is_config):
            click.echo(f"{part.place}:", err=True)
            click.echo(part.text, nl=False)
    if recipe.note:
        click.echo(fill(recipe.note.replace("`", ""), 100, break_long_words=False, break_on_hyphens=False), err=True)
    if recipe.source:
        click.echo(f"{recipe.checked.capitalize()}: {recipe.source}", err=True)
    if write and not recipe.config:
        does = "fill in the printed fields" if recipe.parts[0].is_form else "put the printed lines where they belong"
        raise NotWritten(f"{recipe.title} has no configuration file that can be written", does)


def listed() -> str:
    """A line for each client: its name, its title, how it was checked, and the file that `--write` writes."""
    rows = [
        (each.name, each.title, each.checked, each.config.where if each.config else "") for each in RECIPES.values()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _did_you_mean(word: str) -> str:
    """The clients whose name or title has the word, or else is like it."""
    sought = word.lower()
    close = [name for name, each in RECIPES.items() if sought in name or sought in each.title.lower()]
    close = close or get_close_matches(sought, RECIPES, n=1)
    return f"; did you mean {' or '.join(close[:3])}?" if close else ""


def _about_the_key(needed: bool, known: bool, environ: Mapping[str, str]) -> str:
    """What to do about the variable of the key; no secret is in it."""
    if environ.get(KEY_VARIABLE):
        return f"The client reads the key from {KEY_VARIABLE}, which is set here."
    if needed:
        how = "--show-key prints it" if known else f"it is not known here, so {_NAME_THE_KEYS}"
        return f"The client reads the server's key from a variable; {how}:\nexport {KEY_VARIABLE}=..."
    return f"The server asks for no key, but the client wants one; any word does:\nexport {KEY_VARIABLE}=none"


def _written(part: Part, name: str, environ: Mapping[str, str]) -> str:
    """Write the client's configuration; return a sentence about what was done.

    Raises:
        NotWritten: the file was not changed.
    """
    from claude_openai.cli.config_edits import merge  # noqa: PLC0415 -- its parsers are slow to load

    place = place_of(part, environ)
    try:
        there = _read(place) if place.exists() else None
        merged = merge(there or "", part.text, part.language)
        kept = f"; left as it is there, to be changed by you: {', '.join(merged.kept)}" if merged.kept else ""
        if merged.text == there:
            return f"{place} has it already{kept}"
        if there is None:
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, merged.text)
            return f"wrote {place}"
        copies = (place.with_name(f"{place.name}.before-{number}") for number in count(1))
        copy = next(copy for copy in copies if not copy.exists())
        shutil.copy2(place, copy)
        _replace(place, merged.text)
    except CannotMergeError as reason:
        raise NotWritten(f"{place} was left as it is: {reason}", f"see claude-openai connect {name}") from None
    except (OSError, UnicodeError) as error:
        raise NotWritten(f"{place} cannot be changed: {error}", f"see claude-openai connect {name}") from None
    return f"wrote {place}; the file from before is {copy}{kept}"


def _read(place: Path) -> str:
    """The text with its line ends as they are."""
    with place.open(encoding="utf-8", newline="") as file:
        return file.read()


def place_of(part: Part, environ: Mapping[str, str]) -> Path:
    """The path of the client's configuration, given the client's own variables."""
    moved = {
        "~/.codex": environ.get("CODEX_HOME"),
        "~/.config/io.datasette.llm": environ.get("LLM_USER_PATH") or click.get_app_dir("io.datasette.llm"),
        "~/.config": environ.get("XDG_CONFIG_HOME"),
    }
    for usual, other in moved.items():
        if other and part.where.startswith(f"{usual}/"):
            return Path(other, part.where.removeprefix(f"{usual}/"))
    return Path(part.where).expanduser()


def _replace(place: Path, text: str) -> None:
    """Replace the contents atomically. A link stays a link, and the file's mode is kept."""
    place = place.resolve()
    new = place.with_name(f".{place.name}.new-{os.getpid()}")
    new.write_text(text, encoding="utf-8", newline="")
    if place.exists():
        shutil.copymode(place, new)
    new.replace(place)
