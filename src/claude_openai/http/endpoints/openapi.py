"""`/openapi.json`: the routes, described by the very models that read the requests and write the answers."""

import json
from functools import cache
from typing import Final, get_args

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


class OpenApi:
    """`GET /openapi.json`; the document is made when it is first asked for, and is the same for everyone."""

    def __init__(self, version: str) -> None:
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(await to_thread.run_sync(_as_json, self._version), media_type="application/json")(
            scope, receive, send
        )


@cache
def _as_json(version: str) -> bytes:
    """It takes 75 ms, which neither a start nor the streams of others should wait for."""
    return json.dumps(document(version), separators=(",", ":")).encode()


def document(version: str) -> Json:
    """The whole description, as OpenAPI 3.1 has it."""
    about = "OpenAI's chat completions and responses, answered by Claude Code."
    return {
        "openapi": "3.1.0",
        "info": {"title": "claude-openai", "version": version, "description": about},
        "security": [{"bearer": []}, {"x-api-key": []}],
        "paths": _paths(),
        "components": {"schemas": _schemas(), "securitySchemes": _SECURITY_SCHEMES},
    }


def _paths() -> Json:
    health = {"200": _answer("Ready", Health), "503": _answer("Not ready, and why", Health)}
    itself = {"200": {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {
        "/health": {"get": {"summary": "Whether requests can be answered", "security": [], "responses": health}},
        "/openapi.json": {"get": {"summary": "This description", "security": [], "responses": itself}},
        "/v1/models": {"get": {"summary": "All models", "responses": _or_error(_answer("The models", ModelList))}},
        "/v1/models/{model}": {
            "get": {
                "summary": "One model",
                "parameters": [{"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": _or_error(_answer("The model", ModelObject)),
            }
        },
        "/v1/chat/completions": {
            "post": {
                "summary": "Answer a conversation",
                "requestBody": {"required": True, "content": _content(ChatCompletionRequest)},
                "responses": _or_error(_completion(ChatCompletion, ChatCompletionChunk)),
            }
        },
        "/v1/completions": {
            "post": {
                "summary": "Answer a prompt, in the older form",
                "requestBody": {"required": True, "content": _content(CompletionRequest)},
                "responses": _or_error(_completion(Completion, Completion)),
            }
        },
        **_response_paths(),
        **_run_paths(),
    }


def _response_paths() -> Json:
    which = {"name": "response", "in": "path", "required": True, "schema": {"type": "string"}}
    one = {"parameters": [which], "responses": _or_error(_answer("The response", ResponseObject))}
    events = {"text/event-stream": {"schema": {"anyOf": [_reference(event) for event in get_args(StreamEvent)]}}}
    description = "The response, or with `stream` its events, each of them named and numbered"
    answer: Json = {"description": description, "content": {**_content(ResponseObject), **events}}
    deleted = {"parameters": [which], "responses": _or_error(_answer("It is forgotten", Deleted))}
    return {
        "/v1/responses": {
            "post": {
                "summary": "Answer an input",
                "requestBody": {"required": True, "content": _content(ResponsesRequest)},
                "responses": _or_error(answer),
            }
        },
        "/v1/responses/{response}": {
            "get": {"summary": "A stored response", **one},
            "delete": {"summary": "Forget a stored response", **deleted},
        },
        "/v1/responses/{response}/cancel": {"post": {"summary": "End a response that is being answered", **one}},
        "/v1/responses/{response}/input_items": {
            "get": {
                "summary": "What a stored response was asked with",
                "parameters": [which, *_PAGING],
                "responses": _or_error(_answer("A page of items", ItemList)),
            }
        },
    }


def _run_paths() -> Json:
    which = {"name": "run", "in": "path", "required": True, "schema": {"type": "string"}}
    one = {"parameters": [which], "responses": _or_error(_answer("The run", RunObject))}
    return {
        "/runs": {
            "get": {
                "summary": "The latest requests and what has become of them",
                "parameters": _LISTING,
                "responses": _or_error(_answer("The runs, the last to arrive first", RunList)),
            }
        },
        "/runs/{run}": {"get": {"summary": "One run, by the beginning of an id", **one}},
        "/runs/{run}/events": {
            "get": {
                "summary": "What is said in a run, from its beginning to its end",
                "parameters": [which],
                "responses": _or_error(_said()),
            }
        },
        "/runs/{run}/cancel": {"post": {"summary": "End a run", **one}},
    }


def _said() -> Json:
    told = {"anyOf": [_reference(schema) for schema in (RunText, RunCall, RunActivity, RunObject)]}
    description = "Server-sent events: `text`, `reasoning`, `tool_call`, `activity`, and last `end` with the run"
    return {"description": description, "content": {"text/event-stream": {"schema": told}}}


def _completion(whole: type, chunk: type) -> Json:
    """OpenAPI 3.1 cannot describe the events of a stream; as everywhere, the schema is that of one event's data."""
    stream = {"text/event-stream": {"schema": _reference(chunk)}}
    description = "One object, or with `stream` the chunks of it as server-sent events, ended by `[DONE]`"
    return {"description": description, "content": {**_content(whole), **stream}}


def _or_error(answer: Json) -> Json:
    return {"200": answer, "default": _answer("Anything that went wrong", ErrorEnvelope)}


def _answer(description: str, schema: type) -> Json:
    return {"description": description, "content": _content(schema)}


def _content(schema: type) -> Json:
    return {"application/json": {"schema": _reference(schema)}}


def _reference(schema: type) -> Json:
    return {"$ref": f"#/components/schemas/{schema.__name__}"}


def _schemas() -> object:
    _, definitions = TypeAdapter.json_schemas(
        ((schema.__name__, "validation", TypeAdapter(schema)) for schema in DESCRIBED),
        ref_template="#/components/schemas/{model}",
    )
    return definitions["$defs"]


_LISTING: Final = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
    },
    {"name": "state", "in": "query", "schema": {"type": "string", "enum": [*RunState]}},
]

_PAGING: Final = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
    {"name": "order", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"], "default": "desc"}},
    {"name": "after", "in": "query", "schema": {"type": "string"}},
]

_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
