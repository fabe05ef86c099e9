"""The checks by which upstream refuses a request, as far as a translator is likely to run into them: a simulator that
took everything would hide the mistakes of the program under test.

Sources: the Messages API's reference, and the wording of its 400s as clients have reported them.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache

from claude_openai.jsontools.schema import is_json_schema
from claude_openai.simulator.recorded import JsonObject, blocks
from claude_openai.simulator.script import Failure

ROLES = frozenset({"user", "assistant", "system"})
"""System among them: upstream takes such messages in mid-conversation, and Claude Code sends them."""

MOST_CACHE_MARKS = 4
LEAST_THINKING_BUDGET = 1024

_VERSION = re.compile(r"-(\d)(?:-(\d{1,2}))?(?:-|$)")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")


def validate(body: JsonObject) -> Failure | None:
    """The 400 for the first thing wrong with the request."""
    for check in (_fields, _messages, _tool_exchange, _tools, _sampling, _cache_marks):
        for complaint in check(body):
            return Failure.of(400, complaint)
    return None


def _fields(body: JsonObject) -> Iterator[str]:
    for name, kind in (("model", str), ("messages", list), ("max_tokens", int)):
        if name not in body:
            yield f"{name}: Field required"
        elif not isinstance(body[name], kind):
            yield f"{name}: Input should be a valid {kind.__name__}"
    if body["max_tokens"] < 1:
        yield "max_tokens: must be greater than or equal to 1"
    if not body["messages"]:
        yield "messages: at least one message is required"


def _messages(body: JsonObject) -> Iterator[str]:
    last = len(body["messages"]) - 1
    for index, message in enumerate(body["messages"]):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            yield f"messages.{index}.role: Input should be 'user', 'assistant' or 'system'"
        elif not isinstance(message.get("content"), str | list):
            yield f"messages.{index}.content: Input should be a valid string or list"
        elif message["role"] == "system" and message["content"] == []:
            pass  # Claude Code 2.1.330 sends such a message to carry `output_config` for the newest models
        elif not message["content"] and not (index == last and message["role"] == "assistant"):
            but = "except for the optional final assistant message"
            yield f"messages.{index}: all messages must have non-empty content {but}"
        else:
            yield from _texts(message)


def _texts(message: JsonObject) -> Iterator[str]:
    for block in blocks(message["content"]):
        if block.get("type") != "text":
            continue
        if not block.get("text"):
            yield "messages: text content blocks must be non-empty"
        elif not block["text"].strip():
            yield "messages: text content blocks must contain non-whitespace text"


def _tool_exchange(body: JsonObject) -> Iterator[str]:
    """Every call is answered in the very next message, and nothing else is."""
    called: set[str] = set()
    for index, message in enumerate(body["messages"]):
        if message["role"] == "system":
            continue
        answered = {
            block.get("tool_use_id") for block in blocks(message["content"]) if block.get("type") == "tool_result"
        }
        if called - answered:
            ids = ", ".join(sorted(called - answered))
            yield f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}."
        for stray in answered - called:
            yield f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {stray}."
        called = {str(block.get("id")) for block in blocks(message["content"]) if block.get("type") == "tool_use"}
        for call in called:
            if not _TOOL_USE_ID.fullmatch(call):
                yield f"messages.{index}: tool_use.id: String should match pattern '^{_TOOL_USE_ID.pattern}$'"
    if called:
        yield f"messages: `tool_use` ids were found without `tool_result` blocks: {', '.join(sorted(called))}."


def _tools(body: JsonObject) -> Iterator[str]:
    names = []
    for index, tool in enumerate(body.get("tools") or ()):
        names.append(tool.get("name"))
        if not _TOOL_NAME.fullmatch(str(tool.get("name"))):
            yield f"tools.{index}.custom.name: String should match pattern '^{_TOOL_NAME.pattern}$'"
        if "input_schema" in tool:
            yield from _input_schema(index, tool["input_schema"])
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool" and choice.get("name") not in names:
        yield f"Tool '{choice.get('name')}' not found in provided tools"
    if choice.get("type") in {"any", "tool"} and (body.get("thinking") or {}).get("type") == "enabled":
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _input_schema(index: int, schema: JsonObject) -> Iterator[str]:
    if schema.get("type") != "object":
        yield f"tools.{index}.custom.input_schema.type: Input should be 'object'"
    elif not _is_schema(json.dumps(schema, sort_keys=True)):
        yield f"tools.{index}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12."


@lru_cache(maxsize=1024)
def _is_schema(text: str) -> bool:
    """Remembered, because a client offers the same tools in every request."""
    return is_json_schema(json.loads(text))


def _sampling(body: JsonObject) -> Iterator[str]:
    temperature = body.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        yield "temperature: range: 0..1"
    if any(not sequence.strip() for sequence in body.get("stop_sequences") or ()):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    if temperature is not None and body.get("top_p") is not None and _takes_one_sampler(str(body["model"])):
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    budget = (body.get("thinking") or {}).get("budget_tokens")
    if budget is not None and budget < LEAST_THINKING_BUDGET:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if budget is not None and budget >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."


def _takes_one_sampler(model: str) -> bool:
    """From Claude 4.1 on."""
    version = _VERSION.search(model)
    return version is not None and (int(version[1]), int(version[2] or 0)) >= (4, 1)


def _cache_marks(body: JsonObject) -> Iterator[str]:
    marked = [*(body.get("tools") or ()), *blocks(body.get("system"))]
    for message in body["messages"]:
        marked += blocks(message["content"])
    marks = sum(1 for block in marked if block.get("cache_control"))
    if marks > MOST_CACHE_MARKS:
        yield f"A maximum of {MOST_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}."
