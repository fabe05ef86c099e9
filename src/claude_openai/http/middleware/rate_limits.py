"""The headers with the limits of the request's key, and with the account's rate limit as upstream reported it.

They are made when the answer begins. The account's are from the report of this turn if it fails or is sent as a whole,
and from that of an earlier turn if it streams. Where both have the same header, the key's limit counts, unless upstream
rejects requests.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from claude_openai.core.keys import Identity
from claude_openai.http.ports import Gateway
from claude_openai.protocols.common import rate_limits


def with_rate_limit_headers(send: Send, gateway: Gateway, now: Callable[[], int], who: Identity) -> Send:
    """`send` that adds these headers to the answer to `who`, unless the answer has its own."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            accounts = rate_limits.headers(gateway.rate_limit(), now(), message["status"])
            keys = rate_limits.headers_of_key(gateway.limiter.left(who))
            both = {**keys, **accounts} if rate_limits.REMAINING in accounts else {**accounts, **keys}
            for name, value in both.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
