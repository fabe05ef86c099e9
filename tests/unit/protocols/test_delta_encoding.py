"""A text delta is encoded without a reply object of its own, to the same bytes as with one."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.events import Event, ReasoningDelta, TextDelta
from claude_openai.core.runs import Caller
from claude_openai.protocols.chat_completions.choices import ChoicesEncoder
from claude_openai.protocols.chat_completions.protocol import CHAT, ChatProtocol, ChatRequest, ChunkWriter
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.template import TEXT_MARK, EventTemplate
from claude_openai.protocols.completions.protocol import COMPLETIONS
from claude_openai.protocols.responses.stream import ResponseEncoder
from tests.unit.protocols.chat_completions import asking as chat
from tests.unit.protocols.chat_completions.events import STARTED, STOPPED
from tests.unit.protocols.responses import asking as responses

CREATED = 1_700_000_000
PIECES = ["", "a", ' "\\\n', "\x00\x7f\x85\u2028\u2029", "\u00e9", "\ud83d", "\ude00", TEXT_MARK]
texts = st.lists(st.sampled_from(PIECES), max_size=3).map("".join)
deltas = st.lists(st.builds(TextDelta, texts) | st.builds(ReasoningDelta, texts), max_size=8)


@pytest.mark.parametrize("form", [CHAT, COMPLETIONS], ids=["chat", "completions"])
@given(deltas=deltas)
def test_a_chunk_of_a_stream_of_chunks(form: ChatProtocol[Any], deltas: list[Event]) -> None:
    parsed = chat.reading(stream=True)
    request = ChatRequest(
        form, CREATED, parsed.answers, parsed.answer_format, parsed.choices, stream=True, ignored=(), adjusted=()
    )
    writer = ChunkWriter(request, Caller("run", "answer", "request", "local", ""))
    encoder = ChoicesEncoder([ChunkEncoder("answer", CREATED, parsed.answer_format)])
    for event in [STARTED, *deltas, STOPPED]:
        chunks = [form.encode_chunk(chunk) for chunk in encoder.feed(0, event)]
        framed = b"".join(sse.event(chunk.to_json()) for chunk in chunks if chunk)
        assert writer.feed(0, event) == framed + (sse.DONE if encoder.over else b"")


@given(deltas=deltas)
def test_an_event_of_a_response(deltas: list[Event]) -> None:
    def encoder() -> ResponseEncoder:
        numbers = count(1)
        return ResponseEncoder(responses.reading().response, lambda: str(next(numbers)), lambda: 2, shows_thinking=True)

    def framed(encoder: ResponseEncoder, event: Event) -> bytes:
        return b"".join(sse.event(each.to_json(), each.type) for each in encoder.feed(event))

    fast, slow = encoder(), encoder()
    for event in [STARTED, *deltas, STOPPED]:
        delta = fast.encode_delta(event)
        assert (framed(fast, event) if delta is None else delta) == framed(slow, event)
    assert fast.response == slow.response


def test_a_template_has_all_its_marks() -> None:
    assert EventTemplate(b"data: 1, 2\n\n", "1", "2").fill(b"x", b"y") == b"data: x, y\n\n"
    with pytest.raises(ValueError, match="3"):
        EventTemplate(b"data: 1, 2\n\n", "1", "3")
