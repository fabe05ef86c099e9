"""The limits of an API key: requests and tokens a minute, tokens and cost a day and a month, models and profiles.

Pure: the caller passes the times, in Unix seconds. A minute's limit is a bucket that refills all the time, so that a
full minute's worth may come at once and the rest at the rate; a day and a month are those of UTC. Tokens and cost are
known when an answer ends: a request is refused once they are used up, and what runs meanwhile may exceed them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from claude_openai.core.failures import Failure, Kind
from claude_openai.core.models import Catalogue, Model, named
from claude_openai.core.turn import Turn

Period = Literal["day", "month"]
Unit = Literal["requests", "tokens", "cost"]
Profile = Literal["chat", "agent"]

PERIODS: Final[tuple[Period, ...]] = ("day", "month")

_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a key may use; None is no limit, and an empty tuple allows all. Tokens are those of the prompt, cached or
    not, and of the answer; costs are in US dollars.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    cost_per_day: float | None = None
    cost_per_month: float | None = None
    models: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()

    @property
    def by_period(self) -> bool:
        """Whether what was used before the server started counts."""
        return any(
            getattr(self, f"{unit}_per_{period}") is not None for unit in ("tokens", "cost") for period in PERIODS
        )

    @property
    def given(self) -> Mapping[str, object]:
        """The limits that there are, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, ())}


NO_LIMITS: Final = KeyLimits()


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and US dollars."""

    tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, more: "Spent") -> "Spent":
        return Spent(self.tokens + more.tokens, self.cost_usd + more.cost_usd)


NOTHING: Final = Spent()


def period_at(period: Period, now: float) -> str:
    """The name of the period that contains `now`: `2026-12-01`, `2026-12`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d" if period == "day" else "%Y-%m")


def end_of(period: Period, now: float) -> float:
    """When the period that contains `now` ends, in Unix seconds."""
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return (midnight + timedelta(days=1)).timestamp()
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()


@dataclass(slots=True)
class Bucket:
    """What is left of a minute's limit. Tokens can bring it below 0, since they are known afterwards."""

    left: float
    at: float

    def refill(self, limit: int, now: float) -> None:
        """Add what has come since, up to `limit`, which may have changed."""
        self.left = min(float(limit), self.left + limit * max(0.0, now - self.at) / _MINUTE)
        self.at = now

    def seconds_until(self, level: float, limit: int) -> float:
        """The seconds until so much is left."""
        return max(0.0, (level - self.left) * _MINUTE / limit)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one limit: at most `limit`, of which `remaining`, whole again in `reset_seconds`."""

    unit: Unit
    limit: float
    remaining: float
    reset_seconds: float


@dataclass(slots=True)
class KeyUse:
    """What one name has used: its buckets, and what it has spent by the name of the period."""

    requests: Bucket | None = None
    tokens: Bucket | None = None
    spent: dict[str, Spent] = field(default_factory=dict)

    def charge(self, spent: Spent, now: float) -> None:
        """Record the tokens and the cost of an answer."""
        if self.tokens is not None:
            self.tokens.left -= spent.tokens
        for period in PERIODS:
            name = period_at(period, now)
            self.spent[name] = self.spent.get(name, NOTHING) + spent

    def admit(self, name: str, limits: KeyLimits, now: float) -> Failure | None:
        """Count a request of the key `name`, or return why it is refused."""
        self._refill(limits, now)
        for period in PERIODS:
            spent = self.spent.get(period_at(period, now), NOTHING)
            most_tokens, most_cost = getattr(limits, f"tokens_per_{period}"), getattr(limits, f"cost_per_{period}")
            if most_tokens is not None and spent.tokens >= most_tokens:
                used = f"{spent.tokens} of {most_tokens} tokens"
            elif most_cost is not None and spent.cost_usd >= most_cost:
                used = f"${spent.cost_usd:.4f} of ${most_cost:g}"
            else:
                continue
            ends_at = end_of(period, now)
            message = f"The key of {name} has used {used} of this {period}. It can be used again {_at(ends_at)}."
            return Failure(Kind.KEY_QUOTA_EXCEEDED, message, retry_after=ends_at - now)
        for unit, bucket, limit in self._minutes(limits):
            wait = bucket.seconds_until(1.0, limit)
            if wait > 0:
                message = (
                    f"The key of {name} has reached its limit of {limit} {unit} a minute. Send the request again in "
                    f"{math.ceil(wait)} s, {_at(now + wait)}."
                )
                return Failure(Kind.KEY_RATE_LIMIT_EXCEEDED, message, retry_after=wait)
        if self.requests is not None:
            self.requests.left -= 1.0
        return None

    def left(self, limits: KeyLimits, now: float) -> tuple[Left, ...]:
        """What is left of requests and of tokens: of tokens the limit that is nearest to its end, by its share."""
        self._refill(limits, now)
        found: dict[Unit, Left] = {}
        for unit, bucket, limit in self._minutes(limits):
            found[unit] = Left(unit, limit, max(0.0, bucket.left), bucket.seconds_until(limit, limit))
        for period in PERIODS:
            if (most := getattr(limits, f"tokens_per_{period}")) is not None:
                remaining = max(0, most - self.spent.get(period_at(period, now), NOTHING).tokens)
                nearest = found.get("tokens")
                if nearest is None or remaining / most < nearest.remaining / nearest.limit:
                    found["tokens"] = Left("tokens", most, remaining, end_of(period, now) - now)
        return tuple(found.values())

    def _minutes(self, limits: KeyLimits) -> list[tuple[Unit, Bucket, int]]:
        """The limits of a minute that there are, each with its bucket."""
        found: list[tuple[Unit, Bucket, int]] = []
        if self.requests is not None and limits.requests_per_minute is not None:
            found.append(("requests", self.requests, limits.requests_per_minute))
        if self.tokens is not None and limits.tokens_per_minute is not None:
            found.append(("tokens", self.tokens, limits.tokens_per_minute))
        return found

    def _refill(self, limits: KeyLimits, now: float) -> None:
        self.requests = _refilled(self.requests, limits.requests_per_minute, now)
        self.tokens = _refilled(self.tokens, limits.tokens_per_minute, now)
        current = {period_at(period, now) for period in PERIODS}
        for past in self.spent.keys() - current:
            del self.spent[past]


def _refilled(bucket: Bucket | None, limit: int | None, now: float) -> Bucket | None:
    if limit is None:
        return None
    bucket = bucket or Bucket(float(limit), now)
    bucket.refill(limit, now)
    return bucket


def _at(when: float) -> str:
    return datetime.fromtimestamp(math.ceil(when), UTC).strftime("at %Y-%m-%dT%H:%M:%SZ")


def allows_model(limits: KeyLimits, model: Model, catalogue: Catalogue) -> bool:
    """Whether a key may use `model`: one of the limit's names, in any spelling or as an alias, means it."""
    if not limits.models:
        return True
    aliases = dict(catalogue.aliases)
    return any(named((model,), aliases.get(name, name)) is not None for name in limits.models)


def model_refused(name: str, limits: KeyLimits, model: Model) -> Failure:
    """The failure of a request of the key of `name` for a model that its limits do not allow."""
    allowed = ", ".join(limits.models)
    message = f"The key of {name} may not use the model `{model.id}`. It may use: {allowed}."
    return Failure(Kind.MODEL_NOT_FOUND, message, "model")


def refused_turn(name: str, limits: KeyLimits, turns: Sequence[Turn], catalogue: Catalogue) -> Failure | None:
    """Why the key of `name` may not use the model or the profile of these turns; None if it may."""
    for turn in turns:
        if not allows_model(limits, turn.model, catalogue):
            return model_refused(name, limits, turn.model)
        profile: Profile = "agent" if turn.agent else "chat"
        if limits.profiles and profile not in limits.profiles:
            return Failure(Kind.PERMISSION_DENIED, f"The key of {name} may not use the {profile} profile.")
    return None
