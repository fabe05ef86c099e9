"""What events make of a run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.agent import AgentProfile
from claude_openai.core.events import (
    Activity,
    Event,
    ReasoningDelta,
    ReasoningSigned,
    Retrying,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import Text, ToolCall, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.runs import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    Caller,
    Run,
    RunState,
    apply_event,
    mark_cancelled,
    mark_started,
    new_run,
    release_parked,
)
from claude_openai.core.turn import Turn

TURN = Turn(Model("sonnet"), (UserMessage((Text("hi"),)),))
CALLER = Caller("0" * 32, "chatcmpl-" + "0" * 32, "req_1", "key-1", "Ada/1.0")
ARRIVED = new_run(CALLER, TURN, 1.0)
CANCELLED = Failure(Kind.CANCELLED, "Enough.")

ENDS = st.one_of(
    st.builds(TurnFinished, st.sampled_from(("stop", "length", "tool_calls", "refusal"))),
    st.builds(TurnFailed, st.builds(Failure, st.sampled_from(Kind), st.text())),
)
DELTAS: st.SearchStrategy[Event] = st.one_of(
    st.builds(TurnStarted, st.text(), st.text()),
    st.builds(TextDelta, st.text()),
    st.builds(ReasoningDelta, st.text()),
    st.builds(ToolCalled, st.builds(ToolCall, st.text(), st.text(), st.text())),
    st.builds(Activity, st.text(), st.text(), st.text()),
    st.builds(UsageReported, st.builds(Usage, st.integers(), st.integers()), st.floats(0, 9) | st.none()),
    st.sampled_from((Working(), ReasoningSigned("x"), Retrying(1, 3))),
)
EVENTS = st.lists(DELTAS | ENDS)
RUNS = st.builds(lambda events, begins: after(events, begins=begins), EVENTS, st.booleans())


def after(events: list[Event], *, begins: bool = True) -> Run:
    run = mark_started(ARRIVED, 2.0) if begins else ARRIVED
    for time, event in enumerate(events, 3):
        run = apply_event(run, event, float(time))
    return run


@pytest.mark.proves("runs.states")
def test_a_run_begins_with_who_asked_and_for_what() -> None:
    who = ("0" * 32, "chatcmpl-" + "0" * 32, "req_1", "key-1", "Ada/1.0")
    assert Run(*who, "sonnet", RunState.QUEUED, arrived_at=1.0, asked_model="sonnet") == ARRIVED
    assert new_run(CALLER, replace(TURN, agent=AgentProfile("/srv")), 1.0).profile == "agent"


@pytest.mark.proves("runs.states")
def test_a_whole_answer_is_what_the_client_was_sent_and_when() -> None:
    call = ToolCall("call_1", "look", "{}")
    events: list[Event] = [TurnStarted("claude-sonnet-4-6", "session"), ReasoningDelta("Hm."), TextDelta("Let me see.")]
    assert after([*events, ToolCalled(call), UsageReported(Usage(3, 4), 0.5), TurnFinished("tool_calls")]) == replace(
        ARRIVED,
        model="claude-sonnet-4-6",
        state=RunState.PARKED,
        began_at=2.0,
        first_token_at=4.0,
        ended_at=8.0,
        finish="tool_calls",
        usage=Usage(3, 4),
        cost_usd=0.5,
        text="Let me see.",
        calls=(call,),
    )


@pytest.mark.proves("runs.states")
@given(EVENTS, st.lists(st.integers(1, 3)))
def test_how_text_is_cut_makes_no_difference(events: list[Event], sizes: list[int]) -> None:
    assert replace(after_in_pieces(events, sizes), text="") == replace(after_in_pieces(events, []), text="")
    assert after_in_pieces(events, sizes).text == after_in_pieces(events, []).text


def after_in_pieces(events: list[Event], sizes: list[int]) -> Run:
    """All at one time, with the texts cut into pieces of these sizes, as far as those go."""
    run, left = mark_started(ARRIVED, 2.0), iter(sizes)
    for event in events:
        while isinstance(event, TextDelta) and (size := next(left, 0)):
            run, event = apply_event(run, TextDelta(event.text[:size]), 3.0), TextDelta(event.text[size:])  # noqa: PLW2901
        run = apply_event(run, event, 3.0)
    return run


@pytest.mark.proves("runs.states")
@given(RUNS)
def test_a_run_has_ended_exactly_when_it_is_not_answered_any_more(run: Run) -> None:
    assert (run.ended_at is None) == (run.state in ACTIVE_STATES)
    assert (run.error_code is None) == (run.state not in {RunState.FAILED, RunState.CANCELLED})
    assert (run.finish is None) == (run.state not in {RunState.COMPLETED, RunState.PARKED})


@pytest.mark.proves("runs.states")
@given(RUNS, EVENTS)
def test_what_comes_after_the_end_changes_nothing(run: Run, events: list[Event]) -> None:
    if run.state not in ACTIVE_STATES:
        assert [apply_event(run, event, 99.0) for event in events] == [run] * len(events)
        assert mark_started(run, 99.0) == run
    if run.state in TERMINAL_STATES:
        assert release_parked(run) == mark_cancelled(run, CANCELLED, 99.0) == run


@given(RUNS)
def test_who_is_parked_is_let_go_or_cancelled_and_keeps_what_was_said(run: Run) -> None:
    if run.state is RunState.PARKED:
        assert release_parked(run) == replace(run, state=RunState.COMPLETED)
        ended = mark_cancelled(run, CANCELLED, 99.0)
        assert (ended.state, ended.ended_at, ended.text, ended.calls) == (
            RunState.CANCELLED,
            run.ended_at,
            run.text,
            run.calls,
        )
    else:
        assert release_parked(run) == run
