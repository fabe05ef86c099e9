"""Plays an answer to one client, as a stream or as a document."""

from collections.abc import Iterable
from typing import assert_never

import anyio

from claude_openai.simulator.exchange import Exchange, dump
from claude_openai.simulator.recorded import JsonObject
from claude_openai.simulator.render import Emit, Pause, Step
from claude_openai.simulator.script import Cut, Failure, Gate, Malformed, Stall, StreamError

NO_JSON = '{"type":"content_block_delta","index":0,"delta":{"ty'
"""The data of a malformed event, and a malformed document."""

STATUS_OF_ERROR = {"invalid_request_error": 400, "rate_limit_error": 429, "overloaded_error": 529}
"""What a stream's error would have been without a stream; any other type is a 500."""


async def play_stream(steps: Iterable[Step], exchange: Exchange) -> None:
    for step in steps:
        match step:
            case Emit(event):
                await exchange.event(event["type"], dump(event))
            case Malformed():
                await exchange.event("content_block_delta", NO_JSON)
            case StreamError(type=kind, message=text):
                await exchange.event("error", dump(error(kind, text)))
                break
            case Cut():
                await exchange.drop()
            case Pause() | Gate() | Stall():
                await _wait(step)
            case _:
                assert_never(step)
    await exchange.end()


async def play_message(steps: Iterable[Step], message: JsonObject, exchange: Exchange) -> None:
    """The whole message at once. It takes the time of its stream and suffers the like of its fault."""
    for step in steps:
        match step:
            case Emit():
                continue
            case Malformed():
                await exchange.document(NO_JSON)
                return
            case StreamError(type=kind, message=text):
                await play_failure(Failure(STATUS_OF_ERROR.get(kind, 500), kind, text), exchange)
                return
            case Cut():
                await exchange.half_a_document(dump(message))
                await exchange.drop()
            case Pause() | Gate() | Stall():
                await _wait(step)
            case _:
                assert_never(step)
    await exchange.document(dump(message))


async def play_failure(failure: Failure, exchange: Exchange) -> None:
    await exchange.document(dump(error(failure.type, failure.message)), failure.status)


def error(kind: str, text: str) -> JsonObject:
    """An error as Anthropic wraps it, in documents and streams alike."""
    return {"type": "error", "error": {"type": kind, "message": text}}


async def _wait(step: Pause | Gate | Stall) -> None:
    match step:
        case Pause(seconds):
            await anyio.sleep(seconds)
        case Gate():
            await step.wait()
        case Stall():
            await anyio.sleep_forever()
