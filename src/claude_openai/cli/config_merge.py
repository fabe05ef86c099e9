"""Merges our entries into a client's configuration without losing its own. Pure: texts in, texts out."""

import json
import re
from typing import Any, Final

OWN: Final = "claude-openai"
"""The key whose value is ours, and is replaced as a whole."""

OWN_ENTRY: Final = "Claude Code"
"""The `name` of a list entry that is ours, and is replaced as a whole."""


class CannotMergeError(Exception):
    """The configuration must be merged by hand; the message is a sentence without a full stop."""


def merge(theirs: str, ours: str, form: str) -> str:
    """The configuration `theirs` with `ours` merged in; `form` is `json`, `toml` or `yaml`.

    Raises:
        CannotMergeError: their configuration could not be kept unchanged otherwise.
    """
    if not theirs.strip():
        return ours
    if form == "json":
        try:
            found = json.loads(theirs)
        except ValueError:
            raise CannotMergeError("there is one already that is not plain JSON; it may have comments") from None
        merged = _merge_values(found, json.loads(ours), "it")
        return theirs if merged == found else f"{json.dumps(merged, indent=2, ensure_ascii=False)}\n"
    url = re.compile(r"https?://[^\s\"]+")
    if url.sub("", theirs) == url.sub("", ours):  # our own text, perhaps for another server
        return ours
    raise CannotMergeError(
        f"there is one already, and {form.upper()} is not changed by a program that keeps its comments"
    )


def _merge_values(theirs: Any, ours: Any, where: str) -> Any:
    """Merge objects and lists; any other existing value stays."""
    if isinstance(theirs, dict) != isinstance(ours, dict) or isinstance(theirs, list) != isinstance(ours, list):
        raise CannotMergeError(f"there is one already, in which {where} is something else than expected")
    if isinstance(ours, dict):
        added = {
            name: value if name == OWN or name not in theirs else _merge_values(theirs[name], value, name)
            for name, value in ours.items()
        }
        return {**theirs, **added}
    if isinstance(ours, list):
        kept = (each for each in theirs if not (isinstance(each, dict) and each.get("name") == OWN_ENTRY))
        return [*kept, *ours]
    return theirs
