"""What a prompt mentions that could serve as a tool argument: quoted texts, proper names, numbers, in its order."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

_QUOTED_OR_WORD = re.compile(r'"([^"\n]+)"|\w+')
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_SENTENCE_END = re.compile(r"[.!?:]\s|\n")


@dataclass
class Hints:
    """Each text and number is taken once, so that two fields of a tool get two different values."""

    prompt: str
    texts: list[str]
    numbers: list[str]

    @classmethod
    def of(cls, prompt: str, without: Collection[str] = ()) -> Self:
        """The hints of a prompt. Words in `without`, the tools' names, are none."""
        texts = [text for text in _quotes_and_names(prompt) if text not in without]
        return cls(prompt, texts, _NUMBER.findall(prompt))

    def copy(self) -> "Hints":
        return Hints(self.prompt, list(self.texts), list(self.numbers))

    def mentions(self, word: str) -> bool:
        named = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.prompt, re.IGNORECASE)
        return bool(word) and named is not None


def _quotes_and_names(prompt: str) -> Iterator[str]:
    """Quoted texts, and runs of capitalised words that do not merely open a sentence."""
    run: list[str] = []
    end = 0
    for match in _QUOTED_OR_WORD.finditer(prompt):
        word = match.group()
        between = prompt[end : match.start()]
        opens = end == 0 or _SENTENCE_END.search(between) is not None
        proper = word[0].isupper() and word != "I" and not opens
        if not (proper and between == " "):
            yield from _joined(run)
            run = []
        if proper:
            run.append(word)
        end = match.end()
        if match.group(1):
            yield match.group(1)
    yield from _joined(run)


def _joined(run: list[str]) -> Iterator[str]:
    if run:
        yield " ".join(run)
