"""Which hosts WebFetch may ask: those of the open Internet. It fetches from this machine, which sees more than that:
its own services, its network's, a cloud's address that hands out keys.

Measured: Claude Code reads an address as browsers do (2130706433 is 127.0.0.1), asks by https only, and follows a
redirect to the same host only.
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
"""Longest wait for a name's addresses: a name server's own first wait."""

_ADDRESS: Final = re.compile(
    r"https?://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::\d{1,5})?(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE | re.ASCII
)
"""As everybody reads it: nobody's name, no backslash, no white space, a host in plain letters."""

_NUMBER: Final = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)", re.IGNORECASE)
"""What browsers take for a number, and so for an address."""

_TRANSLATED: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
"""Behind these is an address of the older kind, which a gateway reaches."""

_RULE: Final = re.compile(r"\s*WebFetch\s*(?:\(\s*(?:domain:)?\s*(?:\*\.)?(.*?)\s*\))?\s*", re.DOTALL)

_CLOSED: Final = "{host} is not on the open Internet, and is not to be asked from here."


def host_of(url: object) -> str | None:
    """The host that `url` names; None where not everybody reads it the same way."""
    match = _ADDRESS.fullmatch(url) if isinstance(url, str) else None
    return match[1].lower() if match else None


def unclear(url: object) -> str | None:
    """What speaks against `url` by itself, in words for the model."""
    host = host_of(url)
    if host is None:
        return f"WebFetch is for addresses such as https://example.com/page; {url!r} is none that is clear."
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return _CLOSED.format(host=host)
    if _NUMBER.fullmatch(host) and not _is_open(host):
        return _CLOSED.format(host=host)
    return None


def allowed(rules: Iterable[str], host: str) -> bool:
    """Whether one of `rules`, Claude Code's own, may allow it to fetch from `host`."""
    domains = [match[1] for rule in rules if (match := _RULE.fullmatch(rule))]
    return any(not each or "*" in each or f".{host}".endswith(f".{each.lower()}") for each in domains)


async def addresses(host: str) -> Iterable[str]:
    """Implements `Resolve` with the system's own way of looking up."""
    found = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def leads_inside(url: object, resolve: Resolve) -> str | None:
    """Why the host of `url` is not to be asked, once its addresses are known; they may be others a moment later."""
    host = host_of(url) or ""
    try:
        with anyio.fail_after(_RESOLVE_SECONDS):
            found = list(await resolve(host))
    except (OSError, UnicodeError):
        return f"{host} has no address that is known here."
    return None if found and all(map(_is_open, found)) else _CLOSED.format(host=host)


def _is_open(text: str) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in _carried(address))


def _carried(address: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    """The address, or what it carries: networks lead from the newer kind to the older in several ways."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped or address.sixtofour:
        return tuple(filter(None, (address.ipv4_mapped or address.sixtofour,)))
    if any(address in network for network in _TRANSLATED):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address, *(address.teredo or ()))
