"""Every endpoint, once: the routes, the CORS methods, the paths that need no key, the sentence for an unknown path, the
names in the log, OpenAPI, and the error format of each request are made of this table.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Final, get_args

from starlette.types import ASGIApp

from claude_openai.http.endpoints.health import Health, HealthCheck
from claude_openai.http.endpoints.metrics import MetricsEndpoint
from claude_openai.http.endpoints.models import Models, OneModel
from claude_openai.http.endpoints.openapi import (
    LISTING,
    PAGING,
    SUMMING,
    Json,
    OpenApi,
    answer,
    answer_or_chunks,
    answer_or_events,
    content,
    run_events,
)
from claude_openai.http.endpoints.responses import RESPONSES, CancelResponse, InputItems, OneResponse
from claude_openai.http.endpoints.runs import CancelRun, FollowRun, LatestRuns, OneRun
from claude_openai.http.endpoints.statistics import StatisticsEndpoint
from claude_openai.http.endpoints.welcome_page import WelcomePage
from claude_openai.http.generation.context import GenerationContext
from claude_openai.http.generation.driver import Generation, GenerationProtocol
from claude_openai.http.generation.stateless import Stateless
from claude_openai.http.routing import BASE
from claude_openai.protocols.chat_completions.protocol import CHAT
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from claude_openai.protocols.common.protocol import OPENAI, ProtocolFormat
from claude_openai.protocols.completions.protocol import COMPLETIONS
from claude_openai.protocols.completions.wire import Completion, CompletionRequest
from claude_openai.protocols.models.wire import ModelList, ModelObject
from claude_openai.protocols.responses.wire.events import StreamEvent
from claude_openai.protocols.responses.wire.reply import Deleted, ItemList, Response
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from claude_openai.protocols.runs.wire import RunList, RunObject, Statistics


@dataclass(frozen=True, slots=True)
class EndpointContext:
    """What endpoints are built with. `clock` is monotonic, in seconds; `endpoints` is the whole table."""

    generation: GenerationContext
    version: str
    simulated: bool
    clock: Callable[[], float]
    endpoints: tuple["Endpoint", ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, in Starlette's form. `operation` is OpenAPI's, without the summary and the errors, with
    types in place of their schemas. An endpoint that `is_open` needs no key. `log_name` is the name of an endpoint that
    calls the model, in the log. If several protocols have a path, one with a `ProtocolFormat.header` gets the requests
    that have it.
    """

    method: str
    path: str
    summary: str
    operation: Json = field(hash=False)
    build: Callable[[EndpointContext], ASGIApp]
    is_open: bool = False
    protocol: ProtocolFormat = OPENAI
    log_name: str | None = None


def generation(
    path: str, summary: str, request: type, success: Json, protocol: GenerationProtocol, *, log_name: str
) -> Endpoint:
    """The endpoint of a protocol that calls the model: POST `request`, and `success` is OpenAPI's response."""
    return Endpoint(
        "POST",
        path,
        summary,
        {"requestBody": {"required": True, "content": content(request)}, "responses": {"200": success}},
        lambda given: Generation(given.generation, protocol, log_name),
        protocol=protocol.format,
        log_name=log_name,
    )


def protocol_of(endpoints: Iterable[Endpoint], path: str, headers: Container[str]) -> ProtocolFormat:
    """The protocol of a request for any `path`: the one whose own header it has; else that of the endpoint with the
    longest beginning of `path`, up to its first `{`; else OpenAI's.
    """
    found, longest = OPENAI, -1
    for endpoint in endpoints:
        if endpoint.protocol.header is not None and endpoint.protocol.header in headers:
            return endpoint.protocol
        beginning = endpoint.path.partition("{")[0]
        if path.startswith(beginning) and len(beginning) > longest:
            found, longest = endpoint.protocol, len(beginning)
    return found


def _parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _get(description: str, schema: type, *parameters: Json) -> Json:
    return {
        **({"parameters": [*parameters]} if parameters else {}),
        "responses": {"200": answer(description, schema)},
    }


_MODEL, _RESPONSE, _RUN = _parameter("model"), _parameter("response"), _parameter("run")

_WELCOME: Final[Json] = {
    "responses": {
        "200": {
            "description": "What this server is and how to use it",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
            },
        }
    }
}

METRICS_PATH: Final = "/metrics"

_METRICS: Final[Json] = {
    "responses": {
        "200": {
            "description": "Prometheus's text format, or OpenMetrics where that is accepted",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
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
        lambda given: OpenApi(given.version, given.endpoints),
        is_open=True,
    ),
    Endpoint(
        "GET",
        METRICS_PATH,
        "The server's metrics, for Prometheus",
        _METRICS,
        lambda given: MetricsEndpoint(given.generation.gateway, version=given.version, simulated=given.simulated),
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
    generation(
        "/v1/chat/completions",
        "Answer a conversation",
        ChatCompletionRequest,
        answer_or_chunks(ChatCompletion, ChatCompletionChunk),
        Stateless(CHAT),
        log_name="chat",
    ),
    generation(
        "/v1/responses",
        "Answer an input",
        ResponsesRequest,
        answer_or_events(Response, get_args(StreamEvent)),
        RESPONSES,
        log_name="responses",
    ),
    generation(
        "/v1/completions",
        "Answer a prompt, in the older form",
        CompletionRequest,
        answer_or_chunks(Completion, Completion),
        Stateless(COMPLETIONS),
        log_name="completion",
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
        _get("A page of items", ItemList, _RESPONSE, *PAGING),
        lambda given: InputItems(given.generation.gateway.responses),
    ),
    Endpoint(
        "GET",
        "/runs",
        "The latest requests and what has become of them",
        _get("The runs, the last to arrive first", RunList, *LISTING),
        lambda given: LatestRuns(given.generation.gateway.runs),
    ),
    Endpoint(
        "GET",
        "/stats",
        "What requests add up to, by hours or days",
        _get("The sums", Statistics, *SUMMING),
        lambda given: StatisticsEndpoint(given.generation.gateway.runs, given.generation.now),
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
        {"parameters": [_RUN], "responses": {"200": run_events()}},
        lambda given: FollowRun(given.generation.gateway.runs, given.generation.keep_alive_seconds),
    ),
    Endpoint(
        "POST",
        "/runs/{run}/cancel",
        "End a run",
        _get("The run", RunObject, _RUN),
        lambda given: CancelRun(given.generation.gateway.runs),
    ),
    *(
        Endpoint("GET", path, "What this server is", _WELCOME, lambda given: WelcomePage(given.version), is_open=True)
        for path in ("/", BASE)
    ),
)
