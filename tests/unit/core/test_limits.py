"""The limits of a key, as a table: what is admitted, when what was refused is admitted again, and what is left."""

from datetime import UTC, datetime

import pytest

from claude_openai.core.agent import AgentProfile
from claude_openai.core.failures import Kind
from claude_openai.core.limits import (
    NO_LIMITS,
    KeyLimits,
    KeyUse,
    Left,
    Period,
    Spent,
    allows_model,
    end_of,
    period_at,
    refused_turn,
)
from claude_openai.core.messages import Text, UserMessage
from claude_openai.core.models import Catalogue, Model
from claude_openai.core.turn import Turn


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOON = at("2026-12-01T12:00:00")
MIDNIGHT = at("2026-12-02T00:00:00")


@pytest.mark.parametrize(
    ("period", "now", "name", "end"),
    [
        ("day", "2026-12-01T00:00:00", "2026-12-01", "2026-12-02T00:00:00"),
        ("day", "2026-12-31T23:59:59.9", "2026-12-31", "2027-01-01T00:00:00"),
        ("day", "2028-02-28T12:00:00", "2028-02-28", "2028-02-29T00:00:00"),
        ("month", "2026-12-01T00:00:00", "2026-12", "2027-01-01T00:00:00"),
        ("month", "2026-01-31T23:59:59", "2026-01", "2026-02-01T00:00:00"),
        ("month", "2028-02-01T00:00:00", "2028-02", "2028-03-01T00:00:00"),
    ],
)
def test_a_period_is_a_day_or_a_month_of_utc(period: Period, now: str, name: str, end: str) -> None:
    assert (period_at(period, at(now)), end_of(period, at(now))) == (name, at(end))


def test_a_minutes_requests_may_come_at_once_and_then_at_their_rate() -> None:
    use, limits = KeyUse(), KeyLimits(requests_per_minute=3)
    assert [use.admit("ann", limits, NOON) for _ in range(3)] == [None] * 3
    refused = use.admit("ann", limits, NOON)
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.KEY_RATE_LIMIT_EXCEEDED, 20.0)
    assert refused.message == (
        "The key of ann has reached its limit of 3 requests a minute. Send the request again in 20 s, "
        "at 2026-12-01T12:00:20Z."
    )
    assert use.left(limits, NOON) == (Left("requests", 3, 0.0, 60.0),)
    assert use.admit("ann", limits, NOON + 19.9) is not None  # a refused request costs nothing
    assert use.admit("ann", limits, NOON + 20) is None
    assert use.left(limits, NOON + 80) == (Left("requests", 3, 3.0, 0.0),)
    assert use.left(limits, NOON) == (Left("requests", 3, 3.0, 0.0),)  # a clock that was set back takes nothing


def test_tokens_are_known_afterwards_so_that_the_next_request_waits_for_what_was_too_much() -> None:
    use, limits = KeyUse(), KeyLimits(tokens_per_minute=600)
    assert use.admit("ann", limits, NOON) is None
    use.charge(Spent(900), NOON)
    refused = use.admit("ann", limits, NOON)
    assert refused is not None
    assert refused.retry_after == pytest.approx(30.1)  # 300 too many, and one to begin with
    assert use.left(limits, NOON) == (Left("tokens", 600, 0.0, 90.0),)
    assert use.admit("ann", limits, NOON + 30.2) is None


@pytest.mark.parametrize(
    ("limits", "spent", "used", "until"),
    [
        (KeyLimits(tokens_per_day=100), Spent(100), "100 of 100 tokens of this day", "2026-12-02"),
        (KeyLimits(tokens_per_month=100), Spent(150), "150 of 100 tokens of this month", "2027-01-01"),
        (KeyLimits(cost_per_day=0.5), Spent(1, 0.5), "$0.5000 of $0.5 of this day", "2026-12-02"),
        (KeyLimits(cost_per_month=2.0), Spent(1, 2.25), "$2.2500 of $2 of this month", "2027-01-01"),
    ],
)
def test_what_is_used_up_is_refused_until_its_period_ends(
    limits: KeyLimits, spent: Spent, used: str, until: str
) -> None:
    use = KeyUse()
    assert use.admit("ann", limits, NOON) is None
    use.charge(spent, NOON)
    refused = use.admit("ann", limits, NOON)
    assert refused is not None
    assert refused.kind is Kind.KEY_QUOTA_EXCEEDED
    assert refused.message == f"The key of ann has used {used}. It can be used again at {until}T00:00:00Z."
    assert refused.retry_after == at(f"{until}T00:00:00") - NOON
    assert use.admit("ann", limits, NOON + refused.retry_after) is None
    assert use.admit("ann", NO_LIMITS, NOON) is None


def test_of_several_limits_of_tokens_the_one_that_is_nearest_to_its_end_is_shown() -> None:
    use, limits = KeyUse(), KeyLimits(tokens_per_minute=600, tokens_per_day=1000, tokens_per_month=100_000)
    assert use.left(limits, NOON) == (Left("tokens", 600, 600.0, 0.0),)
    use.charge(Spent(900), NOON)
    assert use.left(limits, NOON) == (Left("tokens", 600, 0.0, 90.0),)
    assert use.left(limits, NOON + 90) == (Left("tokens", 1000, 100, MIDNIGHT - NOON - 90),)


def test_a_changed_limit_counts_at_once_and_what_is_past_is_forgotten() -> None:
    use = KeyUse()
    use.admit("ann", KeyLimits(requests_per_minute=100), NOON)
    assert use.left(KeyLimits(requests_per_minute=2), NOON) == (Left("requests", 2, 2.0, 0.0),)
    use.charge(Spent(7), NOON)
    use.left(NO_LIMITS, MIDNIGHT)
    assert use.spent == {"2026-12": Spent(7)}


CATALOGUE = Catalogue(
    (Model("sonnet", "claude-sonnet-5-5"), Model("haiku", "claude-haiku-4-5")),
    "sonnet",
    aliases=(("gpt-4o", "sonnet"),),
    agents=True,
)


@pytest.mark.parametrize(
    ("allowed", "asked", "is_allowed"),
    [
        ("sonnet", "sonnet", True),
        ("sonnet", "gpt-4o", True),
        ("sonnet", "claude-sonnet-5-5", True),
        ("sonnet", "sonnet-agent", True),
        ("claude-sonnet-5.5", "sonnet", True),
        ("gpt-4o", "sonnet", True),
        ("sonnet", "haiku", False),
        ("sonnet", "sonnet[1m]", False),
        ("sonnet", "claude-sonnet-4-5", False),
        ("claude-sonnet-4-5", "claude-sonnet-4-5", True),
    ],
)
def test_a_model_is_allowed_under_any_of_its_names(allowed: str, asked: str, *, is_allowed: bool) -> None:
    limits = KeyLimits(models=("opus", allowed))
    assert allows_model(limits, CATALOGUE.resolve(asked), CATALOGUE) is is_allowed


def test_a_model_that_is_not_allowed_does_not_exist_and_a_profile_is_forbidden() -> None:
    chat = Turn(CATALOGUE.resolve("haiku"), (UserMessage((Text("Hi"),)),))
    agent = Turn(CATALOGUE.resolve("haiku"), chat.messages, agent=AgentProfile("/work"))
    assert refused_turn("ann", NO_LIMITS, (chat, agent), CATALOGUE) is None
    refused = refused_turn("ann", KeyLimits(models=("sonnet", "opus")), (chat,), CATALOGUE)
    assert refused is not None
    assert (refused.kind, refused.param) == (Kind.MODEL_NOT_FOUND, "model")
    assert refused.message == "The key of ann may not use the model `haiku`. It may use: sonnet, opus."
    refused = refused_turn("ann", KeyLimits(profiles=("chat",)), (chat, agent), CATALOGUE)
    assert refused is not None
    assert (refused.kind, refused.message) == (
        Kind.PERMISSION_DENIED,
        "The key of ann may not use the agent profile.",
    )
