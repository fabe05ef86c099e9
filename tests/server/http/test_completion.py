"""`POST /v1/chat/completions` without `stream`: one object, made of the same events."""

import pytest

from claude_openai.core.events import TextDelta, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import Text, UserMessage
from claude_openai.core.models import Model
from tests.server.http.conftest import Serve
from tests.server.http.exchange import HELLO, STARTED, USED, Json, said


@pytest.mark.proves("chat.completion", "usage.tokens", "usage.claude-object")
async def test_a_whole_answer(serve: Serve) -> None:
    served = serve(said("Hel", "lo"), new_id=lambda: "1d", now=lambda: 1_700_000_000)
    answer = await served.chat()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "id": "chatcmpl-1d",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "sonnet",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 20,
            "completion_tokens": 5,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        "claude": {"session_id": "session-1", "model": "claude-sonnet-4-5", "cost_usd": 0.25},
    }


@pytest.mark.proves("chat.completion")
async def test_two_answers_have_different_ids(serve: Serve) -> None:
    served = serve(said("Hi"))
    ids = {(await served.chat()).json()["id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(one.startswith("chatcmpl-") for one in ids)


@pytest.mark.proves("models.alias")
async def test_the_answer_carries_the_name_that_was_asked_for_and_the_turn_what_it_stands_for(serve: Serve) -> None:
    served = serve(said("Hi"))
    answer = await served.chat({**HELLO, "model": "gpt-4o"})
    assert answer.json()["model"] == "gpt-4o"
    assert served.performance.turn.model.id == "sonnet"


@pytest.mark.proves("models.names")
async def test_without_a_model_the_default_one_answers(serve: Serve) -> None:
    served = serve(said("Hi"))
    answer = await served.chat({"messages": HELLO["messages"]})
    assert answer.json()["model"] == "sonnet"
    assert served.performance.turn.model == Model("sonnet", "claude-sonnet-4-5")


@pytest.mark.proves("errors.upstream", "errors.status-before-first-byte")
async def test_a_failure_after_some_text_is_an_error_and_the_text_is_no_answer(serve: Serve) -> None:
    failure = Failure(Kind.STREAM_INTERRUPTED, "Claude's answer broke off.")
    served = serve([STARTED, TextDelta("Half an"), TurnFailed(failure)])
    answer = await served.chat()
    assert answer.status_code == 502
    assert "Half an" not in answer.text


@pytest.mark.proves("chat.finish")
async def test_an_answer_cut_by_its_limit_says_so(serve: Serve) -> None:
    served = serve([STARTED, TextDelta("Half an"), USED, TurnFinished("length")])
    [choice] = (await served.chat()).json()["choices"]
    assert choice["finish_reason"] == "length"


@pytest.mark.proves("chat.messages.native")
async def test_a_large_request_is_read_like_a_small_one(serve: Serve) -> None:
    served = serve(said("Hi"))
    text = "naïve\n" * 100_000
    answer = await served.chat({"messages": [{"role": "user", "content": text}]})
    assert answer.status_code == 200
    assert served.performance.turn.messages == (UserMessage((Text(text),)),)
    assert (await served.chat({"messages": text})).status_code == 400


class TestParametersWithoutEffect:
    @pytest.mark.proves("params.ignored")
    async def test_they_are_named_in_a_header(self, serve: Serve) -> None:
        served = serve(said("Hi"))
        answer = await served.chat({**HELLO, "seed": 1, "invented": True})
        assert answer.headers["x-claude-openai-ignored"] == "seed,invented"

    @pytest.mark.proves("params.ignored")
    async def test_what_is_carried_with_another_value_is_named_with_it(self, serve: Serve) -> None:
        served = serve(said("Hi"))
        answer = await served.chat({**HELLO, "temperature": 1.5})
        assert answer.headers["x-claude-openai-adjusted"] == "temperature=1"
        assert "x-claude-openai-ignored" not in answer.headers

    @pytest.mark.proves("params.ignored")
    @pytest.mark.parametrize("last", [TurnFinished("stop"), TurnFailed(Failure(Kind.OVERLOADED, "Overloaded."))])
    async def test_streams_and_failures_name_them_too(self, serve: Serve, last: TurnFinished | TurnFailed) -> None:
        served = serve([STARTED, last])
        answer = await served.chat({**HELLO, "seed": 1, "stream": True})
        assert answer.headers["x-claude-openai-ignored"] == "seed"

    @pytest.mark.proves("params.ignored")
    async def test_without_any_there_is_no_such_header(self, serve: Serve) -> None:
        served = serve(said("Hi"))
        answer = await served.chat()
        assert not {"x-claude-openai-ignored", "x-claude-openai-adjusted"} & answer.headers.keys()

    @pytest.mark.proves("params.strict")
    @pytest.mark.parametrize(
        ("asked", "param", "why"),
        [
            ({"seed": 1}, "seed", "'seed' would have no effect"),
            ({"invented": True}, "invented", "'invented' would have no effect"),
            ({"temperature": 1.5}, "temperature", "'temperature' cannot be carried as sent, only as 1"),
        ],
    )
    async def test_a_strict_server_refuses_them_by_name(self, serve: Serve, asked: Json, param: str, why: str) -> None:
        served = serve(said("Hi"), strict=True)
        answer = await served.chat({**HELLO, **asked})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_parameter", param)
        assert why in error["message"]
        assert (await served.chat({**HELLO, "temperature": 1, "n": 1})).status_code == 200

    @pytest.mark.proves("params.strict")
    async def test_a_strict_server_holds_responses_to_the_same(self, serve: Serve) -> None:
        served = serve(strict=True)
        asked = {"model": "sonnet", "input": "Hello", "reasoning": {"effort": "minimal"}}
        answer = await served.client.post("/v1/responses", json=asked)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "reasoning.effort")

    @pytest.mark.proves("params.ignored")
    async def test_no_name_a_client_can_choose_breaks_the_answer(self, serve: Serve) -> None:
        served = serve(said("Hi"))
        answer = await served.chat({**HELLO, "a\r\nx-evil: 1": 1, "ü💥": 1, **{f"f{n}" * 50: 1 for n in range(999)}})
        assert answer.status_code == 200
        assert "x-evil" not in answer.headers
        assert len(answer.headers["x-claude-openai-ignored"]) < 4096
