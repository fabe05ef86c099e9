"""The parts of an item's content into blocks: which parts a role may have."""

from typing import assert_never

from claude_openai.core.messages import Block, Document, Image, Text
from claude_openai.protocols.common.content import (
    document,
    image,
    image_data,
    not_a_users,
    numbered,
    text_blocks,
    words,
)
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire.request import AudioPart, RefusalPart
from claude_openai.protocols.responses.wire import request as wire


def read_blocks(content: wire.Content, path: str) -> tuple[Block, ...]:
    """What a user says.

    Raises:
        RequestFailed: naming the part that is faulty, or that Claude cannot be given.
    """
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _block(part, at))


def read_outcome(content: wire.Content, path: str) -> tuple[Text | Image, ...]:
    """What a call came to: text, and images whose data is there.

    Raises:
        RequestFailed: naming the part that is neither.
    """
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _of_outcome(part, at))


def _block(part: wire.Part, path: str) -> tuple[Block, ...]:
    match part:
        case wire.TextPart():
            return text_blocks(part.text)
        case wire.ImagePart():
            return (image(_image_url(part, path), f"{path}.image_url"),)
        case wire.FilePart():
            return (_document(part, path),)
        case AudioPart() | RefusalPart():
            raise not_a_users(part, path)
        case _:
            assert_never(part)


def _of_outcome(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    if isinstance(part, wire.ImagePart):
        return (image_data(_image_url(part, path), f"{path}.image_url"),)
    return text_blocks(words(part, path))


def _image_url(part: wire.ImagePart, path: str) -> str:
    if part.image_url is not None:
        return part.image_url
    if part.file_id is None:
        raise invalid(f"{path}.image_url", "expected an http(s) URL or a data URI")
    raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the image as 'image_url'")


def _document(part: wire.FilePart, path: str) -> Document:
    if part.file_data is not None:
        return document(part.file_data, part.filename, f"{path}.file_data")
    if part.file_url is not None:
        raise unsupported(f"{path}.file_url", "files are not fetched here: send the data as 'file_data'")
    if part.file_id is not None:
        raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
    raise invalid(f"{path}.file_data", "expected the file's data")
