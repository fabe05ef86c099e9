"""Requests that upstream refuses are refused here too."""

import pytest

from claude_openai.simulator import JsonObject, Replies, Simulator
from claude_openai.simulator.validation import validate
from tests.unit.simulator.api import TIME, WEATHER, asking, post, said, served

pytestmark = pytest.mark.proves("simulator.directives")

USE: JsonObject = {"type": "tool_use", "id": "toolu_1", "name": "get_time", "input": {}}
RESULT: JsonObject = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
BLANK: JsonObject = {"type": "text", "text": " "}
MARKED: JsonObject = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
ASKED: JsonObject = {"role": "user", "content": "When?"}
CALLED: JsonObject = {"role": "assistant", "content": [USE]}
ANSWERED: JsonObject = {"role": "user", "content": [RESULT]}
NOTE: JsonObject = {"role": "system", "content": "Mind the time."}


def without(name: str) -> JsonObject:
    return {key: value for key, value in asking("Hi").items() if key != name}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (without("model"), "model: Field required"),
        (without("max_tokens"), "max_tokens: Field required"),
        (asking("Hi", max_tokens="9"), "max_tokens: Input should be a valid int"),
        (asking("Hi", max_tokens=0), "max_tokens: must be"),
        (said(), "messages: at least one message is required"),
        (said({"role": "tool", "content": "a"}), "messages.0.role"),
        (said({"role": "user", "content": None}), "messages.0.content"),
        (said({"role": "user", "content": ""}), "messages.0: all messages must have non-empty content"),
        (said({"role": "user", "content": [BLANK]}), "messages: text content blocks must contain non-whitespace"),
        (said({"role": "user", "content": [{"type": "text", "text": ""}]}), "messages: text content blocks must be"),
        (said(ASKED, CALLED), "messages: `tool_use` ids were found without `tool_result` blocks: toolu_1"),
        (said(ASKED, CALLED, ASKED), "messages.2: `tool_use` ids were found without"),
        (said(ASKED, ANSWERED), "messages.1: unexpected `tool_use_id`"),
        (said(ASKED, {"role": "assistant", "content": [USE | {"id": "call.1"}]}), "messages.1: tool_use.id: String"),
        (asking("Hi", tools=[TIME | {"name": "a b"}]), "tools.0.custom.name"),
        (asking("Hi", tools=[TIME, TIME]), "tools: Tool names must be unique."),
        (asking("Hi", tools=[TIME | {"input_schema": {}}]), "tools.0.custom.input_schema.type"),
        (
            asking("Hi", tools=[TIME | {"input_schema": {"type": "object", "required": "city"}}]),
            "tools.0.custom.input_schema: JSON schema is invalid",
        ),
        (asking("Hi", tools=[TIME], tool_choice={"type": "tool", "name": "b"}), "Tool 'b' not found"),
        (asking("Hi", temperature=1.5), "temperature: range: 0..1"),
        (asking("Hi", stop_sequences=["\n"]), "stop_sequences: each stop sequence must contain non-whitespace"),
        (asking("Hi", thinking={"type": "enabled", "budget_tokens": 1}), "thinking.enabled.budget_tokens"),
        (asking("Hi", thinking={"type": "enabled", "budget_tokens": 1024}), "`max_tokens` must be greater than"),
        (
            asking("Hi", tools=[TIME], tool_choice={"type": "any"}, thinking={"type": "enabled"}),
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (said({"role": "user", "content": [MARKED] * 5}), "A maximum of 4 blocks with cache_control"),
    ],
)
def test_what_upstream_refuses_is_a_400(body: JsonObject, complaint: str) -> None:
    failure = validate(body)
    assert failure is not None
    assert (failure.status, failure.type) == (400, "invalid_request_error")
    assert failure.message.startswith(complaint)


@pytest.mark.parametrize(
    "body",
    [
        asking("Hi"),
        said(ASKED, CALLED, ANSWERED, NOTE),
        said(ASKED, CALLED, NOTE, ANSWERED),
        said(ASKED, {"role": "assistant", "content": ""}),
        asking("Hi", tools=[TIME, WEATHER, {"type": "web_search_20250305", "name": "web_search"}]),
        asking("Hi", tools=[TIME], tool_choice={"type": "any"}, thinking={"type": "adaptive"}, temperature=1),
        said({"role": "user", "content": [MARKED] * 4}),
    ],
)
def test_what_upstream_takes_is_taken(body: JsonObject) -> None:
    assert validate(body) is None


async def test_no_script_sees_a_request_that_upstream_refuses() -> None:
    script = Replies("one")
    simulator = Simulator(script)
    async with served(simulator) as client:
        response = await post(client, said())
    assert (response.status_code, script.left, len(simulator.requests)) == (400, 1, 1)
