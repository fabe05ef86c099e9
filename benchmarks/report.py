"""What was measured, in a few numbers, and held against the targets. Pure."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.bursts import By, NewAtOnce
from benchmarks.contestants import Case, Sample
from benchmarks.many import AT_ONCE, FEW, MORE, Burst, Many
from benchmarks.model import LONG_PIECES, LONG_TOKENS, PIECES, TOKENS
from benchmarks.share import Pair
from benchmarks.spread import Spread, spread
from benchmarks.stream import Stream

LATER_OVER_API: Final = 0.045
LATER_OURS: Final = 0.005
NEW_OVER_API: Final = 0.220
TO_UPSTREAM: Final = 0.060
READY: Final = 1.5
"""Seconds at most: of a later turn to the first token over the API, what of that is ours and not Claude Code's, of a
new conversation over the API, of a tool's result to upstream, from the start to ready."""

REBUILT: Final = 0.55
"""How long a rebuilt conversation may take, in proportion to a `query()`."""

FIRST_BURST_MEDIAN: Final = 2.0
SECOND_BURST_MEDIAN: Final = 0.6
SECOND_BURST_WORST: Final = 1.2
"""Seconds at most to the first tokens of eight new conversations at once."""

SERVER_BYTES: Final = 150_000_000

OURS: Final = (Case.COLD, Case.WARM, Case.TURN_2, Case.TURN_3, Case.TURN_5, Case.TOOL_RESULT, Case.REBUILT)
CONTINUED: Final = (Case.TURN_2, Case.TURN_3, Case.TURN_5, Case.TOOL_RESULT)
"""The cases of the server, and those that go on in the session of the turn before."""

_BURSTS_OF_OURS: Final[tuple[By, ...]] = ("first", "second")

_API_TURN_2 = (Case.API_TURN_2, Case.LIVE_TURN_2, Case.TURN_2, Case.TURN_3, Case.TOOL_RESULT, Case.REBUILT)
_API_TURN_5 = (Case.API_TURN_5, Case.LIVE_TURN_5, Case.TURN_5)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds until upstream had the request, to the first piece of text, and to the end; how much later than that of
    the Messages API the first came, and in proportion to that of the Messages API, of a Claude Code kept open (both
    with about as much history), and of a `query()` (medians).
    """

    to_upstream: Spread
    first_token: Spread
    end: Spread
    over_api: float
    of_api: float
    of_live: float
    of_query: float


@dataclass(frozen=True, slots=True)
class Target:
    """What is held against what, in seconds, bytes or as a proportion; met where it is not more."""

    measured: float
    most: float
    met: bool


@dataclass(frozen=True, slots=True)
class LongStream:
    """Tokens a second; processor seconds for 1,000 tokens: of the server alone, and with its Claude Code."""

    api: Spread
    server: Spread
    processor_server: Spread
    processor_together: Spread
    tokens: int = LONG_TOKENS


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Seconds to the first token of all that were asked at once, the worst of them, and until all were answered."""

    first_token: Spread
    worst: float
    done: Spread


@dataclass(frozen=True, slots=True)
class OfNew:
    """Seconds to the first tokens of new conversations at once, and to the last of these, a median; the latter in
    proportion to that of as many `query()`; by how many places one was late that others overtook most, a median.
    """

    first_token: Spread
    last: Spread
    of_query: float
    out_of_order: float
    size: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Proportional bytes: the server alone after all rounds, and a conversation that is kept (None: none was)."""

    server: int
    conversation: float | None


@dataclass(frozen=True, slots=True)
class Ours:
    """Seconds to the first token of a later turn: of a bare Claude Code, of the server asked in turn with it, and of a
    request to the server that needs no Claude Code.
    """

    live: Spread
    server: Spread
    request: Spread
    turns: int

    @property
    def share(self) -> float:
        """What Claude Code by itself does not need."""
        return self.server.median - self.live.median


@dataclass(frozen=True, slots=True)
class Kept:
    """How many conversations had to stay in one session up to the turn that was measured, and did."""

    turns: int
    of: int


@dataclass(frozen=True, slots=True)
class Report:
    """One run of all contestants. `whole` says that each piece of text from upstream left the server as one chunk, in
    every answer.
    """

    rounds: int
    cases: Mapping[Case, Times]
    ours: Ours
    stream: LongStream
    at_once: Mapping[int, Mapping[str, AtOnce]]
    bursts: Mapping[By, OfNew]
    start: Spread
    memory: Memory
    targets: Mapping[str, Target]
    whole: bool
    kept: Kept
    ways: Mapping[str, int]
    """How the requests of the cases with a warm process reached Claude Code, as the server counts them."""
    tokens: int = TOKENS

    @property
    def correct(self) -> bool:
        return self.whole and self.kept.turns == self.kept.of


def reported(
    samples: Mapping[Case, Sequence[Sample]],
    *,
    streams: Sequence[tuple[Stream, Stream]],
    many: Many,
    bursts: Mapping[By, Sequence[NewAtOnce]],
    pairs: Sequence[Pair],
    server_bytes: int,
    ways: Mapping[str, int],
    starts: Sequence[float],
) -> Report:
    """The samples of each case, the long streams of API and server in pairs, the turns of a bare Claude Code and the
    server in pairs, the memory of the server after all rounds and how its requests reached Claude Code, the starts in
    seconds: in few numbers.
    """
    cases = {case: _times(case, samples) for case in Case}
    ours = _ours(pairs)
    memory = Memory(server_bytes, _per_conversation(many))
    start, of_new = spread(starts), _of_new(bursts)
    return Report(
        rounds=len(samples[Case.WARM]),
        cases=cases,
        ours=ours,
        stream=_long_stream(streams),
        at_once=_at_once(many),
        bursts=of_new,
        start=start,
        memory=memory,
        targets={**_targets(cases, ours, start, memory), **_burst_targets(of_new)},
        whole=_whole(samples, streams, many, bursts),
        kept=_kept(samples, many),
        ways=ways,
    )


def _targets(cases: Mapping[Case, Times], ours: Ours, start: Spread, memory: Memory) -> Mapping[str, Target]:
    return {
        Case.WARM: _target(cases[Case.WARM].over_api, NEW_OVER_API),
        Case.TURN_2: _target(cases[Case.TURN_2].over_api, LATER_OVER_API),
        Case.TURN_5: _target(cases[Case.TURN_5].over_api, LATER_OVER_API),
        "ours": _target(ours.share, LATER_OURS),
        Case.TOOL_RESULT: _target(cases[Case.TOOL_RESULT].to_upstream.median, TO_UPSTREAM),
        Case.REBUILT: _target(cases[Case.REBUILT].of_query, REBUILT),
        "start": _target(start.median, READY),
        "memory": _target(memory.server, SERVER_BYTES),
    }


def _burst_targets(bursts: Mapping[By, OfNew]) -> Mapping[str, Target]:
    return {
        "first burst": _target(bursts["first"].first_token.median, FIRST_BURST_MEDIAN),
        "second burst": _target(bursts["second"].first_token.median, SECOND_BURST_MEDIAN),
        "last of the second burst": _target(bursts["second"].last.median, SECOND_BURST_WORST),
    }


def _target(measured: float, most: float) -> Target:
    return Target(measured, most, measured <= most)


def _times(case: Case, samples: Mapping[Case, Sequence[Sample]]) -> Times:
    first = _first(samples[case])
    api = _first(samples[_api_of(case)])
    return Times(
        to_upstream=spread([sample.to_upstream for sample in samples[case]]),
        first_token=first,
        end=spread([sample.run.end for sample in samples[case]]),
        over_api=first.median - api.median,
        of_api=first.median / api.median,
        of_live=first.median / _first(samples[_live_of(case)]).median,
        of_query=first.median / _first(samples[Case.QUERY_NEW]).median,
    )


def _ours(pairs: Sequence[Pair]) -> Ours:
    return Ours(
        live=spread([pair.live for pair in pairs]),
        server=spread([pair.server for pair in pairs]),
        request=spread([pair.request for pair in pairs]),
        turns=len(pairs),
    )


def _first(samples: Iterable[Sample]) -> Spread:
    return spread([sample.run.first for sample in samples])


def _api_of(case: Case) -> Case:
    """The Messages API asked with about as much history."""
    if case in _API_TURN_2:
        return Case.API_TURN_2
    return Case.API_TURN_5 if case in _API_TURN_5 else Case.API_NEW


def _live_of(case: Case) -> Case:
    """A Claude Code kept open, asked with about as much history."""
    return {Case.API_TURN_2: Case.LIVE_TURN_2, Case.API_TURN_5: Case.LIVE_TURN_5}.get(_api_of(case), Case.LIVE_NEW)


def _long_stream(streams: Sequence[tuple[Stream, Stream]]) -> LongStream:
    thousands = LONG_TOKENS / 1000
    return LongStream(
        api=spread([bare.rate for bare, _ in streams]),
        server=spread([through.rate for _, through in streams]),
        processor_server=spread([through.server / thousands for _, through in streams]),
        processor_together=spread([(through.server + through.claude_code) / thousands for _, through in streams]),
    )


def _at_once(many: Many) -> Mapping[int, Mapping[str, AtOnce]]:
    return {
        count: {
            "api": _together([round_[place] for round_ in many.api]),
            "live": _together([round_[place] for round_ in many.live]),
            "server": _together([round_[place] for round_ in many.server]),
        }
        for place, count in enumerate(AT_ONCE)
    }


def _together(bursts: Sequence[Burst]) -> AtOnce:
    firsts = [first for burst in bursts for first in burst.firsts]
    return AtOnce(spread(firsts), max(firsts), spread([burst.done for burst in bursts]))


def _of_new(bursts: Mapping[By, Sequence[NewAtOnce]]) -> Mapping[By, OfNew]:
    last = {by: spread([max(burst.firsts) for burst in rounds]) for by, rounds in bursts.items()}
    return {
        by: OfNew(
            first_token=spread([first for burst in rounds for first in burst.firsts]),
            last=last[by],
            of_query=last[by].median / last["query"].median,
            out_of_order=statistics.median(burst.out_of_order for burst in rounds),
            size=len(rounds[0].runs),
        )
        for by, rounds in bursts.items()
    }


def _per_conversation(many: Many) -> float | None:
    if many.more.kept - many.few.kept < MORE - FEW:
        return None
    return (many.more.together - many.few.together) / (MORE - FEW)


def _whole(
    samples: Mapping[Case, Sequence[Sample]],
    streams: Sequence[tuple[Stream, Stream]],
    many: Many,
    bursts: Mapping[By, Sequence[NewAtOnce]],
) -> bool:
    runs = [sample.run for case in OURS for sample in samples[case]]
    runs += [run for round_ in many.server for burst in round_ for run in burst.runs]
    runs += [run for by in _BURSTS_OF_OURS for burst in bursts[by] for run in burst.runs]
    return all(run.pieces == PIECES for run in runs) and all(
        through.run.pieces == LONG_PIECES for _, through in streams
    )


def _kept(samples: Mapping[Case, Sequence[Sample]], many: Many) -> Kept:
    """A conversation of several requests counts once, and only as a whole."""
    conversations = [sample.sessions for case in CONTINUED for sample in samples[case]]
    conversations += many.sessions
    return Kept(sum(map(_is_one_session, conversations)), len(conversations))


def _is_one_session(sessions: Sequence[str]) -> bool:
    return len(sessions) > 1 and "" not in sessions and len(set(sessions)) == 1
