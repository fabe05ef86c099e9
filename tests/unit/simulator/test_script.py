"""The values that a script answers with."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.simulator import Failure, Gate, Replies, Reply, StopReason, Text, Thinking, ToolUse
from claude_openai.simulator.script import USUAL_FAILURES
from tests.unit.simulator.api import asking, recorded


@pytest.mark.proves("simulator.directives")
@given(text=st.text(), pieces=st.integers(min_value=-1, max_value=30))
def test_the_pieces_of_a_text_join_to_the_text(text: str, pieces: int) -> None:
    split = Text.of(text, pieces)
    assert split.text == text
    assert "" not in split.deltas
    assert len(split.deltas) == max(1, min(pieces, len(text))) * bool(text)


@pytest.mark.proves("simulator.directives")
def test_a_gate_is_no_part_of_the_text() -> None:
    assert Text(("a", Gate(), "b")).text == "ab"


def test_a_reply_ends_as_its_blocks_suggest_unless_told() -> None:
    assert Reply.of("hello").reason == "end_turn"
    assert Reply((Thinking.of("hm"), ToolUse("get_time"))).reason == "tool_use"
    assert Reply((ToolUse("get_time"),), stop_reason="max_tokens").reason == "max_tokens"


@pytest.mark.proves("simulator.script")
def test_replies_play_in_order_and_fail_clearly_when_they_run_out() -> None:
    script = Replies("one", Reply.of("two"))
    request = recorded(asking("anything"))
    assert [script(request), script(request)] == [Reply.of("one"), Reply.of("two")]
    beyond = script(request)
    assert isinstance(beyond, Failure)
    assert (beyond.status, beyond.message) == (500, "the script has 2 answers and was asked for number 3")


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("status", USUAL_FAILURES)
def test_a_failure_can_be_made_from_its_status(status: int) -> None:
    failure = Failure.of(status, "because", retry_after=7)
    assert (failure.status, failure.message, failure.headers) == (status, "because", {"retry-after": "7"})


@pytest.mark.proves("simulator.script")
def test_a_script_can_give_every_stop_reason_of_the_api() -> None:
    for reason in get_args(StopReason):
        assert Reply(stop_reason=reason).reason == reason
