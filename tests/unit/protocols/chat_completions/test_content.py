"""Parts of a message: as blocks where Claude takes them, by name where it does not."""

import pytest

from claude_openai.core.failures import Kind, RequestFailed
from claude_openai.core.messages import Block, Document, Image, ImageUrl, Text, ToolMessage, UserMessage
from claude_openai.protocols.common import content
from tests.unit.protocols.chat_completions.asking import conversation, refusal

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNiAAAABgADNjd8qAAAAABJRU5ErkJggg=="
GIF, WEBP, JPEG = "R0lGODlhAQABAAAAACw=", "UklGRiQAAABXRUJQVlA4", "/9j/4AAQSkZJRgAB"
PAGE = "JVBERi0xLjQK"


def blocks(*parts: object) -> tuple[Block, ...]:
    (message,) = conversation({"role": "user", "content": parts})
    assert isinstance(message, UserMessage)
    return message.content


def image(url: str) -> object:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def file(**fields: object) -> object:
    return {"type": "file", "file": fields}


@pytest.mark.proves("params.ignored")
def test_text_parts_stay_pieces_of_their_own_and_as_they_were() -> None:
    cached = {"type": "text", "text": " two\n", "cache_control": {"type": "ephemeral"}}
    assert blocks({"type": "text", "text": "one"}, cached) == (Text("one"), Text(" two\n"))


@pytest.mark.parametrize(
    ("uri", "media_type"),
    [
        (f"data:image/png;base64,{DOT}", "image/png"),
        (f"data:image/gif;base64,{GIF}", "image/gif"),
        (f"data:image/webp;base64,{WEBP}", "image/webp"),
        (f"data:image/jpg;base64,{JPEG}", "image/jpeg"),
        (f"DATA:image/JPEG;charset=utf-8;BASE64,{JPEG}", "image/jpeg"),
        (f"data:image/png;base64,{DOT[:20]}\r\n{DOT[20:]}\n", "image/png"),
        (f"data:image/jpeg;base64,{DOT}", "image/png"),
        (f"data:;base64,{DOT}", "image/png"),
        (f"data:application/octet-stream;base64,{JPEG}", "image/jpeg"),
        (f"data:image/heic;base64,{WEBP}", "image/webp"),
        (DOT, "image/png"),
        (f"{JPEG[:8]}\n{JPEG[8:]}", "image/jpeg"),
        (f"data:image/png;base64,{DOT.rstrip('=')}", "image/png"),
        (f"data:image/gif;base64,{GIF}==", "image/gif"),
        (f"data:image/jpeg;base64,{JPEG.replace('/', '_')}", "image/jpeg"),
        (f"data:image/jpeg;base64,{JPEG.replace('/', '%2F')}", "image/jpeg"),
    ],
)
def test_an_image_as_a_data_uri_is_an_image_of_the_kind_that_it_is(uri: str, media_type: str) -> None:
    (block,) = blocks(image(uri))
    assert isinstance(block, Image)
    assert block.media_type == media_type
    assert block.data in {DOT, GIF, WEBP, JPEG}


@pytest.mark.proves("chat.messages.image")
def test_more_images_and_files_than_reach_the_model_are_refused() -> None:
    link = image("https://example.com/a.png")
    most = [{"role": "user", "content": [{"type": "text", "text": "Look:"}, *[link] * 50]}] * 2
    assert len(conversation(*most)) == 1
    failure = refusal(messages=[*most, {"role": "user", "content": [link]}])
    assert (failure.param, failure.message) == (
        "messages",
        "Invalid 'messages': there are 101 images and files, and claude-sonnet is given 100 at most.",
    )


def test_an_image_by_url_is_left_to_upstream_to_fetch() -> None:
    assert blocks(image("https://example.com/a.png?b=c")) == (ImageUrl("https://example.com/a.png?b=c"),)
    assert blocks(image("HTTP://example.com/")) == (ImageUrl("HTTP://example.com/"),)


def test_a_pdf_is_a_document_with_its_name() -> None:
    uri = f"data:application/pdf;base64,{PAGE}"
    assert blocks(file(file_data=uri, filename="a.pdf"), file(file_data=PAGE)) == (
        Document(PAGE, "a.pdf"),
        Document(PAGE),
    )
    unlabelled = f"data:application/octet-stream;base64,{PAGE[:4]}\n{PAGE[4:]}"
    assert blocks(file(file_data=unlabelled)) == (Document(PAGE),)
    assert blocks(file(file_data="JVBERi0")) == (Document("JVBERi0="),)


@pytest.mark.proves("chat.messages.parts")
@pytest.mark.parametrize(
    ("part", "kind", "path"),
    [
        (image("data:image/bmp;base64,Qk0="), Kind.UNSUPPORTED_PARAMETER, "image_url.url"),
        (image("data:image/png,abc"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png;base64,abc"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png;base64,%%%%"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png;base64,ü"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png;base64,aGVsbG8="), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png;base64,"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("data:image/png"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("file:///etc/passwd"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("https://"), Kind.INVALID_REQUEST, "image_url.url"),
        (image("https://[a"), Kind.INVALID_REQUEST, "image_url.url"),
        (image(""), Kind.INVALID_REQUEST, "image_url.url"),
        (file(file_id="file-1"), Kind.UNSUPPORTED_PARAMETER, "file.file_id"),
        (file(filename="a.pdf"), Kind.INVALID_REQUEST, "file.file_data"),
        (file(file_data="data:text/plain;base64,YQ=="), Kind.UNSUPPORTED_PARAMETER, "file.file_data"),
        (file(file_data="YQ=="), Kind.INVALID_REQUEST, "file.file_data"),
        (file(file_data="JVBERi0" + "x" * 6), Kind.INVALID_REQUEST, "file.file_data"),
        (image("data:image/svg+xml;utf8,<svg/>"), Kind.UNSUPPORTED_PARAMETER, "image_url.url"),
        (image("aGVsbG8="), Kind.INVALID_REQUEST, "image_url.url"),
        (image(f"{DOT}=x"), Kind.INVALID_REQUEST, "image_url.url"),
        (
            {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "wav"}},
            Kind.UNSUPPORTED_PARAMETER,
            "type",
        ),
        ({"type": "refusal", "refusal": "No."}, Kind.UNSUPPORTED_PARAMETER, "type"),
    ],
)
def test_a_part_that_cannot_be_carried_is_named(part: object, kind: Kind, path: str) -> None:
    failure = refusal(messages=[{"role": "user", "content": [{"type": "text", "text": "Look:"}, part]}])
    assert (failure.kind, failure.param) == (kind, f"messages[0].content[1].{path}")


@pytest.mark.proves("chat.messages.parts")
@pytest.mark.parametrize("role", ["system", "assistant"])
def test_an_image_is_the_users_alone(role: str) -> None:
    part = image(f"data:image/png;base64,{DOT}")
    failure = refusal(messages=[{"role": role, "content": [part]}, {"role": "user", "content": "Look."}])
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED_PARAMETER, "messages[0].content[0].type")


def round_of_tools(*parts: object) -> list[object]:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": parts},
    ]


def test_a_result_is_text_and_images() -> None:
    shown = image(f"data:image/png;base64,{DOT}")
    *_, result = conversation(*round_of_tools({"type": "text", "text": "See"}, shown, {"type": "text", "text": " "}))
    assert result == ToolMessage("a", (Text("See"), Image("image/png", DOT)))


@pytest.mark.proves("chat.messages.parts")
@pytest.mark.parametrize(
    ("part", "kind", "path"),
    [
        (image("https://example.com/a.png"), Kind.UNSUPPORTED_PARAMETER, "image_url.url"),
        (image("data:image/png;base64,abc"), Kind.INVALID_REQUEST, "image_url.url"),
        (file(file_data=PAGE), Kind.UNSUPPORTED_PARAMETER, "type"),
        ({"type": "input_audio", "input_audio": {}}, Kind.UNSUPPORTED_PARAMETER, "type"),
    ],
)
def test_a_part_that_no_result_can_have_is_named(part: object, kind: Kind, path: str) -> None:
    failure = refusal(messages=round_of_tools({"type": "text", "text": "See"}, part))
    assert (failure.kind, failure.param) == (kind, f"messages[2].content[1].{path}")


@pytest.mark.parametrize("at", [2**20 - 4, 2**20 - 1, 2**20, 2**20 + 1])
def test_long_data_is_checked_as_a_whole(at: int) -> None:
    data = "iVBORw0KGgo" + "A" * (2**20 + 1)
    assert content.image(data, "url") == Image("image/png", data)
    for fault in ("=", "==", "!", "é"):
        with pytest.raises(RequestFailed):
            content.image(data[: at - len(fault)] + fault + data[at:], "url")


def test_a_long_text_is_blank_only_where_all_of_it_is() -> None:
    assert content.is_blank(" \ufeff" * 2**20)
    assert not content.is_blank(" " * 2**20 + "a")
