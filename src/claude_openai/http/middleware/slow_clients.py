"""Clients that disconnect, or stop reading. Neither is an error: `SlowClientTimeout` ends the request."""

import math

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.logs import logger

log = logger(__name__)

SEND_SECONDS = 60.0
"""How long sending one message of an answer may take, if the client has stopped reading."""


class ClientDisconnected(Exception):
    """The client has disconnected."""


class SlowClientTimeout:
    """Ends a request if one message of its answer cannot be sent in time."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            request.deadline = anyio.current_time() + self._seconds
            await send(message)
            request.deadline = math.inf

        with anyio.CancelScope() as request:
            try:
                await self._app(scope, receive, send_in_time)
            except ClientDisconnected:
                log.debug("http.client_gone")
        if request.cancelled_caught:
            log.info("http.client_stalled", seconds=self._seconds)


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client has disconnected. The request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
