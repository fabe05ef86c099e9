"""`/openapi.json`: the routes, described by the very models that read the requests and write the answers."""

import json
from typing import Final

from pydantic import TypeAdapter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.http.health import Health
from claude_openai.wire.chat_completions import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from claude_openai.wire.errors import ErrorEnvelope
from claude_openai.wire.models import ModelList, ModelObject

Json = dict[str, object]

DESCRIBED: Final = (
    ChatCompletionRequest,
    ChatCompletion,
    ChatCompletionChunk,
    ModelList,
    ModelObject,
    ErrorEnvelope,
    Health,
)


class OpenApi:
    """`GET /openapi.json`; the document is made once and is the same for everyone."""

    def __init__(self, version: str) -> None:
        self._document = json.dumps(document(version), separators=(",", ":")).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(self._document, media_type="application/json")(scope, receive, send)


def document(version: str) -> Json:
    """The whole description, as OpenAPI 3.1 has it."""
    about = "OpenAI's chat completions, answered by Claude Code."
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
                "responses": _or_error(_completion()),
            }
        },
    }


def _completion() -> Json:
    """OpenAPI 3.1 cannot describe the events of a stream; as everywhere, the schema is that of one event's data."""
    stream = {"text/event-stream": {"schema": _reference(ChatCompletionChunk)}}
    description = "One object, or with `stream` the chunks of it as server-sent events, ended by `[DONE]`"
    return {"description": description, "content": {**_content(ChatCompletion), **stream}}


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


_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
