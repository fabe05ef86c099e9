"""Every endpoint, once: routes, CORS methods, the paths that need no key, and OpenAPI are made of this table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, get_args

from starlette.types import ASGIApp

from claude_openai.http.endpoints import openapi
from claude_openai.http.endpoints.chat_completions import CHAT, COMPLETIONS
from claude_openai.http.endpoints.health import Health, HealthCheck
from claude_openai.http.endpoints.models import Models, OneModel
from claude_openai.http.endpoints.openapi import Json, OpenApi, answer, content, or_error
from claude_openai.http.endpoints.responses import CancelResponse, InputItems, OneResponse, Responses
from claude_openai.http.endpoints.runs import CancelRun, FollowRun, LatestRuns, OneRun
from claude_openai.http.endpoints.welcome import Welcome
from claude_openai.http.generation.context import GenerationContext
from claude_openai.http.generation.driver import Generation
from claude_openai.http.routing import BASE
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from claude_openai.protocols.common.errors import OPENAI_ERRORS, ErrorFormat
from claude_openai.protocols.completions.wire import Completion, CompletionRequest
from claude_openai.protocols.models.wire import ModelList, ModelObject
from claude_openai.protocols.responses.wire.events import StreamEvent
from claude_openai.protocols.responses.wire.reply import Deleted, ItemList, Response
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from claude_openai.protocols.runs.wire import RunList, RunObject


@dataclass(frozen=True, slots=True)
class EndpointContext:
    """What endpoints are built with. `clock` is monotonic, in seconds."""

    generation: GenerationContext
    version: str
    simulated: bool
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, in Starlette's form. `operation` is OpenAPI's, without the summary; an endpoint that
    `is_open` needs no key.
    """

    method: str
    path: str
    summary: str
    operation: Json = field(hash=False)
    build: Callable[[EndpointContext], ASGIApp]
    is_open: bool = False
    errors: ErrorFormat = OPENAI_ERRORS


def error_format(path: str) -> ErrorFormat:
    """The error format of the first endpoint whose path, up to its first `{`, is a prefix of `path`; else OpenAI's."""
    beginnings = ((endpoint.path.partition("{")[0], endpoint.errors) for endpoint in ENDPOINTS)
    return next((errors for beginning, errors in beginnings if path.startswith(beginning)), OPENAI_ERRORS)


def _parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _get(description: str, schema: type, *parameters: Json) -> Json:
    return {**({"parameters": [*parameters]} if parameters else {}), "responses": or_error(answer(description, schema))}


def _post(request: type, success: Json) -> Json:
    return {"requestBody": {"required": True, "content": content(request)}, "responses": or_error(success)}


_MODEL, _RESPONSE, _RUN = _parameter("model"), _parameter("response"), _parameter("run")

_RESPONSE_EVENTS: Final[Json] = {
    "text/event-stream": {"schema": {"anyOf": [openapi.reference(event) for event in get_args(StreamEvent)]}}
}

_WELCOME: Final[Json] = {
    "responses": or_error(
        {
            "description": "What this server is and how to use it",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
            },
        }
    )
}

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        "GET",
        "/health",
        "Whether requests can be answered",
        {"responses": {"200": answer("Ready", Health), "503": answer("Not ready, and why", Health)}},
        lambda given: HealthCheck(
            given.generation.gateway,
            version=given.version,
            simulated=given.simulated,
            now=given.generation.now,
            clock=given.clock,
        ),
        is_open=True,
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        "This description",
        {
            "responses": {
                "200": {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
            }
        },
        lambda given: OpenApi(given.version, ENDPOINTS),
        is_open=True,
    ),
    Endpoint(
        "GET", "/v1/models", "All models", _get("The models", ModelList), lambda given: Models(given.generation.gateway)
    ),
    Endpoint(
        "GET",
        "/v1/models/{model:path}",
        "One model",
        _get("The model", ModelObject, _MODEL),
        lambda given: OneModel(given.generation.gateway),
    ),
    Endpoint(
        "POST",
        "/v1/chat/completions",
        "Answer a conversation",
        _post(ChatCompletionRequest, openapi.completion(ChatCompletion, ChatCompletionChunk)),
        lambda given: Generation(given.generation, CHAT),
    ),
    Endpoint(
        "POST",
        "/v1/completions",
        "Answer a prompt, in the older form",
        _post(CompletionRequest, openapi.completion(Completion, Completion)),
        lambda given: Generation(given.generation, COMPLETIONS),
    ),
    Endpoint(
        "POST",
        "/v1/responses",
        "Answer an input",
        _post(
            ResponsesRequest,
            {
                "description": "The response, or with `stream` its events, each of them named and numbered",
                "content": {**content(Response), **_RESPONSE_EVENTS},
            },
        ),
        lambda given: Generation(given.generation, Responses()),
    ),
    Endpoint(
        "GET",
        "/v1/responses/{response}",
        "A stored response",
        _get("The response", Response, _RESPONSE),
        lambda given: OneResponse(given.generation.gateway.responses).get,
    ),
    Endpoint(
        "DELETE",
        "/v1/responses/{response}",
        "Delete a stored response",
        _get("It is deleted", Deleted, _RESPONSE),
        lambda given: OneResponse(given.generation.gateway.responses).delete,
    ),
    Endpoint(
        "POST",
        "/v1/responses/{response}/cancel",
        "End a response that is being answered",
        _get("The response", Response, _RESPONSE),
        lambda given: CancelResponse(given.generation.gateway.responses),
    ),
    Endpoint(
        "GET",
        "/v1/responses/{response}/input_items",
        "The input of a stored response",
        _get("A page of items", ItemList, _RESPONSE, *openapi.PAGING),
        lambda given: InputItems(given.generation.gateway.responses),
    ),
    Endpoint(
        "GET",
        "/runs",
        "The latest requests and what has become of them",
        _get("The runs, the last to arrive first", RunList, *openapi.LISTING),
        lambda given: LatestRuns(given.generation.gateway.runs),
    ),
    Endpoint(
        "GET",
        "/runs/{run}",
        "One run, by the beginning of an id",
        _get("The run", RunObject, _RUN),
        lambda given: OneRun(given.generation.gateway.runs),
    ),
    Endpoint(
        "GET",
        "/runs/{run}/events",
        "The output of a run, from its beginning to its end",
        {"parameters": [_RUN], "responses": or_error(openapi.run_events())},
        lambda given: FollowRun(given.generation.gateway.runs, given.generation.keep_alive_seconds),
    ),
    Endpoint(
        "POST",
        "/runs/{run}/cancel",
        "End a run",
        _get("The run", RunObject, _RUN),
        lambda given: CancelRun(given.generation.gateway.runs),
    ),
    *(  # the last ones, since every path begins with theirs
        Endpoint("GET", path, "What this server is", _WELCOME, lambda given: Welcome(given.version), is_open=True)
        for path in ("/", BASE)
    ),
)
