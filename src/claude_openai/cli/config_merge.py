"""Merges our entries into a client's configuration file. Pure: texts in, texts out.

`changes` states the rule, on plain values; `config_edits` makes each change in the text, so that every other character
stays: comments, order, indentation and the form of numbers. Read again, the new text must have the changes and nothing
else; if not, the file is left as it is.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

OWN: Final = "claude-openai"
"""The key whose value is ours, and is replaced as a whole."""

IDENTITIES: Final = ("name", "model_id")
"""The keys by which an entry of a list is known to be ours, and is replaced as a whole; the first that ours has."""

Path = tuple[str | int, ...]


class CannotMergeError(Exception):
    """The configuration must be merged by hand; the message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Change:
    """`value` becomes the value at `path`. Where there is none yet it is added, in a list at the end."""

    path: Path
    value: Any

    def on(self, values: Any) -> Any:
        """The plain values with this change."""
        changed = deepcopy(values)
        holder = changed
        for step in self.path[:-1]:
            holder = holder[step]
        last = self.path[-1]
        if isinstance(holder, list) and last == len(holder):
            holder.append(deepcopy(self.value))
        else:
            holder[last] = deepcopy(self.value)
        return changed


@dataclass(frozen=True, slots=True)
class Merged:
    """The new text, and the names of the values that stay although ours differ."""

    text: str
    kept: tuple[str, ...] = ()


def merge(theirs: str, ours: str, form: str) -> Merged:
    """The configuration `theirs` with `ours` merged in; `form` is `json`, `toml` or `yaml`.

    Raises:
        CannotMergeError: their configuration could not be kept unchanged otherwise.
    """
    from claude_openai.cli import config_edits  # noqa: PLC0415 -- its parsers are slow to load

    if not theirs.strip("\ufeff \t\r\n"):
        return Merged(ours)
    edits = config_edits.EDITS[form]
    found = edits.parsed(theirs)
    kept: list[str] = []
    text, values = theirs, found
    if found is None:  # it has comments only
        text, values = f"{theirs}\n{ours}" if theirs[-1] != "\n" else f"{theirs}{ours}", edits.parsed(ours)
    else:
        for change in changes(found, edits.parsed(ours), kept):
            text, values = edits.changed(text, change), change.on(values)
    if edits.parsed(text) != values:
        raise CannotMergeError("there is one already, which cannot be changed without changing more of it")
    return Merged(text, tuple(kept))


def changes(theirs: Any, ours: Any, kept: list[str], path: Path = ()) -> Iterator[Change]:
    """What must change in `theirs` so that it has `ours`. Other values of theirs stay; their names are added to `kept`.

    Raises:
        CannotMergeError: theirs has a value of another kind than ours.
    """
    if isinstance(theirs, dict) != isinstance(ours, dict) or isinstance(theirs, list) != isinstance(ours, list):
        where = path[-1] if path else "it"
        raise CannotMergeError(f"there is one already, in which {where} is something else than expected")
    if isinstance(ours, dict):
        of_another_server = _differ_in_addresses_only(theirs, ours)
        for name, value in ours.items():
            there = (*path, name)
            if name not in theirs or (theirs[name] != value and (name == OWN or of_another_server)):
                yield Change(there, value)
            else:
                yield from changes(theirs[name], value, kept, there)
    elif isinstance(ours, list):
        known = list(theirs)
        for item in ours:
            index = next((number for number, each in enumerate(known) if _is_the_same(each, item)), len(known))
            if known[index : index + 1] != [item]:
                known[index : index + 1] = [item]
                yield Change((*path, index), item)
    elif theirs != ours:
        kept.append(".".join(map(str, path)))


def _differ_in_addresses_only(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether `theirs` is what we wrote for another server: all is equal but addresses, of which there is one."""
    different = [(theirs.get(name), value) for name, value in ours.items() if theirs.get(name) != value]
    return 0 < len(different) < len(ours) and all(map(_is_address, (each for pair in different for each in pair)))


def _is_address(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def _is_the_same(theirs: object, ours: object) -> bool:
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return theirs == ours
    identity = next((name for name in IDENTITIES if name in ours), None)
    return theirs.get(identity) == ours[identity] if identity else theirs == ours
