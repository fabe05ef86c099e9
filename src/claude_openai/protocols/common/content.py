"""Content that every protocol of OpenAI's sends alike: text, images and PDF files, as Claude takes them.

Text stays as sent. The one thing dropped is text that is only white space, because the Messages API refuses such
blocks and Claude Code waits for ever on such a message.
"""

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from claude_openai.core.failures import RequestFailed
from claude_openai.core.messages import Document, Image, ImageType, ImageUrl, Text
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire import request as wire

Part = TypeVar("Part")


class Kind(Protocol):
    """A part of a message, of whichever protocol."""

    @property
    def type(self) -> str: ...


_BLANK = re.compile(r"[\s\ufeff]*")
_DATA_URI = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL | re.IGNORECASE)
_BARE_PDF = "JVBERi"
"""How a PDF starts in base64: some clients send file data without the data URI around it."""

_IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
"""What data may be called; image/jpg is no registered type, and often sent."""

_SIGNATURES: Final[Mapping[str, ImageType]] = {
    r"\x89PNG\r\n\x1a\n": "image/png",
    r"\xff\xd8\xff": "image/jpeg",
    r"GIF8[79]a": "image/gif",
    r"RIFF....WEBP": "image/webp",
}
"""How each begins."""

_BEGINNING: Final = 96
"""Characters that are looked at: more than 12 bytes, even where each character is percent-encoded."""

_PIECE: Final = 2**20
"""Characters that are checked in one go, a multiple of 4 for base64: no other thread runs meanwhile."""

_STANDARD: Final = str.maketrans("-_", "+/")
"""From the alphabet for URLs (RFC 4648, section 5) to the standard one."""


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space, for Python or (U+FEFF) for JavaScript."""
    return all(_BLANK.fullmatch(text, at, at + _PIECE) for at in range(0, len(text), _PIECE))


def text_blocks(text: str) -> tuple[Text, ...]:
    """`text` as sent; nothing where it is blank."""
    return () if is_blank(text) else (Text(text),)


def parts_of(content: str | Sequence[Part] | None) -> Sequence[Part]:
    """The parts of what may be a mere text, which has none."""
    return () if content is None or isinstance(content, str) else content


def marks_cache(parts: Iterable[object]) -> bool:
    """Whether one of `parts` says where a cached prompt may end."""
    return any(part.prompt_cache_breakpoint is not None for part in parts if isinstance(part, wire.Part))


def numbered(parts: Sequence[Part], path: str) -> Iterator[tuple[Part, str]]:
    """Each part with the path it was sent at."""
    return ((part, f"{path}[{index}]") for index, part in enumerate(parts))


def text_of(content: str | Sequence[Kind] | None, path: str) -> str:
    """The text of a role that has nothing else, as one; "" where it is blank. Refusals are text, too.

    Raises:
        RequestFailed: naming the part that is no text.
    """
    if content is None or isinstance(content, str):
        text = content or ""
    else:
        text = "".join(words(part, at) for part, at in numbered(content, path))
    return "" if is_blank(text) else text


def words(part: Kind, path: str) -> str:
    """The text that `part` is.

    Raises:
        RequestFailed: it is none.
    """
    match part:
        case wire.Text():
            return part.text
        case wire.RefusalPart():
            return part.refusal
        case _:
            raise unsupported(f"{path}.type", f"a part of type '{part.type}' cannot stand in messages of this role")


def not_a_users(part: wire.AudioPart | wire.RefusalPart, path: str) -> RequestFailed:
    """Why a user's message cannot have `part`."""
    if isinstance(part, wire.AudioPart):
        return unsupported(f"{path}.type", "Claude takes no audio")
    return unsupported(f"{path}.type", "a part of type 'refusal' can stand in assistant messages only")


def image(url: str, path: str) -> Image | ImageUrl:
    """The image that a data URI, or bare base64, holds or a web address leads to. What kind of image it is, is seen by
    its first bytes, whatever it is called.

    Raises:
        RequestFailed: naming `path`, where it is neither, or of a kind that Claude does not take.
    """
    if _is_web_address(url):
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
    """The image that a data URI holds: a result of a tool takes no address.

    Raises:
        RequestFailed: naming `path`.
    """
    found = image(url, path)
    if isinstance(found, ImageUrl):
        raise unsupported(path, "a tool result takes images as data URIs only")
    return found


def document(data: str, filename: str | None, path: str) -> Document:
    """The PDF file that a data URI, or bare base64, holds.

    Raises:
        RequestFailed: naming `path`.
    """
    if data.startswith(_BARE_PDF):
        return Document(_checked(data, path), filename)
    match = _DATA_URI.fullmatch(data)
    if match is None:
        raise invalid(path, "expected a data URI")
    if match[1].strip().lower() != "application/pdf" and not _plain(match[3][:_BEGINNING]).startswith(_BARE_PDF):
        raise unsupported(path, "Claude takes PDF files; send text as text")
    return Document(_base64(match, path), filename)


def _image_type(data: str) -> ImageType | None:
    """What image the base64 text `data` begins like: upstream refuses one by a wrong name."""
    try:
        text = binascii.a2b_base64(_plain(data[:_BEGINNING])[:16]).decode("latin-1")
    except ValueError:
        return None
    return next((kind for begin, kind in _SIGNATURES.items() if re.match(begin, text, re.DOTALL)), None)


def _base64(uri: re.Match[str], path: str) -> str:
    if not uri[2].lower().endswith(";base64"):
        raise invalid(path, "expected base64 data")
    return _checked(uri[3], path)


def _checked(data: str, path: str) -> str:
    """`data` as base64 that the Messages API takes."""
    data = _plain(data)
    if not data:
        raise invalid(path, "the data is empty")
    wrong = invalid(path, "the data is not valid base64")
    if "=" in data.rstrip("="):
        raise wrong
    try:
        for at in range(0, len(data), _PIECE):
            binascii.a2b_base64(data[at : at + _PIECE], strict_mode=True)
    except ValueError:  # of which binascii's own is one; another is for what is not ASCII
        raise wrong from None
    return data


def _plain(data: str) -> str:
    """Base64 in its standard alphabet, padded, and without white space, in whichever form a client has written it:
    with line breaks (MIME), in the alphabet for URLs, without padding, or percent-encoded, as a data URI may be.
    """
    if "%" in data:
        data = unquote(data)
    data = "".join(data.split()).translate(_STANDARD).rstrip("=")
    return data + "=" * (-len(data) % 4)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
