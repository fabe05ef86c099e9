"""A turn as long as its client listens: the one place where a request's lifetime and its turn's are tied together.

The turn runs in a task of its own, its start included, so that who answers can wait a while for an event and then do
something else. Leaving the block for any reason ends the turn; so does the client by leaving. Where several answers are
asked for at once, that holds for all of them together.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import ObjectReceiveStream, TaskGroup
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.http.middleware.auth import principal
from claude_openai.http.middleware.request_log import request_id
from claude_openai.http.middleware.slow_clients import ClientDisconnected, wait_for_disconnect
from claude_openai.http.ports import Gateway
from claude_openai.logs import bound

LONGEST_CLIENT = 200
"""Characters of a User-Agent that are remembered: enough to tell which program it is."""

RequestedAnswer = tuple[Caller, Turn]
"""An answer that somebody waits for, and the turn that it comes from."""


def caller_of(scope: Scope, run_id: str, answer_prefix: str) -> Caller:
    """Who sent this request, whose answer's id is `run_id` after the protocol's `answer_prefix`."""
    client = "".join(filter(str.isprintable, Headers(scope=scope).get("user-agent", "")))
    return Caller(
        run_id=run_id,
        answer_id=answer_prefix + run_id,
        request_id=request_id(scope),
        principal=principal(scope),
        client=client[:LONGEST_CLIENT],
    )


@asynccontextmanager
async def run_turns(
    gateway: Gateway, asked: Sequence[RequestedAnswer], receive: Receive
) -> AsyncIterator[ObjectReceiveStream[tuple[int, Event]]]:
    """The events of one or several answers, side by side, each with the number of its answer; each is to be received
    before the next is asked for, up to and including the last.

    Whatever is logged in the block names the run. Only as many answers as there are places go on at once, so that none
    waits in the queue for others of its own request.

    Raises:
        ClientGone: the client left before the last event of all; what the block was doing is cancelled.
    """
    sender, events = anyio.create_memory_object_stream[tuple[int, Event]](0)
    async with sender, events, _running(gateway, asked, receive, lambda *told: sender.send(told)):
        yield events
        events.close()


@asynccontextmanager
async def cancel_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """A block that goes on as long as the client listens.

    Raises:
        ClientGone: the client left; what the block was doing is cancelled.
    """
    watch = anyio.CancelScope()
    async with _task_group() as tasks:
        tasks.start_soon(_watch, receive, watch)
        yield
        watch.cancel()


@asynccontextmanager
async def refused_when(event: Callable[[], Awaitable[Failure]]) -> AsyncIterator[None]:
    """A block that goes on until `event` comes, if it does.

    Raises:
        RequestFailed: it came, and is why; what the block was doing is cancelled.
    """
    wait = anyio.CancelScope()

    async def refuse() -> None:
        with wait:
            raise RequestFailed(await event())

    async with _task_group() as tasks:
        tasks.start_soon(refuse)
        yield
        wait.cancel()


@asynccontextmanager
async def _running(
    gateway: Gateway,
    asked: Sequence[RequestedAnswer],
    receive: Receive,
    tell: Callable[[int, Event], Awaitable[None]],
) -> AsyncIterator[None]:
    """The answers asked for, told to `tell` as long as somebody listens there.

    Leaving the block ends what still goes on. From the last event on nobody watches: there is nothing left to end, and
    a finished answer is no departure.
    """
    watch = anyio.CancelScope()
    places = anyio.CapacityLimiter(gateway.places)
    unfinished = {anyio.CancelScope(): each for each in asked}

    async def relay(number: int, scope: anyio.CancelScope, caller: Caller, turn: Turn) -> None:
        with scope, bound(run_id=caller.run_id):
            async with places, gateway.open(turn, caller) as events:
                async for event in events:
                    last = isinstance(event, TurnFinished | TurnFailed)
                    if last:
                        del unfinished[scope]
                    if not unfinished:
                        watch.cancel()
                    with suppress(anyio.BrokenResourceError):  # nobody listens any more
                        await tell(number, event)
                        if not last:
                            continue
                    return

    with bound(run_id=asked[0][0].run_id):
        async with _task_group() as tasks:
            tasks.start_soon(_watch, receive, watch)
            for number, (scope, (caller, turn)) in enumerate(unfinished.items()):
                tasks.start_soon(relay, number, scope, caller, turn)
            yield
            watch.cancel()
            for scope in unfinished:
                scope.cancel()


async def _watch(receive: Receive, watch: anyio.CancelScope) -> None:
    with watch:
        await wait_for_disconnect(receive)
        raise ClientDisconnected


@asynccontextmanager
async def _task_group() -> AsyncIterator[TaskGroup]:
    """A task group whose lone exception is raised as it is.

    Not within the `except`: the group would be its context and so a cycle, which keeps all that a large request was
    parsed into until the garbage collector runs, and makes that slow.
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
