"""Token counts and cache hits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.simulator import JsonObject, Replies, Reply, Simulator, Text, Thinking, ToolUse
from claude_openai.simulator.usage import PromptCache, PromptTokens, count, output_tokens, usage
from tests.unit.simulator.api import TIME, asking, post, said, served

MARK = {"cache_control": {"type": "ephemeral"}}


def text(words: str, **fields: object) -> JsonObject:
    return {"type": "text", "text": words, **fields}


def user(*blocks: JsonObject) -> JsonObject:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: JsonObject) -> JsonObject:
    return {"role": "assistant", "content": list(blocks)}


def test_a_token_is_a_word_or_a_sign() -> None:
    assert [count(words) for words in ("", "Hello, world!", "  naïve  café ", "a_b c-d")] == [0, 4, 2, 4]


def test_everything_the_model_says_is_output() -> None:
    call = ToolUse("get_time", raw=('{"city": ', '"Paris"}'))
    reply = Reply((Thinking.of("Hm, noon."), Text.of("It is noon."), call))
    assert output_tokens(reply) == 4 + 4 + 1 + 9
    counted = usage(PromptTokens(uncached=1, written=2, read=3), reply)
    assert counted["output_tokens_details"] == {"thinking_tokens": 4}


def test_without_a_mark_nothing_is_cached() -> None:
    ledger = PromptCache()
    assert [ledger.account(asking("one two three")) for _ in range(2)] == [PromptTokens(3, 0, 0)] * 2


def test_a_conversation_reads_what_its_last_turn_stored() -> None:
    ledger = PromptCache()
    first = ledger.account(said(user(text("one two", **MARK))))
    answered = (user(text("one two")), assistant(text("three")))
    second = ledger.account(said(*answered, user(text("four five six", **MARK), text("seven"))))
    assert first == PromptTokens(uncached=0, written=2, read=0)
    assert second == PromptTokens(uncached=1, written=4, read=2)


def test_a_stored_prefix_is_read_only_up_to_a_mark() -> None:
    ledger = PromptCache()
    ledger.account(said(user(text("one two", **MARK))))
    assert ledger.account(said(user(text("one two")))) == PromptTokens(2, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        said(user(text("one two", **MARK)), system="Be brief."),
        said(user(text("one two", **MARK)), tools=[TIME]),
        said(user(text("one too", **MARK))),
        said(user(text("one two", **MARK))) | {"model": "claude-opus-4-8"},
    ],
)
def test_whatever_differs_before_the_mark_misses(other: JsonObject) -> None:
    ledger = PromptCache()
    ledger.account(said(user(text("one two", **MARK))))
    assert ledger.account(other).read == 0


def test_what_does_not_reach_the_model_makes_no_difference() -> None:
    """A string is short for a text block; Claude Code's billing note is for the upstream's accounts."""
    ledger = PromptCache()
    ledger.account(said(user(text("one two", **MARK)), system="Be brief."))
    note = text("x-anthropic-billing-header: cc_version=1.2;")
    again = said(user(text("one two", **MARK)), system=[note, text("Be brief.")], temperature=0.5)
    assert ledger.account(again) == PromptTokens(uncached=0, written=0, read=5)


def test_what_is_written_is_told_by_its_life() -> None:
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    counted = usage(PromptCache().account(said(user(text("one two", **hour)))), Reply())
    assert counted["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 2}


def test_an_image_has_a_flat_price_wherever_it_stands() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [image, text("done")]}
    assert PromptCache().account(said(user(image, text("what")))).uncached == 1_001
    assert PromptCache().account(said(user(result))).uncached == 1_001


words = st.sampled_from(["one", "two words", "three, words"])
prompts_of_blocks = st.lists(words.map(text) | words.map(lambda said: text(said, **MARK)), min_size=1, max_size=4)


@given(prompts=st.lists(prompts_of_blocks, min_size=1, max_size=4))
def test_the_three_input_counts_add_up_to_the_prompt(prompts: list[list[JsonObject]]) -> None:
    ledger = PromptCache()
    for prompt in prompts:
        counted = ledger.account(said(user(*prompt)))
        assert counted.uncached + counted.written + counted.read == sum(count(block["text"]) for block in prompt)
        again = ledger.account(said(user(*prompt)))
        assert again == PromptTokens(counted.uncached, 0, counted.written + counted.read)


@pytest.mark.proves("simulator.messages")
async def test_count_tokens_gives_what_the_message_then_costs() -> None:
    body = said(user(text("one two", **MARK), text("three")), system="Be brief.", tools=[TIME])
    simulator = Simulator(Replies("one two three"))
    async with served(simulator) as client:
        counted = (await client.post("/v1/messages/count_tokens", json=body)).json()
        cost = (await post(client, body)).json()["usage"]
    inputs = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    assert counted == {"input_tokens": sum(cost[name] for name in inputs)}
    assert cost["output_tokens"] == 3
    assert simulator.requests[0].usage == cost
