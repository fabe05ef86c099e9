"""`/openapi.json`: the endpoints, described by the models that parse the requests and write the answers."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, Protocol

from anyio import to_thread
from pydantic import TypeAdapter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.runs import RunState
from claude_openai.core.search.query import LONGEST_QUERY
from claude_openai.core.statistics import DIMENSIONS
from claude_openai.http.endpoints.runs import LIMIT, MOST
from claude_openai.http.endpoints.statistics import FORMATS, SPANS, WIDTHS
from claude_openai.protocols.common.protocol import ProtocolFormat
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunObject, RunText

Json = dict[str, Any]


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

    @property
    def protocol(self) -> ProtocolFormat: ...


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
    """The OpenAPI 3.1 description of `endpoints`. Of several protocols with the same path the first is described."""
    paths: dict[str, dict[str, object]] = {}
    schemas: dict[str, type] = {}
    for endpoint in endpoints:
        operation: Json = {"summary": endpoint.summary, **({"security": []} if endpoint.is_open else {})}
        errors = {"default": answer("Anything that went wrong", endpoint.protocol.errors.schema)}
        responses = {**endpoint.operation["responses"], **errors}
        described = _with_references({**operation, **endpoint.operation, "responses": responses}, schemas)
        paths.setdefault(endpoint.path.replace(":path}", "}"), {}).setdefault(endpoint.method.lower(), described)
    _, definitions = TypeAdapter.json_schemas(
        ((name, "validation", TypeAdapter(schema)) for name, schema in schemas.items()),
        ref_template="#/components/schemas/{model}",
    )
    about = "OpenAI's chat completions and responses, answered by Claude Code."
    return {
        "openapi": "3.1.0",
        "info": {"title": "claude-openai", "version": version, "description": about},
        "security": [{"bearer": []}, {"x-api-key": []}],
        "paths": paths,
        "components": {"schemas": definitions["$defs"], "securitySchemes": _SECURITY_SCHEMES},
    }


def _with_references(node: object, schemas: dict[str, type]) -> object:
    """`node` of an operation with a reference in place of each type, which is added to `schemas`."""
    match node:
        case type():
            schemas[node.__name__] = node
            return {"$ref": f"#/components/schemas/{node.__name__}"}
        case dict():
            return {key: _with_references(value, schemas) for key, value in node.items()}
        case list():
            return [_with_references(value, schemas) for value in node]
        case _:
            return node


def run_events() -> Json:
    """The events of a run."""
    description = "Server-sent events: `text`, `reasoning`, `tool_call`, `activity`, and last `end` with the run"
    return {"description": description, "content": _events((RunText, RunCall, RunActivity, RunObject))}


def answer_or_chunks(whole: type, chunk: type) -> Json:
    """OpenAPI 3.1 cannot describe the events of a stream; as everywhere, the schema is that of one event's data."""
    stream: Json = {"text/event-stream": {"schema": chunk}}
    description = "One object, or with `stream` the chunks of it as server-sent events, ended by `[DONE]`"
    return {"description": description, "content": {**content(whole), **stream}}


def answer_or_events(whole: type, events: Sequence[type]) -> Json:
    """As `answer_or_chunks`, of a protocol whose events have names."""
    description = "One object, or with `stream` its events, each of them named and numbered"
    return {"description": description, "content": {**content(whole), **_events(events)}}


def answer(description: str, schema: type) -> Json:
    """One object."""
    return {"description": description, "content": content(schema)}


def content(schema: type) -> Json:
    """JSON with this schema."""
    return {"application/json": {"schema": schema}}


def _events(schemas: Sequence[type]) -> Json:
    return {"text/event-stream": {"schema": {"anyOf": [*schemas]}}}


LISTING: Final[list[Json]] = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
    },
    {"name": "state", "in": "query", "schema": {"type": "string", "enum": [*RunState]}},
    {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": LONGEST_QUERY}},
    {"name": "after", "in": "query", "schema": {"type": "string"}},
    {"name": "format", "in": "query", "schema": {"type": "string", "enum": [*FORMATS], "default": "json"}},
]

SUMMING: Final[list[Json]] = [
    {"name": "over", "in": "query", "schema": {"type": "string", "enum": [*SPANS], "default": "24h"}},
    {"name": "width", "in": "query", "schema": {"type": "string", "enum": [*WIDTHS]}},
    {"name": "by", "in": "query", "schema": {"type": "string", "enum": [*DIMENSIONS, "none"], "default": "none"}},
    {"name": "format", "in": "query", "schema": {"type": "string", "enum": [*FORMATS], "default": "json"}},
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
