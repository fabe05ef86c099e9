"""Upstream's prompt cache works across requests: each begins with all of the one before it, to the byte.

Where a conversation is rebuilt, that holds as far as Claude Code lets it, which is measured here.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from claude_openai.simulator import RecordedRequest, Replies, Reply, Text, Thinking, ToolUse
from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig, Serve
from tests.claude_code.test_live import Chat, asked_for
from tests.claude_code.test_rate_limits import ACCOUNT
from tests.claude_code.test_tools import TOOLS, results, sessions, weather

INSTRUCTIONS = {"role": "system", "content": "Be brief and kind."}


def prefix(request: RecordedRequest) -> list[str]:
    """What the cache is keyed by, as it was sent but for the marks: each block of tools, system prompt, messages."""
    _, *system = request.body["system"]  # the first is a note for upstream's accounts, not for the model
    said = [(message["role"], block) for message in request.messages for block in _blocks(message["content"])]
    parts = [*(("tool", each) for each in request.tools), *(("system", each) for each in system), *said]
    return [json.dumps([place, _unmarked(block)]) for place, block in parts]


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _unmarked(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "cache_control"}


def prompt_tokens(request: RecordedRequest) -> int:
    """The length of its prompt, as upstream counted it."""
    usage = request.usage or {}
    return sum(usage[name] for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))


def read_from_cache(request: RecordedRequest) -> int:
    return int((request.usage or {})["cache_read_input_tokens"])


def cached(answer: ChatCompletion) -> int:
    """What the client is told."""
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    return answer.usage.prompt_tokens_details.cached_tokens or 0


def assert_each_begins_with_the_one_before(requests: list[RecordedRequest]) -> None:
    """Nothing of it is paid for in full a second time."""
    for before, after in pairwise(requests):
        assert prefix(after)[: len(prefix(before))] == prefix(before)
        assert asked_for(after) == asked_for(before)
        assert read_from_cache(after) == prompt_tokens(before)


def thoughtful(*said: str) -> Iterator[Reply]:
    return (Reply((Thinking.of(f"What about {each}?"), Text.of(each))) for each in said)


@pytest.mark.proves("conversations.live", "usage.tokens")
@pytest.mark.parametrize("model", [NEW_MODEL, OLD_MODEL])
async def test_each_turn_of_a_chat_reads_all_that_was_said_before_from_the_cache(rig: Rig, model: str) -> None:
    rig.plays(Replies(*thoughtful("one", "two", "three", "four")))
    chat = Chat(rig, model=model)
    chat.messages = [INSTRUCTIONS]
    told = [cached(await chat.say(f"This is question {number} of mine.")) for number in range(4)]
    assert_each_begins_with_the_one_before(rig.simulator.requests)
    assert told == [read_from_cache(request) for request in rig.simulator.requests]
    assert told == sorted(set(told))
    assert list(sessions(rig.simulator.requests).values()) == [4]


@pytest.mark.proves("conversations.live", "tools.same-session")
async def test_each_request_of_a_tool_loop_reads_all_before_it_from_the_cache_even_where_it_is_rebuilt(
    rig: Rig,
) -> None:
    two = Reply((ToolUse("get_weather", {"city": "Ur"}), ToolUse("Bash", {})))
    rig.plays(Replies("Hello.", weather(), two, "In Ur.", "Yes.", "Really."))
    chat = Chat(rig, tools=TOOLS)
    chat.messages = [INSTRUCTIONS]
    told = [cached(await chat.say("hi"))]
    answer = await chat.say("Where is it warmest?")
    told.append(cached(answer))
    for contents in (["32"], ["45", [{"type": "text", "text": "done"}]]):
        chat.messages += results(answer, contents)
        answer = await chat.go_on()
        told.append(cached(answer))
    await rig.gateway.close_idle_sessions()
    told += [cached(await chat.say(words)) for words in ("Surely?", "Really?")]
    assert_each_begins_with_the_one_before(rig.simulator.requests)
    assert told == [read_from_cache(request) for request in rig.simulator.requests]
    assert list(sessions(rig.simulator.requests).values()) == [4, 2]


@pytest.mark.proves("conversations.live")
async def test_a_rebuilt_conversation_reads_up_to_the_first_answer_that_was_thought_about(rig: Rig) -> None:
    rig.plays(Replies("one", *thoughtful("two", "three", "four")))
    chat = Chat(rig)
    for words in ("first", "second", "third"):
        await chat.say(words)
    await rig.gateway.close_idle_sessions()
    told = cached(await chat.say("fourth"))
    _, second, _, rebuilt = rig.simulator.requests
    assert prefix(rebuilt)[: len(prefix(second))] == prefix(second)
    assert told == read_from_cache(rebuilt) == prompt_tokens(second)


@pytest.mark.proves("conversations.live")
async def test_with_an_account_a_rebuilt_conversation_reads_tools_and_instructions_only(serve: Serve) -> None:
    async with serve(environment=ACCOUNT) as rig:
        rig.plays(Replies("one", "two", "three", "four", "five"))
        chat = Chat(rig, tools=TOOLS)
        chat.messages = [INSTRUCTIONS]
        for words in ("first", "second", "third"):
            await chat.say(words)
        assert_each_begins_with_the_one_before(rig.simulator.requests)
        await rig.gateway.close_idle_sessions()
        told = cached(await chat.say("fourth"))
        await chat.say("fifth")
    *_, before, rebuilt, after = rig.simulator.requests
    constant = len(rebuilt.tools) + len(rebuilt.body["system"]) - 1
    assert prefix(rebuilt)[:constant] == prefix(before)[:constant]
    assert 0 < told < prompt_tokens(rig.simulator.requests[0])
    assert_each_begins_with_the_one_before([rebuilt, after])
