"""Turns as backends tell them, for both encoders."""

from hypothesis import strategies as st

from claude_openai.core.events import (
    Event,
    ReasoningDelta,
    Retrying,
    TextDelta,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)

STARTED = TurnStarted(model="claude-sonnet-4-6", session_id="session-1")
REPORTED = UsageReported(
    Usage(input_tokens=10, output_tokens=7, cache_creation_tokens=20, cache_read_tokens=30, reasoning_tokens=5),
    cost_usd=0.0125,
)
STOPPED = TurnFinished("stop")

endings = st.builds(TurnFinished, st.sampled_from(["stop", "length", "tool_calls"])) | st.builds(
    TurnFinished, st.just("refusal"), st.none() | st.text()
)
text_deltas = st.builds(TextDelta, st.text() | st.sampled_from(["", "\ud83d", "\ude00", "\U0001f600"]))
turns: st.SearchStrategy[list[Event]] = st.builds(
    lambda retries, deltas, reported, end: [*retries, STARTED, *deltas, *reported, end],
    st.lists(st.builds(Retrying, st.integers(1, 3), st.just(3)), max_size=2),
    st.lists(text_deltas | st.builds(ReasoningDelta, st.text())),
    st.lists(st.just(REPORTED), max_size=1),
    endings,
)
"""Whole turns that succeed, in the order that `core.events` promises."""
