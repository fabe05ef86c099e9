"""`claude-openai keys`: makes, lists and revokes API keys with a name, while servers run."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Any, Final

import click

from claude_openai.cli.formatting import age
from claude_openai.cli.options import given, some_options
from claude_openai.core.keys import KeyOwner, StoredKey, digest_of, is_name
from claude_openai.errors import ExitCode, LaunchError
from claude_openai.settings import Settings
from claude_openai.store.key_file import KeyFile
from claude_openai.system.places import Places

PREFIX: Final = "sk-co-"
"""Begins each key, so that people and programs see what it is; clients expect `sk-`."""

_SETTINGS: Final = ("config", "data_dir", "api_key_file")

EXAMPLES = """\b
Examples:
  claude-openai keys add alice
  claude-openai keys add ops --operator
  claude-openai keys list
  claude-openai keys revoke alice
"""


class NoSuchKey(LaunchError):
    """No such key is stored."""

    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True)
class Place:
    """Where the keys are, and the names in the key file of the settings."""

    file: KeyFile
    configured: tuple[str, ...]


def _at_a_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds the options that say where the keys are."""

    @some_options(*_SETTINGS)
    @wraps(command)
    def with_place(**parameters: Any) -> object:
        flags = given({name: parameters.pop(name) for name in _SETTINGS})
        settings = Settings.load(flags, click.get_current_context().obj)
        names = dict.fromkeys(key.name for key in settings.configured_keys if key.name)
        return command(Place(KeyFile(Places.of(settings).named_keys), tuple(names)), **parameters)

    return with_place


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not is_name(value):
        raise click.BadParameter(
            f"{value!r} is not a name: use up to 32 letters, digits, dots, dashes and underscores, not local, owner or "
            "key-..."
        )
    return value


@click.group(epilog=EXAMPLES)
def keys() -> None:
    """Make, list and revoke API keys with a name.

    A key is printed once, when it is made; only its digest is stored, in the folder of the run store (--data-dir). All
    servers with that folder take a change at once. While the file of keys is there, a server needs a key.
    """


@keys.command()
@click.argument("name", callback=_name)
@click.option("--operator", is_flag=True, help="Its keys see and cancel the runs of all keys, and read /metrics.")
@_at_a_place
def add(place: Place, name: str, operator: bool) -> None:
    """Make a key for NAME and print it. NAME can have several: one can be new before another is revoked."""
    key = PREFIX + secrets.token_urlsafe(32)
    stored = StoredKey(digest_of(key), time.time())
    with place.file.changing() as names:
        owner = names.get(name, KeyOwner(name))
        names[name] = replace(owner, keys=(*owner.keys, stored), is_operator=owner.is_operator or operator)
    click.echo(key)
    click.echo(f"the key {stored.id} of {name}, which is shown this once", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@_at_a_place
def list_keys(place: Place, as_json: bool) -> None:
    """List the names, with the ids of their keys."""
    listed = rows(place.file.read() or {}, place.configured)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in listed]))
    elif listed:
        click.echo(table(listed, time.time()), nl=False)
    else:
        click.echo("no key has a name; make one with: claude-openai keys add NAME", err=True)


@keys.command()
@click.argument("name", callback=_name)
@click.option("--id", "key_id", metavar="ID", help="Only the key with this id, or this beginning of one.")
@_at_a_place
def revoke(place: Place, name: str, key_id: str | None) -> None:
    """Revoke the keys of NAME, at once. Its runs stay; answers that have begun are not ended."""
    with place.file.changing() as names:
        owner = names.get(name)
        if owner is None or not owner.keys:
            elsewhere = "its key is in the key file: remove that line, and start the server again"
            remedy = elsewhere if name in place.configured else "see which there are with: claude-openai keys list"
            raise NoSuchKey(f"{name} has no key that could be revoked", remedy)
        revoked = [key for key in owner.keys if key_id is None or key.id.startswith(key_id)]
        if not revoked or (key_id is not None and len(revoked) > 1):
            has = ", ".join(key.id for key in owner.keys)
            raise NoSuchKey(f"{name} has {'more than one' if revoked else 'no'} key {key_id}", f"it has {has}")
        left = tuple(key for key in owner.keys if key not in revoked)
        if left:
            names[name] = replace(owner, keys=left)
        else:
            del names[name]
    click.echo(f"revoked: {', '.join(key.id for key in revoked)} of {name}", err=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One name: the `id` and `created_at` (Unix seconds) of each stored key; `in_key_file`: it has one there."""

    name: str
    operator: bool
    keys: tuple[dict[str, object], ...]
    in_key_file: bool


def rows(stored: dict[str, KeyOwner] | Any, configured: Sequence[str]) -> list[Row]:
    """A row for each name, in the order of the alphabet."""
    listed = []
    for name in sorted({*stored, *configured}):
        owner = stored.get(name, KeyOwner(name))
        ids = tuple({"id": key.id, "created_at": key.created_at} for key in owner.keys)
        listed.append(Row(name, owner.is_operator, ids, name in configured))
    return listed


def table(listed: Sequence[Row], now: float) -> str:
    """A line for each name."""
    cells = [("NAME", "RANK", "KEYS")]
    for row in listed:
        ids = [f"{key['id']} ({age(now - float(str(key['created_at'])))})" for key in row.keys]
        in_file = ["in the key file"] if row.in_key_file else []
        cells.append((row.name, "operator" if row.operator else "-", ", ".join([*ids, *in_file]) or "-"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)
