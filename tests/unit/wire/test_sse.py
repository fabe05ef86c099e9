"""Framing as server-sent events, read back as the standard says clients read it."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai.protocols.common.wire import sse


def test_an_event_is_data_and_an_empty_line() -> None:
    assert sse.event('{"id":1}') == b'data: {"id":1}\n\n'


def test_a_name_stands_before_the_data() -> None:
    assert sse.event("{}", "end") == b"event: end\ndata: {}\n\n"


def test_the_end_of_a_stream_is_a_word_that_is_no_json() -> None:
    assert sse.DONE == b"data: [DONE]\n\n"


def test_a_comment_is_seen_by_nobody() -> None:
    assert sse.comment() == b": keep-alive\n\n"
    assert events_read(sse.comment("one\ntwo")) == []


@settings(deadline=None)
@given(st.lists(st.text() | st.sampled_from(["a\nb", "a\r\nb", "\r", "\n\n", " a", "a:b", "\u2028"])))
def test_any_text_comes_out_as_it_went_in_but_for_the_kind_of_line_ends(texts: list[str]) -> None:
    stream = b"".join(sse.event(text) + sse.comment() for text in texts)
    assert events_read(stream) == [re.sub(r"\r\n|\r", "\n", text) for text in texts]


def events_read(stream: bytes) -> list[str]:
    """The data of each event, by the algorithm of the HTML standard, section 9.2.6."""
    events: list[str] = []
    data: list[str] = []
    for line in re.split(r"\r\n|\r|\n", stream.decode()):
        if not line and data:
            events.append("\n".join(data))
            data = []
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
    return events
