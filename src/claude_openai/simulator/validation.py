"""The checks before a request reaches the model: its body, its key, and the rules by which upstream refuses a request.

A simulator that accepted everything would hide mistakes of the program under test. The rules are those that a client is
likely to break. Sources: the Messages API's reference, and the wording of its 400s as clients have reported them.
"""

import gzip
import hmac
import json
import re
import zlib
from collections.abc import Iterator
from functools import lru_cache

from starlette.requests import Request

from claude_openai.jsontools.schema import is_json_schema
from claude_openai.simulator.recorded import JsonObject, blocks
from claude_openai.simulator.script import Failure

MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""Upstream's own limit."""

ROLES = frozenset({"user", "assistant", "system"})
"""Upstream accepts system messages in mid-conversation, and Claude Code sends them."""

MOST_CACHE_MARKS = 4
LEAST_THINKING_BUDGET = 1024

_VERSION = re.compile(r"-(\d)(?:-(\d{1,2}))?(?:-|$)")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")


async def read_object(request: Request) -> JsonObject | Failure:
    """Decompress and parse the body, which must be a JSON object."""
    body = await request.body()
    if len(body) > MAX_REQUEST_BYTES:
        return Failure.of(413)
    try:
        match request.headers.get("content-encoding", "identity").lower():
            case "identity" | "":
                pass
            case "gzip":
                body = gzip.decompress(body)
            case "deflate":
                body = zlib.decompress(body)
            case other:
                return Failure.of(400, f"The simulator does not support content-encoding {other}")
        value = json.loads(body)
    except (ValueError, OSError, EOFError, zlib.error) as problem:
        return Failure.of(400, f"The request body is not valid JSON: {problem}")
    return value if isinstance(value, dict) else Failure.of(400, "The request body is not a JSON object")


def check_key(request: Request, expected: str | None) -> Failure | None:
    """A 401 unless the key, in either of upstream's two headers, is the expected one. None accepts any key."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = request.headers.get("x-api-key") or bearer
    if expected is None or hmac.compare_digest(given.encode(), expected.encode()):
        return None
    return Failure.of(401)


def validate(body: JsonObject) -> Failure | None:
    """The 400 for the first rule that the request breaks."""
    for check in (_fields, _messages, _tool_exchange, _tools, _parameters):
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
            pass  # Claude Code 2.1.332 sends such a message to carry `output_config` for the newest models
        elif not message["content"] and not (index == last and message["role"] == "assistant"):
            but = "except for the optional final assistant message"
            yield f"messages.{index}: all messages must have non-empty content {but}"
        else:
            for block in blocks(message["content"]):
                if block.get("type") == "text" and not block.get("text"):
                    yield "messages: text content blocks must be non-empty"
                elif block.get("type") == "text" and not block["text"].strip():
                    yield "messages: text content blocks must contain non-whitespace text"


def _tool_exchange(body: JsonObject) -> Iterator[str]:
    """Every tool call needs its result in the next message, and every result needs its call."""
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
        schema = tool.get("input_schema")
        if schema is not None and schema.get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Input should be 'object'"
        elif schema is not None and not _is_schema(json.dumps(schema, sort_keys=True)):
            yield f"tools.{index}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12."
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool" and choice.get("name") not in names:
        yield f"Tool '{choice.get('name')}' not found in provided tools"
    if choice.get("type") in {"any", "tool"} and (body.get("thinking") or {}).get("type") == "enabled":
        yield "Thinking may not be enabled when tool_choice forces tool use."


@lru_cache(maxsize=1024)
def _is_schema(text: str) -> bool:
    """Cached, because a client sends the same tools with every request."""
    return is_json_schema(json.loads(text))


def _parameters(body: JsonObject) -> Iterator[str]:
    temperature = body.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        yield "temperature: range: 0..1"
    if any(not sequence.strip() for sequence in body.get("stop_sequences") or ()):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    version = _VERSION.search(str(body["model"]))
    takes_one = version is not None and (int(version[1]), int(version[2] or 0)) >= (4, 1)
    if temperature is not None and body.get("top_p") is not None and takes_one:
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    budget = (body.get("thinking") or {}).get("budget_tokens")
    if budget is not None and budget < LEAST_THINKING_BUDGET:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if budget is not None and budget >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    marked = [*(body.get("tools") or ()), *blocks(body.get("system"))]
    for message in body["messages"]:
        marked += blocks(message["content"])
    marks = sum(1 for block in marked if block.get("cache_control"))
    if marks > MOST_CACHE_MARKS:
        yield f"A maximum of {MOST_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}."
