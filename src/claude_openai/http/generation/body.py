"""Reading a request's body: at most so many bytes of it, in bounded time, and all bodies in bounded memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext

import anyio
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.http.generation.turns import refused_when
from claude_openai.http.middleware.errors import HttpError
from claude_openai.http.middleware.slow_clients import ClientDisconnected
from claude_openai.system.threads import CollectorPause
from claude_openai.text import shown

MANY_VALUES_BYTES = 256 * 1024
"""Of a body that may hold so many values that a collection of cyclic garbage takes over 50 ms while they exist."""

SILENCE_SECONDS = 30.0
"""How long a client may pause within its request; a network stall is shorter, a forgotten connection longer."""

WHOLE_SECONDS = 300.0
"""How long the whole body may take. Without a bound, a byte now and then would hold a connection for days."""

RETRY_SECONDS = 5.0
"""`Retry-After` of a request that found no room: about the length of an answer."""

STOPPING_SECONDS = 2.0
"""How long a body may still arrive when the server stops: a client never sees the error if its connection is closed
while it sends.
"""


class Bodies:
    """The bodies of all open requests: at most `most` bytes of each, `most_together` of all.

    A body counts until its request is answered, since its messages are in memory as long. One body always has room.
    """

    def __init__(self, most: int, most_together: int, until_stopped: Callable[[], Awaitable[Failure]]) -> None:
        self.most = most
        self._until_stopped = until_stopped
        self._room = max(most, most_together)

    @asynccontextmanager
    async def read(self, scope: Scope, receive: Receive) -> AsyncIterator[bytes]:
        """The request's body, for the time of the block.

        Raises:
            RequestFailed: `REQUEST_MEMORY_FULL`: the other bodies leave no room; `SHUTTING_DOWN`: the server stops
                before the body is complete; and what `read_body` raises.
        """
        taken = 0

        def take(length: int) -> None:
            nonlocal taken
            if length > self._room:
                raise _no_room()
            taken += length
            self._room -= length

        async def stopped() -> Failure:
            failure = await self._until_stopped()
            await anyio.sleep(STOPPING_SECONDS)
            return failure

        try:
            length = Headers(scope=scope).get("content-length", "")
            if length.isdecimal() and self._room < int(length) <= self.most:
                raise _no_room()
            async with refused_when(stopped):
                body = await read_body(scope, receive, self.most, take)
            with CollectorPause() if len(body) > MANY_VALUES_BYTES else nullcontext():
                yield body
        finally:
            self._room += taken


async def read_body(scope: Scope, receive: Receive, limit: int, take: Callable[[int], None] = lambda _: None) -> bytes:
    """The whole body, at most `limit` bytes of it; `take` is called with the length of each piece before it is kept.

    Raises:
        RequestFailed: `REQUEST_TOO_LARGE`, before a byte is read if the length was announced.
        HttpError: the body is compressed (415); the client paused too long, or took too long in all (408).
        ClientDisconnected: the client left.
    """
    headers = Headers(scope=scope)
    if packed := headers.get("content-encoding", "identity").lower().replace("identity", ""):
        sentence = f"The request's body is packed ({shown(packed)}), which this server does not read. Send it as it is."
        raise HttpError(415, sentence, code="unsupported_content_encoding")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    whole_deadline = anyio.current_time() + WHOLE_SECONDS
    while True:
        silence_deadline = anyio.current_time() + SILENCE_SECONDS
        with anyio.CancelScope(deadline=min(silence_deadline, whole_deadline)) as wait:
            message = await receive()
        if wait.cancelled_caught:
            late = silence_deadline > whole_deadline
            what = f"it took over {WHOLE_SECONDS:g} s" if late else f"nothing came for {SILENCE_SECONDS:g} s"
            raise HttpError(408, f"The request's body did not arrive: {what}.", code="request_timeout")
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        piece: bytes = message.get("body", b"")
        if len(body) + len(piece) > limit:
            raise _too_large(limit)
        take(len(piece))
        body += piece
        if not message.get("more_body", False):
            return bytes(body)


def _no_room() -> RequestFailed:
    sentence = (
        "The requests that are being answered fill the memory that this server has for request bodies "
        "(--max-total-request-bytes). Try again when some are over."
    )
    return RequestFailed(Failure(Kind.REQUEST_MEMORY_FULL, sentence, retry_after=RETRY_SECONDS))


def _too_large(limit: int) -> RequestFailed:
    sentence = f"The request's body is larger than {limit} bytes, the limit of this server (--max-request-bytes)."
    return RequestFailed(Failure(Kind.REQUEST_TOO_LARGE, sentence))
