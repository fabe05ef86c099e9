"""Which models there are, and what a name means."""

from dataclasses import replace

import pytest

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.failures import Kind, RequestFailed
from claude_openai.core.models import Catalogue, Model
from claude_openai.core.ports import Capabilities
from claude_openai.gateway.models import build_catalogue
from tests.claude_models import claude

OFFERED = (
    claude("opus", "claude-opus-5", listed_efforts=("low", "high")),
    claude("sonnet", "claude-sonnet-5"),
    claude("claude-opus-4-1", "claude-opus-4-1"),
)


def made(
    *, override: tuple[str, ...] = (), aliases: tuple[tuple[str, str], ...] = (), agents: bool = False
) -> Catalogue:
    return build_catalogue(
        OFFERED,
        default="sonnet",
        aliases=aliases,
        override=override,
        capabilities=Capabilities(agent=agents, model_facts=facts_of),
    )


def refusal(models: Catalogue, name: str) -> str:
    with pytest.raises(RequestFailed) as caught:
        models.resolve(name)
    assert caught.value.failure.kind is Kind.MODEL_NOT_FOUND
    assert caught.value.failure.param == "model"
    return caught.value.failure.message


@pytest.mark.proves("models.list")
def test_each_model_is_listed_once_under_claude_codes_name_and_once_as_an_agent() -> None:
    twice = (*OFFERED, Model("claude-opus-5", "claude-opus-5"))
    plain = ["opus", "sonnet", "claude-opus-4-1"]
    assert [
        model.id
        for model in build_catalogue(
            twice, default="opus", aliases=(), override=(), capabilities=Capabilities()
        ).listed()
    ] == plain
    with_alias = made(agents=True, aliases=(("gpt-4o", "sonnet"),))
    assert [model.id for model in with_alias.listed()] == [*plain, "gpt-4o", *(f"{name}-agent" for name in plain)]


@pytest.mark.parametrize(
    "name",
    [
        *("sonnet", "Sonnet", "claude-sonnet", "claude-sonnet-5", "CLAUDE-SONNET-5", "sonnet:latest"),
        *("anthropic/claude-sonnet-5", "claude-code/sonnet", "openrouter/anthropic/claude-sonnet-5:beta"),
        *("us.anthropic.claude-sonnet-5-v1:0", "bedrock/anthropic.claude-sonnet-5-v2:0:200k", "vertex_ai/sonnet"),
        *("claude-sonnet-5@default", "eu.anthropic.claude-sonnet-5"),
    ],
)
def test_every_spelling_of_a_models_name_means_it(name: str) -> None:
    assert made().resolve(name) == Model("sonnet", "claude-sonnet-5")
    assert made(agents=True).resolve(f"{name}-agent") == Model("sonnet", "claude-sonnet-5", agent=True)
    assert made(override=("sonnet",)).resolve(name) == Model("sonnet", "claude-sonnet-5")


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
        ("Claude-Opus-9[1M]", "claude-opus-9[1m]"),
    ],
)
def test_a_spelling_of_a_model_that_is_not_listed_is_passed_on_as_anthropics_id(name: str, passed: str) -> None:
    assert made().resolve(name) == Model(passed, passed)


@pytest.mark.parametrize("name", ["sonnet[1m]", "claude-sonnet[1m]", "anthropic/claude-sonnet-5[1M]"])
def test_the_large_window_can_be_asked_for_where_it_is_not_listed(name: str) -> None:
    assert made().resolve(name) == Model("sonnet[1m]", "claude-sonnet-5[1m]")
    assert "`sonnet[1m]`" in refusal(made(override=("sonnet",)), "sonnet[1m]")


@pytest.mark.parametrize(
    ("offered", "name"),
    [
        ("us.anthropic.claude-opus-5-v1:0", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("claude-opus-5@20260101", "claude-sonnet-4-5@20250929"),
    ],
)
def test_where_claude_code_has_another_providers_ids_those_are_passed_on_as_they_are(offered: str, name: str) -> None:
    models = build_catalogue(
        (Model("opus", offered),), default="opus", aliases=(), override=(), capabilities=Capabilities()
    )
    assert models.resolve(name) == Model(name, name)
    assert models.resolve("claude-opus-5@20260101" if "@" in offered else "claude-opus-5").resolved == offered


def test_no_name_is_the_default_model() -> None:
    assert made().resolve(None).id == "sonnet"


def test_a_full_id_that_is_not_listed_is_passed_on() -> None:
    assert made().resolve("claude-sonnet-4-5-20250929") == Model(
        "claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"
    )


def test_an_unknown_name_names_what_exists() -> None:
    message = refusal(made(aliases=(("gpt-4o", "sonnet"),)), "gpt-5")
    assert "`gpt-5`" in message
    assert "Available: opus, sonnet, claude-opus-4-1, gpt-4o." in message
    assert "--model-alias gpt-5=sonnet" in message
    assert "--model-alias gpt-4o=sonnet" in refusal(made(), "no name; at all")


def test_an_alias_stands_for_its_model_and_is_listed() -> None:
    models = made(aliases=(("gpt-4o", "opus"), ("gpt-4o-mini", "claude-haiku-9")))
    assert models.resolve("gpt-4o").resolved == "claude-opus-5"
    assert models.resolve("gpt-4o-mini").resolved == "claude-haiku-9"
    assert [model.id for model in models.listed()][-2:] == ["gpt-4o", "gpt-4o-mini"]
    assert models.resolve("openai/GPT-4o") == models.resolve("gpt-4o")


@pytest.mark.proves("models.list.override")
def test_an_override_is_all_there_is() -> None:
    models = made(override=("sonnet", "my-gateway/model"))
    assert [(model.id, model.resolved) for model in models.listed()] == [
        ("sonnet", "claude-sonnet-5"),
        ("my-gateway/model", None),
    ]
    refusal(models, "claude-opus-5")


def test_an_alias_with_a_models_name_is_listed_once_and_wins() -> None:
    models = made(aliases=(("sonnet", "opus"),))
    assert [model.id for model in models.listed()].count("sonnet") == 1
    assert models.resolve("sonnet").resolved == "claude-opus-5"


def test_an_alias_of_nothing_is_told_by_the_name_of_what_it_stands_for() -> None:
    with pytest.raises(RequestFailed, match="`nope`"):
        made(aliases=(("gpt", "nope"),)).listed()


@pytest.mark.proves("agent.chosen")
def test_every_name_exists_once_more_for_the_agent_profile() -> None:
    models = made(agents=True, aliases=(("gpt-4o", "sonnet"), ("coder", "opus-agent")))
    plain = [model.id for model in models.listed() if not model.agent]
    agents = [model.id for model in models.listed() if model.agent]
    assert agents == ["coder", "opus-agent", "sonnet-agent", "claude-opus-4-1-agent"]
    for name in agents:
        assert models.resolve(name).agent
    for name in plain:
        assert models.resolve(f"{name}-agent") == replace(models.resolve(name), agent=True)
    assert models.resolve("coder") == Model("opus", "claude-opus-5", agent=True)


@pytest.mark.proves("agent.chosen")
def test_a_full_id_that_is_not_listed_can_be_an_agents_too() -> None:
    assert made(agents=True).resolve("claude-opus-9-agent") == Model("claude-opus-9", "claude-opus-9", agent=True)


@pytest.mark.proves("agent.chosen", "models.list.override")
def test_an_owner_can_offer_a_model_for_the_agent_profile_alone() -> None:
    models = made(agents=True, override=("sonnet-agent",))
    assert [model.id for model in models.listed()] == ["sonnet-agent"]
    assert models.resolve("sonnet-agent") == Model("sonnet-agent", "claude-sonnet-5", agent=True)
    assert "sonnet" in refusal(models, "sonnet")


@pytest.mark.proves("agent.chosen")
@pytest.mark.parametrize("name", ["sonnet-agent", "gpt-5-agent", "-agent", "sonnet-agent-agent"])
def test_a_name_with_nothing_behind_it_is_unknown(name: str) -> None:
    models = made(agents=name != "sonnet-agent")
    assert f"`{name}`" in refusal(models, name)


def test_a_model_that_is_not_listed_has_the_facts_that_the_backend_declares() -> None:
    models = made(aliases=(("fast", "claude-haiku-4-5"),), agents=True)
    for name in ("claude-haiku-4-5", "fast", "claude-haiku-4-5-agent"):
        assert models.resolve(name).facts == facts_of("claude-haiku-4-5")
    large = models.resolve("opus[1m]").facts
    assert large == facts_of("claude-opus-5[1m]", listed_efforts=("low", "high"))
    for name in ("my-gateway/claude", "claude-haiku-4-5"):
        assert made(override=(name,)).resolve(name).facts == facts_of(name)
    assert made(override=("claude-haiku-4-5-agent",), agents=True).resolve("claude-haiku-4-5-agent").facts == facts_of(
        "claude-haiku-4-5"
    )
