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


def user_blocks(content: wire.Content, path: str) -> list[Block]:
    """The blocks of a user message.

    Raises:
        RequestFailed: naming the part that is faulty, or that Claude does not take.
    """
    if isinstance(content, str):
        return [*text_blocks(content)]
    blocks: list[Block] = []
    for index, part in enumerate(content):
        at = f"{path}[{index}]"
        match part:
            case wire.TextPart():
                blocks += text_blocks(part.text)
            case wire.ImagePart():
                blocks.append(image(_image_url(part, at), f"{at}.image_url"))
            case wire.FilePart(file_data=str(data)):
                blocks.append(document(data, part.filename, f"{at}.file_data"))
            case wire.FilePart(file_url=str()):
                raise unsupported(f"{at}.file_url", "files are not fetched here: send the data as 'file_data'")
            case wire.FilePart(file_id=str()):
                raise unsupported(f"{at}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
            case wire.FilePart():
                raise invalid(f"{at}.file_data", "expected the file's data")
            case AudioPart() | RefusalPart():
                raise not_in_user_message(part, at)
            case _:
                assert_never(part)
    return blocks


def result_blocks(content: wire.Content, path: str) -> tuple[Text | Image, ...]:
    """The result of a call: text, and images that are sent as data.

    Raises:
        RequestFailed: naming the part that is neither.
    """
    if isinstance(content, str):
        return text_blocks(content)
    blocks: list[Text | Image] = []
    for index, part in enumerate(content):
        at = f"{path}[{index}]"
        if isinstance(part, wire.ImagePart):
            blocks.append(image_data(_image_url(part, at), f"{at}.image_url"))
        else:
            blocks += text_blocks(part_text(part, at))
    return tuple(blocks)


def _image_url(part: wire.ImagePart, path: str) -> str:
    if part.image_url is not None:
        return part.image_url
    if part.file_id is None:
        raise invalid(f"{path}.image_url", "expected an http(s) URL or a data URI")
    raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the image as 'image_url'")
