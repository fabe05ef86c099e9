"""What the real Claude Code tells of an account's rate limit, and what becomes of it: without an account, nothing."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest

from claude_openai.protocols.common import rate_limits
from claude_openai.simulator import Failure, Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve
from tests.patience import PATIENCE_SECONDS

ACCOUNT = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-nobody"}

HI = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}

RESETS_IN = 7200
HALF_USED = 0.42


@pytest.fixture
async def account(serve: Serve) -> AsyncIterator[Rig]:
    """A server of its own for each test: it remembers what it was told."""
    async with serve(environment=ACCOUNT) as rig:
        yield rig


def unified(status: str, used: float = HALF_USED, **overage: str) -> dict[str, str]:
    """What upstream says to an account of its windows; the one of five hours is the tighter one."""
    resets_at = str(int(time.time()) + RESETS_IN)
    told = {
        "status": status,
        "reset": resets_at,
        "representative-claim": "five_hour",
        "5h-status": status,
        "5h-reset": resets_at,
        "5h-utilization": str(used),
        "7d-status": "allowed",
        "7d-reset": str(int(resets_at) + 86_400),
        "7d-utilization": "0.13",
        **overage,
    }
    return {f"anthropic-ratelimit-unified-{name}": value for name, value in told.items()}


def saying(**headers: str) -> Reply:
    return Reply((Text.of("hello"),), headers=headers)


def rejecting(**headers: str) -> Failure:
    return replace(Failure.of(429), headers=headers)


async def asked(rig: Rig, answer: Reply | Failure, *, stream: bool = False) -> httpx2.Response:
    rig.plays(lambda _: answer)
    return await posted(rig, [HI], stream=stream)


async def posted(rig: Rig, messages: list[dict[str, Any]], **fields: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        body = {"model": NEW_MODEL, "messages": messages, **fields}
        return await http.post(f"{rig.url}/v1/chat/completions", json=body)


def limited(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in rate_limits.HEADERS}


def soon(told: str) -> bool:
    """Whether that is the time to the end of the window, some of which has passed meanwhile."""
    return told == "2h0m0s" or told.startswith("1h59m")


@pytest.mark.proves("ratelimit.headers", "simulator.script")
async def test_an_answer_tells_how_the_account_stands_and_so_does_the_stream_after_it(account: Rig) -> None:
    whole = limited(await asked(account, saying(**unified("allowed"))))
    streamed = limited(await asked(account, saying(**unified("allowed")), stream=True))
    for told in whole, streamed:
        assert soon(told.pop("x-ratelimit-reset-requests"))
        assert told == {
            "x-ratelimit-status": "allowed",
            "x-ratelimit-window": "five_hour",
            "x-ratelimit-utilization": "0.42",
        }


@pytest.mark.proves("ratelimit.headers", "ratelimit.retry-after")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_rejection_is_a_429_that_says_when_to_come_back(account: Rig, *, stream: bool) -> None:
    answer = await asked(account, rejecting(**unified("rejected", 1)), stream=stream)
    assert answer.status_code == 429
    assert RESETS_IN - PATIENCE_SECONDS <= int(answer.headers["retry-after"]) <= RESETS_IN
    assert len(account.simulator.requests) == 1
    told = limited(answer)
    assert soon(told.pop("x-ratelimit-reset-requests"))
    assert told == {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-status": "rejected",
        "x-ratelimit-window": "five_hour",
        "x-ratelimit-utilization": "1",
    }


@pytest.mark.proves("ratelimit.headers")
async def test_a_window_that_is_used_up_at_extra_cost_is_no_rejection(account: Rig) -> None:
    in_use = {"overage-status": "allowed", "overage-in-use": "true"}
    told = limited(await asked(account, saying(**unified("rejected", 1, **in_use))))
    assert told["x-ratelimit-status"] == "overage"
    assert "x-ratelimit-remaining-requests" not in told


@pytest.mark.proves("ratelimit.headers")
async def test_what_was_told_with_a_call_is_there_with_the_answer_to_its_result(account: Rig) -> None:
    account.plays(Replies(Reply((ToolUse("clock"),), headers=unified("allowed")), saying(**unified("allowed"))))
    called = (await posted(account, [HI], tools=[TOOL])).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "noon"}
    answer = await posted(account, [HI, called, result], tools=[TOOL])
    assert answer.json()["choices"][0]["message"]["content"] == "hello"
    assert limited(answer)["x-ratelimit-status"] == "allowed"


OLDER = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
}


@pytest.mark.proves("ratelimit.headers")
@pytest.mark.parametrize("headers", [{}, OLDER], ids=["none", "those of API keys"])
async def test_an_account_that_upstream_tells_of_no_window_gets_no_header(
    account: Rig, headers: dict[str, str]
) -> None:
    await asked(account, saying(**unified("allowed")))
    assert limited(await asked(account, saying(**headers))) == {}
    rejected = await asked(account, rejecting(**headers))
    assert rejected.status_code == 429
    assert limited(rejected) == {}
    assert "retry-after" not in rejected.headers


@pytest.mark.proves("ratelimit.headers")
async def test_with_an_api_key_claude_code_tells_nothing_and_neither_do_we(rig: Rig) -> None:
    everything = {**OLDER, **unified("rejected", 1)}
    with anyio.fail_after(2 * PATIENCE_SECONDS):
        answered = await asked(rig, saying(**everything))
        rejected = await asked(rig, rejecting(**everything))
    assert (answered.status_code, rejected.status_code) == (200, 429)
    assert limited(answered) == limited(rejected) == {}
    assert "retry-after" not in rejected.headers


@pytest.mark.proves("http.health.not-ready")
async def test_health_is_not_ready_in_a_used_up_window_and_says_until_when(account: Rig) -> None:
    async with httpx2.AsyncClient() as http:
        await asked(account, rejecting(**unified("rejected", 1)))
        refused = await http.get(f"{account.url}/health")
        assert refused.status_code == 503
        assert soon_over(int(refused.headers["retry-after"]))
        told = refused.json()
        assert soon_over(told["ready_at"] - time.time())
        assert "(five_hour)" in told["reason"]
        await asked(account, saying(**unified("allowed")))
        assert (await http.get(f"{account.url}/health")).status_code == 200


def soon_over(seconds: float) -> bool:
    return RESETS_IN - 2 * PATIENCE_SECONDS <= seconds <= RESETS_IN
