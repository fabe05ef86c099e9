"""Numbers and ids as people read them."""

import pytest

from claude_openai.cli.formatting import age, cost, digits, took
from claude_openai.text import count, duration
from tests.server.cli.runs import a_run


@pytest.mark.proves("commands.runs")
@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "0ms"),
        (0.08, "80ms"),
        (0.84, "0.8s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m00s"),
        (125, "2m05s"),
        (3599.7, "1h00m"),
        (11_220, "3h07m"),
        (187_200, "2d04h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.proves("commands.runs")
@pytest.mark.parametrize(
    ("state", "ended_at", "told"),
    [("running", None, "9.0s"), ("parked", None, "9.0s"), ("failed", 3.0, "2.0s"), ("failed", None, "-")],
)
def test_a_run_takes_until_its_end_which_nobody_knows_of_one_whose_server_was_killed(
    state: str, ended_at: float | None, told: str
) -> None:
    run = a_run(state=state, arrived_at=1.0, ended_at=ended_at)
    assert took(run, now=10.0) == told


@pytest.mark.proves("commands.runs")
def test_an_age_a_number_and_a_cost_are_told_as_exactly_as_one_wants_to_know() -> None:
    assert [age(seconds) for seconds in (-3, 0, 59.9, 60, 7_199, 86_400)] == ["0s", "0s", "59s", "1m", "1h", "1d"]
    assert [count(number) for number in (0, 999, 1_000, 9_999, 12_345, 1_250_000)] == [
        "0",
        "999",
        "1.0k",
        "10.0k",
        "12k",
        "1.2M",
    ]
    assert [cost(dollars) for dollars in (None, 0, 0.01234, 1.234)] == ["-", "$0.0000", "$0.0123", "$1.23"]


@pytest.mark.proves("commands.runs")
def test_ids_are_as_short_as_they_can_be_told_apart() -> None:
    assert digits([]) == digits(["3fa85f64" * 4]) == digits(["3fa85f64" * 4, "3fa85f65" * 4]) == 8
    assert digits(["3fa85f64" + "a" * 24, "3fa85f64" + "b" * 24]) == 9
    assert digits(["same", "same"]) == 8
