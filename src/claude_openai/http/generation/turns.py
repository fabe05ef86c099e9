"""The turns of one request, as long as its client listens: here the lifetimes of a request and of its turns are tied.

Each turn runs in a task of its own, its start included, so that the task that writes the answer can wait for an event
for a limited time and then do something else. Leaving the block for any reason ends the turns; so does the client by
disconnecting. A request for several answers ends as a whole.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream, TaskGroup
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.http.middleware.auth import identity, principal
from claude_openai.http.middleware.request_log import request_id
from claude_openai.http.middleware.slow_clients import ClientDisconnected, wait_for_disconnect
from claude_openai.http.ports import Gateway
from claude_openai.logs import bound
from claude_openai.system.tasks import without_traceback

LONGEST_CLIENT = 200
"""Characters of a User-Agent that are stored: enough to identify the program."""

RequestedAnswer = tuple[Caller, Turn]
"""An answer that the client waits for, and the turn that gives it."""


def caller_of(scope: Scope, run_id: str, answer_prefix: str, endpoint: str) -> Caller:
    """The caller of this request to `endpoint`; the answer's id is `run_id` after the protocol's `answer_prefix`."""
    client = "".join(filter(str.isprintable, Headers(scope=scope).get("user-agent", "")))
    return Caller(
        run_id=run_id,
        answer_id=answer_prefix + run_id,
        request_id=request_id(scope),
        principal=principal(scope),
        client=client[:LONGEST_CLIENT],
        endpoint=endpoint,
        key_name=identity(scope).name,
    )


@asynccontextmanager
async def run_turns(
    gateway: Gateway, asked: Sequence[RequestedAnswer], receive: Receive
) -> AsyncIterator[ObjectReceiveStream[tuple[int, Sequence[Event]]]]:
    """The events of one or several answers, side by side: batches, each with the number of its answer.

    A turn goes on when its events were received. Everything that is logged in the block names the run. At most as many
    answers are given at once as there are places, so that none waits in the queue for others of its own request.

    Raises:
        ClientDisconnected: the client left before the last event of all; the block is cancelled.
    """
    sender, receiver = anyio.create_memory_object_stream[tuple[int, Sequence[Event]]](0)
    watch = anyio.CancelScope()
    places = anyio.CapacityLimiter(gateway.places)
    unfinished = {anyio.CancelScope(): each for each in asked}

    async def relay(number: int, scope: anyio.CancelScope, caller: Caller, turn: Turn) -> None:
        with scope, bound(run_id=caller.run_id):
            async with places, gateway.open(turn, caller) as batches:
                async for events in batches:
                    last = isinstance(events[-1], TurnFinished | TurnFailed)
                    if last:
                        del unfinished[scope]
                        if not unfinished:  # the answer is complete: a client that disconnects now misses nothing
                            watch.cancel()
                    with suppress(anyio.BrokenResourceError):  # the block has been left
                        await sender.send((number, events))
                        if not last:
                            continue
                        # The writer sends the last event first. The session is released in the same iteration of the
                        # event loop, so before the client's next request can be read.
                        await anyio.lowlevel.cancel_shielded_checkpoint()
                    return

    async with sender, receiver:
        with bound(run_id=asked[0][0].run_id):
            async with _task_group() as tasks:
                tasks.start_soon(_watch, receive, watch)
                for number, (scope, (caller, turn)) in enumerate(unfinished.items()):
                    tasks.start_soon(without_traceback, relay, number, scope, caller, turn)
                yield receiver
                receiver.close()
                watch.cancel()
                for scope in unfinished:
                    scope.cancel()


@asynccontextmanager
async def cancel_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """A block that is cancelled when the client disconnects.

    Raises:
        ClientDisconnected: the client left.
    """
    watch = anyio.CancelScope()
    async with _task_group() as tasks:
        tasks.start_soon(_watch, receive, watch)
        yield
        watch.cancel()


@asynccontextmanager
async def refused_when(event: Callable[[], Awaitable[Failure]]) -> AsyncIterator[None]:
    """A block that is cancelled when `event` returns.

    Raises:
        RequestFailed: `event` returned, with this failure.
    """
    wait = anyio.CancelScope()

    async def refuse() -> None:
        with wait:
            raise RequestFailed(await event())

    async with _task_group() as tasks:
        tasks.start_soon(refuse)
        yield
        wait.cancel()


async def _watch(receive: Receive, watch: anyio.CancelScope) -> None:
    with watch:
        await wait_for_disconnect(receive)
        raise ClientDisconnected


@asynccontextmanager
async def _task_group() -> AsyncIterator[TaskGroup]:
    """A task group whose only exception is raised without the group.

    It is raised outside the `except` block: the group would become its context, which is a reference cycle. A cycle
    keeps everything that a large request was parsed into until the garbage collector runs, and makes that slow.
    """
    lone: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        lone = group.exceptions[0]
    if lone is not None:
        try:
            raise lone
        finally:
            del lone
