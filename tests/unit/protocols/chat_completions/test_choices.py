"""Several answers as one stream and as one object."""

import json

from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk as OpenAiChunk

from claude_openai.core.events import Event
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.choices import ChoicesEncoder, interleave
from claude_openai.protocols.chat_completions.collector import Collector
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk
from tests.unit.protocols.chat_completions.events import turns

HEAD = ("chatcmpl-1", 1_700_000_000)
WHOLE = AnswerFormat("sonnet")


def collected(events: list[Event]) -> ChatCompletion:
    collector = Collector(*HEAD, WHOLE)
    for event in events:
        collector.feed(event)
    return collector.result()


def streamed(answers: list[list[Event]], order: list[int], *, include_usage: bool) -> list[ChatCompletionChunk]:
    """The answers' events, each time the next one of the answer that `order` names."""
    answer_format = AnswerFormat("sonnet", include_usage)
    encoder = ChoicesEncoder([ChunkEncoder(*HEAD, answer_format, index=index) for index in range(len(answers))])
    left = [iter(events) for events in answers]
    return [chunk for answer in order for chunk in encoder.feed(answer, next(left[answer]))]


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[list[Event]], list[int]]:
    answers = draw(st.lists(turns, min_size=1, max_size=3))
    order = [index for index, events in enumerate(answers) for _ in events]
    draw(st.randoms(use_true_random=False)).shuffle(order)
    return answers, order


@given(turns, st.booleans())
def test_one_answer_is_the_same_with_and_without_others_in_mind(events: list[Event], include_usage: bool) -> None:
    alone = ChunkEncoder(*HEAD, AnswerFormat("sonnet", include_usage))
    expected = [chunk.to_json() for event in events for chunk in alone.feed(event)]
    told = streamed([events], [0] * len(events), include_usage=include_usage)
    assert [chunk.to_json() for chunk in told] == expected
    assert interleave([collected(events)]).to_json() == collected(events).to_json()


@given(interleaved())
def test_a_stream_of_several_adds_up_to_the_one_object(drawn: tuple[list[list[Event]], list[int]]) -> None:
    answers, order = drawn
    told = streamed(answers, order, include_usage=True)
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in told:
        state.handle_chunk(OpenAiChunk.model_validate_json(chunk.to_json(), strict=True))
    whole = json.loads(interleave([collected(events) for events in answers]).to_json())
    summed = state.current_completion_snapshot
    assert [choice.finish_reason for choice in summed.choices] == [each["finish_reason"] for each in whole["choices"]]
    assert [choice.message.content or "" for choice in summed.choices] == [
        each["message"]["content"] or "" for each in whole["choices"]
    ]
    assert (summed.usage.model_dump(exclude_none=True) if summed.usage else None) == whole.get("usage")
    [signature] = [chunk.claude for chunk in told if chunk.claude]
    assert signature.model_dump() == whole["claude"]
