"""The parts of a message's content into blocks: which parts a role may have."""

from typing import assert_never

from claude_openai.core.messages import Block, Document, Image, Text
from claude_openai.protocols.chat_completions import wire
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


def read_blocks(content: wire.Content, path: str) -> tuple[Block, ...]:
    """What a user says.

    Raises:
        RequestFailed: naming the part that is faulty, or that Claude cannot be given.
    """
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _block(part, at))


def read_result(content: wire.Content | None, path: str) -> tuple[Text | Image, ...]:
    """What a call came to: text, and images whose data is there. Refusals are text, too.

    Raises:
        RequestFailed: naming the part that is neither.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _outcome(part, at))


def _outcome(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    if not isinstance(part, wire.ImagePart):
        return text_blocks(words(part, path))
    return (image_data(part.image_url.url, f"{path}.image_url.url"),)


def _block(part: wire.Part, path: str) -> tuple[Block, ...]:
    match part:
        case wire.TextPart():
            return text_blocks(part.text)
        case wire.ImagePart():
            return (image(part.image_url.url, f"{path}.image_url.url"),)
        case wire.FilePart():
            return (_document(part.file, f"{path}.file"),)
        case AudioPart() | RefusalPart():
            raise not_a_users(part, path)
        case _:
            assert_never(part)


def _document(file: wire.FileSource, path: str) -> Document:
    if file.file_data is not None:
        return document(file.file_data, file.filename, f"{path}.file_data")
    if file.file_id is None:
        raise invalid(f"{path}.file_data", "expected the file's data")
    raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
