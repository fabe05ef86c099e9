"""A reply on the wire: the same value as a stream and as one message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.simulator import (
    Cut,
    Fault,
    Gate,
    JsonObject,
    Malformed,
    Reply,
    Stall,
    StreamError,
    Text,
    Thinking,
    ToolUse,
)
from claude_openai.simulator.render import Emit, Envelope, Pause, message, steps
from tests.unit.simulator.api import folded

USAGE: JsonObject = {"input_tokens": 3, "output_tokens": 5}
ENVELOPE = Envelope("msg_sim_000001", "claude-sonnet-5", USAGE)

deltas = st.lists(st.text(min_size=1), max_size=5).map(tuple)
inputs = st.dictionaries(st.text(), st.integers() | st.text() | st.booleans(), max_size=4)
blocks = st.one_of(
    st.builds(Text, deltas),
    st.builds(Thinking, deltas),
    st.builds(ToolUse, st.just("get_time"), inputs, id=st.just("toolu_1")),
)
replies = st.builds(Reply, st.lists(blocks, max_size=4).map(tuple))


def events(reply: Reply) -> list[JsonObject]:
    return [step.event for step in steps(reply, ENVELOPE) if isinstance(step, Emit)]


@pytest.mark.proves("simulator.messages")
@given(reply=replies)
def test_the_events_of_a_stream_add_up_to_the_message(reply: Reply) -> None:
    assert folded(events(reply)) == message(reply, ENVELOPE)


@pytest.mark.proves("simulator.messages", "simulator.directives")
def test_a_stream_has_the_events_of_the_messages_api() -> None:
    call = ToolUse("get_time", raw=('{"city":', '"Paris"}'), id="toolu_1")
    reply = Reply((Thinking(("Hm", "m"), signature="c2ln"), Text(("It is",)), call))
    start: JsonObject = {
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    first = {"input_tokens": 3, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
    assert events(reply) == [
        {
            "type": "message_start",
            "message": {"id": "msg_sim_000001", "model": "claude-sonnet-5", **start, "usage": first},
        },
        {"type": "ping"},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "m"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "It is"}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_time", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": '{"city":'},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": '"Paris"}'},
        },
        {"type": "content_block_stop", "index": 2},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"},
    ]


@pytest.mark.proves("simulator.directives")
def test_delays_stand_before_the_first_event_and_between_deltas() -> None:
    gate = Gate()
    reply = Reply((Text(("a", gate, "b"), delay=0.2),), first_byte_delay=3.5)
    waits = [step for step in steps(reply, ENVELOPE) if not isinstance(step, Emit)]
    assert waits == [Pause(3.5), Pause(0.2), gate, Pause(0.2)]


@pytest.mark.proves("simulator.directives")
@given(after=st.integers(min_value=0, max_value=7))
@pytest.mark.parametrize("fault", [Stall, Cut, Malformed, StreamError])
def test_a_fault_comes_after_the_events_told(fault: type[Fault], after: int) -> None:
    """A reply of one delta has seven events."""
    broken = fault(after_events=after)
    played = [step for step in steps(Reply((Text(("hello",)),), fault=broken), ENVELOPE) if step != Pause(0.0)]
    assert played.index(broken) == after
    assert len(played) == 7 + 1


def test_arguments_that_are_no_json_are_streamed_as_they_are_and_wrapped_in_a_message() -> None:
    reply = Reply((ToolUse("get_time", raw=('{"ci', "ty"), id="toolu_1"),))
    parts = [event["delta"]["partial_json"] for event in events(reply) if event["type"] == "content_block_delta"]
    assert parts == ['{"ci', "ty"]
    assert message(reply, ENVELOPE)["content"][0]["input"] == {"INVALID_JSON": '{"city'}


@pytest.mark.proves("simulator.directives")
def test_a_refusal_tells_its_details() -> None:
    reply = Reply(stop_reason="refusal", stop_details={"type": "refusal", "category": "bio"})
    ending = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"type": "refusal", "category": "bio"}}
    assert events(reply)[-2]["delta"] == ending
    assert message(reply, ENVELOPE).items() >= ending.items()
