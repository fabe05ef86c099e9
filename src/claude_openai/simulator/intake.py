"""What happens to a request before a model sees it: its body is unpacked and its key compared."""

import gzip
import hmac
import json
import zlib

from starlette.requests import Request

from claude_openai.simulator.recorded import JsonObject
from claude_openai.simulator.script import Failure

MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""Upstream's own limit."""


async def read_object(request: Request) -> JsonObject | Failure:
    """The body as a JSON object, however it was packed."""
    body = await request.body()
    if len(body) > MAX_REQUEST_BYTES:
        return Failure.of(413)
    try:
        value = json.loads(_unpacked(body, request.headers.get("content-encoding", "identity")))
    except (ValueError, OSError, EOFError, zlib.error) as problem:
        return Failure.of(400, f"The request body is not valid JSON: {problem}")
    if not isinstance(value, dict):
        return Failure.of(400, "The request body is not a JSON object")
    return value


def refuse_key(request: Request, expected: str | None) -> Failure | None:
    """A 401 unless the key is the expected one, in either header that upstream takes. None takes any."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = request.headers.get("x-api-key") or bearer
    if expected is None or hmac.compare_digest(given.encode(), expected.encode()):
        return None
    return Failure.of(401)


def _unpacked(body: bytes, encoding: str) -> bytes:
    match encoding.lower():
        case "identity" | "":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case _:
            raise ValueError(f"the simulator does not read content-encoding {encoding}")
