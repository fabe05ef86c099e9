"""Several servers with one store hold a name to its limits together."""

from dataclasses import replace

import pytest

from claude_openai.core.events import Usage
from claude_openai.core.failures import Kind
from claude_openai.core.keys import Identity
from claude_openai.core.limits import KeyLimits, Spent
from claude_openai.core.runs import Caller
from claude_openai.gateway import key_limits
from claude_openai.gateway.key_limits import KeyLimiter
from claude_openai.store import MemoryStore
from tests.server.store.samples import a_run

NOON = 1_796_126_400.0
DAY = "2026-12-01"
CALLER = Caller("1" * 32, "chatcmpl-1", "req_1", "ann", "", key_name="ann")
RUN = a_run(usage=Usage(10, 5, cache_read_tokens=5), cost_usd=0.25)


async def test_what_another_server_has_charged_counts_when_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_limits, "REREAD_SECONDS", 3600.0)
    store = MemoryStore()
    limiter = KeyLimiter(store.usage, lambda: NOON)
    ann = Identity("ann", "ann", limits=KeyLimits(tokens_per_day=50))
    assert await limiter.admit(ann) is None
    limiter.charge(CALLER, RUN)
    limiter.charge(replace(CALLER, key_name=None), RUN)  # a key without a name
    limiter.charge(CALLER, a_run(usage=None))  # an answer that was cut
    store.usage.add("ann", {DAY: Spent(30, 0.5)})  # another server
    [left] = limiter.left(ann)
    assert left.remaining == 30
    assert await limiter.admit(ann) is None
    monkeypatch.setattr(key_limits, "REREAD_SECONDS", 0.0)
    refused = await limiter.admit(ann)
    assert refused is not None
    assert refused.kind is Kind.KEY_QUOTA_EXCEEDED
    assert "50 of 50 tokens" in refused.message


async def test_what_the_store_had_at_the_start_counts() -> None:
    store = MemoryStore()
    store.usage.at_start = {"ann": {DAY: Spent(50)}}
    limiter = KeyLimiter(store.usage, lambda: NOON)
    assert await limiter.admit(Identity("ann", "ann", limits=KeyLimits(tokens_per_day=50))) is not None
    assert await limiter.admit(Identity("bob", "bob", limits=KeyLimits(tokens_per_day=50))) is None
    assert await limiter.admit(Identity("ann", "ann")) is None
