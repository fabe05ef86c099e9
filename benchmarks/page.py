"""All parts of a run for people, and its place in docs/explain/performance.md. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from benchmarks.aligned import Row, aligned, in_brackets, megabytes, milliseconds
from benchmarks.beside import Beside, Figures
from benchmarks.curve import Point
from benchmarks.growth import Turns
from benchmarks.machine import Machine
from benchmarks.plot import alternative
from benchmarks.report import Report
from benchmarks.table import table

Part: TypeAlias = Literal["overhead", "litellm", "curve", "history", "runs"]

PARTS: Final[tuple[Part, ...]] = ("overhead", "litellm", "curve", "history", "runs")

IMAGE: Final = "docs/images/performance-curve.svg"


@dataclass(frozen=True, slots=True)
class Bench:
    """One run, with the parts that were asked for; `skipped` says why one of them is missing."""

    commit: str | None
    machine: Machine
    overhead: Report | None = None
    litellm: Beside | None = None
    curve: Sequence[Point] = ()
    history: Sequence[Turns] = ()
    runs: Sequence[Turns] = ()
    skipped: Mapping[Part, str] | None = None

    @property
    def correct(self) -> bool:
        """Whether every token came as a chunk of its own, and every turn went on in its session."""
        turns = [point.whole for point in self.curve] + [point.whole for point in (*self.history, *self.runs)]
        beside = self.litellm is None or self.litellm.ours.whole
        return all(turns) and beside and (self.overhead is None or self.overhead.correct)


def page(bench: Bench) -> str:
    """What `make bench` prints."""
    skipped = [f"- Skipped {part}: {why}" for part, why in (bench.skipped or {}).items()]
    return "\n\n".join([*_parts(bench).values(), "\n".join([*skipped, where(bench)])])


def written(document: str, bench: Bench) -> str:
    """`document` with what was measured between its marks. A part that was not measured stays as it is.

    Raises:
        ValueError: the document has no mark for a part.
    """
    for part, text in _parts(bench).items():
        begin, end = f"<!-- bench {part} -->\n", f"<!-- end bench {part} -->"
        if begin not in document or end not in document:
            raise ValueError(f"the page has no mark {begin.strip()}")
        image = f"![{alternative(bench.curve)}](../images/performance-curve.svg)\n\n" if part == "curve" else ""
        block = f"{image}```console\n$ make bench\n{text}\n\n{where(bench)}\n```\n"
        before, rest = document.split(begin, 1)
        document = f"{before}{begin}{block}{end}{rest.split(end, 1)[1]}"
    return document


def where(bench: Bench) -> str:
    """On what it was measured, and whether that was quiet."""
    machine = bench.machine
    state = "BUSY" if machine.busy else "quiet"
    return (
        f"- Medians, with quartiles in brackets. It was {state}: of {machine.cores} cores other programs "
        f"took {machine.others:.0%}, and {machine.before.others:.0%} before, "
        f"with a load of {machine.before.load:.2f} for each core.\n"
        f"- Commit {bench.commit or 'unknown'}; Claude Code {machine.claude_code}, Python {machine.python}, "
        f"{machine.system}."
    )


def _parts(bench: Bench) -> dict[Part, str]:
    mark = "BUSY: " if bench.machine.busy else ""
    parts: dict[Part, str] = {}
    if bench.overhead:
        parts["overhead"] = table(bench.overhead, mark)
    if bench.litellm:
        parts["litellm"] = _beside(bench.litellm, mark)
    if bench.curve:
        parts["curve"] = _curve(bench.curve, mark)
    if bench.history:
        parts["history"] = _growth(bench.history, f"{mark}messages before")
    if bench.runs:
        parts["runs"] = _growth(bench.runs, f"{mark}runs in the store")
    return parts


def _beside(beside: Beside, mark: str) -> str:
    head = (f"{mark}one upstream", "claude-openai", f"LiteLLM's proxy {beside.version}")
    verdict = ", ".join(f"{what}: {'better' if won else 'NOT better'}" for what, won in beside.wins.items())
    columns = zip(_figures(beside.ours), _figures(beside.litellm), strict=True)
    rows: list[Row] = [(ours[0], ours[1], theirs[1]) for ours, theirs in columns]
    return f"{aligned(head, rows)}\n\n- Against LiteLLM's proxy, {verdict}."


def _figures(figures: Figures) -> Iterator[tuple[str, str]]:
    yield "start to ready, s", in_brackets(figures.start, 1, 2)
    yield "memory of the server", megabytes(figures.memory)
    yield "first token, new, ms", milliseconds(figures.new)
    yield "first token, turn 2, ms", milliseconds(figures.turn_2)
    yield "tokens a second", in_brackets(figures.rate, 1, 0)
    yield "processor ms for 1,000 tokens", milliseconds(figures.processor)
    yield "with its Claude Code", milliseconds(figures.processor_together)
    yield "each token a chunk of its own", "yes" if figures.whole else "NO"


def _curve(points: Sequence[Point], mark: str) -> str:
    head = (
        f"{mark}conversations",
        "first token, ms: 50 %",
        "95 %",
        "token lag, ms: 50 %",
        "99 %",
        "cores: server",
        "its Claude Codes",
        "MB: server",
        "its Claude Codes",
        "machine",
    )
    rows = [
        (
            str(point.count),
            f"{point.first_token.median * 1e3:.0f}",
            f"{point.first_token_95 * 1e3:.0f}",
            f"{point.lag * 1e3:.1f}",
            f"{point.lag_99 * 1e3:.1f}",
            f"{point.server_cores.median:.2f}",
            f"{point.claude_code_cores.median:.2f}",
            f"{point.server_bytes / 1e6:.0f}",
            f"{point.claude_code_bytes / 1e6:.0f}",
            f"{point.machine:.0%}{', full' if point.full else ''}",
        )
        for point in points
    ]
    return aligned(head, rows)


def _growth(points: Sequence[Turns], what: str) -> str:
    head = (what, "first token, ms", "API with this body", "server's processor, ms a turn", "body, kB", "start, s")
    rows = [
        (
            str(point.count),
            milliseconds(point.first_token),
            milliseconds(point.api) if point.api else "",
            f"{point.processor * 1e3:.1f}",
            f"{point.body_bytes / 1e3:.0f}",
            f"{point.start:.2f}",
        )
        for point in points
    ]
    return aligned(head, rows)
