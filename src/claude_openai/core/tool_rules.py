"""Claude Code's permission rules for tools, such as `Edit(docs/**)`, as far as they name paths.

A rule for a file tool also opens the paths it names to commands (measured). In Claude Code "//" is the root, "/" the
folder of the settings that hold the rule, and a character behind a backslash or alone in brackets is that character, so
that `[.]./x` is `../x` (read in Claude Code).
"""

import re
from typing import Final

from claude_openai.core.path_patterns import alternatives, plain_part

_ONE_RULE: Final = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:\(([^()]*)\))?\s*")
"""One rule. Claude Code accepts several in one text, separated by commas and spaces; each must be checked."""

_NO_PATHS: Final = frozenset({"Bash", "WebFetch", "WebSearch", "Agent", "Task", "Skill", "SlashCommand"})
"""Tools whose rules name no path. For any other name, in any case, the content counts as a path."""

_UNCLEAR: Final = re.compile(r"[\s\ufeff]|.*[\s\ufeff]\Z|[/~!]|.*\\|[A-Za-z]:|.*\[[^\]]*[./!^]", re.DOTALL)
"""A path that does not begin in the working directory, or that Claude Code might interpret so."""


def is_one_rule(rule: str) -> bool:
    """Whether `rule` is exactly one rule."""
    return _ONE_RULE.fullmatch(rule) is not None


def named_paths(rule: str) -> tuple[str, ...] | None:
    """The plain beginnings of the paths that `rule` names, relative to the working directory; None if they may lead out
    of it. Links are not followed here.
    """
    found = _ONE_RULE.fullmatch(rule)
    if found is None:
        return None
    if found[1] in _NO_PATHS or not found[2] or found[1].startswith("mcp__"):
        return ()
    read = alternatives(found[2])
    if read is None or any(_UNCLEAR.match(path) or ".." in path.split("/") for path in read):
        return None
    return tuple(map(plain_part, read))
