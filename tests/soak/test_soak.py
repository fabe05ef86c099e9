"""A shorter soak, and proof that a soak finds what it looks for."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from claude_openai.testing import RecordedRequest, Reply
from tests.claude_code.conftest import Rig, Serve
from tests.soak.footprint import Footprint, Watched
from tests.soak.ledger import Figure, Ledger
from tests.soak.marks import Answer, mark, trail
from tests.soak.plan import Change, Mishap, Step, plan
from tests.soak.report import Report, reasons, reported
from tests.soak.setting import SETTINGS, WARM_PROCESSES
from tests.soak.soak import Course, Size, Soak
from tests.soak.upstream import Upstream

SEED, SHORT = 2718, Size(conversations=5, turns=4, at_once=3)
"""Few conversations, in which everything happens."""

HASTE = {"idle_timeout": 4, "tool_timeout": 3}
"""A stall ends sooner, and so does a conversation whose calls were left unanswered."""

OURS, THEIRS = "zq" + "0" * 20, "zq" + "1" * 20


@pytest.mark.proves("soak.short")
async def test_a_short_soak_finds_nothing(serve: Serve, sandbox: Path) -> None:
    ledger = Ledger()
    report = await soaked(serve, sandbox, Upstream(ledger), ledger, SHORT)
    assert reasons(report) == []


@pytest.mark.proves("soak.short")
def test_in_the_short_soak_everything_happens() -> None:
    assert {step.mishap for step in short_steps()} == set(Mishap)
    assert {step.change for step in short_steps()} == set(Change)
    assert {0, 1, 2} <= {step.calls for step in short_steps()}
    assert {(step.mishap, step.streamed) for step in short_steps()} >= {
        (mishap, streamed) for mishap in (Mishap.LEAVE, Mishap.KILL) for streamed in (True, False)
    }


@pytest.mark.proves("soak.strict")
async def test_an_answer_with_the_secret_of_another_conversation_is_found(serve: Serve, sandbox: Path) -> None:
    ledger = Ledger()
    report = await soaked(serve, sandbox, Upstream(ledger), ledger, Size(1, 1, 1), lies=True)
    assert ledger.counts[Figure.LEAKS] == 1
    assert any(THEIRS in reason for reason in reasons(report))


@pytest.mark.proves("soak.strict")
@pytest.mark.parametrize("more", ["processes", "descriptors", "threads", "files", "tasks"])
def test_one_more_of_anything_at_the_end_is_a_reason_to_fail(more: str) -> None:
    held = {name: getattr(HELD, name) for name in Footprint.__dataclass_fields__}
    end = Footprint(**{**held, more: held[more] + 1})
    assert len(reasons(passed(end=end))) == 1


@pytest.mark.proves("soak.strict")
def test_memory_may_grow_by_a_tenth_after_the_warm_up() -> None:
    assert reasons(passed(end=replace(HELD, memory=110))) == []
    assert reasons(passed(end=replace(HELD, memory=111))) != []


@pytest.mark.proves("soak.strict")
def test_a_conversation_that_does_not_end_and_a_kill_that_fails_two_requests_are_reasons_to_fail() -> None:
    report = passed(end=HELD)
    assert reasons(replace(report, counts={Figure.CONVERSATIONS: 1})) != []
    assert reasons(replace(report, counts={**report.counts, Figure.KILLS: 1, Figure.KILLED: 2})) != []


@pytest.mark.proves("soak.strict")
def test_a_trail_tells_what_is_lost_or_moved_but_not_the_order_of_results() -> None:
    user, call, other = mark(OURS, "u", 1), mark(OURS, "r", 1, 0), mark(OURS, "r", 1, 1)
    assert trail([user, call, other]) == trail([user, {"content": f"{other} and"}, [call]])
    assert len({trail([user, call, other]), trail([user, call]), trail([call, user, other]), trail([call, other])}) == 4


def short_steps() -> Iterator[Step]:
    """Those of the first turns left out that cannot edit or repeat anything."""
    for number in range(SHORT.conversations):
        first, *others = plan(SEED, number, SHORT.turns).steps
        yield replace(first, change=Change.NONE)
        yield from others


async def soaked(
    serve: Serve, sandbox: Path, upstream: Upstream, ledger: Ledger, size: Size, *, lies: bool = False
) -> Report:
    """A soak of a server in this process, whose tasks can be counted, and what it logged with it."""
    below = len(psutil.Process().children(recursive=True))
    with capture_logs() as logged:
        async with serve(**{**SETTINGS, **HASTE}) as rig:
            rig.plays(_lying if lies else upstream)
            course = await Soak(_watched(rig, sandbox, below), upstream, ledger, SEED, size).run(lambda _: None)
            rig.plays(None)
    ledger.seen(json.dumps(logged, default=str), "the log")
    return reported(SEED, size, course, ledger)


def _watched(rig: Rig, sandbox: Path, below: int) -> Watched:
    resting = below + WARM_PROCESSES
    return Watched(rig.url, psutil.Process(), sandbox / "tmp", resting, lambda: len(asyncio.all_tasks()))


def _lying(_: RecordedRequest) -> Reply:
    return Reply.of(Answer(THEIRS, frozenset({THEIRS}), "0").told(1))


HELD = Footprint(processes=1, descriptors=1, threads=1, files=1, tasks=1, memory=100)


def passed(*, end: Footprint) -> Report:
    """One that passes, if `end` is no more than `HELD`."""
    size = Size(conversations=2)
    return Report(1, size, Course(HELD, HELD, end, 1.0), {Figure.CONVERSATIONS: 2}, {}, ())
