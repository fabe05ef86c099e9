"""How the account stands with upstream's rate limit, in the headers of answers."""

from collections.abc import Iterable

import httpx2
import pytest

from claude_openai.core.events import RateLimitReported, TextDelta, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.protocols.common import rate_limits
from claude_openai.testing.scripted_backend import Step
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, STREAMED, USED, Served, said

NOW = 1_700_000_000
WARNING = RateLimitReported("allowed_warning", "five_hour", 0.92, NOW + 3600)
REJECTED = RateLimitReported("rejected", "five_hour", 1.0, NOW + 90)
REFUSED = TurnFailed(Failure(Kind.RATE_LIMITED, "Later."))
TOLD = {
    "x-ratelimit-reset-requests": "1h0m0s",
    "x-ratelimit-status": "allowed_warning",
    "x-ratelimit-window": "five_hour",
    "x-ratelimit-utilization": "0.92",
}
WARNED = (STARTED, TextDelta("Hi"), WARNING, USED, FINISHED)


def limited(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in rate_limits.HEADERS}


def served(serve: Serve, *scripts: Iterable[Step], now: int = NOW) -> Served:
    return serve(*scripts, now=lambda: now)


@pytest.mark.proves("ratelimit.headers")
async def test_a_whole_answer_has_the_limit_that_its_own_turn_reported(serve: Serve) -> None:
    answer = await served(serve, WARNED).chat()
    assert limited(answer) == TOLD
    assert "retry-after" not in answer.headers


@pytest.mark.proves("ratelimit.headers")
async def test_a_stream_has_the_limit_that_an_earlier_turn_reported(serve: Serve) -> None:
    server = served(serve, WARNED, said("Ho"))
    assert limited(await server.chat(STREAMED)) == {}
    assert limited(await server.chat(STREAMED)) == TOLD


@pytest.mark.proves("ratelimit.headers")
@pytest.mark.parametrize("kind", [Kind.UPSTREAM_ERROR, Kind.OVERLOADED])
async def test_a_failure_has_it_too(serve: Serve, kind: Kind) -> None:
    server = served(serve, WARNED, [TurnFailed(Failure(kind, "No."))])
    await server.chat()
    assert limited(await server.chat()) == TOLD


@pytest.mark.proves("ratelimit.headers", "ratelimit.retry-after")
@pytest.mark.parametrize("body", [HELLO, STREAMED])
async def test_a_rejection_is_a_429_that_says_when_to_come_back(serve: Serve, body: dict[str, object]) -> None:
    answer = await served(serve, [REJECTED, REFUSED]).chat(body)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "90"
    assert limited(answer) == {
        "x-ratelimit-reset-requests": "1m30s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-status": "rejected",
        "x-ratelimit-window": "five_hour",
        "x-ratelimit-utilization": "1",
    }


@pytest.mark.proves("ratelimit.retry-after")
async def test_a_time_that_the_failure_itself_has_goes_before(serve: Serve) -> None:
    failure = Failure(Kind.QUEUE_FULL, "Later.", retry_after=2)
    answer = await served(serve, [REJECTED, TurnFailed(failure)]).chat()
    assert answer.headers.get_list("retry-after") == ["2"]


@pytest.mark.proves("ratelimit.headers")
@pytest.mark.parametrize("body", [HELLO, STREAMED])
async def test_without_a_report_there_is_no_such_header(serve: Serve, body: dict[str, object]) -> None:
    assert limited(await served(serve, said("Hi")).chat(body)) == {}


@pytest.mark.proves("ratelimit.headers")
async def test_a_limit_is_forgotten_when_its_window_is_over(serve: Serve) -> None:
    assert limited(await served(serve, WARNED, now=NOW + 3600).chat()) == {}


@pytest.mark.proves("ratelimit.headers")
async def test_a_web_page_can_read_them(serve: Serve) -> None:
    origin = "https://app.example"
    server = serve(WARNED, now=lambda: NOW, allowed_origins=(origin,))
    answer = await server.client.post(CHAT, json=HELLO, headers={"origin": origin})
    readable = answer.headers["access-control-expose-headers"].split(", ")
    assert set(TOLD) <= set(readable)
