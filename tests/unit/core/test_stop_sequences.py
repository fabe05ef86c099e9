"""Where an answer ends at a sequence of white space: there, however it was cut into deltas."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from claude_openai.core.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    TextWithdrawn,
    TurnFailed,
    TurnFinished,
    Usage,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Kind
from claude_openai.core.stop_sequences import StopSequenceFilter

USED = UsageReported(Usage(1, 2))
STOPPED, CUT = TurnFinished("stop"), TurnFinished("length")


few_letters = st.text("a \n", max_size=12)


def told(sequences: tuple[str, ...], *events: Event) -> list[Event]:
    """Up to the last event, as whoever reads them would."""
    halt, heard = StopSequenceFilter(sequences), list[Event]()
    for event in events:
        heard += halt.feed(event)
        if heard and isinstance(heard[-1], TurnFinished):
            break
    return heard


def test_the_answer_ends_before_the_sequence_and_what_follows_is_not_told() -> None:
    events = (TextDelta("one\n"), Working(), TextDelta("\ntwo"), TextDelta("three"), USED, STOPPED)
    assert told(("\n\n",), *events) == [TextDelta("one"), Working(), STOPPED]


def test_what_only_looked_like_its_beginning_is_told_before_the_end() -> None:
    events = (ReasoningDelta("a\n\n"), TextDelta("one\n"), TextDelta("two\n"), USED, CUT)
    assert told(("\n\n",), *events) == [
        ReasoningDelta("a\n\n"),
        TextDelta("one"),
        TextDelta("\ntwo"),
        TextDelta("\n"),
        USED,
        CUT,
    ]


def test_without_sequences_every_event_is_told_as_it_is() -> None:
    events = (TextDelta(""), TextDelta(" \n"), USED, CUT)
    assert told((), *events) == [*events]


@example(" \n ", [2], ["\n", " \n "])
@given(few_letters, st.lists(st.integers(0, 12)), st.lists(st.text(" \n", min_size=1, max_size=3), min_size=1))
def test_wherever_the_deltas_are_cut_the_text_is_that_before_the_first_sequence(
    text: str, cuts: list[int], sequences: list[str]
) -> None:
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    deltas = [TextDelta(text[start:end]) for start, end in pairwise(borders)]
    heard = told(tuple(sequences), *deltas, CUT)
    places = [(place + len(each), place) for each in sequences if (place := text.find(each)) >= 0]
    _, end = min(places, default=(0, None))
    assert "".join(event.text for event in heard if isinstance(event, TextDelta)) == text[:end]
    assert heard[-1] == (STOPPED if places else CUT)


def test_text_that_was_streamed_is_not_withdrawn_any_more() -> None:
    assert StopSequenceFilter(()).feed(TextWithdrawn()) == [TextWithdrawn()]
    [failed] = StopSequenceFilter((), streamed=True).feed(TextWithdrawn())
    assert isinstance(failed, TurnFailed)
    assert failed.failure.kind is Kind.INVALID_STRUCTURED_OUTPUT
