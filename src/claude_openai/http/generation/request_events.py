"""What the log is told of requests, at `debug` only: each as the client sent it, and what it became."""

import json
from dataclasses import asdict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from claude_openai.core.turn import Turn
from claude_openai.jsontools.strict import count_values
from claude_openai.logs import CUT, logger, shows

log = logger(__name__)

MOST_VALUES: Final = 20_000
"""JSON values of a body that is read for the log, of which more would be cut there: 400,000 take the JSON parser 50 ms
(measured), in which no other thread runs."""

LARGEST_BYTES: Final = 1024 * 1024
"""Of a body that is read for the log; of a larger one only the size is told."""

_HEADERS: Final = ("user-agent", "content-type", "accept", "origin", "authorization", "x-api-key", "x-request-id")
_PREFIXES: Final = ("openai-", "x-stainless-")
"""Of headers that tell who asks and how; what is secret in them is hidden, but it shows that it was sent."""


def log_request(scope: Scope, body: bytes) -> None:
    """A request as it was sent, whether it can be understood or not."""
    if shows("debug"):
        sent = Headers(scope=scope).items()
        headers = {name: value for name, value in sent if name in _HEADERS or name.startswith(_PREFIXES)}
        log.debug("openai.request", headers=headers, bytes=len(body), body=_readable(body))


def log_effective_request(turn: Turn, **said: object) -> None:
    """What became of it, without its messages; `said` is what its protocol knows besides."""
    if shows("debug"):
        log.debug(
            "openai.effective_request",
            model=turn.model.id,
            resolved_model=turn.model.resolved,
            profile=turn.agent or "chat",
            messages=len(turn.messages),
            sampling={name: value for name, value in asdict(turn.sampling).items() if value not in (None, ())},
            tools=[tool.name for tool in turn.tools],
            tool_choice=turn.tool_choice if turn.tools else None,
            **said,
        )


def _readable(body: bytes) -> object:
    if len(body) > LARGEST_BYTES or count_values(body.decode(errors="replace"), MOST_VALUES) > MOST_VALUES:
        return CUT
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body
