"""Claude Code's rules for tools, such as `Edit(docs/**)`, as far as they name paths.

A rule for a file tool opens what it names to commands, too (measured). Claude Code takes "//" for the root, "/" for
the folder of whoever wrote the rule, and a sign behind a backslash or alone in brackets for the sign itself, so that
`[.]./x` is `../x` (read in Claude Code).
"""

import re
from typing import Final

from claude_openai.core.path_patterns import alternatives, plain_part

_ONE_RULE: Final = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:\(([^()]*)\))?\s*")
"""Claude Code takes several in one text, apart by commas and spaces; each is to be looked at."""

_NO_PATHS: Final = frozenset({"Bash", "WebFetch", "WebSearch", "Agent", "Task", "Skill", "SlashCommand"})
"""Tools whose rules name no path. Of any other, whatever its name, in whatever case, the content is taken for one."""

_UNCLEAR: Final = re.compile(r"\s|.*\s\Z|[/~!]|.*\\|[A-Za-z]:|.*\[[^\]]*[./!^]", re.DOTALL)
"""A path that does not begin in the working directory, or may be read as one that does not."""


def is_one_rule(rule: str) -> bool:
    """Whether `rule` is one and not several."""
    return _ONE_RULE.fullmatch(rule) is not None


def named_paths(rule: str) -> tuple[str, ...] | None:
    """Where the paths begin that `rule` names, relative to the working directory; None where they may lead out of it,
    or that is not clear. Links are not followed here.
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
