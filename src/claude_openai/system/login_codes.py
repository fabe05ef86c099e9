"""One-time codes with which the server's owner opens its page, without a key and without a request before it.

A code is made by a command, from the owner's token, which only the owner can read (`system.instances`); the server
knows the token, so it recognises a code that it never saw.
"""

import hmac
import secrets
from typing import Final

VALID_SECONDS: Final = 60.0


def new_code(owner_token: str, now: float) -> str:
    """A code that is valid for `VALID_SECONDS` from `now`, in Unix seconds."""
    claim = f"{round(now)}.{secrets.token_hex(8)}"
    return f"{claim}.{_signature(owner_token, claim)}"


def is_valid(code: str, owner_token: str, now: float) -> bool:
    """Whether `code` was made from this token, not longer ago than it is valid."""
    claim, _, signature = code.rpartition(".")
    made_at = claim.partition(".")[0]
    if not (made_at.isascii() and made_at.isdecimal()) or len(code) > 2 * len(new_code(owner_token, now)):
        return False
    is_fresh = abs(now - int(made_at)) <= VALID_SECONDS
    return is_fresh and hmac.compare_digest(signature.encode(), _signature(owner_token, claim).encode())


def _signature(owner_token: str, claim: str) -> str:
    return hmac.digest(owner_token.encode(), f"page:{claim}".encode(), "sha256").hex()
