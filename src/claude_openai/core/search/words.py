"""The words of a text, as full-text search compares them.

Letters and digits make words, without case and without diacritics. Scripts that put no spaces between words (Chinese,
Japanese, Thai, Lao) have one word per character, so that any part of a sentence is found. SQLite's tokenizer does not
know such scripts: the store indexes these words with spaces between them.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from claude_openai.core.messages import ToolCall

LONGEST: Final = 20_000
"""Characters of each part of a run (its answer, its calls, its error) that are searched. More costs the store's writer
milliseconds a run."""

_UNSPACED: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words(text: str) -> list[str]:
    """The words of `text` in their order."""
    text = text.lower()
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return _WORD.findall(text)


def searched_text(text: str, error: str | None, calls: Iterable[ToolCall]) -> str:
    """The words of a run that free text is compared with, space-separated: its answer, its error and its calls."""
    parts = [text, error or ""]
    for call in calls:
        parts += [call.name, call.arguments]
    return " ".join(word for part in parts for word in words(part[:LONGEST]))


def has_phrase(searched: str, phrase: str, *, is_prefix: bool) -> bool:
    """Whether `searched` (of `searched_text`) has the space-separated words `phrase` in a row.

    With `is_prefix` the last of them need only begin a word.
    """
    return f" {phrase}{'' if is_prefix else ' '}" in f" {searched} "
