"""Log events of requests, at `debug` only: the request as the client sent it, and the turn that it became."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from claude_openai.core.turn import Turn
from claude_openai.http.middleware.request_log import ASKED_MODEL
from claude_openai.jsontools.strict import count_values
from claude_openai.logs import CUT, logger, shows

log = logger(__name__)

MOST_VALUES: Final = 20_000
"""JSON values of a body that is parsed for the log: 400,000 take the JSON parser 50 ms (measured), in which no other
thread runs, and the log would cut them."""

LARGEST_BYTES: Final = 1024 * 1024
"""Size of a body that is parsed for the log; of a larger one only the size is logged."""

LARGEST_REFUSED: Final = 64 * 1024
"""Size of the body of a refused request that is parsed once more, for the name of its model."""

_HEADERS: Final = ("user-agent", "content-type", "accept", "origin", "authorization", "x-api-key", "x-request-id")


def log_request(scope: Scope, body: bytes, header_prefixes: tuple[str, ...]) -> None:
    """Log a request as it was sent, whether it can be parsed or not: of its headers the usual ones, and those whose
    names begin with one of `header_prefixes`. Secrets in them are redacted.
    """
    if not shows("debug"):
        return
    sent = Headers(scope=scope).items()
    headers = {name: value for name, value in sent if name in _HEADERS or name.startswith(header_prefixes)}
    logged: object = body
    if len(body) > LARGEST_BYTES or count_values(body.decode(errors="replace"), MOST_VALUES) > MOST_VALUES:
        logged = CUT
    else:
        with suppress(ValueError, RecursionError):
            logged = json.loads(body)
    log.debug("openai.request", headers=headers, bytes=len(body), body=logged)


def note_asked_model(scope: Scope, body: bytes) -> None:
    """Note the model that a refused request names, for its line in the log."""
    if len(body) <= LARGEST_REFUSED:
        with suppress(ValueError, RecursionError, AttributeError):
            scope["state"][ASKED_MODEL] = json.loads(body).get("model")


def log_effective_request(turn: Turn, **details: object) -> None:
    """Log the turn of a request, without its messages, and further `details` of its protocol."""
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
            **details,
        )
