"""Tells in an answer's headers how the account stands with upstream's rate limit.

They are made when the answer begins: what a turn reports itself is in them where it fails or is sent as a whole, and
what an earlier turn reported where it streams.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from claude_openai.http.ports import Gateway
from claude_openai.protocols.common import rate_limits


def with_rate_limit_headers(send: Send, gateway: Gateway, now: Callable[[], int]) -> Send:
    """`send`, with those headers in the answer, unless it has its own."""

    async def send_told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in rate_limits.headers(gateway.rate_limit(), now(), message["status"]).items():
                headers.setdefault(name, value)
        await send(message)

    return send_told
