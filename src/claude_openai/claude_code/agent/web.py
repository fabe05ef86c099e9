"""Checks the hosts that WebFetch requests: public ones only (protection against SSRF). The tool runs on this machine,
which reaches its own services, its network and a cloud's metadata service.

Claude Code parses an address as browsers do (2130706433 is 127.0.0.1), uses https only, and follows redirects within
the same host only (measured).
"""

import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import anyio

Resolve = Callable[[str], Awaitable[Iterable[str]]]
"""The addresses of a host.

Raises:
    OSError: it has none that is known.
"""

_RESOLVE_SECONDS: Final = 5.0
"""Longest wait for a name's addresses: a resolver's own first timeout."""

_ADDRESS: Final = re.compile(
    r"https?://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::\d{1,5})?(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE | re.ASCII
)
"""A URL that all parsers agree on: no user name, no backslash, no white space, an ASCII host."""

_NUMBER: Final = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)", re.IGNORECASE)
"""A host that browsers parse as a number, and so as an address."""

_TRANSLATED: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
"""NAT64 prefixes: an IPv4 address follows."""

_RULE: Final = re.compile(r"\s*WebFetch\s*(?:\(\s*(?:domain:)?\s*(?:\*\.)?(.*?)\s*\))?\s*", re.DOTALL)

_CLOSED: Final = "{host} is not on the open Internet, and is not fetched from here."


def host_of(url: object) -> str | None:
    """Return the host of `url`; None where parsers could differ."""
    match = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
    return match[1].lower() if match else None


def unclear(url: object) -> str | None:
    """Return why `url` is refused by itself, as a sentence for the model; None if it is not."""
    host = host_of(url)
    if host is None:
        return f"WebFetch is for addresses such as https://example.com/page; {url!r} is none that is clear."
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return _CLOSED.format(host=host)
    if _NUMBER.fullmatch(host) and not _is_open(host):
        return _CLOSED.format(host=host)
    return None


def allowed(rules: Iterable[str], host: str) -> bool:
    """Whether one of `rules`, in Claude Code's form, may allow WebFetch for `host`."""
    domains = [match[1] for rule in rules if (match := _RULE.fullmatch(rule))]
    return any(not each or "*" in each or f".{host}".endswith(f".{each.lower()}") for each in domains)


async def addresses(host: str) -> Iterable[str]:
    """Implements `Resolve` by the system's resolver."""
    found = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def leads_inside(url: object, resolve: Resolve) -> str | None:
    """Return why the host of `url` is refused for its addresses, which may change a moment later (DNS rebinding)."""
    host = host_of(url) or ""
    try:
        with anyio.fail_after(_RESOLVE_SECONDS):
            found = list(await resolve(host))
    except (OSError, UnicodeError):
        return f"{host} has no address that is known here."
    return None if found and all(map(_is_open, found)) else _CLOSED.format(host=host)


def _is_open(text: str) -> bool:
    """Whether the address `text` is on the open Internet."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    reached: tuple[IPv4Address | IPv6Address, ...] = (address,)
    if isinstance(address, IPv6Address):  # the IPv4 address in it counts (mapped, 6to4, NAT64, Teredo)
        if carried := address.ipv4_mapped or address.sixtofour:
            reached = (carried,)
        elif any(address in network for network in _TRANSLATED):
            reached = (IPv4Address(int(address) & 0xFFFFFFFF),)
        else:
            reached = (address, *(address.teredo or ()))
    return all(each.is_global and not each.is_multicast for each in reached)
