"""Redaction: hides secrets in events, by their name, by their value and by their shape."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from functools import lru_cache
from math import isfinite
from typing import Final
from urllib.parse import quote, unquote

from structlog.typing import EventDict

from claude_openai.logs.snapshot import CUT, LONGEST_TEXT, TOO_DEEP, cut

HIDDEN: Final = "[hidden]"

SHORTEST_SECRET: Final = 6
"""Characters. Shorter secrets are hidden only as whole values: hiding every "1" would reveal the digit."""

DEEPEST: Final = 40
"""Levels of nesting, including those of JSON within texts."""

_LONGEST_NAME: Final = 256

_SHORT: Final = 64
"""Characters of a text whose redaction is cached: names and short values recur in every event."""

_MOST_CACHED: Final = 4096


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """The values in `environ` whose names mark them as secrets."""
    return [value for name, value in environ.items() if _rule(name) is not _Hides.NOTHING]


class _Hides(Enum):
    """What to hide of a value, given the name of its field."""

    NOTHING = auto()
    TEXT = auto()
    """Hide texts only: `tokens` is mostly a count, but may be a list of secrets."""
    EVERYTHING = auto()


_WORDS: Final = ("authorization", "cookie", "password", "passwd", "passphrase", "secret", "credential")
_PAIRS: Final = ("apikey", "accesskey", "privatekey")

_QUICKLY: Final = (*_WORDS, *_PAIRS, "token")
_SEPARATORS: Final = {code: None for code in range(128) if not chr(code).isalnum()}

_SECRET_NAMES: Final = re.compile("|".join([*_WORDS, *_PAIRS, "token$"]))
"""Searched in lower case and without separators, so that `X-Api-Key`, `apiKey` and `API KEY` are the same name."""

_BETWEEN: Final = r"(?:[^A-Za-z0-9]|%[0-9A-Fa-f]{2})?"
"""A separator between the words of a name, in a text."""

_NAME_IN_TEXT: Final = (
    r"(?:(?P<line>authorization|cookie)"
    rf"|pass{_BETWEEN}(?:word|wd|phrase)|secret|credential|(?:api|access|private){_BETWEEN}key|(?P<token>token))"
    r"(?P<rest>[\w.%-]{0,32})"
)

_SEPARATOR: Final = (
    r"(?:\\*[\"']?\]?\s{0,4}(?::|=>?|%3[AaDd])\s{0,4}"
    r"|\\*[\"'],\s{0,4}\\*[\"']values?\\*[\"']\s{0,4}:\s{0,4}"
    r"|\\*[\"'],\s{0,4}b?(?=\\*[\"']))"
)

_VALUE: Final = r"(?:b?(?P<quote>\\*[\"'])(?P<quoted>(?:(?!(?<!\\)(?P=quote)).)*)|(?P<bare>[^\s,;&\"'<>})\]\\]+))"

_NAMED: Final = re.compile(f"{_NAME_IN_TEXT}(?P<separator>{_SEPARATOR}){_VALUE}", re.IGNORECASE | re.DOTALL)
"""A named secret within a text: `"api_key": "..."`, `token=...`, `Cookie: ...`, with quotes escaped or not."""

_HEADER: Final = re.compile(r"(?P<name>[\w!#$%&'*+.^`|~ -]{1,128})(?P<colon>:[ \t]*)\S.{0,8000}")
"""A text that is exactly one header line."""

_BRACKETS: Final = re.compile(r"(?P<quote>\\*[\"'])(?:(?!(?<!\\)(?P=quote)).)*(?P=quote)|[\[\]{}]", re.DOTALL)
"""Brackets, and quoted texts, in which brackets do not count."""

_LINE: Final = re.compile(r"[^\r\n\"']*")

_SCHEME: Final = r"(?P<scheme>{}(?:[ \t]|%20|\+){{1,8}})"
"""The scheme of an Authorization header. No word boundary before it: an escaped line break ends in a letter."""

_NO_TOKENS: Final = "authentication|authorization|credentials?|tokens?|scheme|header|prefix|format"
"""Words that follow "Bearer" in prose."""

_PLACEHOLDER: Final = r"(?:YOUR|MY)_(?:[A-Z]+_)?(?:KEY|TOKEN)(?![\w.~+/=-])"
"""What stands for a secret in an example, as in the error of a request without a key."""

_EXAMPLE: Final = re.compile(rf"(?i:bearer)[ \t]{{1,8}}{_PLACEHOLDER}")

_COUNTED: Final = re.compile(r"(?:budget|completion|input|max|min|output|prompt|total)[\w-]{0,32}$", re.IGNORECASE)
"""The beginning of a name that ends in `tokens` and means a number of them, as `max_tokens` does."""


def _basic(found: re.Match[str]) -> str:
    """Letters alone may be prose ("basic understanding"), or `user:password` in base64."""
    text = found["token"]
    try:
        secret = any(map(str.isdecimal, text)) or b":" in b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        secret = False
    return f"{found['scheme']}{HIDDEN}" if secret else found[0]


_SHAPES: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (
        re.compile(
            rf"{_SCHEME.format('bearer')}(?!(?:{_NO_TOKENS})(?![\w~+/=-])|(?-i:{_PLACEHOLDER}))[\w.~+/=-]{{6,}}",
            re.IGNORECASE,
        ),
        rf"\g<scheme>{HIDDEN}",
    ),
    (re.compile(rf"{_SCHEME.format('basic')}(?P<token>[\w.~+/=-]{{8,}})", re.IGNORECASE), _basic),
    (
        re.compile(r"(?P<name>[?&#](?:key|sig|signature|auth|jwt|pwd|pass)=)[^\s&#\"'<>]+", re.IGNORECASE),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"\bsk-[\w-]{8,}"), HIDDEN),
    (re.compile(r"(?<=://)[^/\s?#\"'<>]+@"), f"{HIDDEN}@"),
)
"""The shapes of secrets without a name, in case neither names nor values match."""

_ARGUMENT: Final = r"""(?P<value>\\*"[^"]*"|'[^']*'|[^\s"'-][^\s"']*)"""
"""The value of a command's option, in quotes or not."""

_OPTION: Final = re.compile(rf"(?P<option>-(?<![\w-]-)-?(?P<name>[A-Za-z][\w-]{{0,63}})[ \t]{{1,8}}){_ARGUMENT}")
"""An option whose value is the next word: `--api-key X`. `_NAMED` has those with an equals sign. It begins
with a character, which the engine finds five times as quickly as a look-behind (measured)."""

_OTHER_SCHEME: Final = re.compile(
    rf"{_SCHEME.format('(?:token|api-?key)')}(?=[\w.~+/=-]{{0,200}}\d)[\w.~+/=-]{{8,}}", re.IGNORECASE
)
"""Schemes that are words of prose too, so that only a word with a digit after them is a secret."""

_CURL: Final = re.compile(r"\bcurl\b[^\r\n]*")
_CURL_LOGIN: Final = re.compile(rf"(?<![^\s\"'])(?P<option>(?:-[uUb]|--(?:proxy-)?user)(?:=|[ \t]{{0,8}})){_ARGUMENT}")
"""A user with a password, or cookies, which are secrets only in a command of `curl`."""

_CURL_LOGINS: Final = ("-u", "-U", "-b", "--user", "--proxy-user")


class Redaction:
    """A structlog processor for snapshots. `secrets` are values to hide in every text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if secret}
        self._short = frozenset(secret for secret in known if len(secret) < SHORTEST_SECRET)
        spellings: set[str] = set()
        for secret in known - self._short:  # itself, and as it is written in a `repr` (of bytes too), in JSON, in a URL
            as_bytes = secret.encode("utf-8", "backslashreplace")
            spellings |= {secret, repr(secret)[1:-1], repr(as_bytes)[2:-1], json.dumps(secret)[1:-1]}
            spellings.add(quote(as_bytes, safe=""))
        # The longest first, because one may be the beginning of another. Without secrets the pattern never matches.
        self._cached: dict[str, str] = {}
        self._known = re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))) or r"(?!)")

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return self._mapping(event, DEEPEST, _Hides.NOTHING)

    def text(self, text: str) -> str:
        """`text` with its secrets hidden, cut to the length that is logged."""
        text = self._text(text, DEEPEST)
        return text if len(text) <= 2 * LONGEST_TEXT else cut(text, LONGEST_TEXT)

    def _text(self, text: str, depth: int) -> str:
        if len(text) > _SHORT:
            return self._redacted(text, depth)
        shown = self._cached.get(text)
        if shown is None:
            if len(self._cached) >= _MOST_CACHED:
                self._cached.clear()
            shown = self._cached[text] = self._redacted(text, DEEPEST)
        return shown

    def _redacted(self, text: str, depth: int) -> str:
        if text in self._short:
            return HIDDEN
        if len(text) > LONGEST_TEXT:
            return self._text(cut(text, LONGEST_TEXT).removesuffix(CUT), depth) + CUT
        text = self._known.sub(HIDDEN, text)
        if (shown := self._json(text, depth)) is not None:
            return shown
        if (header := _HEADER.fullmatch(text)) and _rule(header["name"]) is _Hides.EVERYTHING:
            return f"{header['name']}{header['colon']}{HIDDEN}"
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        if "curl" in text:
            text = _CURL.sub(lambda command: _CURL_LOGIN.sub(rf"\g<option>{HIDDEN}", command[0]), text)
        if not _may_name(text):
            return text
        text = _OTHER_SCHEME.sub(rf"\g<scheme>{HIDDEN}", text)
        return _without_named(_OPTION.sub(_option, text))

    def _json(self, text: str, depth: int) -> str | None:
        """Redact `text` as JSON: unchanged if it has no secrets, None if it is not JSON."""
        if not depth or not text.lstrip().startswith(("{", "[", '"')):
            return None
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return None
        shown = self._value(data, depth - 1, _Hides.NOTHING)
        return text if shown == data else json.dumps(shown, ensure_ascii=False)

    def _mapping(self, fields: Mapping[str, object], depth: int, inherited: _Hides) -> dict[str, object]:
        # In some lists of headers a field names the secret: `{"name": "Authorization", "value": ...}`.
        labels = (label for each in _NAMES if isinstance(label := fields.get(each), str))
        labelled = any(_rule(label) is _Hides.EVERYTHING for label in labels)
        shown: dict[str, object] = {}
        for name, value in fields.items():
            hides = _Hides.EVERYTHING if labelled and name in _VALUES else inherited
            if hides is not _Hides.EVERYTHING and (rule := _rule(name)) is not _Hides.NOTHING:
                hides = rule
            shown[self._text(name, depth)] = self._value(value, depth - 1, hides)
        return shown

    def _value(self, value: object, depth: int, hides: _Hides) -> object:
        match value:
            case None | bool():
                return value
            case _ if hides is _Hides.EVERYTHING:
                return HIDDEN
            case int() | float():  # digits can be a secret too; infinity and NaN, which JSON lacks, become text
                text = self._text(str(value), 0)
                return value if text == str(value) and (isinstance(value, int) or isfinite(value)) else text
            case str():
                return HIDDEN if hides is _Hides.TEXT else self._text(value, depth)
            case _ if depth <= 0:
                return TOO_DEEP
            case Mapping():
                return self._mapping(value, depth, hides)
            case list():
                return self._items(value, depth - 1, hides)
            case _:
                return self._text(repr(value), depth)

    def _items(self, values: list[object], depth: int, hides: _Hides) -> list[object]:
        """Redact a list, in which a name may precede its value: a header as a pair, an option of a command."""
        shown: list[object] = []
        before: object = None
        for value in values:
            paired = isinstance(before, str) and (len(values) == 2 or before.startswith("-"))  # noqa: PLR2004
            named = _rule(str(before)) is _Hides.EVERYTHING or (before in _CURL_LOGINS and "curl" in values)
            secret = paired and "=" not in str(before) and named
            shown.append(self._value(value, depth, _Hides.EVERYTHING if secret else hides))
            before = value
        return shown


_NAMES: Final = ("name", "key", "header")
_VALUES: Final = ("value", "values")


@lru_cache(_MOST_CACHED)
def _rule(name: str) -> _Hides:
    """The rule for a field's name: `access_token` hides everything, `prompt_tokens` and `first_token_ms` only text."""
    if len(name) > _LONGEST_NAME:
        return _Hides.NOTHING
    plain = re.sub("[^a-z0-9]", "", unquote(name).lower())
    if _SECRET_NAMES.search(plain):
        return _Hides.EVERYTHING
    return _Hides.TEXT if "token" in plain else _Hides.NOTHING


def _may_name(text: str) -> bool:
    """A quick check for secrets' names, which most texts lack; `_NAMED` takes some milliseconds for a long text."""
    squeezed = (unquote(text) if "%" in text else text).lower().translate(_SEPARATORS)
    return any(word in squeezed for word in _QUICKLY)


def _without_named(text: str) -> str:
    """`text` with every value hidden that follows a secret's name."""
    shown, end = [], 0
    while found := _NAMED.search(text, end):
        begin, after = _extent(text, found)
        shown += [text[end:begin], HIDDEN if begin < after else ""]
        end = max(after, found.end("separator"))
        if begin == after:
            shown.append(text[begin:end])
    return "".join([*shown, text[end:]]) if shown else text


def _option(found: re.Match[str]) -> str:
    return f"{found['option']}{HIDDEN}" if _rule(found["name"]) is _Hides.EVERYTHING else found[0]


def _extent(text: str, found: re.Match[str]) -> tuple[int, int]:
    """The start and end of the value; an empty range if it is a number of tokens, a word of a sentence about such a
    number (`'max_tokens': expected`), or an example. A bracket that is not closed extends to the end of the text.
    """
    begin, end = found.end("separator"), found.end()
    if found["token"] and found["rest"].lower() == "s" and (found["bare"] or "").rstrip(":").isalpha():
        before = text[max(0, found.start() - _SHORT) : found.start()]
        if _COUNTED.search(before):
            return begin, begin
    if found["line"] and _EXAMPLE.match(text, begin):
        return begin, begin
    counted = found["token"] and found["rest"] and re.fullmatch(r"[\d.]+", found["bare"] or "")
    if counted:
        return end, end
    if found["quote"] is not None:
        return begin, min(len(text), end + len(found["quote"]))
    if found["bare"][0] in "[{":
        depth = 0
        for part in _BRACKETS.finditer(text, begin):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part[0], 0)
            if depth == 0:
                return begin, part.end()
        return begin, len(text)
    line = _LINE.match(text, begin) if found["line"] else None
    return begin, line.end() if line else end
