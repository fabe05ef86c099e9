"""What the bench concludes from its figures: what changed, whether the machine was busy, and what is drawn."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.compare import changes, comparison
from benchmarks.curve import Point
from benchmarks.machine import Before, Machine, is_busy
from benchmarks.page import Bench, page, written
from benchmarks.plot import plot
from benchmarks.spread import percentile, spread

QUIET = Before(others=0.01, load=0.1)

POINT = Point(
    count=1,
    first_token=spread([0.03, 0.04, 0.05]),
    first_token_95=0.05,
    lag=0.002,
    lag_99=0.009,
    server_cores=spread([0.02]),
    claude_code_cores=spread([0.1]),
    server_bytes=80_000_000,
    claude_code_bytes=120_000_000,
    machine=0.2,
    whole=True,
)
POINTS = (POINT, replace(POINT, count=2, first_token_95=0.06), replace(POINT, count=32, machine=0.97, lag_99=0.7))


def machine(*, busy: bool = False) -> Machine:
    return Machine(2, "Linux 6", "3.11.7", "2.1.332", QUIET, 0.4 if busy else 0.01, busy)


def run(*samples: float, busy: bool = False, **figures: tuple[float, ...]) -> dict[str, Any]:
    """As `--json` writes it."""
    return {
        "machine": {"cores": 2, "system": "Linux", "python": "3.11.7", "claude_code": "2", "busy": busy},
        "curve": [{"count": 8, "first_token": {"median": 0, "low": 0, "high": 0, "samples": list(samples)}}],
        **{name: {"median": 0, "low": 0, "high": 0, "samples": list(values)} for name, values in figures.items()},
    }


def test_a_change_is_reported_only_beyond_the_spread() -> None:
    old = run(100, 101, 99, 102, 98, noisy=(100, 180, 60, 140, 90), same=(5, 5, 5, 5), few=(1, 1, 1))
    new = run(70, 71, 69, 72, 68, noisy=(110, 190, 65, 150, 85), same=(5.1, 5.1, 5.1, 5.1), few=(9, 9, 9))
    changed, compared = changes(old, new)
    assert [(change.figure, change.old, change.new) for change in changed] == [("curve.8.first_token", 100, 70)]
    assert compared == 3  # three samples are too few to say anything
    assert changes(old, old) == ([], 3)
    assert changes(old, new) == changes(old, new)


def test_a_comparison_says_what_the_runs_do_not_have_in_common() -> None:
    old, new = run(1, 1, 1, 1), run(2, 2, 2, 2, busy=True)
    old["machine"]["cores"] = 8
    text = comparison(old, new)
    assert "curve.8.first_token" in text
    assert "+100%" in text
    assert "- The new run was measured on a BUSY machine." in text
    assert "- Not the same cores: 8 then, 2 now." in text


@pytest.mark.parametrize(
    ("before", "others", "busy"),
    [
        (QUIET, 0.01, False),
        (QUIET, 0.06, True),
        (Before(others=0.06, load=0.1), 0.01, True),
        (Before(others=0.01, load=0.6), 0.01, True),
    ],
)
def test_a_machine_is_busy_by_its_load_before_and_by_other_programs_before_and_during(
    before: Before, others: float, busy: bool
) -> None:
    assert is_busy(before, others) is busy


def test_every_table_of_a_busy_machine_is_marked_and_none_of_a_quiet_one() -> None:
    quiet = Bench("abc", machine(), curve=POINTS)
    assert page(replace(quiet, machine=machine(busy=True))).count("BUSY") == 2  # its table, and the last lines
    assert "BUSY" not in page(quiet)
    assert "97%, full" in page(quiet)


def test_the_document_gets_what_was_measured_between_its_marks_and_keeps_the_rest() -> None:
    bench = Bench("abc", machine(), curve=POINTS)
    document = "before\n<!-- bench curve -->\nold\n<!-- end bench curve -->\nafter\n"
    once = written(document, bench)
    assert (once[:6], once[-6:]) == ("before", "after\n")
    assert "old" not in once
    assert "../images/performance-curve.svg" in once
    assert written(once, bench) == once
    with pytest.raises(ValueError, match="no mark"):
        written("nothing", bench)


def test_the_plot_is_the_same_bytes_for_the_same_points_and_follows_the_reader_s_theme() -> None:
    drawn = plot(POINTS)
    assert drawn == plot(POINTS)
    assert "prefers-color-scheme: dark" in drawn
    assert "<title>From 1 to 32 conversations" in drawn


def test_one_sample_is_its_own_spread_and_percentile() -> None:
    assert (spread([3.0]).median, percentile([3.0], 99)) == (3.0, 3.0)
