"""Who Claude Code says is signed in, where `/login` has stored a login."""

import json
import time
from pathlib import Path

import pytest

from claude_openai.backends.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.testing import Reply, Simulator
from claude_openai.testing.conformance import TURN

pytestmark = pytest.mark.anyio

STORED = {
    "claudeAiOauth": {
        "accessToken": "sk-ant-oat01-nobody",
        "refreshToken": "sk-ant-ort01-nobody",
        "expiresAt": int(time.time() * 1000) + 3_600_000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
}


@pytest.mark.proves("start.login-kinds")
async def test_a_login_that_was_stored_is_known_and_answers(
    tmp_path: Path, upstream: tuple[Simulator, dict[str, str]]
) -> None:
    simulator, login = upstream
    simulator.script = lambda _: Reply.of("kiwi")
    stored = tmp_path / ".credentials.json"
    stored.write_text(json.dumps(STORED), "utf-8")
    stored.chmod(0o600)
    signed_in = {name: value for name, value in login.items() if name != "ANTHROPIC_API_KEY"}
    backend = SdkBackend(SdkSettings(str(bundled_cli()), {**signed_in, "CLAUDE_CONFIG_DIR": str(tmp_path)}))
    assert (await backend.describe()).login.method == "Claude account (Claude Max)"
    simulator.requests.clear()
    async with backend.open(TURN) as session:
        assert [event async for event in session.events()]
    assert simulator.requests[-1].headers["authorization"] == "Bearer sk-ant-oat01-nobody"
