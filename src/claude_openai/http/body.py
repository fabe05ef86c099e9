"""Reading a request's body, never more of it than the limit and never for ever."""

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.http.client import ClientGone
from claude_openai.http.errors import Refused, shown

SILENCE_SECONDS = 30.0
"""How long a client may pause within its own request; a network stall is shorter, a forgotten connection longer."""

WHOLE_SECONDS = 300.0
"""How long the whole of it may take; else one byte now and then would hold a connection and its memory for days."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of it.

    Raises:
        RequestFailed: `REQUEST_TOO_LARGE`, before a byte is read where the length was announced.
        Refused: it is packed (415); the client fell silent, or took too long in all (408).
        ClientGone: it left.
    """
    headers = Headers(scope=scope)
    if packed := headers.get("content-encoding", "identity").lower().replace("identity", ""):
        sentence = f"The request's body is packed ({shown(packed)}), which this server does not read. Send it as it is."
        raise Refused(415, sentence, code="unsupported_content_encoding")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    deadline = anyio.current_time() + WHOLE_SECONDS
    while True:
        message = await _next_part(receive, deadline)
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


async def _next_part(receive: Receive, deadline: float) -> Message:
    now = anyio.current_time()
    with anyio.CancelScope(deadline=min(now + SILENCE_SECONDS, deadline)):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message
    late = now + SILENCE_SECONDS > deadline
    what = f"it took over {WHOLE_SECONDS:g} s" if late else f"nothing came for {SILENCE_SECONDS:g} s"
    sentence = f"The request's body did not arrive: {what}."
    raise Refused(408, sentence, code="request_timeout")


def _too_large(limit: int) -> RequestFailed:
    sentence = f"The request's body is larger than {limit} bytes, the limit of this server (--max-request-bytes)."
    return RequestFailed(Failure(Kind.REQUEST_TOO_LARGE, sentence))
