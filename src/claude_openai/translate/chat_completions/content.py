"""Content into blocks: which parts a role may have, and what a part must be for Claude to take it.

Text stays as sent. The one thing dropped is text that is only white space, because the Messages API refuses such
blocks and Claude Code waits for ever on such a message.
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final, assert_never
from urllib.parse import urlsplit

from claude_openai.core.messages import Block, Document, Image, ImageType, ImageUrl, Text
from claude_openai.translate.faults import invalid, unsupported
from claude_openai.wire import chat_completions as wire

_BLANK = re.compile(r"[\s\ufeff]*")
_DATA_URI = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL | re.IGNORECASE)
_BARE_PDF = "JVBERi"
"""How a PDF starts in base64: some clients send file data without the data URI around it."""

_IMAGE_TYPES: Final[Mapping[str, ImageType]] = {
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",  # no registered type, and often sent
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space, for Python or (U+FEFF) for JavaScript."""
    return _BLANK.fullmatch(text) is not None


def read_blocks(content: wire.Content, path: str) -> tuple[Block, ...]:
    """What a user says.

    Raises:
        RequestFailed: naming the part that is faulty, or that Claude cannot be given.
    """
    if isinstance(content, str):
        return _text(content)
    return tuple(block for part, at in _parts(content, path) for block in _block(part, at))


def read_result(content: wire.Content | None, path: str) -> tuple[Text | Image, ...]:
    """What a call came to: text, and images whose data is there. Refusals are text, too.

    Raises:
        RequestFailed: naming the part that is neither.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return _text(content)
    return tuple(block for part, at in _parts(content, path) for block in _outcome(part, at))


def read_text(content: wire.Content | None, path: str) -> str:
    """The text of a role that has nothing else, as one; "" where it is blank. Refusals are text, too.

    Raises:
        RequestFailed: naming the part that is no text.
    """
    if content is None or isinstance(content, str):
        text = content or ""
    else:
        text = "".join(_words(part, at) for part, at in _parts(content, path))
    return "" if is_blank(text) else text


def _parts(parts: list[wire.Part], path: str) -> Iterator[tuple[wire.Part, str]]:
    return ((part, f"{path}[{index}]") for index, part in enumerate(parts))


def _text(text: str) -> tuple[Text, ...]:
    return () if is_blank(text) else (Text(text),)


def _words(part: wire.Part, path: str) -> str:
    match part:
        case wire.TextPart():
            return part.text
        case wire.RefusalPart():
            return part.refusal
        case _:
            raise unsupported(f"{path}.type", f"a part of type '{part.type}' cannot stand in messages of this role")


def _outcome(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    if not isinstance(part, wire.ImagePart):
        return _text(_words(part, path))
    image = _image(part.image_url.url, f"{path}.image_url.url")
    if isinstance(image, ImageUrl):
        raise unsupported(f"{path}.image_url.url", "a tool result takes images as data URIs only")
    return (image,)


def _block(part: wire.Part, path: str) -> tuple[Block, ...]:
    match part:
        case wire.TextPart():
            return _text(part.text)
        case wire.ImagePart():
            return (_image(part.image_url.url, f"{path}.image_url.url"),)
        case wire.FilePart():
            return (_document(part.file, f"{path}.file"),)
        case wire.AudioPart():
            raise unsupported(f"{path}.type", "Claude takes no audio")
        case wire.RefusalPart():
            raise unsupported(f"{path}.type", "a part of type 'refusal' can stand in assistant messages only")
        case _:
            assert_never(part)


def _image(url: str, path: str) -> Image | ImageUrl:
    if match := _DATA_URI.fullmatch(url):
        media_type = _IMAGE_TYPES.get(match[1].strip().lower())
        if media_type is None:
            raise unsupported(path, "Claude takes PNG, JPEG, GIF and WebP images")
        return Image(media_type, _base64(match, path))
    if _is_web_address(url):
        return ImageUrl(url)
    raise invalid(path, "expected an http(s) URL or a data URI")


def _document(file: wire.FileSource, path: str) -> Document:
    if file.file_data is None:
        if file.file_id is None:
            raise invalid(f"{path}.file_data", "expected the file's data")
        raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
    path = f"{path}.file_data"
    if file.file_data.startswith(_BARE_PDF):
        return Document(_checked(file.file_data, path), file.filename)
    match = _DATA_URI.fullmatch(file.file_data)
    if match is None:
        raise invalid(path, "expected a data URI")
    if match[1].strip().lower() != "application/pdf":
        raise unsupported(path, "Claude takes PDF files; send text as text")
    return Document(_base64(match, path), file.filename)


def _base64(uri: re.Match[str], path: str) -> str:
    if not uri[2].lower().endswith(";base64"):
        raise invalid(path, "expected base64 data")
    return _checked(uri[3], path)


def _checked(data: str, path: str) -> str:
    """`data` without white space, which base64 in MIME has and the Messages API does not take."""
    data = "".join(data.split())
    try:
        decoded = binascii.a2b_base64(data, strict_mode=True)
    except ValueError:  # of which binascii's own is one; the other is for what is not ASCII
        raise invalid(path, "the data is not valid base64") from None
    if not decoded:
        raise invalid(path, "the data is empty")
    return data


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
