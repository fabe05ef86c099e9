"""Whether upstream lets the account in, by what the last turns met."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio
import pytest
import trio

from claude_openai.core.events import Event, RateLimitReported, TextDelta, TurnFailed, TurnFinished, TurnStarted
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.ports import Description, Login
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions
from claude_openai.gateway.upstream import BELIEVED_SECONDS, UpstreamHealth
from claude_openai.testing.scripted_backend import DESCRIPTION, ScriptedBackend
from tests.unit.gateway.test_gateway import events_of
from tests.virtual_clock import on_virtual_clock

NOW = 1_795_390_800.0
LOGIN = Login("Claude account (Claude Max)", stored_at=NOW - 3600)
STARTED, DONE = TurnStarted("sonnet", "session"), TurnFinished("stop")
REFUSED = TurnFailed(Failure(Kind.NOT_LOGGED_IN, "refused"))
USED_UP = RateLimitReported("rejected", "five_hour", 1.0, NOW + 7200)


def after(*events: Event) -> UpstreamHealth:
    health = UpstreamHealth()
    for event in events:
        health.note(event, NOW)
    return health


def test_a_login_that_upstream_refused_counts_until_an_answer_begins() -> None:
    health = after(REFUSED)
    outage = health.outage(LOGIN, NOW + 1)
    assert outage is not None
    assert "refused" in outage.reason
    assert "claude auth login" in outage.reason
    assert outage.until is None
    health.note(STARTED, NOW + 2)
    assert health.outage(LOGIN, NOW + 2) is None


def test_a_login_that_was_stored_after_the_refusal_is_another_one() -> None:
    health = after(REFUSED)
    health.learn(replace(LOGIN, stored_at=NOW + 1))
    assert health.outage(LOGIN, NOW + 2) is None


def test_a_login_that_was_gone_and_is_back_is_another_one() -> None:
    health = after(REFUSED)
    health.learn(Login(None))
    assert health.outage(Login(None), NOW + 1) is not None
    health.learn(LOGIN)
    assert health.outage(LOGIN, NOW + 2) is None


@pytest.mark.parametrize("kind", [Kind.NOT_LOGGED_IN, Kind.INSUFFICIENT_QUOTA])
def test_what_nothing_confirms_is_not_believed_for_ever(kind: Kind) -> None:
    health = after(TurnFailed(Failure(kind, "no")))
    assert health.outage(LOGIN, NOW + BELIEVED_SECONDS - 1) is not None
    assert health.outage(LOGIN, NOW + BELIEVED_SECONDS) is None


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.NOT_LOGGED_IN, Kind.INSUFFICIENT_QUOTA}))
def test_what_one_request_met_is_no_outage(kind: Kind) -> None:
    assert after(TurnFailed(Failure(kind, "no", retry_after=30))).outage(LOGIN, NOW) is None


def test_a_usage_window_that_is_used_up_is_an_outage_until_its_end() -> None:
    health = after(USED_UP, TurnFailed(Failure(Kind.RATE_LIMITED, "no", retry_after=7200)))
    outage = health.outage(LOGIN, NOW + 1)
    assert outage is not None
    assert outage.until == NOW + 7200
    assert "(five_hour)" in outage.reason
    assert "until 2026-11-23T01:40:00Z" in outage.reason
    assert health.outage(LOGIN, NOW + 7200) is None


@pytest.mark.parametrize("event", [STARTED, RateLimitReported("allowed", "five_hour"), RateLimitReported("overage")])
def test_a_window_is_open_again_where_an_answer_begins_or_upstream_says_so(event: Event) -> None:
    assert after(USED_UP, event).outage(LOGIN, NOW) is None


@pytest.mark.parametrize(
    "report",
    [replace(USED_UP, window="seven_day_opus"), replace(USED_UP, resets_at=None), replace(USED_UP, status="overage")],
    ids=["one model's", "without an end", "at extra cost"],
)
def test_a_window_that_stops_only_some_requests_or_has_no_end_is_no_outage(report: RateLimitReported) -> None:
    assert after(report).outage(LOGIN, NOW) is None


# The gateway asks again.


@dataclass
class Account:
    """What Claude Code says of its login, and how often it was asked."""

    login: Login = field(default_factory=lambda: LOGIN)
    asked: int = 0


class SignedIn(ScriptedBackend):
    def __init__(self, account: Account, *scripts: list[Event]) -> None:
        super().__init__(*scripts)
        self.account = account

    async def describe(self) -> Description:
        self.account.asked += 1
        return replace(DESCRIPTION, login=self.account.login)


@asynccontextmanager
async def gateway(backend: ScriptedBackend) -> AsyncIterator[Gateway]:
    began = trio.current_time()
    async with anyio.create_task_group() as tasks:
        yield Gateway(backend, tasks, GatewayLimits(), ModelOptions(), now=lambda: NOW + trio.current_time() - began)
        tasks.cancel_scope.cancel()


async def ready(opened: Gateway) -> bool:
    return opened.outage(await opened.description()) is None


@on_virtual_clock
async def test_a_refused_login_is_asked_for_again_at_most_every_quarter_of_a_minute() -> None:
    account = Account()
    async with gateway(SignedIn(account, [REFUSED])) as opened:
        assert await ready(opened)
        await anyio.sleep(60)
        await events_of(opened)
        for _ in range(120):
            assert not await ready(opened)
            await anyio.sleep(1)
        assert 8 <= account.asked <= 10
        account.login = replace(LOGIN, stored_at=NOW + 180)
        await anyio.sleep(15)
        assert await ready(opened)
        asked = account.asked
        await anyio.sleep(60)
        assert await ready(opened)
        assert account.asked == asked


@on_virtual_clock
async def test_a_login_that_was_removed_is_known_once_a_turn_met_it_and_its_return_without_another() -> None:
    account = Account()
    async with gateway(SignedIn(account, [REFUSED])) as opened:
        assert await ready(opened)
        account.login = Login(None)
        await anyio.sleep(20)
        await events_of(opened)
        assert not await ready(opened)
        assert not (await opened.description()).login.ready
        account.login = LOGIN
        await anyio.sleep(15)
        assert await ready(opened)


@on_virtual_clock
async def test_no_request_waits_until_claude_code_was_asked_again() -> None:
    account = Account()
    async with gateway(SignedIn(account, [REFUSED])) as opened:
        await opened.catalogue()
        await events_of(opened)
        await anyio.sleep(60)
        await opened.catalogue()
        assert account.asked == 1


@on_virtual_clock
async def test_an_answer_proves_the_login_at_once() -> None:
    async with gateway(SignedIn(Account(), [REFUSED], [STARTED, TextDelta("a"), DONE])) as opened:
        await events_of(opened)
        assert not await ready(opened)
        await events_of(opened)
        assert await ready(opened)
