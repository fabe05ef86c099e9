"""A client's connection around its requests: what cannot be read is answered like any error, and nobody may take for
ever to say what he wants.

uvicorn answers the first in plain text; it waits for ever for the rest of a head, and of a body that has its answer.
"""

import asyncio
import math
import sys
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.http.middleware.errors import NOT_HTTP
from claude_openai.http.middleware.origin import ISOLATED
from claude_openai.logs import logger
from claude_openai.protocols.common.wire.errors import ErrorBody, ErrorEnvelope

log = logger(__name__)

HEAD_SECONDS: Final = 30.0
"""From a connection's or a further request's first sign until all its headers are there. Clients need milliseconds."""

LINGER_SECONDS: Final = 5.0
"""How long a client that has its answer may go on with its request. Closed at once, it might never see the answer."""

OWN_DESCRIPTORS: Final = 96
"""Of a server without clients and processes: some 20, and twice 24 that are accepted before one is closed."""

PROCESS_DESCRIPTORS: Final = 8
"""Of each process of Claude Code: pipes, its folder, and the files that are read and written for it."""

LEAST_PLACES: Final = 16

TELL_AGAIN_SECONDS: Final = 60.0
"""Between two lines of the log that say that there are too many connections."""

_FULL: Final = ErrorBody(
    message="This server has as many connections as it can have, each with a request. Try again in a moment.",
    type="server_error",
    param=None,
    code="too_many_connections",
)
_UNREADABLE: Final = ErrorBody(
    message=NOT_HTTP,
    type="invalid_request_error",
    param=None,
    code="not_http",
)
_HOST: Final = ErrorBody(
    message="A request of HTTP/1.1 has one Host header, such as 'Host: localhost:8000'; this one has none, or several.",
    type="invalid_request_error",
    param=None,
    code="invalid_host",
)
_TOO_LARGE: Final = ErrorBody(
    message="The request's headers are too large. Those of programs are some hundred bytes.",
    type="invalid_request_error",
    param=None,
    code="headers_too_large",
)


def places_within(descriptors: int, processes: int) -> int:
    """How many connections leave enough `descriptors` to all else and to so many `processes` of Claude Code."""
    return max(LEAST_PLACES, descriptors - OWN_DESCRIPTORS - PROCESS_DESCRIPTORS * processes)


class Room:
    """A bound on the connections of a server. Where one too many comes, the one that has waited longest for a request
    makes room for it; where every one is being answered, it is turned away itself.
    """

    def __init__(self, places: float = math.inf) -> None:
        self._places = places
        self._open = set["Connection"]()
        self._waiting = dict["Connection", None]()  # in the order of time
        self._told_at = -math.inf

    def enter(self, connection: "Connection") -> bool:
        """Whether there is a place for it."""
        if len(self._open) >= self._places:
            self._tell(connection.loop.time())
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            self.leave(longest)
            longest.transport.close()
        self._open.add(connection)
        return True

    def leave(self, connection: "Connection") -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def note(self, connection: "Connection", *, waits: bool) -> None:
        """Whether a request is expected from it, or is there."""
        if not waits:
            self._waiting.pop(connection, None)
        elif connection in self._open:
            self._waiting.setdefault(connection)

    def _tell(self, now: float) -> None:
        if now - self._told_at >= TELL_AGAIN_SECONDS:
            self._told_at = now
            log.warning("http.connections_full", places=self._places)


class Connection(H11Protocol):
    """uvicorn's protocol (`uvicorn.Config(http=Connection)`) with a bound on waiting, and OpenAI's envelope. With
    `functools.partial(Connection, room=...)` there is a bound on their number, too.
    """

    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def __init__(self, *arguments: Any, room: Room | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._room = room or Room()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if self._room.enter(self):
            self._note_waiting()
            self._bound_waiting()
        else:
            self._refused = True
            transport.write(self._answer(HTTPStatus.SERVICE_UNAVAILABLE, _FULL, {"retry-after": "1"}))
            transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)
            self._note_waiting()
            self._bound_waiting()

    def _should_upgrade(self) -> bool:
        """Never: RFC 9110 (7.8) lets a server pass an upgrade over. uvicorn would log what to install for it."""
        return False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note_waiting()
        if self.conn.their_state is h11.SEND_BODY:
            self._bound_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._room.leave(self)
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Called where h11 raises what it says of the request; nothing more is read after that."""
        fault = sys.exception()
        status = HTTPStatus(getattr(fault, "error_status_hint", HTTPStatus.BAD_REQUEST))
        log.info("http.unreadable", status=status.value, reason=msg)
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        error = _HOST if "Host: header" in str(fault) else _UNREADABLE
        too_large = status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self.transport.write(self._answer(status, _TOO_LARGE if too_large else error))
        self.transport.write_eof()
        self._refused = True
        self._close_after(LINGER_SECONDS)
        if self.cycle is not None:  # it waits for the rest of a body that cannot be read
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _answer(self, status: HTTPStatus, error: ErrorBody, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """One that no application gives, and the last on this connection."""
        body = ErrorEnvelope(error=error).to_json().encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
        headers |= {**ISOLATED, **more}
        events = (
            h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        return b"".join(self.conn.send(event) or b"" for event in events)

    def _note_waiting(self) -> None:
        self._room.note(self, waits=self.conn.their_state is h11.IDLE)

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
