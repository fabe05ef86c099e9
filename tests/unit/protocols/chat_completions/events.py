"""Turns as backends tell them, for both encoders."""

import json

from hypothesis import strategies as st

from claude_openai.core.events import (
    Event,
    RateLimitReported,
    ReasoningDelta,
    Retrying,
    TextDelta,
    ToolCalled,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)
from claude_openai.core.messages import ToolCall

STARTED = TurnStarted(model="claude-sonnet-4-6", session_id="session-1")
REPORTED = UsageReported(
    Usage(input_tokens=10, output_tokens=7, cache_creation_tokens=20, cache_read_tokens=30, reasoning_tokens=5),
    cost_usd=0.0125,
)
STOPPED = TurnFinished("stop")

CALLED = TurnFinished("tool_calls")

LIMITED = RateLimitReported("allowed_warning", "five_hour", 0.92, 1_700_003_600)

endings = st.builds(TurnFinished, st.sampled_from(["stop", "length"])) | st.builds(
    TurnFinished, st.just("refusal"), st.none() | st.text()
)
text_deltas = st.builds(TextDelta, st.text() | st.sampled_from(["", "\ud83d", "\ude00", "\U0001f600"]))
tool_calls = st.builds(  # of cheap parts: to an encoder an id, a name and arguments are mere texts
    ToolCalled,
    st.builds(
        ToolCall,
        st.integers(0, 2**64).map("toolu_{:024}".format),
        st.text("abcXYZ019_-", min_size=1, max_size=64),
        st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3).map(json.dumps),
    ),
)
called: st.SearchStrategy[list[Event]] = st.builds(
    lambda calls, reported: [*calls, *reported, CALLED],
    st.lists(tool_calls, min_size=1),
    st.lists(st.just(REPORTED), max_size=1),
)
ended: st.SearchStrategy[list[Event]] = st.builds(
    lambda reported, end: [*reported, end], st.lists(st.just(REPORTED), max_size=1), endings
)
turns: st.SearchStrategy[list[Event]] = st.builds(
    lambda retries, deltas, end: [*retries, STARTED, *deltas, *end],
    st.lists(st.builds(Retrying, st.integers(1, 3), st.just(3)), max_size=2),
    st.lists(text_deltas | st.builds(ReasoningDelta, st.text()) | st.just(LIMITED)),
    called | ended,
)
"""Whole turns that succeed, in the order that `core.events` promises."""
