"""`/openapi.json`: the endpoints, described by the models that parse the requests and write the answers."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Final, Protocol, get_args

from anyio import to_thread
from pydantic import TypeAdapter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.runs import RunState
from claude_openai.http.endpoints.health import Health
from claude_openai.http.endpoints.runs import LIMIT, MOST
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from claude_openai.protocols.common.wire.errors import ErrorEnvelope
from claude_openai.protocols.completions.wire import Completion, CompletionRequest
from claude_openai.protocols.models.wire import ModelList, ModelObject
from claude_openai.protocols.responses.wire.events import StreamEvent
from claude_openai.protocols.responses.wire.reply import Deleted, ItemList
from claude_openai.protocols.responses.wire.reply import Response as ResponseObject
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunList, RunObject, RunText

Json = dict[str, object]

DESCRIBED: Final = (
    ChatCompletionRequest,
    ChatCompletion,
    ChatCompletionChunk,
    CompletionRequest,
    Completion,
    ModelList,
    ModelObject,
    RunList,
    RunObject,
    RunText,
    RunCall,
    RunActivity,
    ResponsesRequest,
    ResponseObject,
    *get_args(StreamEvent),
    Deleted,
    ItemList,
    ErrorEnvelope,
    Health,
)


class Described(Protocol):
    """An endpoint, as far as the document describes it (`http.endpoints.table.Endpoint`)."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def operation(self) -> Json: ...

    @property
    def is_open(self) -> bool: ...


class OpenApi:
    """`GET /openapi.json`; the document is made when it is first requested, and is the same for every client."""

    def __init__(self, version: str, endpoints: tuple[Described, ...]) -> None:
        self._version = version
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await to_thread.run_sync(_as_json, self._version, self._endpoints)
        await Response(body, media_type="application/json")(scope, receive, send)


@cache
def _as_json(version: str, endpoints: tuple[Described, ...]) -> bytes:
    """It takes 75 ms (measured), which neither a start nor the streams of others should wait for."""
    return json.dumps(document(version, endpoints), separators=(",", ":")).encode()


def document(version: str, endpoints: Iterable[Described]) -> Json:
    """The OpenAPI 3.1 description of `endpoints`."""
    paths: dict[str, dict[str, Json]] = {}
    for endpoint in endpoints:
        operation: Json = {"summary": endpoint.summary, **({"security": []} if endpoint.is_open else {})}
        operations = paths.setdefault(endpoint.path.replace(":path}", "}"), {})
        operations[endpoint.method.lower()] = {**operation, **endpoint.operation}
    about = "OpenAI's chat completions and responses, answered by Claude Code."
    return {
        "openapi": "3.1.0",
        "info": {"title": "claude-openai", "version": version, "description": about},
        "security": [{"bearer": []}, {"x-api-key": []}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _SECURITY_SCHEMES},
    }


def run_events() -> Json:
    schemas = {"anyOf": [reference(schema) for schema in (RunText, RunCall, RunActivity, RunObject)]}
    description = "Server-sent events: `text`, `reasoning`, `tool_call`, `activity`, and last `end` with the run"
    return {"description": description, "content": {"text/event-stream": {"schema": schemas}}}


def completion(whole: type, chunk: type) -> Json:
    """OpenAPI 3.1 cannot describe the events of a stream; as everywhere, the schema is that of one event's data."""
    stream = {"text/event-stream": {"schema": reference(chunk)}}
    description = "One object, or with `stream` the chunks of it as server-sent events, ended by `[DONE]`"
    return {"description": description, "content": {**content(whole), **stream}}


def or_error(success: Json) -> Json:
    return {"200": success, "default": answer("Anything that went wrong", ErrorEnvelope)}


def answer(description: str, schema: type) -> Json:
    return {"description": description, "content": content(schema)}


def content(schema: type) -> Json:
    return {"application/json": {"schema": reference(schema)}}


def reference(schema: type) -> Json:
    return {"$ref": f"#/components/schemas/{schema.__name__}"}


def _schemas() -> object:
    _, definitions = TypeAdapter.json_schemas(
        ((schema.__name__, "validation", TypeAdapter(schema)) for schema in DESCRIBED),
        ref_template="#/components/schemas/{model}",
    )
    return definitions["$defs"]


LISTING: Final[list[Json]] = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
    },
    {"name": "state", "in": "query", "schema": {"type": "string", "enum": [*RunState]}},
]

PAGING: Final[list[Json]] = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
    {"name": "order", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"], "default": "desc"}},
    {"name": "after", "in": "query", "schema": {"type": "string"}},
]

_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
