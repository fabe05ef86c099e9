"""A turn as long as its client listens: the one place where a request's lifetime and its turn's are tied together.

The turn runs in a task of its own, its start included, so that who answers can wait a while for an event and then do
something else. Leaving the block for any reason ends the turn; so does the client by leaving.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup
from starlette.types import Receive

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.turn import Turn
from claude_openai.http.client import ClientGone, departure
from claude_openai.http.ports import Gateway


@asynccontextmanager
async def attended(gateway: Gateway, turn: Turn, receive: Receive) -> AsyncIterator[ObjectReceiveStream[Event]]:
    """The events of `turn`, each to be received before the next is asked for, up to and including the last.

    Raises:
        ClientGone: the client left before the last event; what the block was doing is cancelled.
    """
    sender, events = anyio.create_memory_object_stream[Event](0)
    watch = anyio.CancelScope()
    async with sender, events, _task_group() as tasks:
        tasks.start_soon(_watch, receive, watch)
        tasks.start_soon(_relay, gateway, turn, sender, watch)
        yield events


async def _relay(gateway: Gateway, turn: Turn, sender: ObjectSendStream[Event], watch: anyio.CancelScope) -> None:
    """From the last event on nobody watches: there is nothing left to end, and a finished answer is no departure."""
    async with gateway.open(turn) as events:
        async for event in events:
            last = isinstance(event, TurnFinished | TurnFailed)
            if last:
                watch.cancel()
            await sender.send(event)
            if last:
                return


async def _watch(receive: Receive, watch: anyio.CancelScope) -> None:
    with watch:
        await departure(receive)
        raise ClientGone


@asynccontextmanager
async def _task_group() -> AsyncIterator[TaskGroup]:
    """A task group whose lone exception is raised as it is."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from group.exceptions[0].__cause__
