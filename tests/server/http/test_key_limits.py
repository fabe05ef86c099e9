"""The limits of a key over HTTP: what is refused and how, the headers, and that a restart forgives nothing."""

from pathlib import Path

import httpx2
import pytest

from claude_openai.core.keys import ConfiguredKey, KeyOwner, Keys, StoredKey, StoredNames, digest_of
from claude_openai.core.limits import KeyLimits
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings
from claude_openai.system.places import Places
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO, STREAMED, Json, Served, said

NOON = 1_796_126_400.0
"""2026-12-01T12:00:00Z."""

USED = 25
"""Tokens of an answer of `said`: 10 + 3 + 7 of the prompt, and 5."""


def keys(limits: KeyLimits) -> Keys:
    """Those of ann, who has limits, of bob, who has none, and one without a name."""
    names: StoredNames = {
        "ann": KeyOwner("ann", (StoredKey(digest_of("sk-ann"), 0.0),), limits=limits),
        "bob": KeyOwner("bob", (StoredKey(digest_of("sk-bob"), 0.0),)),
    }
    return Keys(
        [ConfiguredKey("sk-plain"), ConfiguredKey("sk-ann-of-file", "ann", "ann:sk-ann-of-file")], lambda: names
    )


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


async def asked(served: Served, key: str = "sk-ann", body: Json = HELLO) -> httpx2.Response:
    return await served.client.post(CHAT, json=body, headers={"authorization": f"Bearer {key}"})


def error(answer: httpx2.Response) -> tuple[int, str, str]:
    found = answer.json()["error"]
    return answer.status_code, found["type"], found["code"]


@pytest.mark.proves("limits.minute")
async def test_requests_over_a_minutes_limit_are_a_429_with_its_reset_and_openais_headers(serve: Serve) -> None:
    clock = Clock()
    served = serve(said("Hi"), keys=keys(KeyLimits(requests_per_minute=3, tokens_per_minute=6000)), wall_clock=clock)
    answer = await asked(served)
    assert answer.status_code == 200
    found = {name: value for name, value in answer.headers.items() if name.startswith("x-ratelimit-")}
    assert found == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "20s",
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": str(6000 - USED),
        "x-ratelimit-reset-tokens": "1s",
    }
    # What is refused for another reason counts too, under any key of the name; other names are not concerned.
    assert (await asked(served, body={"model": "sonnet"})).status_code == 400
    assert (await asked(served, "sk-ann-of-file", STREAMED)).status_code == 200
    for key in ("sk-ann", "sk-ann-of-file", "ann:sk-ann-of-file"):
        refused = await asked(served, key)
        assert error(refused) == (429, "rate_limit_error", "key_rate_limit_exceeded")
        assert "3 requests a minute" in refused.json()["error"]["message"]
        assert "at 2026-12-01T12:00:20Z" in refused.json()["error"]["message"]
        assert refused.headers["retry-after"] == "20"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert refused.headers["x-ratelimit-reset-requests"] == "1m0s"
    for key in ("sk-bob", "sk-plain"):
        answer = await asked(served, key)
        assert answer.status_code == 200
        assert "x-ratelimit-limit-requests" not in answer.headers
    clock.now += 20
    assert [(await asked(served)).status_code for _ in range(2)] == [200, 429]
    metrics = await served.client.get("/metrics", headers={"authorization": "Bearer sk-plain"})
    assert 'code="key_rate_limit_exceeded",endpoint="chat",model="none",outcome="failed"} 4.0' in metrics.text


@pytest.mark.proves("limits.minute")
async def test_tokens_count_when_an_answer_ends_and_several_answers_are_one_request(serve: Serve) -> None:
    clock = Clock()
    served = serve(said("Hi"), keys=keys(KeyLimits(requests_per_minute=10, tokens_per_minute=60)), wall_clock=clock)
    answer = await asked(served, body={**HELLO, "n": 3})
    assert answer.headers["x-ratelimit-remaining-requests"] == "9"
    assert answer.headers["x-ratelimit-remaining-tokens"] == "0"
    refused = await asked(served)
    assert error(refused) == (429, "rate_limit_error", "key_rate_limit_exceeded")
    assert "60 tokens a minute" in refused.json()["error"]["message"]
    clock.now += float(refused.headers["retry-after"])
    assert (await asked(served)).status_code == 200


@pytest.mark.proves("limits.period")
async def test_what_a_day_may_cost_is_used_up_also_after_a_restart_and_until_the_day_ends(
    serve: Serve, tmp_path: Path
) -> None:
    clock, settings = Clock(), Settings(data_dir=str(tmp_path))
    limits = keys(KeyLimits(cost_per_day=0.5, tokens_per_month=3 * USED))
    for answered in (1, 1, 0):
        async with STORES["disk"].open(settings, Places.of(settings)) as store:
            served = serve(said("Hi"), keys=limits, wall_clock=clock, store=store)
            for _ in range(answered):
                answer = await asked(served)
                assert answer.status_code == 200
                assert answer.headers["x-ratelimit-limit-tokens"] == str(3 * USED)
            if not answered:
                refused = await asked(served)
                assert error(refused) == (429, "insufficient_quota", "key_quota_exceeded")
                assert refused.json()["error"]["message"] == (
                    "The key of ann has used $0.5000 of $0.5 of this day. It can be used again at 2026-12-02T00:00:00Z."
                )
                assert refused.headers["retry-after"] == str(12 * 3600)
                clock.now += 12 * 3600
                assert (await asked(served)).status_code == 200  # of the day
                refused = await asked(served)
                assert "75 of 75 tokens of this month" in refused.json()["error"]["message"]
                assert refused.headers["x-ratelimit-remaining-tokens"] == "0"


@pytest.mark.proves("limits.allowed")
async def test_a_key_has_the_models_and_the_profile_that_it_is_allowed(serve: Serve) -> None:
    served = serve(said("Hi"), keys=keys(KeyLimits(models=("claude-haiku-4-5",), profiles=("chat",))))
    assert (await asked(served, body={**HELLO, "model": "haiku"})).status_code == 200
    for model in ("sonnet", "gpt-4o", "claude-sonnet-4-5", None):
        refused = await asked(served, body={**HELLO, "model": model} if model else {"messages": HELLO["messages"]})
        assert refused.status_code in {400, 404}
        assert model is None or error(refused) == (404, "invalid_request_error", "model_not_found")
    for path, key, status in (
        ("/v1/models/haiku", "sk-ann", 200),
        ("/v1/models/sonnet", "sk-ann", 404),
        ("/v1/models/sonnet", "sk-bob", 200),
    ):
        assert (await served.client.get(path, headers={"x-api-key": key})).status_code == status
    listed = {
        key: [
            model["id"] for model in (await served.client.get("/v1/models", headers={"x-api-key": key})).json()["data"]
        ]
        for key in ("sk-ann", "sk-bob")
    }
    assert listed == {"sk-ann": ["haiku"], "sk-bob": ["sonnet", "haiku", "gpt-4o"]}
    served = serve(said("Hi"), keys=keys(KeyLimits(profiles=("agent",))))
    assert error(await asked(served)) == (403, "permission_error", "permission_denied")
    assert (await asked(served, "sk-bob")).status_code == 200
