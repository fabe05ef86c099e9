"""What Claude Code does with its own tools: beside the answer, only where that is asked for, the same in both forms."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.agent import Shown
from claude_openai.core.events import Activity, Event, ReasoningDelta, TextDelta, TurnFinished
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.collector import Collector
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import ACTIVITY_EVENT, ChatCompletionChunk
from claude_openai.protocols.common.wire import sse
from tests.unit.protocols.chat_completions.events import REPORTED, STARTED, STOPPED

CALLED = Activity("toolu_1", "Read", '{"file_path": "in.txt"}')
DONE = Activity("toolu_1", "Read", '{"file_path": "in.txt"}', "Hello\nyou")
FAILED = Activity("toolu_2", "Write", "{}", "It is outside.\nReally.", failed=True, parent="toolu_1")
TURN: tuple[Event, ...] = (STARTED, TextDelta("I look."), CALLED, DONE, FAILED, TextDelta(" So."), REPORTED, STOPPED)

TOLD = [
    {"call_id": "toolu_1", "tool": "Read", "arguments": '{"file_path": "in.txt"}'},
    {
        "call_id": "toolu_1",
        "tool": "Read",
        "arguments": '{"file_path": "in.txt"}',
        "status": "done",
        "result": "Hello\nyou",
    },
    {
        "call_id": "toolu_2",
        "tool": "Write",
        "arguments": "{}",
        "status": "failed",
        "result": "It is outside.\nReally.",
        "parent_call_id": "toolu_1",
    },
]
LINES = 'Read {"file_path": "in.txt"}\nWrite failed: It is outside.\n'

shown_ways = st.sampled_from([None, "reasoning", "events"])
activities = st.builds(Activity, st.text(), st.text(), st.text(), st.none() | st.text(), st.booleans())


def chunks(shown: Shown | None, *events: Event) -> list[ChatCompletionChunk]:
    encoder = ChunkEncoder("chatcmpl-1", 1, AnswerFormat("sonnet", activity=shown))
    return [chunk for event in events for chunk in encoder.feed(event)]


def collected(shown: Shown | None, *events: Event) -> Any:
    collector = Collector("chatcmpl-1", 1, AnswerFormat("sonnet", activity=shown))
    for event in events:
        collector.feed(event)
    return json.loads(collector.result().to_json())


def test_events_have_a_name_and_are_chunks_that_say_nothing() -> None:
    named = [chunk for chunk in chunks("events", *TURN) if chunk.event_name]
    assert {chunk.event_name for chunk in named} == {ACTIVITY_EVENT}
    sent = [json.loads(chunk.to_json()) for chunk in named]
    assert [chunk.pop("claude_activity") for chunk in sent] == TOLD
    assert all(
        chunk["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None} for chunk in sent
    )
    assert sse.event("{}", ACTIVITY_EVENT).startswith(b"event: claude.activity\ndata: ")
    assert collected("events", *TURN)["claude"]["activity"] == TOLD


def test_as_reasoning_it_is_a_line_for_each_call_and_each_that_failed() -> None:
    told = [chunk.choices[0].delta.reasoning_content or "" for chunk in chunks("reasoning", *TURN)]
    assert "".join(told) == LINES
    assert collected("reasoning", *TURN)["choices"][0]["message"]["reasoning_content"] == LINES


def test_a_line_begins_anew_after_thinking() -> None:
    turn = (STARTED, ReasoningDelta("I look."), CALLED, ReasoningDelta("Good."), FAILED, REPORTED, STOPPED)
    told = 'I look.\nRead {"file_path": "in.txt"}\nGood.\nWrite failed: It is outside.\n'
    deltas = [choice.delta for chunk in chunks("reasoning", *turn) for choice in chunk.choices]
    assert "".join(delta.reasoning_content or "" for delta in deltas) == told
    assert collected("reasoning", *turn)["choices"][0]["message"]["reasoning_content"] == told


@pytest.mark.proves("agent.activity")
@given(shown=shown_ways, acts=st.lists(activities, max_size=5))
def test_the_answers_text_is_the_same_however_it_is_shown(shown: Shown | None, acts: list[Activity]) -> None:
    events: tuple[Event, ...] = (STARTED, TextDelta("I look."), *acts, TextDelta(" So."), REPORTED, STOPPED)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks(shown, *events))
    assert text == collected(shown, *events)["choices"][0]["message"]["content"] == "I look. So."


@pytest.mark.proves("agent.activity")
def test_unasked_nothing_of_it_is_told() -> None:
    silent: tuple[Event, ...] = (STARTED, TextDelta("I look."), TextDelta(" So."), REPORTED, STOPPED)
    assert chunks(None, *TURN) == chunks(None, *silent)
    answer = collected(None, *TURN)
    assert "activity" not in answer["claude"]
    assert "reasoning_content" not in answer["choices"][0]["message"]


def test_the_limit_that_ended_an_answer_stands_beside_it() -> None:
    cut = TurnFinished("length", limit="max_turns")
    answer = collected(None, STARTED, TextDelta("I"), REPORTED, cut)
    assert (answer["choices"][0]["finish_reason"], answer["claude"]["limit"]) == ("length", "max_turns")
    last = json.loads(chunks(None, STARTED, TextDelta("I"), REPORTED, cut)[-1].to_json())
    assert (last["choices"][0]["finish_reason"], last["claude"]["limit"]) == ("length", "max_turns")
    assert "limit" not in collected(None, STARTED, REPORTED, STOPPED)["claude"]
