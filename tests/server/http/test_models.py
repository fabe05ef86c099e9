"""`/v1/models`: what a request may name."""

import pytest
from inline_snapshot import snapshot

from tests.server.http.conftest import Serve


@pytest.mark.proves("models.list", "models.alias", "models.capabilities")
async def test_the_list_has_every_model_and_every_alias(serve: Serve) -> None:
    served = serve()
    answer = (await served.client.get("/v1/models")).json()
    assert answer.keys() == {"object", "data"}
    assert answer["object"] == "list"
    assert {model["id"] for model in answer["data"]} >= {"sonnet", "haiku", "gpt-4o"}
    first = answer["data"][0]
    assert {"max_tokens", "temperature", "stop", "tools"} < set(first.pop("supported_parameters"))
    assert first == snapshot(
        {
            "id": "sonnet",
            "object": "model",
            "created": 0,
            "owned_by": "anthropic",
            "name": "sonnet",
            "context_length": 200000,
            "context_window": 200000,
            "max_model_len": 200000,
            "max_completion_tokens": 64000,
            "architecture": {
                "modality": "text+image+file->text",
                "input_modalities": ["text", "image", "file"],
                "output_modalities": ["text"],
                "tokenizer": "Claude",
            },
            "top_provider": {"context_length": 200000, "max_completion_tokens": 64000, "is_moderated": False},
        }
    )


@pytest.mark.proves("models.list", "models.names")
@pytest.mark.parametrize("name", ["sonnet", "claude-sonnet", "gpt-4o", "claude-opus-4-1-20250805", "claude-opus-5[1m]"])
async def test_a_model_is_found_under_any_name_that_a_request_may_give(serve: Serve, name: str) -> None:
    served = serve()
    answer = await served.client.get(f"/v1/models/{name}")
    told = answer.json()
    assert {key: told[key] for key in ("id", "object", "created", "owned_by")} == {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "anthropic",
    }


@pytest.mark.proves("models.list")
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
