"""Reads content that all of OpenAI's protocols send alike: text, images and PDF files, as Claude takes them.

Text stays as sent. Only text of nothing but white space is dropped, because the Messages API refuses such blocks and
Claude Code waits for ever on such a message.
"""

import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from claude_openai.core.failures import RequestFailed
from claude_openai.core.messages import Document, Image, ImageType, ImageUrl, Text
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire import request_base as wire

Part = TypeVar("Part")
Read = TypeVar("Read")


class HasType(Protocol):
    """A part of a message, in any protocol."""

    @property
    def type(self) -> str: ...


_BLANK = re.compile(r"[\s\ufeff]*")
_DATA_URI = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL | re.IGNORECASE)
_BARE_PDF = "JVBERi"
"""The beginning of a PDF in base64: some clients send file data without the data URI around it."""

_IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
"""The labels that images may have; image/jpg is not a registered type, but clients often send it."""

_SIGNATURES: Final[Mapping[str, ImageType]] = {
    r"\x89PNG\r\n\x1a\n": "image/png",
    r"\xff\xd8\xff": "image/jpeg",
    r"GIF8[79]a": "image/gif",
    r"RIFF....WEBP": "image/webp",
}
"""The first bytes of each type."""

_BEGINNING: Final = 96
"""Characters in which the signature is looked for: more than 12 bytes, even if each is percent-encoded."""

_PIECE: Final = 2**20
"""Characters that are checked in one go, a multiple of 4 for base64: no other thread runs meanwhile."""

_STANDARD: Final = str.maketrans("-_", "+/")
"""From the alphabet for URLs (RFC 4648, section 5) to the standard one."""


def is_blank(text: str) -> bool:
    """Whether `text` has only white space, by the rules of Python or (U+FEFF) of JavaScript."""
    return all(_BLANK.fullmatch(text, at, at + _PIECE) for at in range(0, len(text), _PIECE))


def text_blocks(text: str) -> tuple[Text, ...]:
    """`text` as sent; no block if it is blank."""
    return () if is_blank(text) else (Text(text),)


def parts_of(content: str | Sequence[Part] | None) -> Sequence[Part]:
    """The parts of `content`; a plain text has none."""
    return () if content is None or isinstance(content, str) else content


def read_parts(
    content: str | Sequence[Part] | None, path: str, read: Callable[[Part, str], Iterable[Read]]
) -> tuple[Read | Text, ...]:
    """The blocks of `content`: of a plain text its own, of parts those that `read` makes of each, at its path."""
    if content is None or isinstance(content, str):
        return text_blocks(content or "")
    return tuple(block for index, part in enumerate(content) for block in read(part, f"{path}[{index}]"))


def marks_cache(parts: Iterable[object]) -> bool:
    """Whether one of `parts` marks where a cached prompt may end."""
    return any(part.prompt_cache_breakpoint is not None for part in parts if isinstance(part, wire.Part))


def text_of(content: str | Sequence[HasType] | None, path: str) -> str:
    """The joined text of a role that has text only, refusals included; "" if it is blank.

    Raises:
        RequestFailed: naming the part that is not text.
    """
    if content is None or isinstance(content, str):
        text = content or ""
    else:
        text = "".join(part_text(part, f"{path}[{index}]") for index, part in enumerate(content))
    return "" if is_blank(text) else text


def part_text(part: HasType, path: str) -> str:
    """The text of `part`.

    Raises:
        RequestFailed: it has none.
    """
    match part:
        case wire.Text():
            return part.text
        case wire.RefusalPart():
            return part.refusal
        case _:
            raise unsupported(f"{path}.type", f"a part of type '{part.type}' cannot stand in messages of this role")


def not_in_user_message(part: wire.AudioPart | wire.RefusalPart, path: str) -> RequestFailed:
    """The error for a `part` that user messages cannot have."""
    if isinstance(part, wire.AudioPart):
        return unsupported(f"{path}.type", "Claude takes no audio")
    return unsupported(f"{path}.type", "a part of type 'refusal' can stand in assistant messages only")


def image(url: str, path: str) -> Image | ImageUrl:
    """The image in a data URI or in bare base64, or at a web address. Its first bytes decide its type, not its label.

    Raises:
        RequestFailed: naming `path`: `url` is none of these, or an image of a type that Claude does not take.
    """
    try:
        address = urlsplit(url)
    except ValueError:  # brackets around something that is not an IPv6 address
        address = urlsplit("")
    if address.scheme in ("http", "https") and address.netloc:
        return ImageUrl(url)
    if uri := _DATA_URI.fullmatch(url):
        media_type = _image_type(uri[3])
        label = uri[1].strip().lower()
        if media_type is None and label and label not in _IMAGE_TYPES:
            raise unsupported(path, "Claude takes PNG, JPEG, GIF and WebP images")
        data = _base64(uri, path)
        if media_type is None:
            raise invalid(path, "the data is no PNG, JPEG, GIF or WebP image")
        return Image(media_type, data)
    if media_type := _image_type(url):
        return Image(media_type, _checked(url, path))
    raise invalid(path, "expected an http(s) URL or a data URI")


def image_data(url: str, path: str) -> Image:
    """The image in a data URI or in bare base64: a tool result takes no web address.

    Raises:
        RequestFailed: naming `path`.
    """
    found = image(url, path)
    if isinstance(found, ImageUrl):
        raise unsupported(path, "a tool result takes images as data URIs only")
    return found


def document(data: str, filename: str | None, path: str) -> Document:
    """The PDF file in a data URI or in bare base64.

    Raises:
        RequestFailed: naming `path`.
    """
    if data.startswith(_BARE_PDF):
        return Document(_checked(data, path), filename)
    uri = _DATA_URI.fullmatch(data)
    if uri is None:
        raise invalid(path, "expected a data URI")
    if uri[1].strip().lower() != "application/pdf" and not _standard(uri[3][:_BEGINNING]).startswith(_BARE_PDF):
        raise unsupported(path, "Claude takes PDF files; send text as text")
    return Document(_base64(uri, path), filename)


def _image_type(data: str) -> ImageType | None:
    """The type by the first bytes of the base64 text `data`: upstream refuses an image with a wrong type."""
    try:
        text = binascii.a2b_base64(_standard(data[:_BEGINNING])[:16]).decode("latin-1")
    except ValueError:
        return None
    return next((kind for begin, kind in _SIGNATURES.items() if re.match(begin, text, re.DOTALL)), None)


def _base64(uri: re.Match[str], path: str) -> str:
    if not uri[2].lower().endswith(";base64"):
        raise invalid(path, "expected base64 data")
    return _checked(uri[3], path)


def _checked(data: str, path: str) -> str:
    """`data` as base64 that the Messages API takes."""
    data = _standard(data)
    if not data:
        raise invalid(path, "the data is empty")
    wrong = invalid(path, "the data is not valid base64")
    if "=" in data.rstrip("="):
        raise wrong
    try:
        for at in range(0, len(data), _PIECE):
            binascii.a2b_base64(data[at : at + _PIECE], strict_mode=True)
    except ValueError:  # binascii's own error is one; another is raised for text that is not ASCII
        raise wrong from None
    return data


def _standard(data: str) -> str:
    """Base64 in its standard alphabet, padded and without white space, from any form that clients send: with line
    breaks (MIME), in the alphabet for URLs, without padding, or percent-encoded as in a data URI.
    """
    if "%" in data:
        data = unquote(data)
    data = "".join(data.split()).translate(_STANDARD).rstrip("=")
    return data + "=" * (-len(data) % 4)
