"""Who Claude Code says is signed in, where `/login` has stored a login."""

import json
import time
from pathlib import Path
from typing import Any

import anyio
import httpx2
import openai
import pytest

from claude_openai.claude_code.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.core.events import TurnFailed
from claude_openai.core.failures import Kind
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions
from claude_openai.simulator import CREDIT_BALANCE, Failure, RecordedRequest, Reply, Simulator
from claude_openai.testing.backend_conformance import TURN
from claude_openai.testing.batches import each_event
from tests.claude_code.conftest import Rig, Serve
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

STORED = {
    "claudeAiOauth": {
        "accessToken": "sk-ant-oat01-nobody",
        "refreshToken": None,
        "expiresAt": int(time.time() * 1000) + 3_600_000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
}


def store(folder: Path, token: str) -> Path:
    """What `/login` leaves there; without a refresh token, so that nobody is asked for a new one."""
    account = {**STORED["claudeAiOauth"], "accessToken": token}
    stored = folder / ".credentials.json"
    stored.write_text(json.dumps({"claudeAiOauth": account}), "utf-8")
    stored.chmod(0o600)
    return stored


def stored_backend(folder: Path, login: dict[str, str], **settings: Any) -> SdkBackend:
    signed_in = {name: value for name, value in login.items() if name != "ANTHROPIC_API_KEY"}
    return SdkBackend(SdkSettings(str(bundled_cli()), {**signed_in, "CLAUDE_CONFIG_DIR": str(folder)}, **settings))


@pytest.mark.proves("start.login")
async def test_a_login_that_was_stored_is_known_and_answers(
    tmp_path: Path, upstream: tuple[Simulator, dict[str, str]]
) -> None:
    simulator, login = upstream
    simulator.script = lambda _: Reply.of("kiwi")
    store(tmp_path, "sk-ant-oat01-nobody")
    backend = stored_backend(tmp_path, login)
    assert (await backend.describe()).login.method == "Claude account (Claude Max)"
    simulator.requests.clear()
    async with backend.open(TURN) as session:
        assert [event async for event in each_event(session.events())]
    assert simulator.requests[-1].headers["authorization"] == "Bearer sk-ant-oat01-nobody"


def takes_only(token: str, request: RecordedRequest) -> Reply | Failure:
    return Reply.of("kiwi") if request.headers["authorization"] == f"Bearer {token}" else Failure.of(401)


@pytest.mark.proves("http.health.not-ready")
async def test_a_login_that_expired_was_removed_or_renewed_is_known_without_a_restart(
    tmp_path: Path, upstream: tuple[Simulator, dict[str, str]]
) -> None:
    simulator, login = upstream
    simulator.script = lambda request: takes_only("sk-ant-oat01-new", request)
    store(tmp_path, "sk-ant-oat01-old")
    async with anyio.create_task_group() as tasks:
        backend = stored_backend(tmp_path, login, warm_processes=1, max_retries=0)
        tasks.start_soon(backend.run)
        gateway = Gateway(backend, tasks, GatewayLimits(ask_again=0), ModelOptions())

        async def ready() -> bool:
            return gateway.outage(await gateway.description()) is None

        async def answered() -> bool:
            async with gateway.open(TURN) as events:
                last = [event async for event in each_event(events)][-1]
            if isinstance(last, TurnFailed):
                assert last.failure.kind is Kind.NOT_LOGGED_IN
            return not isinstance(last, TurnFailed)

        with anyio.fail_after(3 * PATIENCE_SECONDS):
            assert await ready()  # nothing is known yet but Claude Code's word
            assert not await answered()
            assert not await ready()
            store(tmp_path, "sk-ant-oat01-new")
            assert await ready()
            assert await answered()
            (tmp_path / ".credentials.json").unlink()
            assert not await answered()
            assert not await ready()
            store(tmp_path, "sk-ant-oat01-new")
            assert await ready()
            assert await answered()
        tasks.cancel_scope.cancel()


async def health(rig: Rig) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.get(f"{rig.url}/health")


@pytest.mark.proves("http.health.not-ready")
@pytest.mark.parametrize(("answer", "reason"), [(Failure.of(401), "claude auth login"), (CREDIT_BALANCE, "credit")])
async def test_an_account_that_upstream_refuses_is_not_ready_until_it_is_answered_again(
    serve: Serve, answer: Failure, reason: str
) -> None:
    async with serve() as rig:
        rig.plays(lambda _: answer)
        assert (await health(rig)).status_code == 200
        with pytest.raises(openai.APIStatusError):
            await rig.said("hi")
        refused = await health(rig)
        assert refused.status_code == 503
        assert reason in refused.json()["reason"]
        rig.plays(lambda _: Reply.of("kiwi"))
        assert await rig.said("hi") == "kiwi"
        assert (await health(rig)).status_code == 200
