"""`GET /health`: whether requests can be answered, for anyone who asks."""

from dataclasses import replace

import pytest

from claude_openai.core.events import RateLimitReported, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.ports import Login
from claude_openai.testing.scripted_backend import DESCRIPTION
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO

LOGGED_OUT = replace(DESCRIPTION, login=Login(None))


@pytest.mark.proves("http.health")
async def test_a_server_that_is_ready_says_what_it_is_and_wants_no_key(serve: Serve) -> None:
    served = serve(keys=("sk-secret",))
    answer = await served.client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "ready": True,
        "version": "1.2.3",
        "backend": {"name": "Scripted", "version": "1.0"},
        "reason": None,
        "ready_at": None,
        "simulated": False,
        "uptime": 0,
        "runs": {"queued": 0, "running": 0, "parked": 0, "completed": 0, "failed": 0, "cancelled": 0},
        "queue": {"running": 0, "waiting": 0},
        "processes": {"answering": 0, "resting": 0, "parked": 0, "ending": 0, "warm": 0},
        "warm_pool": {"wanted": 0, "ready": 0, "bounded_by": None},
        "turns": {},
        "rebuilt_because": {},
    }


@pytest.mark.proves("http.health.not-ready")
async def test_a_missing_login_is_the_reason_together_with_what_mends_it(serve: Serve) -> None:
    served = serve(description=LOGGED_OUT)
    answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["ready"]) == ("unavailable", False)
    assert "claude auth login" in answer.json()["reason"]


@pytest.mark.proves("http.health.not-ready", "http.health")
async def test_a_backend_that_cannot_start_is_the_reason_without_the_path_that_failed(serve: Serve) -> None:
    served = serve(description=Failure(Kind.CLAUDE_CODE_FAILED, "No such file: /home/ada/bin/claude"))
    answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["backend"] is None
    assert "could not be started" in answer.json()["reason"]
    assert "ada" not in answer.text


@pytest.mark.proves("http.health")
async def test_neither_key_nor_account_is_told(serve: Serve) -> None:
    description = replace(DESCRIPTION, login=Login("account of ada@example.com"))
    served = serve(description=description, keys=("sk-secret",))
    answer = await served.client.get("/health")
    assert not any(secret in answer.text for secret in ("sk-secret", "ada"))


@pytest.mark.proves("simulate.loud")
async def test_simulated_answers_are_told(serve: Serve) -> None:
    served = serve(simulated=True)
    assert (await served.client.get("/health")).json()["simulated"] is True


@pytest.mark.proves("http.health")
async def test_the_status_alone_can_be_asked_for(serve: Serve) -> None:
    served = serve(description=LOGGED_OUT)
    answer = await served.client.head("/health")
    assert (answer.status_code, answer.content) == (503, b"")


NOT_BEFORE = 1_795_398_000.0
WINDOW = RateLimitReported("rejected", "five_hour", 1.0, NOT_BEFORE)
LIMITED = TurnFailed(Failure(Kind.RATE_LIMITED, "Upstream's rate limit"))


@pytest.mark.proves("http.health.not-ready")
async def test_a_used_up_window_is_the_reason_with_the_time_of_its_end(serve: Serve) -> None:
    served = serve((WINDOW, LIMITED), wall_clock=lambda: NOT_BEFORE - 90.5, now=lambda: int(NOT_BEFORE) - 91)
    assert (await served.client.get("/health")).json()["ready_at"] is None
    await served.client.post(CHAT, json=HELLO)
    answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "91"
    told = answer.json()
    assert (told["status"], told["ready"], told["ready_at"]) == ("unavailable", False, NOT_BEFORE)
    assert told["backend"] is not None
    assert "five_hour" in told["reason"]


@pytest.mark.proves("http.health.not-ready", "http.health")
async def test_a_login_that_upstream_refuses_is_the_reason_in_our_own_words(serve: Serve) -> None:
    refused = TurnFailed(Failure(Kind.NOT_LOGGED_IN, "invalid x-api-key sk-ant-secret"))
    served = serve((refused,))
    assert (await served.client.post(CHAT, json=HELLO)).status_code == 401
    answer = await served.client.get("/health")
    assert answer.status_code == 503
    assert "retry-after" not in answer.headers
    assert "claude auth login" in answer.json()["reason"]
    assert "sk-ant" not in answer.text
