"""Runs on the wire."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from claude_openai.core.events import Activity, ReasoningDelta, TextDelta, ToolCalled
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState, Visible
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.runs.stream import RunEncoder, run_list, run_object, whole_run
from claude_openai.protocols.runs.wire import RunObject

RUN = Run("0" * 32, "chatcmpl-0", "req_0", "local", "Ada/1.0", "sonnet", RunState.FAILED, arrived_at=1.5)


def test_what_has_not_happened_is_null_and_a_list_leaves_out_what_was_said() -> None:
    assert json.loads(run_list([RUN]).to_json()) == snapshot(
        {
            "object": "list",
            "data": [
                {
                    "id": "00000000000000000000000000000000",
                    "object": "run",
                    "answer_id": "chatcmpl-0",
                    "request_id": "req_0",
                    "key": "local",
                    "client": "Ada/1.0",
                    "endpoint": "",
                    "asked_model": "",
                    "model": "sonnet",
                    "profile": "chat",
                    "state": "failed",
                    "way": None,
                    "reason": None,
                    "place": 0,
                    "arrived_at": 1.5,
                    "began_at": None,
                    "first_token_at": None,
                    "ended_at": None,
                    "finish_reason": None,
                    "error": None,
                    "usage": None,
                    "cost_usd": None,
                }
            ],
            "has_more": False,
        }
    )
    whole = json.loads(whole_run(RUN).to_json())
    assert (whole.pop("text"), whole.pop("tool_calls")) == ("", [])
    assert whole == json.loads(run_object(RUN).to_json())
    assert RunObject.model_validate_json(whole_run(RUN).to_json()) == whole_run(RUN)


@pytest.mark.parametrize(
    ("known_as", "code"),
    [
        ("rate_limited", "rate_limit_exceeded"),
        ("cancelled", "run_cancelled"),
        ("invalid_request", "invalid_request"),
        ("server_crashed", "server_crashed"),
    ],
)
def test_an_error_has_the_code_that_the_client_was_told(known_as: str, code: str) -> None:
    run = replace(RUN, error_code=known_as, error="Why.")
    assert json.loads(run_object(run).to_json())["error"] == {"code": code, "message": "Why."}


def test_a_refusal_is_told_in_openais_word() -> None:
    assert run_object(replace(RUN, finish="refusal")).finish_reason == "content_filter"


def test_each_thing_that_is_said_is_an_event_of_its_kind() -> None:
    said: list[Visible] = [
        ReasoningDelta("Hm."),
        TextDelta("Hi"),
        Activity("t", "LS", "{}", failed=True),
        ToolCalled(ToolCall("call_1", "look", "")),
    ]
    assert RunEncoder().feed(said).decode().split("\n\n") == snapshot(
        [
            'event: reasoning\ndata: {"text":"Hm."}',
            'event: text\ndata: {"text":"Hi"}',
            'event: activity\ndata: {"id":"t","tool":"LS","arguments":"{}","result":null,"failed":true,"parent":null}',
            'event: tool_call\ndata: {"id":"call_1","name":"look","arguments":"{}"}',
            "",
        ]
    )


@given(st.lists(st.lists(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=3))))
def test_no_character_is_lost_however_text_is_cut(batches: list[list[str]]) -> None:
    encoder = RunEncoder()
    stream = b"".join([*(encoder.feed(map(TextDelta, batch)) for batch in batches), encoder.finish(RUN)])
    *texts, end = stream.decode().removesuffix("\n\n").split("\n\n")
    told = [json.loads(text.removeprefix("event: text\ndata: "))["text"] for text in texts]
    assert "".join(told) == without_surrogates("".join(text for batch in batches for text in batch))
    assert end.startswith("event: end\n")
