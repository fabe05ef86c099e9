"""How a client's configuration takes up ours without losing what is in it. Pure: texts in, texts out."""

import json
import re
from typing import Any, Final

OWN: Final = "claude-openai"
"""What is under this name is ours, and replaced as a whole."""

OWN_ENTRY: Final = "Claude Code"
"""So is the entry of a list that has this name."""


class CannotJoinError(Exception):
    """Why it has to be done by hand, in a sentence without a full stop."""


def merge(theirs: str, ours: str, form: str) -> str:
    """The text of a configuration in this form (`json`, `toml`, `yaml`), with ours in it.

    Raises:
        CannotJoinError: what is there cannot be kept as it is.
    """
    if not theirs.strip():
        return ours
    if form == "json":
        return _joined_json(theirs, ours)
    if _without_addresses(theirs) == _without_addresses(ours):  # written by us, perhaps for another server
        return ours
    raise CannotJoinError(
        f"there is one already, and {form.upper()} is not changed by a program that keeps its comments"
    )


def _without_addresses(text: str) -> str:
    return re.sub(r"https?://[^\s\"]+", "", text)


def _joined_json(theirs: str, ours: str) -> str:
    try:
        found = json.loads(theirs)
    except ValueError:
        raise CannotJoinError("there is one already that is not plain JSON; it may have comments") from None
    both = _both(found, json.loads(ours), "it")
    return theirs if both == found else f"{json.dumps(both, indent=2, ensure_ascii=False)}\n"


def _both(theirs: Any, ours: Any, where: str) -> Any:
    """Objects and lists are joined; any other value that is there stays."""
    if isinstance(theirs, dict) != isinstance(ours, dict) or isinstance(theirs, list) != isinstance(ours, list):
        raise CannotJoinError(f"there is one already, in which {where} is something else than expected")
    if isinstance(ours, dict):
        added = {
            name: value if name == OWN or name not in theirs else _both(theirs[name], value, name)
            for name, value in ours.items()
        }
        return {**theirs, **added}
    if isinstance(ours, list):
        return [*(each for each in theirs if not _is_own(each)), *ours]
    return theirs


def _is_own(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("name") == OWN_ENTRY
