"""`/v1/models`: what a request may name."""

import pytest

from tests.http.conftest import Serve


@pytest.mark.proves("models.list", "models.alias")
async def test_the_list_has_every_model_and_every_alias(serve: Serve) -> None:
    served = serve()
    answer = (await served.client.get("/v1/models")).json()
    assert answer.keys() == {"object", "data"}
    assert answer["object"] == "list"
    assert {model["id"] for model in answer["data"]} >= {"sonnet", "haiku", "claude-sonnet", "gpt-4o"}
    assert answer["data"][0] == {"id": "sonnet", "object": "model", "created": 0, "owned_by": "anthropic"}


@pytest.mark.proves("models.retrieve", "models.names.short", "models.names.full")
@pytest.mark.parametrize("name", ["sonnet", "claude-sonnet", "gpt-4o", "claude-opus-4-1-20250805", "claude-opus-5[1m]"])
async def test_a_model_is_found_under_any_name_that_a_request_may_give(serve: Serve, name: str) -> None:
    served = serve()
    answer = await served.client.get(f"/v1/models/{name}")
    assert answer.json() == {"id": name, "object": "model", "created": 0, "owned_by": "anthropic"}


@pytest.mark.proves("models.retrieve.unknown")
@pytest.mark.parametrize("name", ["gpt-nonsense", "anthropic/claude", "%F0%9F%92%A5"])
async def test_an_unknown_model_is_a_404_that_names_what_exists(serve: Serve, name: str) -> None:
    served = serve()
    answer = await served.client.get(f"/v1/models/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "sonnet" in answer.json()["error"]["message"]


@pytest.mark.proves("http.not-found")
async def test_no_name_at_all_is_no_model(serve: Serve) -> None:
    served = serve()
    answer = await served.client.get("/v1/models/")
    assert answer.status_code == 404
    assert "Did you mean /v1/models?" in answer.json()["error"]["message"]
