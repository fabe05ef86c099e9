"""The connections of clients: their number is bounded, so is the wait for a request's headers, and a request that
cannot be parsed gets an error like any other.

uvicorn answers the latter in plain text, and waits without a bound for the rest of headers, and for the rest of a body
whose request is answered already.
"""

import asyncio
import logging
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.http.endpoints.table import ENDPOINTS, Endpoint, protocol_of
from claude_openai.http.middleware.errors import NOT_HTTP
from claude_openai.http.middleware.origin import ISOLATED
from claude_openai.logs import logger
from claude_openai.protocols.common.errors import ErrorDetails

log = logger(__name__)

HEAD_SECONDS: Final = 30.0
"""From the opening of a connection, or the end of an answer, until all headers of a request are there."""

LINGER_SECONDS: Final = 5.0
"""How long a client may go on sending a request that is answered. Closed at once, it might never see the answer."""

OWN_DESCRIPTORS: Final = 96
"""Descriptors of a server without clients and processes: some 20, and twice 24 accepted before one is closed."""

PROCESS_DESCRIPTORS: Final = 8
"""Descriptors for each process of Claude Code: pipes, its folder, and the files that are read and written for it."""

LEAST_PLACES: Final = 16

LOG_AGAIN_SECONDS: Final = 60.0
"""Between two log events of too many connections."""

HEAD_BYTES: Final = 8192
"""Of the bytes of a request's headers, so many are kept to find its protocol if they cannot be parsed."""

_TLS: Final = b"\x16\x03"
"""The beginning of a TLS handshake: a record of that kind, of version 3."""

_HTTP_2: Final = b"PRI * HTTP/2"
"""The beginning of HTTP/2 (RFC 9113, 3.4)."""

_FULL: Final = ErrorDetails(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "This server has as many connections as it can have, each with a request. Try again in a moment.",
    "server_error",
    code="too_many_connections",
)
_UNREADABLE: Final = ErrorDetails(HTTPStatus.BAD_REQUEST, NOT_HTTP, "invalid_request_error", code="not_http")
_HOST: Final = ErrorDetails(
    HTTPStatus.BAD_REQUEST,
    "A request of HTTP/1.1 has one Host header, such as 'Host: localhost:8000'; this one has none, or several.",
    "invalid_request_error",
    code="invalid_host",
)
_TOO_LARGE: Final = ErrorDetails(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The request's headers are too large. Those of programs are some hundred bytes.",
    "invalid_request_error",
    code="headers_too_large",
)


def places_within(descriptors: int, processes: int) -> int:
    """The number of connections that leaves enough `descriptors` for the server and `processes` of Claude Code."""
    return max(LEAST_PLACES, descriptors - OWN_DESCRIPTORS - PROCESS_DESCRIPTORS * processes)


def _is_not_logged_here(record: logging.LogRecord) -> bool:
    """False for uvicorn's warning of a request that cannot be parsed: `http.unreadable` has the reason."""
    return record.msg != "Invalid HTTP request received."


class Room:
    """A bound on the number of connections. For one too many, the connection that has been idle longest is closed; if
    all of them have requests, the new one is refused.
    """

    def __init__(self, places: float = math.inf) -> None:
        self._places = places
        self._open = set["Connection"]()
        self._waiting = dict["Connection", None]()  # in the order of time
        self._logged_at = -math.inf
        self._warned_at: dict[str, float] = {}

    def enter(self, connection: "Connection") -> bool:
        """Add `connection`; False if there is no room."""
        if len(self._open) >= self._places:
            now = connection.loop.time()
            if now - self._logged_at >= LOG_AGAIN_SECONDS:
                self._logged_at = now
                log.warning("http.connections_full", places=self._places)
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

    def warns(self, reason: str, now: float) -> bool:
        """Whether an unreadable request is worth a warning: a client that repeats its mistake is logged as such once a
        minute, at the event loop's time `now`.
        """
        if now - self._warned_at.get(reason, -math.inf) < LOG_AGAIN_SECONDS:
            return False
        self._warned_at[reason] = now
        return True

    def note(self, connection: "Connection", *, waits: bool) -> None:
        """Record whether `connection` is idle (it waits for a request) or has one."""
        if not waits:
            self._waiting.pop(connection, None)
        elif connection in self._open:
            self._waiting.setdefault(connection)


class Connection(H11Protocol):
    """uvicorn's protocol (`uvicorn.Config(http=Connection)`) with bounded waits, and errors in the format of the
    request's protocol, as far as its path or headers can be recognized. With `functools.partial(Connection, room=...)`
    there is a bound on their number, too.
    """

    _deadline: asyncio.TimerHandle | None = None
    _refused = False
    _head = b""

    def __init__(
        self,
        *arguments: Any,
        room: Room | None = None,
        endpoints: Sequence[Endpoint] = ENDPOINTS,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self._room = room or Room()
        self._endpoints = endpoints
        self.logger.addFilter(_is_not_logged_here)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if self._room.enter(self):
            self._note_waiting()
            self._bound_waiting()
        else:
            self._refused = True
            transport.write(self._answer(_FULL, {"retry-after": "1"}))
            transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            waits = self.conn.their_state is h11.IDLE
            self._head = (self._head + data)[:HEAD_BYTES] if waits else b""
            super().data_received(data)
            self._note_waiting()
            self._bound_waiting()

    def _should_upgrade(self) -> bool:
        """Never: a server may ignore an upgrade (RFC 9110, 7.8). uvicorn would log what to install for it."""
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
        """Called in the handler of an error of h11; nothing is read after that."""
        fault = sys.exception()
        status = HTTPStatus(getattr(fault, "error_status_hint", HTTPStatus.BAD_REQUEST))
        reason = self._unreadable(str(fault) or msg)
        if self._room.warns(reason, self.loop.time()):
            log.warning("http.unreadable", status=status.value, reason=reason)
        else:
            log.info("http.unreadable", status=status.value, reason=reason)
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        error = _HOST if "Host: header" in str(fault) else replace(_UNREADABLE, status=status)
        self.transport.write(self._answer(_TOO_LARGE if status == _TOO_LARGE.status else error))
        self.transport.write_eof()
        self._refused = True
        self._close_after(LINGER_SECONDS)
        if self.cycle is not None:  # it waits for the rest of a body that cannot be parsed
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _unreadable(self, fault: str) -> str:
        """Why this client's request cannot be read, with the remedy; `fault` is what h11 found."""
        if self._head.startswith(_TLS):
            return "A client speaks HTTPS: use http:// in its base URL"
        if self._head.startswith(_HTTP_2):
            return "A client speaks HTTP/2 to this server, which has HTTP/1.1: have it use that"
        return f"A client's request is no HTTP/1.1: {fault}"

    def _answer(self, error: ErrorDetails, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """The bytes of an error response that no application gives; the connection closes after it."""
        target, headers_sent = "", set[str]()
        if self._head:
            line, *fields = self._head.decode("latin-1").split("\n")
            target = [*line.split(" "), ""][1]
            headers_sent = {field.partition(":")[0].strip().lower() for field in fields}
        elif self.scope:
            target = self.scope["path"]
            headers_sent = {name.decode("latin-1") for name, _ in self.scope["headers"]}
        body = protocol_of(self._endpoints, target, headers_sent).errors.body(error).encode()
        status = HTTPStatus(error.status)
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
        """Bound the wait for the headers of a request, or for the rest of a request that is answered."""
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
