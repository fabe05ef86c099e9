"""What an answer tells of the account's rate limit, and that it never tells more than is known."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.events import RateLimitReported
from claude_openai.protocols.common.rate_limits import duration, headers

NOW = 1_700_000_000
ALLOWED = RateLimitReported("allowed", "five_hour", 0.42, NOW + 3723)
REJECTED = RateLimitReported("rejected", "seven_day_opus", 1, NOW + 3600)

limits = st.builds(
    RateLimitReported,
    st.sampled_from(["allowed", "allowed_warning", "rejected", "overage"]),
    st.none() | st.sampled_from(["five_hour", "seven_day"]),
    st.none() | st.floats(0, 2),
    st.none() | st.integers(NOW - 10, NOW + 604_800),
)
statuses = st.sampled_from([200, 400, 429, 502, 503])


def test_a_limit_is_told_by_its_status_its_window_and_the_time_to_its_end() -> None:
    assert headers(ALLOWED, NOW, 200) == {
        "x-ratelimit-reset-requests": "1h2m3s",
        "x-ratelimit-status": "allowed",
        "x-ratelimit-window": "five_hour",
        "x-ratelimit-utilization": "0.42",
    }


def test_a_rejection_leaves_nothing_and_says_when_to_come_back() -> None:
    assert headers(REJECTED, NOW, 429) == {
        "x-ratelimit-reset-requests": "1h0m0s",
        "x-ratelimit-status": "rejected",
        "x-ratelimit-window": "seven_day_opus",
        "x-ratelimit-utilization": "1",
        "x-ratelimit-remaining-requests": "0",
        "retry-after": "3600",
    }


def test_only_a_429_is_told_when_to_come_back() -> None:
    assert "retry-after" not in headers(REJECTED, NOW, 502)


def test_an_answer_that_was_let_through_says_nothing_of_an_earlier_rejection() -> None:
    assert headers(REJECTED, NOW, 200) == {}


@pytest.mark.parametrize("known", [None, RateLimitReported("rejected"), replace(ALLOWED, resets_at=None)])
def test_without_a_report_of_a_window_nothing_is_told(known: RateLimitReported | None) -> None:
    assert headers(known, NOW, 429) == {}


@pytest.mark.parametrize("known", [ALLOWED, REJECTED])
def test_a_window_that_is_over_is_not_told_any_more(known: RateLimitReported) -> None:
    assert known.resets_at is not None
    assert headers(known, known.resets_at, 429) == {}
    assert headers(known, known.resets_at - 0.5, 429)["x-ratelimit-reset-requests"] == "1s"


@given(limits, statuses)
def test_no_number_of_requests_is_told_but_the_none_of_a_rejection(known: RateLimitReported, status: int) -> None:
    told = headers(known, NOW, status)
    assert "x-ratelimit-limit-requests" not in told
    assert ("x-ratelimit-remaining-requests" in told) == (bool(told) and known.status == "rejected")
    assert ("x-ratelimit-window" in told) == (bool(told) and known.window is not None)
    assert ("x-ratelimit-utilization" in told) == (bool(told) and known.utilization is not None)


@pytest.mark.parametrize(
    ("seconds", "told"), [(1, "1s"), (59, "59s"), (60, "1m0s"), (360, "6m0s"), (3600, "1h0m0s"), (604_800, "168h0m0s")]
)
def test_a_duration_is_written_as_openai_writes_it(seconds: int, told: str) -> None:
    assert duration(seconds) == told


@given(st.integers(1, 10**7))
def test_a_duration_reads_back_as_what_it_was(seconds: int) -> None:
    told = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(\d+)s", duration(seconds))
    assert told is not None
    hours, minutes, rest = (int(part or 0) for part in told.groups())
    assert hours * 3600 + minutes * 60 + rest == seconds
