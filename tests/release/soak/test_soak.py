"""A shorter soak, and proof that a soak finds what it looks for."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import psutil
import pytest
from structlog.testing import capture_logs

from claude_openai.simulator import RecordedRequest, Reply
from tests.claude_code.conftest import Serve
from tests.release.soak.chaos import Chaos
from tests.release.soak.footprint import Footprint, Watched, secrets_left_in
from tests.release.soak.ledger import Figure, Ledger
from tests.release.soak.marks import Answer, mark, trail
from tests.release.soak.plan import Change, Mishap, Plan, Step, plan
from tests.release.soak.player import Player, Stage
from tests.release.soak.report import Report, reasons, reported
from tests.release.soak.setting import SETTINGS, WARM_PROCESSES
from tests.release.soak.soak import Course, Size, Soak
from tests.release.soak.upstream import Upstream

SEED, SHORT = 521, Size(conversations=5, turns=4, at_once=4)
"""Few conversations, in which everything happens."""

HASTE = {"idle_timeout": 4, "session_ttl": 2, "tool_timeout": 3}
"""A stall ends sooner, and so does what waits for a client that has left."""

QUIET = Step(Change.NONE, 0, calls=0, streamed=True, mishap=Mishap.NONE, late=False, pieces=1, keeps=False)

OURS, THEIRS = "zq" + "0" * 20, "zq" + "1" * 20


@pytest.mark.proves("soak.short")
async def test_a_short_soak_finds_nothing(serve: Serve, sandbox: Path) -> None:
    assert reasons(await soaked(serve, sandbox)) == []


@pytest.mark.proves("soak.short")
def test_in_the_short_soak_everything_happens() -> None:
    assert {step.mishap for step in short_steps()} == set(Mishap)
    assert {step.change for step in short_steps()} == set(Change)
    assert {0, 1, 2} <= {step.calls for step in short_steps()}
    assert {(step.mishap, step.streamed) for step in short_steps()} >= {
        (mishap, streamed) for mishap in (Mishap.LEAVE, Mishap.KILL) for streamed in (True, False)
    }


@pytest.mark.proves("soak.short")
async def test_an_answer_with_the_secret_of_another_conversation_is_found(serve: Serve) -> None:
    ledger = Ledger()
    async with serve() as rig:
        rig.plays(lambda _: Reply.of(Answer(THEIRS, frozenset({THEIRS}), "0").told(1)))
        stage = Stage(rig.client, Upstream(ledger), Chaos(psutil.Process(), Random(SEED), ledger), ledger)
        await Player(Plan(0, OURS, (QUIET,)), stage).play()
    assert ledger.counts[Figure.LEAKS] == 1
    assert THEIRS in ledger.broken[0]


@pytest.mark.proves("soak.short")
def test_a_request_upstream_with_the_secrets_of_two_conversations_is_found() -> None:
    ledger = Ledger()
    body = {"model": "m", "messages": [{"role": "user", "content": f"{mark(OURS, 'u', 0)} {mark(THEIRS, 'u', 0)}"}]}
    Upstream(ledger)(RecordedRequest(0, body, {}, 0.0))
    assert ledger.counts[Figure.LEAKS] == 1


@pytest.mark.proves("soak.short")
def test_a_secret_in_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "log").write_text(f"said {OURS}")
    (tmp_path / "other").write_text("said nothing")
    assert list(secrets_left_in(tmp_path)) == ["below/log"]


@pytest.mark.proves("soak.short")
@pytest.mark.parametrize("more", ["processes", "descriptors", "threads", "files", "tasks"])
def test_one_more_of_anything_at_the_end_is_a_reason_to_fail(more: str) -> None:
    held = {name: getattr(HELD, name) for name in Footprint.__dataclass_fields__}
    end = Footprint(**{**held, more: held[more] + 1})
    assert len(reasons(passed(end=end))) == 1


@pytest.mark.proves("soak.short")
def test_memory_may_grow_by_a_tenth_after_the_warm_up() -> None:
    assert reasons(passed(end=replace(HELD, memory=110))) == []
    assert reasons(passed(end=replace(HELD, memory=111))) != []


@pytest.mark.proves("soak.short")
def test_a_conversation_that_does_not_end_and_a_kill_that_fails_two_requests_are_reasons_to_fail() -> None:
    report = passed(end=HELD)
    assert reasons(replace(report, counts={Figure.CONVERSATIONS: 1})) != []
    assert reasons(replace(report, counts={**report.counts, Figure.KILLS: 1, Figure.KILLED: 2})) != []


@pytest.mark.proves("soak.short")
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


async def soaked(serve: Serve, sandbox: Path) -> Report:
    """A soak of a server in this process, whose tasks can be counted, and what it logged with it."""
    ledger = Ledger()
    upstream = Upstream(ledger)
    resting = len(psutil.Process().children(recursive=True)) + WARM_PROCESSES
    with capture_logs() as logged:
        async with serve(**{**SETTINGS, **HASTE}) as rig:
            rig.plays(upstream)
            server = Watched(rig.url, psutil.Process(), sandbox / "tmp", resting, is_within=True)
            course = await Soak(server, upstream, ledger, SEED, SHORT).run(lambda _: None)
            rig.plays(None)
    ledger.seen(json.dumps(logged, default=str), "the log")
    return reported(SEED, SHORT, course, ledger)


HELD = Footprint(processes=1, descriptors=1, threads=1, files=1, tasks=1, memory=100)


def passed(*, end: Footprint) -> Report:
    """One that passes, if `end` is no more than `HELD`."""
    size = Size(conversations=2)
    return Report(1, size, Course(HELD, HELD, end, 1.0, {}), {Figure.CONVERSATIONS: 2}, {}, {}, ())
