"""A client's connection around its requests: what cannot be read is answered like any error, and nobody may take for
ever to say what he wants.

uvicorn answers the first in plain text; it waits for ever for the rest of a head, and of a body that has its answer.
"""

import asyncio
import sys
from http import HTTPStatus
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.http.errors import NOT_HTTP
from claude_openai.http.origin import ISOLATED
from claude_openai.logs import logger
from claude_openai.wire.errors import ErrorBody, ErrorEnvelope

log = logger(__name__)

HEAD_SECONDS: Final = 30.0
"""From a connection's or a further request's first sign until all its headers are there. Clients need milliseconds."""

LINGER_SECONDS: Final = 5.0
"""How long a client that has its answer may go on with its request. Closed at once, it might never see the answer."""

_UNREADABLE: Final = ErrorBody(
    message=NOT_HTTP,
    type="invalid_request_error",
    param=None,
    code="not_http",
)
_TOO_LARGE: Final = ErrorBody(
    message="The request's headers are too large. Those of programs are some hundred bytes.",
    type="invalid_request_error",
    param=None,
    code="headers_too_large",
)


class Connection(H11Protocol):
    """uvicorn's protocol (`uvicorn.Config(http=Connection)`) with a bound on waiting, and OpenAI's envelope."""

    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._bound_waiting()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)
            self._bound_waiting()

    def _should_upgrade(self) -> bool:
        """Never: RFC 9110 (7.8) lets a server pass an upgrade over. uvicorn would log what to install for it."""
        return False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._bound_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Called where h11 raises what it says of the request; nothing more is read after that."""
        status = HTTPStatus(getattr(sys.exception(), "error_status_hint", HTTPStatus.BAD_REQUEST))
        log.info("http.unreadable", status=status.value, reason=msg)
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        self.transport.write(self._refusal(status))
        self.transport.write_eof()
        self._refused = True
        self._close_after(LINGER_SECONDS)
        if self.cycle is not None:  # it waits for the rest of a body that cannot be read
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _refusal(self, status: HTTPStatus) -> bytes:
        error = _TOO_LARGE if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE else _UNREADABLE
        body = ErrorEnvelope(error=error).to_json().encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
        headers |= ISOLATED
        events = (
            h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        return b"".join(self.conn.send(event) or b"" for event in events)

    def _bound_waiting(self) -> None:
        """For the head of a request, or for the rest of one that has its answer."""
        answered = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        if not (answered or self.conn.their_state is h11.IDLE):
            self._stop_waiting()
        elif self._deadline is None:
            self._close_after(LINGER_SECONDS if answered else HEAD_SECONDS)

    def _close_after(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
