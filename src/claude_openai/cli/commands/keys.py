"""`claude-openai keys`: makes, limits, lists and revokes API keys with a name, while servers run."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final, get_args

import click

from claude_openai.cli.formatting import age
from claude_openai.cli.options import given, some_options
from claude_openai.core.keys import KeyOwner, StoredKey, StoredNames, digest_of, is_name
from claude_openai.core.limits import (
    NO_LIMITS,
    NOTHING,
    PERIODS,
    KeyLimits,
    Period,
    Profile,
    Spent,
    end_of,
    period_at,
)
from claude_openai.errors import ExitCode, LaunchError
from claude_openai.settings import Settings
from claude_openai.store import sqlite_reader
from claude_openai.store.key_file import KeyFile
from claude_openai.system.places import Places

PREFIX: Final = "sk-co-"
"""Begins each key, so that people and programs see what it is; clients expect `sk-`."""

_SETTINGS: Final = ("config", "data_dir", "api_key_file")

EXAMPLES = """\b
Examples:
  claude-openai keys add alice
  claude-openai keys add ops --operator
  claude-openai keys add guest --requests-per-minute 10 --cost-per-month 20 --models haiku
  claude-openai keys limit alice --tokens-per-day 2000000 --cost-per-month none
  claude-openai keys list
  claude-openai keys revoke alice
"""


NONE: Final = "none"
"""The value of an option that removes the limit."""


class _Limit(click.ParamType[float | str]):
    """A number above 0, or `none`."""

    def __init__(self, number: type[int] | type[float], name: str) -> None:
        self._number = number
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        if value == NONE:
            return NONE
        try:
            number = self._number(value)
        except (TypeError, ValueError):
            number = 0
        if not 0 < number < LARGEST_LIMIT:
            self.fail(f"{value!r} is not a number above 0, nor {NONE}", param, ctx)
        return number


class _Names(click.ParamType[tuple[str, ...] | str]):
    """Names between commas, or `none` for no restriction."""

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        self.name = name
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...] | str:
        if value == NONE:
            return NONE
        names = tuple(dict.fromkeys(str(value).replace(",", " ").split()))
        if not names or (self._known and not set(names) <= set(self._known)):
            expected = " and ".join(self._known) or "names of models"
            self.fail(f"{value!r} is not a list of {expected}, nor {NONE}", param, ctx)
        return names


LARGEST_LIMIT: Final = 1e15

_LIMIT_OPTIONS: Final[Mapping[str, tuple[click.ParamType[Any], str]]] = {
    "requests_per_minute": (_Limit(int, "count"), "Requests a minute."),
    "tokens_per_minute": (_Limit(int, "count"), "Tokens a minute, of prompts and answers."),
    "tokens_per_day": (_Limit(int, "count"), "Tokens a day of UTC."),
    "tokens_per_month": (_Limit(int, "count"), "Tokens a month of UTC."),
    "cost_per_day": (_Limit(float, "usd"), "US dollars a day, as Claude Code reports the cost."),
    "cost_per_month": (_Limit(float, "usd"), "US dollars a month."),
    "models": (_Names("model,..."), "Only these models, by any of their names."),
    "profiles": (_Names("profile,...", get_args(Profile)), "Only these profiles: chat, agent."),
}
"""An option for each field of `core.limits.KeyLimits`."""


def _with_limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds the options of limits; the command gets those that are given as `limits`."""

    @wraps(command)
    def with_limits(**parameters: Any) -> object:
        chosen = {name: parameters.pop(name) for name in _LIMIT_OPTIONS}
        return command(limits={name: value for name, value in chosen.items() if value is not None}, **parameters)

    for name, (kind, text) in reversed(tuple(_LIMIT_OPTIONS.items())):
        with_limits = click.option(f"--{name.replace('_', '-')}", name, type=kind, help=text)(with_limits)
    return with_limits


def changed(limits: KeyLimits, options: Mapping[str, Any]) -> KeyLimits:
    """`limits` with what the options set; `none` removes a limit."""
    return replace(
        limits, **{name: getattr(NO_LIMITS, name) if value == NONE else value for name, value in options.items()}
    )


class NoSuchKey(LaunchError):
    """No such key is stored."""

    exit_code = ExitCode.FAILED


@dataclass(frozen=True, slots=True)
class Place:
    """Where the keys are, the names in the key file of the settings, and the folder of the store."""

    file: KeyFile
    configured: tuple[str, ...]
    store: Path


def _at_a_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds the options that say where the keys are."""

    @some_options(*_SETTINGS)
    @wraps(command)
    def with_place(**parameters: Any) -> object:
        flags = given({name: parameters.pop(name) for name in _SETTINGS})
        settings = Settings.load(flags, click.get_current_context().obj)
        names = dict.fromkeys(key.name for key in settings.configured_keys if key.name)
        places = Places.of(settings)
        return command(Place(KeyFile(places.named_keys), tuple(names), places.data), **parameters)

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
    """Make, limit, list and revoke API keys with a name.

    A key is printed once, when it is made; only its digest is stored, in the folder of the run store (--data-dir). All
    servers with that folder take a change at once. While the file of keys is there, a server needs a key.
    """


@keys.command()
@click.argument("name", callback=_name)
@click.option("--operator", is_flag=True, help="Its keys see and cancel the runs of all keys, and read /metrics.")
@_with_limits
@_at_a_place
def add(place: Place, name: str, operator: bool, limits: Mapping[str, Any]) -> None:
    """Make a key for NAME and print it. NAME can have several: one can be new before another is revoked."""
    key = PREFIX + secrets.token_urlsafe(32)
    stored = StoredKey(digest_of(key), time.time())
    is_first = not place.file.path.exists()
    with place.file.changing() as names:
        owner = names.get(name, KeyOwner(name))
        names[name] = replace(
            owner,
            keys=(*owner.keys, stored),
            is_operator=owner.is_operator or operator,
            limits=changed(owner.limits, limits),
        )
    click.echo(key)
    click.echo(f"the key {stored.id} of {name}, which is shown this once", err=True)
    if is_first:
        click.echo(f"from now on servers with the folder {place.store} need a key", err=True)


@keys.command()
@click.argument("name", callback=_name)
@_with_limits
@_at_a_place
def limit(place: Place, name: str, limits: Mapping[str, Any]) -> None:
    """Change the limits of NAME, at once; those that are not given stay, and `none` removes one.

    A limit is for all keys of the name together, those of the key file too.
    """
    if not limits:
        raise click.UsageError("name a limit to change", click.get_current_context())
    with place.file.changing() as names:
        owner = names.get(name) or (KeyOwner(name) if name in place.configured else None)
        if owner is None:
            raise NoSuchKey(f"no key has the name {name}", "see which there are with: claude-openai keys list")
        names[name] = replace(owner, limits=changed(owner.limits, limits))
    shown = "; ".join(_limit_lines(names[name].limits, {}, time.time())) or NONE
    click.echo(f"the limits of {name} are now: {shown}", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@_at_a_place
def list_keys(place: Place, as_json: bool) -> None:
    """List the names, with the ids of their keys, their limits and what they have used.

    What was used is read from the store on disk.
    """
    listed = rows(place.file.read() or {}, place.configured, sqlite_reader(place.store).usage(), time.time())
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
    if not names and not place.configured:
        click.echo(
            "No key is left, and servers that needed one go on doing so: make one with claude-openai keys add NAME, "
            f"or remove {place.file.path} and start them again.",
            err=True,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One name: the `id` and `created_at` (Unix seconds) of each stored key; `in_key_file`: it has one there. `limits`
    has those that there are; `used` has `tokens` and `cost_usd` of this `day` and `month`, and when each `ends_at`.
    """

    name: str
    operator: bool
    keys: tuple[dict[str, object], ...]
    in_key_file: bool
    limits: Mapping[str, Any]
    used: Mapping[Period, Mapping[str, Any]]


def rows(
    stored: StoredNames, configured: Sequence[str], used: Mapping[str, Mapping[str, Spent]], now: float
) -> list[Row]:
    """A row for each name, in the order of the alphabet."""
    listed = []
    for name in sorted({*stored, *configured}):
        owner = stored.get(name, KeyOwner(name))
        ids = tuple({"id": key.id, "created_at": key.created_at} for key in owner.keys)
        spent = {
            period: {
                **asdict(used.get(name, {}).get(period_at(period, now), NOTHING)),
                "ends_at": end_of(period, now),
            }
            for period in PERIODS
        }
        listed.append(Row(name, owner.is_operator, ids, name in configured, owner.limits.given, spent))
    return listed


def table(listed: Sequence[Row], now: float) -> str:
    """A line for each name, and below it one for each limit."""
    cells = [("NAME", "RANK", "TOKENS TODAY", "COST THIS MONTH", "KEYS")]
    for row in listed:
        ids = [f"{key['id']} ({age(now - float(str(key['created_at'])))})" for key in row.keys]
        in_file = ["in the key file"] if row.in_key_file else []
        shown = ", ".join([*ids, *in_file]) or "-"
        tokens, cost = f"{row.used['day']['tokens']:,}", f"${row.used['month']['cost_usd']:.2f}"
        cells.append((row.name, "operator" if row.operator else "-", tokens, cost, shown))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for number, line in enumerate(cells):
        lines.append("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
        if number:
            row = listed[number - 1]
            lines += [f"  {text}" for text in _limit_lines(KeyLimits(**row.limits), row.used, now)]
    return "".join(f"{line}\n" for line in lines)


def _limit_lines(limits: KeyLimits, used: Mapping[Period, Mapping[str, Any]], now: float) -> list[str]:
    """Each limit in words, with what is used of it where that is known."""
    lines = []
    for name, value in limits.given.items():
        if isinstance(value, tuple):
            lines.append(f"{name}: {', '.join(value)}")
            continue
        unit, _, period = name.partition("_per_")
        amount = f"${value:g}" if unit == "cost" else f"{value:,}"
        line = f"{unit} a {period}: {amount}"
        if (spent := used.get("day" if period == "day" else "month")) and period != "minute":
            known = f"${spent['cost_usd']:.4f}" if unit == "cost" else f"{spent['tokens']:,}"
            until = datetime.fromtimestamp(end_of("day" if period == "day" else "month", now), UTC)
            line += f", used {known} until {until:%Y-%m-%d %H:%M} UTC"
        lines.append(line)
    return lines
