"""The parts of a prompt that could be tool arguments: quoted texts, proper names and numbers, in their order."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

_QUOTED_OR_WORD = re.compile(r'"([^"\n]+)"|\w+')
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_SENTENCE_END = re.compile(r"[.!?:]\s|\n")


@dataclass
class Hints:
    """The hints that are left. Each one is used once, so that two fields of a tool get two different values."""

    prompt: str
    texts: list[str]
    numbers: list[str]

    @classmethod
    def of(cls, prompt: str, without: Collection[str] = ()) -> Self:
        """Find the hints of a prompt. Words in `without`, such as the tools' names, are not used.

        Texts are quoted texts, and runs of capitalised words that do not merely open a sentence.
        """
        texts: list[str] = []
        names: list[str] = []
        end = 0
        for match in _QUOTED_OR_WORD.finditer(prompt):
            word = match.group()
            between = prompt[end : match.start()]
            opens = end == 0 or _SENTENCE_END.search(between) is not None
            proper = word[0].isupper() and word != "I" and not opens
            if names and not (proper and between == " "):
                texts.append(" ".join(names))
                names = []
            if proper:
                names.append(word)
            end = match.end()
            if match.group(1):
                texts.append(match.group(1))
        if names:
            texts.append(" ".join(names))
        return cls(prompt, [text for text in texts if text not in without], _NUMBER.findall(prompt))

    def copy(self) -> "Hints":
        return Hints(self.prompt, list(self.texts), list(self.numbers))

    def mentions(self, word: str) -> bool:
        named = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.prompt, re.IGNORECASE)
        return bool(word) and named is not None
