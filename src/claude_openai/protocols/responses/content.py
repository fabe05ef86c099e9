"""Reads the content of an item into blocks. Which parts are allowed depends on the role."""

from typing import assert_never

from claude_openai.core.messages import Block, Image, Text
from claude_openai.protocols.common.content import (
    document,
    image,
    image_data,
    not_in_user_message,
    part_text,
    text_blocks,
)
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire.request_base import AudioPart, RefusalPart
from claude_openai.protocols.responses.wire import request as wire


def user_part(part: wire.Part, path: str) -> tuple[Block, ...]:
    """The blocks of a part of a user message.

    Raises:
        RequestFailed: the part is faulty, or Claude does not take it.
    """
    match part:
        case wire.TextPart():
            return text_blocks(part.text)
        case wire.ImagePart():
            return (image(_image_url(part, path), f"{path}.image_url"),)
        case wire.FilePart(file_data=str(data)):
            return (document(data, part.filename, f"{path}.file_data"),)
        case wire.FilePart(file_url=str()):
            raise unsupported(f"{path}.file_url", "files are not fetched here: send the data as 'file_data'")
        case wire.FilePart(file_id=str()):
            raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
        case wire.FilePart():
            raise invalid(f"{path}.file_data", "expected the file's data")
        case AudioPart() | RefusalPart():
            raise not_in_user_message(part, path)
        case _:
            assert_never(part)


def result_part(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    """The blocks of a part of a call's result: text, or an image that is sent as data.

    Raises:
        RequestFailed: the part is neither.
    """
    if isinstance(part, wire.ImagePart):
        return (image_data(_image_url(part, path), f"{path}.image_url"),)
    return text_blocks(part_text(part, path))


def _image_url(part: wire.ImagePart, path: str) -> str:
    if part.image_url is not None:
        return part.image_url
    if part.file_id is None:
        raise invalid(f"{path}.image_url", "expected an http(s) URL or a data URI")
    raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the image as 'image_url'")
