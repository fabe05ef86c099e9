"""Reading a request's body, never more of it than the limit and never for ever."""

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.http.client import ClientGone
from claude_openai.http.errors import Refused

SILENCE_SECONDS = 30.0
"""How long a client may pause within its own request; a network stall is shorter, a forgotten connection longer."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of it.

    Raises:
        RequestFailed: `REQUEST_TOO_LARGE`, before a byte is read where the length was announced.
        Refused: the client fell silent (408).
        ClientGone: it left.
    """
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    while True:
        message = await _next_part(receive)
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


async def _next_part(receive: Receive) -> Message:
    with anyio.CancelScope(deadline=anyio.current_time() + SILENCE_SECONDS):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message
    sentence = f"The request's body did not arrive: nothing came for {SILENCE_SECONDS:g} s."
    raise Refused(408, sentence, code="request_timeout")


def _too_large(limit: int) -> RequestFailed:
    sentence = f"The request's body is larger than {limit} bytes, the limit of this server (--max-request-bytes)."
    return RequestFailed(Failure(Kind.REQUEST_TOO_LARGE, sentence))
