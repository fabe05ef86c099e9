"""A report for people: Markdown that reads well in a terminal too. Pure."""

from collections.abc import Iterator
from typing import Final

from benchmarks.aligned import Row, aligned, in_brackets, megabytes, milliseconds
from benchmarks.contestants import Case
from benchmarks.report import AtOnce, Report, Target

NAMES: Final = {
    Case.API_NEW: "Messages API: new",
    Case.API_TURN_2: "Messages API: turn 2",
    Case.API_TURN_5: "Messages API: turn 5",
    Case.QUERY_NEW: "`query()`: new",
    Case.QUERY_RESUMED: "`query()`: turn 3, resumed",
    Case.LIVE_NEW: "Claude Code kept open: new",
    Case.LIVE_TURN_2: "Claude Code kept open: turn 2",
    Case.LIVE_TURN_5: "Claude Code kept open: turn 5",
    Case.COLD: "claude-openai: new, cold",
    Case.WARM: "claude-openai: new, warm",
    Case.TURN_2: "claude-openai: turn 2",
    Case.TURN_3: "claude-openai: turn 3, by `openai`",
    Case.TURN_5: "claude-openai: turn 5",
    Case.TOOL_RESULT: "claude-openai: tool result",
    Case.REBUILT: "claude-openai: turn 3, rebuilt",
}

BURST_NAMES: Final = {
    "api": "Messages API",
    "query": "`query()` each",
    "first": "claude-openai: a first burst",
    "second": "claude-openai: a second burst",
}


def table(report: Report, mark: str = "") -> str:
    """Four tables, each with the mark, and what else is to know."""
    return "\n\n".join(
        [
            aligned(*_cases(report, mark)),
            aligned(*_at_once(report, mark)),
            aligned(*_bursts(report, mark)),
            aligned(*_stream(report, mark)),
            _facts(report),
        ]
    )


def _cases(report: Report, mark: str) -> tuple[Row, list[Row]]:
    head = (
        f"{mark}{report.rounds} round{'s' * (report.rounds > 1)}, in ms",
        "to upstream",
        "first token",
        "end",
        "over API",
        "of API",
        "of kept open",
        "of `query()`",
        "target",
    )
    return head, [_case(report, case) for case in Case]


def _case(report: Report, case: Case) -> Row:
    times = report.cases[case]
    return (
        NAMES[case],
        milliseconds(times.to_upstream),
        milliseconds(times.first_token),
        milliseconds(times.end),
        f"{times.over_api * 1000:+.0f}",
        f"{times.of_api:.1f}",
        f"{times.of_live:.2f}",
        f"{times.of_query:.2f}",
        _verdict(report, case),
    )


def _verdict(report: Report, case: Case) -> str:
    if case not in report.targets:
        return ""
    target = report.targets[case]
    match case:
        case Case.REBUILT:
            return f"{_within(target)} {target.most:.2f} of `query()`"
        case Case.TOOL_RESULT:
            return f"{_within(target)} {target.most * 1000:.0f} to upstream"
        case _:
            return f"{_within(target)} {target.most * 1000:.0f} over API"


def _at_once(report: Report, mark: str) -> tuple[Row, list[Row]]:
    head = (
        f"{mark}at once, in ms",
        *("API: first token", "worst", "all done"),
        *("Claude Codes kept open: first token", "worst", "all done"),
        *("claude-openai: first token", "worst", "all done"),
        "of the API",
        "of Claude Codes kept open",
    )
    rows = [_burst(count, by["api"], by["live"], by["server"]) for count, by in report.at_once.items()]
    return head, rows


def _burst(count: int, api: AtOnce, live: AtOnce, server: AtOnce) -> Row:
    first = server.first_token.median
    ratios = (f"{first / each.first_token.median:.2f}" for each in (api, live))
    return (str(count), *_together(api), *_together(live), *_together(server), *ratios)


def _together(measured: AtOnce) -> Row:
    return milliseconds(measured.first_token), f"{measured.worst * 1000:.0f}", milliseconds(measured.done)


def _bursts(report: Report, mark: str) -> tuple[Row, list[Row]]:
    size, targets = report.bursts["api"].size, report.targets
    head = (
        f"{mark}{size} new ones at once, in ms",
        "first token",
        "the last one's",
        "of `query()`",
        "overtaken by",
        "target",
    )
    second, last = targets["second burst"], targets["last of the second burst"]
    verdicts = {
        "first": f"{_within(targets['first burst'])} {targets['first burst'].most * 1000:.0f}",
        "second": f"{_within(second)} {second.most * 1000:.0f}; last {_within(last)} {last.most * 1000:.0f}",
    }
    rows: list[Row] = [
        (
            BURST_NAMES[by],
            milliseconds(burst.first_token),
            milliseconds(burst.last),
            f"{burst.of_query:.2f}",
            f"{burst.out_of_order:.0f}",
            verdicts.get(by, ""),
        )
        for by, burst in report.bursts.items()
    ]
    return head, rows


def _stream(report: Report, mark: str) -> tuple[Row, list[Row]]:
    stream = report.stream
    head = (f"{mark}an answer of {stream.tokens} tokens", "Messages API", "claude-openai", "with its Claude Code")
    ratio = stream.server.median / stream.api.median
    return head, [
        ("tokens a second", in_brackets(stream.api, 1, 0), f"{in_brackets(stream.server, 1, 0)}: {ratio:.2f}", ""),
        (
            "processor ms for 1,000 tokens",
            "",
            milliseconds(stream.processor_server),
            milliseconds(stream.processor_together),
        ),
    ]


def _facts(report: Report) -> str:
    return "\n".join(f"- {fact}" for fact in _sentences(report))


def _sentences(report: Report) -> Iterator[str]:
    kept, targets = report.kept, report.targets
    chunks = "each token upstream left as one chunk" if report.whole else "NOT one chunk for each token upstream"
    yield f"Chunks: {chunks}."
    missed = "" if kept.turns == kept.of else "NOT ALL: "
    yield f"Sessions: {missed}{kept.turns} of {kept.of} went on where they should."
    yield f"Ways, the first round included: {', '.join(f'{count} {way}' for way, count in report.ways.items())}."
    ours, share = report.ours, targets["ours"]
    yield (
        f"Ours of a later turn: {share.measured * 1000:.1f} ms to the first token, {_within(share)} "
        f"{share.most * 1000:.0f}: {milliseconds(ours.server)} against {milliseconds(ours.live)} of a Claude Code "
        f"kept open, turn by turn, {ours.turns} each. A request that needs none takes "
        f"{in_brackets(ours.request, 1000, 1)}."
    )
    start = targets["start"]
    yield f"Start: ready after {in_brackets(report.start, 1, 2)} s, {_within(start)} {start.most} s."
    yield (
        f"Memory: {megabytes(report.memory.server)} for the server, {_within(targets['memory'])} "
        f"{megabytes(targets['memory'].most)}; {_each(report.memory.conversation)} (proportional)."
    )


def _each(conversation: float | None) -> str:
    return "no conversation is kept" if conversation is None else f"{megabytes(conversation)} for each conversation"


def _within(target: Target) -> str:
    return "within" if target.met else "OVER"
