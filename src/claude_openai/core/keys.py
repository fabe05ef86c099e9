"""API keys: whose a key is, and what its owner may see.

A key has a name or none. The owner of runs, conversations and stored responses is a principal: the name, so that a new
key of the same name has what the old one had, or for a key without one the digest of the key. All digests are compared,
each in constant time, so that response times reveal neither a key's length nor its place.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from claude_openai.core.limits import NO_LIMITS, KeyLimits

LOCAL: Final = "local"
"""The principal of every client where the server needs no key."""

OWNER: Final = "owner"
"""The principal of the commands of the person who started the server. It may see and cancel every run, nothing else."""

UNNAMED: Final = "key-"
"""Begins the principal of a key without a name; the key's digest follows."""

LONGEST_NAME: Final = 32

_NAME: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


def is_name(text: str) -> bool:
    """Whether `text` can be a key's name: no other principal looks like it."""
    return bool(_NAME.fullmatch(text)) and text not in {LOCAL, OWNER} and not text.startswith(UNNAMED)


def digest_of(key: str) -> bytes:
    """The digest by which a key is known and stored. Keys that are worth anything are random, so that it needs no salt
    and no slow function. A header's characters are those of Latin-1.
    """
    return sha256(key.encode("latin-1", "replace")).digest()


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored: its SHA-256, and when it was made, in Unix seconds."""

    digest: bytes
    created_at: float

    @property
    def id(self) -> str:
        """What people call it: it is no secret."""
        return self.digest.hex()[:8]


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """What is stored of a name: its keys, whether they are an operator's, who sees the runs of all keys, and what they
    may use.
    """

    name: str
    keys: tuple[StoredKey, ...] = ()
    is_operator: bool = False
    limits: KeyLimits = NO_LIMITS


StoredNames = Mapping[str, KeyOwner]
"""The stored owners by name."""


@dataclass(frozen=True, slots=True)
class ConfiguredKey:
    """A key of the settings. `whole` is the line `name:key` of a key file, which is accepted as well: before there were
    names, it was a key of its own, and what it owns is still its own.
    """

    key: str
    name: str | None = None
    whole: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request."""

    principal: str
    name: str | None = None
    is_operator: bool = False
    limits: KeyLimits = NO_LIMITS

    @property
    def sees_all(self) -> bool:
        """Whether it may see and cancel the runs of every principal."""
        return self.is_operator or self.principal == OWNER


class Keys:
    """The keys of a server: those of its settings, and those that are `stored`, which may change while it runs.

    `stored` returns the same object as long as nothing has changed, and None as long as there has never been a file.
    """

    def __init__(
        self, configured: Iterable[ConfiguredKey] = (), stored: Callable[[], StoredNames | None] = lambda: None
    ) -> None:
        self._configured = tuple(configured)
        self._stored = stored
        self._names: StoredNames | None = None
        self._known = self._table({})
        self._was_required = False

    @classmethod
    def of(cls, keys: Iterable[str]) -> "Keys":
        """Keys without names."""
        return cls(map(ConfiguredKey, keys))

    @property
    def required(self) -> bool:
        """Whether a request needs a key. Once it did, it always does: to revoke the last key opens nothing."""
        self._refresh()
        return self._was_required

    def identify(self, sent: Iterable[str]) -> Identity | None:
        """Whose the first valid one of the `sent` keys is; None if none is valid."""
        return self.identify_digests(map(digest_of, sent))

    def identify_digests(self, digests: Iterable[bytes]) -> Identity | None:
        """Whose the first valid key with one of these `digests` is; None if none is valid (any more)."""
        self._refresh()
        matches = [who for sent in digests for known, who in self._known if hmac.compare_digest(known, sent)]
        return matches[0] if matches else None

    def _refresh(self) -> None:
        names = self._stored()
        if names is not self._names:
            self._names, self._known = names, self._table(names or {})
        self._was_required = self._was_required or bool(self._configured) or names is not None

    def _table(self, names: StoredNames) -> tuple[tuple[bytes, Identity], ...]:
        table: list[tuple[bytes, Identity]] = []
        for each in self._configured:
            digest = digest_of(each.key)
            owner = names.get(each.name or "", KeyOwner(""))
            rights = owner.is_operator, owner.limits
            table.append((digest, Identity(each.name or f"{UNNAMED}{digest.hex()}", each.name, *rights)))
            if each.whole is not None:
                whole = digest_of(each.whole)
                table.append((whole, Identity(f"{UNNAMED}{whole.hex()}", each.name, *rights)))
        for owner in names.values():
            who = Identity(owner.name, owner.name, owner.is_operator, owner.limits)
            table += [(key.digest, who) for key in owner.keys]
        return tuple(table)
