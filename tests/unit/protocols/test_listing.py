"""What the list tells of a model: only what is known of it."""

import pytest
from openai.types import Model as OpenAiModel

from claude_openai.core.models import Model
from claude_openai.protocols.models.listing import model_object
from tests.claude_models import claude


@pytest.mark.parametrize(
    ("model", "window", "most"),
    [
        (claude("opus", "claude-opus-5-5"), 1_000_000, 128_000),
        (claude("claude-opus-4-7", "claude-opus-4-7"), 1_000_000, 128_000),
        (claude("claude-sonnet-4-6", "claude-sonnet-4-6"), 200_000, 128_000),
        (claude("claude-haiku-4-5", "claude-haiku-4-5"), 200_000, 64_000),
        (claude("sonnet[1m]", "claude-sonnet-4-5[1m]"), 1_000_000, 64_000),
        (claude("sonnet[1m]"), 1_000_000, None),
        (claude("claude-opus-4-1", "claude-opus-4-1"), 200_000, 32_000),
        (claude("claude-sonnet-4-20250514", "claude-sonnet-4-20250514"), 200_000, 64_000),
        (claude("my-gateway/model"), 200_000, None),
    ],
)
def test_the_context_window_and_the_longest_answer_are_those_that_claude_code_reckons_with(
    model: Model, window: int, most: int | None
) -> None:
    told = model_object(model, "any")
    assert {told.context_length, told.context_window, told.max_model_len, told.top_provider.context_length} == {window}
    assert (told.max_completion_tokens, told.top_provider.max_completion_tokens) == (most, most)


def test_a_parameter_is_listed_where_the_model_takes_it() -> None:
    older, newer = claude("a", "claude-haiku-4-5"), claude("b", "claude-opus-5-5", listed_efforts=("low",))
    without = claude("c", "claude-opus-5-5", listed_efforts=())
    assert {"temperature", "tools"} < set(model_object(older, "a").supported_parameters)
    assert set(model_object(newer, "b").supported_parameters) & {"temperature", "reasoning_effort"} == {
        "reasoning_effort"
    }
    assert "reasoning_effort" not in model_object(without, "c").supported_parameters
    assert {"reasoning", "include_reasoning", "structured_outputs"} < set(
        model_object(without, "c").supported_parameters
    )


def test_an_agent_gives_one_answer_and_a_model_without_levels_has_no_effort() -> None:
    agent = model_object(claude("a", "claude-haiku-4-5", agent=True), "a-agent").supported_parameters
    assert not {"n", "reasoning_effort"} & set(agent)


def test_tools_are_listed_where_a_client_may_offer_them() -> None:
    without = model_object(claude("a", "claude-haiku-4-5"), "a", tools=False).supported_parameters
    assert not any("tool" in parameter for parameter in without)
    assert {"temperature", "response_format"} < set(without)


def test_a_model_has_claude_codes_words_and_no_price_that_is_not_known() -> None:
    told = model_object(claude("opus", display_name="Opus", description="For hard tasks", agent=True), "opus-agent")
    assert (told.id, told.name, told.description) == ("opus-agent", "Opus (agent)", "For hard tasks")
    assert "pricing" not in told.to_json()
    assert "description" not in model_object(claude("opus"), "opus").to_json()


def test_an_entry_is_a_model_as_openais_own_package_reads_it() -> None:
    read = OpenAiModel.model_validate_json(model_object(claude("sonnet"), "sonnet").to_json(), strict=True)
    assert (read.id, read.object, read.created, read.owned_by) == ("sonnet", "model", 0, "anthropic")
