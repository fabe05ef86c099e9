"""The rule by which our entries are merged into a client's configuration, on plain values. Pure.

`config_edits` makes each change in the text.
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


def changes(theirs: Any, ours: Any, kept: list[str], path: Path = ()) -> Iterator[Change]:
    """What must change in `theirs` so that it has `ours`. Other values of theirs stay; `kept` gets their names,
    with ours.

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
        kept.append(f"{'.'.join(map(str, path))} (for this server: {ours})")


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
