"""The natural rules: what the simulated model says to a prompt without directives.

"Say X" is answered with X, "Count to N" with the numbers, anything else with a short friendly sentence. A system
prompt can add an ending: "End every answer with X."
"""

import re
from collections.abc import Sequence

from claude_openai.simulator.script import Text
from claude_openai.simulator.situation import Situation, ToolResult

BEGINNING = 60
"""Characters of a prompt that are quoted."""

QUOTED_RESULT = 2_000
"""Characters of a tool result that are quoted."""

MOST_DELTAS = 400
"""Deltas of a natural text: a word each up to here, more words each beyond."""

_SAY = re.compile(r"\W*(?:please\s+)?say\b[\s:]*(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"\W*(?:please\s+)?count\s+(?:from\s+1\s+)?to\s+(?P<last>\d{1,5})\b", re.IGNORECASE)
_ENDING = re.compile(r"end every answer with (?:\"([^\"]+)\"|(.+?))(?:\.(?=\s|$)|$)", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"\s*\S+|\s+$")


def spoken_text(situation: Situation, prompt: str) -> Text:
    """The model's words, one delta each."""
    said = _results(situation.results) or obeyed(prompt) or _friendly(situation, prompt)
    return in_words(said + _ending(situation.system))


def obeyed(prompt: str) -> str | None:
    """What the prompt literally asks to hear, if it does."""
    if (say := _SAY.match(prompt)) is not None:
        return say["what"].strip() or None
    if (count := _COUNT.match(prompt)) is not None:
        return ", ".join(map(str, range(1, int(count["last"]) + 1)))
    return None


def in_words(text: str) -> Text:
    words = _WORD.findall(text)
    together = 1 + len(words) // MOST_DELTAS
    return Text(tuple("".join(words[i : i + together]) for i in range(0, len(words), together)))


def _results(results: Sequence[ToolResult]) -> str:
    """What the tools answered. A failure is not told if the same tool was tried again."""
    told = (
        result
        for number, result in enumerate(results, start=1)
        if not (result.failed and any(later.tool == result.tool for later in results[number:]))
    )
    return " ".join(f"{result.tool} {_verb(result)}: {_beginning(result.text, QUOTED_RESULT)}" for result in told)


def _verb(result: ToolResult) -> str:
    return "failed" if result.failed else "answered"


def _friendly(situation: Situation, prompt: str) -> str:
    seen = [_counted(situation.images, "image"), _counted(situation.documents, "document")]
    attached = f" I was shown {' and '.join(filter(None, seen))}." if any(seen) else ""
    quoted = _beginning(" ".join(prompt.split()), BEGINNING)
    return f'Hello! You said "{quoted}", and I am only a simulated model.{attached}'


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number > 1)}" if number else ""


def _beginning(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rstrip() + "..."


def _ending(system: str) -> str:
    ending = _ENDING.search(system)
    return f" {ending[1] or ending[2]}" if ending else ""
