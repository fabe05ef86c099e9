"""Who is signed in, from what Claude Code 2.1.332 replied (measured, with made-up credentials)."""

import pytest

from claude_openai.claude_code.stream_json.account import login_of, models_of
from claude_openai.core.models import EFFORTS, Model


@pytest.mark.parametrize(
    ("account", "method"),
    [
        ({"tokenSource": "none", "apiProvider": "firstParty"}, None),
        ({}, None),
        ({"subscriptionType": "Claude Max", "apiProvider": "firstParty"}, "Claude account (Claude Max)"),
        ({"email": "a@b.c", "organization": "O", "subscriptionType": "Claude API"}, "Claude account (Claude API)"),
        ({"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN"}, "Claude account (CLAUDE_CODE_OAUTH_TOKEN)"),
        ({"tokenSource": "none", "apiKeySource": "/login managed key"}, "API key (/login managed key)"),
        ({"tokenSource": "none", "apiKeySource": "ANTHROPIC_API_KEY"}, "API key (ANTHROPIC_API_KEY)"),
        ({"apiProvider": "bedrock"}, "Amazon Bedrock"),
    ],
)
def test_each_kind_of_login_is_told_by_its_name(account: dict[str, str], method: str | None) -> None:
    login = login_of({"account": account}, {})
    assert login.method == method
    assert login.is_subscription is (
        method in {"Claude account (Claude Max)", "Claude account (CLAUDE_CODE_OAUTH_TOKEN)"}
    )


def test_a_bearer_token_shows_in_the_environment_only() -> None:
    environment = {"ANTHROPIC_AUTH_TOKEN": "any"}
    assert login_of({"account": {"tokenSource": "none"}}, environment).method == "bearer token (ANTHROPIC_AUTH_TOKEN)"


def test_what_claude_code_lists_of_a_model_is_known() -> None:
    levels = ["low", "medium", "high", "xhigh", "max"]
    entry = {"value": "opus", "resolvedModel": "claude-opus-9", "displayName": "Opus", "description": "Big"}
    taking = {"supportsEffort": True, "supportedEffortLevels": [*levels, "ultra"], "supportsThinkingOff": True}
    listed = [{"value": "default"}, {**entry, **taking}, {"value": "old", "supportsEffort": False}, {"value": "bare"}]
    models = models_of({"models": listed})
    assert models == (Model("opus", "claude-opus-9", "Opus", description="Big"), Model("old"), Model("bare"))
    assert [model.facts.efforts for model in models] == [EFFORTS, (), EFFORTS[1:]]
