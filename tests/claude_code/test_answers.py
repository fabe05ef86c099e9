"""What upstream answers is what the client gets: each delta, each number, each reason to end, and nothing else."""

import anyio
import pytest
from openai.types.chat import ChatCompletionChunk, ChatCompletionUserMessageParam

from claude_openai.simulator import Gate, Reply, Text, Thinking
from claude_openai.simulator.script import Script
from tests.claude_code.conftest import NEW_MODEL, Rig
from tests.patience import PATIENCE_SECONDS

USER: ChatCompletionUserMessageParam = {"role": "user", "content": "hi"}
ASK = [USER]


async def chunks(rig: Rig, script: Script | None, **parameters: object) -> list[ChatCompletionChunk]:
    if script:
        rig.plays(script)
    with anyio.fail_after(PATIENCE_SECONDS):
        stream = await rig.client.chat.completions.create(
            **{"model": NEW_MODEL, "messages": ASK, "stream": True, **parameters}  # type: ignore[call-overload]
        )
        return [chunk async for chunk in stream]


def contents(received: list[ChatCompletionChunk]) -> list[str]:
    return [choice.delta.content for chunk in received for choice in chunk.choices if choice.delta.content]


def finishes(received: list[ChatCompletionChunk]) -> list[str]:
    return [choice.finish_reason for chunk in received for choice in chunk.choices if choice.finish_reason]


@pytest.mark.proves("chat.client", "usage.tokens", "usage.claude-object", "chat.finish")
async def test_an_answer_its_usage_and_its_cost_are_upstreams(rig: Rig) -> None:
    rig.plays(lambda _: Reply.of("Hello you."))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK)
    counted = rig.asked.usage
    assert counted is not None
    assert answer.choices[0].message.content == "Hello you."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    cached = counted["cache_creation_input_tokens"] + counted["cache_read_input_tokens"]
    assert answer.usage.prompt_tokens == counted["input_tokens"] + cached
    assert answer.usage.completion_tokens == counted["output_tokens"]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    extension = answer.model_extra["claude"]  # type: ignore[index]
    assert extension["model"] == NEW_MODEL
    assert extension["cost_usd"] > 0
    assert extension["session_id"]


@pytest.mark.proves("usage.tokens")
async def test_what_upstream_read_from_its_cache_is_told(rig: Rig) -> None:
    instructions = {"role": "system", "content": "A long and constant beginning. " * 20}
    messages = [instructions, *ASK]
    await rig.client.chat.completions.create(model=NEW_MODEL, messages=messages)  # type: ignore[arg-type]
    rig.plays(None)
    again = [*messages, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "more"}]
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=again)  # type: ignore[arg-type]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert rig.asked.usage is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == rig.asked.usage["cache_read_input_tokens"] > 0


@pytest.mark.proves("chat.reply.text", "usage.tokens")
async def test_thinking_is_counted_and_not_said(rig: Rig) -> None:
    rig.plays(lambda _: Reply((Thinking.of("Hm, what to say to that?"), Text.of("Hello."))))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK)
    assert answer.choices[0].message.content == "Hello."
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert rig.asked.usage is not None
    told = rig.asked.usage["output_tokens_details"]["thinking_tokens"]
    assert answer.usage.completion_tokens_details.reasoning_tokens == told > 0


@pytest.mark.proves("stream.token-by-token", "chat.client")
async def test_no_delta_is_held_back(rig: Rig) -> None:
    gates = [Gate(), Gate(), Gate()]
    rig.plays(lambda _: Reply((Text(("one", gates[0], "two", gates[1], "three", gates[2])),)))
    with anyio.fail_after(PATIENCE_SECONDS):
        stream = await rig.client.chat.completions.create(model=NEW_MODEL, messages=[USER], stream=True)
        said: list[str] = []
        async for chunk in stream:
            if content := chunk.choices[0].delta.content:
                said.append(content)
                assert not gates[len(said) - 1].opened.is_set()
                gates[len(said) - 1].open()
    assert said == ["one", "two", "three"]


@pytest.mark.proves("stream.token-by-token", "chat.reply.text")
async def test_as_many_chunks_go_out_as_deltas_came_in(rig: Rig) -> None:
    deltas = tuple(f"{number} 👩" if number % 2 else "\u200d👧 " for number in range(200))
    received = await chunks(rig, lambda _: Reply((Text(deltas),)))
    assert contents(received) == list(deltas)
    assert finishes(received) == ["stop"]


@pytest.mark.proves("chat.reply.text")
async def test_a_megabyte_arrives_whole_in_one_delta_and_in_many(rig: Rig) -> None:
    for pieces in (1, 500):
        reply = Reply.of("0123456789abcdef" * 65_536, pieces)
        rig.plays(lambda _, reply=reply: reply)  # type: ignore[misc]
        assert await rig.said("go") == "0123456789abcdef" * 65_536


@pytest.mark.proves("chat.reply.text")
async def test_an_empty_answer_is_empty_and_asked_for_once(rig: Rig) -> None:
    rig.plays_once(Reply())
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK)
    assert answer.choices[0].message.content == ""
    assert (answer.model_extra or {})["claude"]["cost_usd"] is None  # Claude Code had to be stopped
    assert rig.asked_for_once()


@pytest.mark.proves("chat.reply.text")
async def test_an_answer_of_thinking_only_is_empty_and_asked_for_once(rig: Rig) -> None:
    rig.plays_once(Reply((Thinking.of("Hm."),)))
    assert await rig.said("hi") == ""
    assert rig.asked_for_once()


@pytest.mark.proves("chat.finish", "chat.reply.text")
async def test_an_answer_cut_by_its_limit_ends_with_length_and_is_asked_for_once(rig: Rig) -> None:
    rig.plays_once(Reply((Text.of("one two", 2),), stop_reason="max_tokens"))
    received = await chunks(rig, None)
    assert contents(received) == ["one", " two"]
    assert finishes(received) == ["length"]
    assert rig.asked_for_once()


@pytest.mark.proves("chat.refusal", "errors.upstream")
async def test_a_refusal_is_told_as_one_with_upstreams_words(rig: Rig) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "This may do harm."}
    rig.plays(lambda _: Reply((), stop_reason="refusal", stop_details=details))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK)
    assert answer.choices[0].finish_reason == "content_filter"
    assert answer.choices[0].message.refusal == "This may do harm."
    assert not answer.choices[0].message.content
    assert len(rig.simulator.requests) == 1


@pytest.mark.proves("chat.finish", "params.stop")
async def test_a_stop_sequence_ends_the_answer(rig: Rig) -> None:
    received = await chunks(rig, None, messages=[{"role": "user", "content": "Count to 9"}], stop=[" 4"])
    assert "".join(contents(received)) == "1, 2, 3,"
    assert finishes(received) == ["stop"]
    assert rig.asked.body["stop_sequences"] == [" 4"]
