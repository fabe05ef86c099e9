"""Every parameter is carried, reported or refused, as the table says; and the documentation says the same."""

import json
from typing import Any, get_type_hints

import pytest
from openai.types.chat import completion_create_params

from claude_openai.core.failures import Kind
from claude_openai.core.models import Effort
from claude_openai.core.turn import Sampling
from claude_openai.protocols.chat_completions.parameters import PARAMETERS
from claude_openai.protocols.chat_completions.wire import ChatCompletionRequest
from claude_openai.protocols.common.parameter_checks import markdown_table
from claude_openai.protocols.common.shared_parameters import Parameter
from tests.repository import ROOT
from tests.unit.protocols.chat_completions.asking import OPUS, SONNET, reading, refusal

DOCUMENTATION = ROOT / "docs" / "reference" / "parameters.md"

IN_EFFECT: dict[str, object] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "metadata": {"a": "b"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "omni-moderation-latest"},
    "prediction": {"type": "content", "content": "a"},
    "presence_penalty": -0.5,
    "prompt_cache_key": "a",
    "prompt_cache_options": {"mode": "explicit"},
    "prompt_cache_retention": "24h",
    "safety_identifier": "a",
    "seed": 0,
    "service_tier": "flex",
    "store": True,
    "top_logprobs": 2,
    "user": "a",
    "verbosity": "low",
    "web_search_options": {},
}
"""For each parameter that is ignored or refused a value that asks for something."""

IGNORED = [row.name for row in PARAMETERS if row.treatment == "ignored"]
REFUSED = [row.name for row in PARAMETERS if row.treatment == "refused"]


@pytest.mark.proves("params.all-decided")
def test_every_parameter_that_openai_documents_has_a_row() -> None:
    documented = get_type_hints(completion_create_params.CompletionCreateParamsStreaming)
    others = ("claude", "reasoning", "include_reasoning")  # ours, and OpenRouter's
    assert sorted(row.name for row in PARAMETERS) == sorted([*documented, *others])


@pytest.mark.proves("params.all-decided")
def test_every_row_is_a_field_of_the_request() -> None:
    assert {row.name for row in PARAMETERS} == set(ChatCompletionRequest.model_fields)


@pytest.mark.proves("params.all-decided")
def test_a_value_in_effect_is_known_for_each_parameter_without() -> None:
    assert sorted(IN_EFFECT) == sorted(IGNORED + REFUSED)


@pytest.mark.proves("params.refused")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused_by_name(name: str) -> None:
    failure = refusal(**{name: IN_EFFECT[name]})
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED_PARAMETER, name)
    assert name in failure.message


@pytest.mark.proves("params.ignored")
@pytest.mark.parametrize("name", IGNORED)
def test_what_has_no_effect_is_reported_by_name(name: str) -> None:
    assert reading(**{name: IN_EFFECT[name]}).ignored == (name,)


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.unless], ids=lambda row: row.name)
def test_a_value_that_asks_for_nothing_passes_without_a_word(row: Parameter) -> None:
    for value in row.unless:
        assert reading(**{row.name: value}) == reading()


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_null_is_the_same_as_absence(row: Parameter) -> None:
    if row.name != "messages":
        assert reading(**{row.name: None}) == reading()


def test_unknown_fields_are_reported_in_a_form_fit_for_a_header() -> None:
    assert reading(top_k=5, **{"x\r\ny": 1, "ü,": 2, "": 3}).ignored == ("top_k", "x%0D%0Ay", "%C3%BC%2C", "")


def test_a_flood_of_unknown_fields_is_reported_in_brief() -> None:
    ignored = reading(**{f"field{number}" + "x" * 100: 1 for number in range(100)}).ignored
    assert len(ignored) == 17
    assert ignored[-1] == "(84 more)"
    assert max(map(len, ignored)) == 64


def test_what_has_no_effect_within_other_fields_is_reported_too() -> None:
    named = [{"role": "user", "content": "Hello", "name": "Ada"}]
    assert reading(messages=named).ignored == ("messages[].name",)
    plain = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert reading(**plain).ignored == ("tool_choice.disable_parallel_tool_use",)
    assert reading(stream_options={"include_obfuscation": True}).ignored == ("stream_options.include_obfuscation",)
    assert reading(stream_options={"include_obfuscation": False}).ignored == ()


def test_the_newer_limit_wins_over_the_older_and_says_so() -> None:
    assert reading(max_tokens=7).turn.sampling == Sampling(max_tokens=7)
    assert reading(max_completion_tokens=8).turn.sampling == Sampling(max_tokens=8)
    both = reading(max_tokens=7, max_completion_tokens=8)
    assert (both.turn.sampling, both.ignored) == (Sampling(max_tokens=8), ("max_tokens",))
    assert reading(max_tokens=8, max_completion_tokens=8).ignored == ()


@pytest.mark.parametrize(
    ("sent", "carried", "ignored", "adjusted"),
    [
        ({"temperature": 0}, Sampling(temperature=0), (), ()),
        ({"temperature": 0.7}, Sampling(temperature=0.7), (), ()),
        ({"temperature": 1.8}, Sampling(), (), ("temperature=1",)),
        ({"temperature": 1}, Sampling(), (), ()),
        ({"top_p": 0.5}, Sampling(), ("top_p",), ()),
        ({"temperature": 0.7, "top_p": 0.5}, Sampling(temperature=0.7), ("top_p",), ()),
        ({"temperature": 0.7, "top_p": 1}, Sampling(temperature=0.7), (), ()),
        ({"temperature": 1, "top_p": 0.5}, Sampling(), ("top_p",), ()),
        ({"temperature": 1.8, "top_p": 0.5}, Sampling(), ("top_p",), ("temperature=1",)),
        ({"model": "claude-sonnet-4-0", "top_p": 0.5}, Sampling(top_p=0.5), (), ()),
        ({"model": "claude-opus-4-1", "top_p": 0.5}, Sampling(), ("top_p",), ()),
        ({"model": "claude-sonnet-4", "temperature": 0.7, "top_p": 0.5}, Sampling(temperature=0.7, top_p=0.5), (), ()),
    ],
)
def test_temperature_and_top_p_are_carried_as_far_as_claude_takes_them(
    sent: dict[str, object], carried: Sampling, ignored: tuple[str, ...], adjusted: tuple[str, ...]
) -> None:
    read = reading(**{"model": SONNET.id, **sent})
    assert (read.turn.sampling, read.ignored, read.adjusted) == (carried, ignored, adjusted)


def test_a_model_that_takes_no_temperature_is_given_none() -> None:
    read = reading(model=OPUS.id, temperature=1.5, top_p=0.5, max_tokens=7)
    assert (read.turn.sampling, read.ignored, read.adjusted) == (Sampling(max_tokens=7), ("temperature", "top_p"), ())
    assert reading(model=OPUS.id, temperature=1, top_p=1).ignored == ()


@pytest.mark.parametrize(
    ("model", "asked", "carried", "told"),
    [
        ("claude-opus-4-8", "xhigh", "xhigh", ((), ())),
        ("claude-opus-4-8", "max", "max", ((), ())),
        ("claude-opus-4-8", "minimal", "low", ((), ("reasoning_effort=low",))),
        ("claude-opus-4-8", "none", "none", ((), ())),
        ("claude-opus-5-5", "none", "low", ((), ("reasoning_effort=low",))),
        ("claude-fable-5", "none", "low", ((), ("reasoning_effort=low",))),
        ("claude-sonnet-4-6", "xhigh", "high", ((), ("reasoning_effort=high",))),
        ("claude-sonnet-4-6", "max", "max", ((), ())),
        ("claude-opus-4-5", "max", "high", ((), ("reasoning_effort=high",))),
        ("claude-haiku-4-5", "high", None, (("reasoning_effort",), ())),
        ("claude-haiku-4-5", "minimal", None, (("reasoning_effort",), ())),
        ("claude-haiku-4-5", "none", "none", ((), ())),
    ],
)
def test_effort_is_carried_at_a_level_that_the_model_takes(
    model: str, asked: str, carried: Effort | None, told: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    read = reading(model=model, reasoning_effort=asked)
    assert (read.turn.sampling, (read.ignored, read.adjusted)) == (Sampling(effort=carried), told)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_more_tokens_than_the_model_gives_are_reported_as_its_most(name: str) -> None:
    most = OPUS.facts.most_output
    assert most is not None
    assert (reading(model=OPUS.id, **{name: most}).adjusted, reading(model=OPUS.id, **{name: most + 1}).adjusted) == (
        (),
        (f"{name}={most}",),
    )


@pytest.mark.parametrize("randomness", [{"temperature": 0.5}, {"model": "claude-opus-4", "top_p": 0.5}])
def test_beside_another_randomness_there_is_no_thinking_and_that_is_told(randomness: dict[str, Any]) -> None:
    read = reading(reasoning_effort="low", **randomness)
    assert (read.turn.sampling.effort, read.adjusted) == ("none", ("reasoning_effort=none",))
    assert reading(reasoning_effort="none", **randomness).adjusted == ()


def test_the_usual_randomness_asks_for_nothing_and_leaves_thinking_as_it_is() -> None:
    read = reading(temperature=1, top_p=1, reasoning_effort="low")
    assert (read.turn.sampling, read.ignored, read.adjusted) == (Sampling(effort="low"), (), ())


@pytest.mark.proves("params.effort")
@pytest.mark.parametrize(
    ("fields", "effort", "told"),
    [
        ({"reasoning": {"effort": "low"}}, "low", ((), ())),
        ({"reasoning": {"effort": "xhigh"}}, "high", ((), ("reasoning.effort=high",))),
        ({"reasoning": {"enabled": False}}, "none", ((), ())),
        ({"reasoning": {"enabled": True}}, None, ((), ())),
        ({"reasoning": {"max_tokens": 2000}}, None, (("reasoning.max_tokens",), ())),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "high", (("reasoning.effort",), ())),
        ({"reasoning": {"effort": "high"}, "reasoning_effort": "high"}, "high", ((), ())),
    ],
)
def test_openrouters_words_for_thinking_are_carried_or_reported(
    fields: dict[str, Any], effort: Effort | None, told: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    read = reading(**fields)
    assert (read.turn.sampling, (read.ignored, read.adjusted)) == (Sampling(effort=effort), told)
    assert read.answer_format.shows_thinking


@pytest.mark.proves("params.effort")
@pytest.mark.parametrize("fields", [{"reasoning": {"exclude": True}}, {"include_reasoning": False}])
def test_thinking_can_be_left_out_of_the_answer(fields: dict[str, Any]) -> None:
    assert not reading(**fields).answer_format.shows_thinking


def test_how_closely_an_image_is_looked_at_cannot_be_chosen_which_is_told() -> None:
    def ignored(detail: object) -> tuple[str, ...]:
        image = {"url": "https://example.com/a.png", **({"detail": detail} if detail else {})}
        said = {"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": image}]}
        return reading(messages=[said]).ignored

    assert [ignored(None), ignored("auto"), ignored("low")] == [(), (), ("messages[].content[].image_url.detail",)]


def test_where_a_cached_prompt_ends_cannot_be_chosen_which_is_told() -> None:
    part = {"type": "text", "text": "Hi", "prompt_cache_breakpoint": {"ttl": "1h"}}
    said = {"role": "user", "content": [part]}
    assert reading(messages=[said]).ignored == ("messages[].content[].prompt_cache_breakpoint",)


def test_stop_sequences_are_carried_as_they_stand() -> None:
    assert reading(stop=" END\n").turn.sampling.stop == (" END\n",)
    assert reading(stop=["a", "b", "c", "d"]).turn.sampling.stop == ("a", "b", "c", "d")
    assert reading(stop=[]).turn.sampling.stop == ()


@pytest.mark.proves("errors.wrong-type")
def test_an_empty_stop_sequence_is_refused_by_its_place() -> None:
    assert refusal(stop="").param == "stop"
    assert refusal(stop=["a", ""]).param == "stop[1]"


@pytest.mark.parametrize("blank", [" ", "\n\n", "\ufeff"])
def test_a_stop_sequence_of_white_space_is_kept_from_claude(blank: str) -> None:
    assert reading(stop=["a", blank]).turn.sampling == Sampling(stop=("a",), local_stop=(blank,))


def test_the_table_shows_which_values_pass_without_a_word() -> None:
    table = markdown_table(PARAMETERS)
    assert f"| 400 unless `{json.dumps(['text'])}` or `[]` |" in table
    assert "| no effect, reported unless `0` |" in table
