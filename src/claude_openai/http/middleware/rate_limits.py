"""The headers with the account's rate limit, as upstream reported it.

They are made when the answer begins: from the report of this turn if it fails or is sent as a whole, and from that of
an earlier turn if it streams.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from claude_openai.http.ports import Gateway
from claude_openai.protocols.common import rate_limits


def with_rate_limit_headers(send: Send, gateway: Gateway, now: Callable[[], int]) -> Send:
    """`send` that adds these headers, unless the answer has its own."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in rate_limits.headers(gateway.rate_limit(), now(), message["status"]).items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
