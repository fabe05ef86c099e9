"""Failures on the wire."""

import json

from inline_snapshot import snapshot

from claude_openai.core.failures import Failure, Kind
from claude_openai.protocols.common.errors import OPENAI_ERRORS, TABLE, details, headers, status


def test_every_kind_of_failure_has_a_row() -> None:
    assert set(TABLE) == set(Kind)


def test_each_kind_is_told_by_a_status_a_type_and_a_code() -> None:
    assert {str(kind): (row.status, row.type, row.code) for kind, row in TABLE.items()} == snapshot(
        {
            "invalid_request": (400, "invalid_request_error", None),
            "unsupported_parameter": (400, "invalid_request_error", "unsupported_parameter"),
            "request_too_large": (413, "invalid_request_error", "request_too_large"),
            "context_length_exceeded": (400, "invalid_request_error", "context_length_exceeded"),
            "model_not_found": (404, "invalid_request_error", "model_not_found"),
            "invalid_api_key": (401, "invalid_request_error", "invalid_api_key"),
            "key_rate_limit_exceeded": (429, "rate_limit_error", "key_rate_limit_exceeded"),
            "key_quota_exceeded": (429, "insufficient_quota", "key_quota_exceeded"),
            "not_logged_in": (401, "authentication_error", "not_logged_in"),
            "permission_denied": (403, "permission_error", "permission_denied"),
            "rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
            "insufficient_quota": (429, "insufficient_quota", "insufficient_quota"),
            "overloaded": (503, "server_error", "overloaded"),
            "upstream_error": (502, "server_error", "upstream_error"),
            "upstream_unreachable": (502, "server_error", "upstream_unreachable"),
            "upstream_timeout": (504, "server_error", "upstream_timeout"),
            "stream_interrupted": (502, "server_error", "stream_interrupted"),
            "invalid_tool_arguments": (502, "server_error", "invalid_tool_arguments"),
            "invalid_structured_output": (502, "server_error", "invalid_structured_output"),
            "claude_code_failed": (502, "server_error", "claude_code_failed"),
            "cancelled": (499, "invalid_request_error", "run_cancelled"),
            "request_memory_full": (503, "server_error", "request_memory_full"),
            "queue_full": (429, "rate_limit_error", "queue_full"),
            "queue_timeout": (503, "server_error", "queue_timeout"),
            "first_byte_timeout": (504, "server_error", "first_byte_timeout"),
            "idle_timeout": (504, "server_error", "idle_timeout"),
            "timeout": (504, "server_error", "timeout"),
            "shutting_down": (503, "server_error", "shutting_down"),
            "internal": (500, "server_error", "internal_error"),
        }
    )


def test_a_failure_is_an_envelope_with_its_sentence_and_its_parameter() -> None:
    failure = Failure(Kind.MODEL_NOT_FOUND, "The model `x` does not exist here.", param="model")
    assert status(failure) == 404
    assert json.loads(OPENAI_ERRORS.body(details(failure))) == {
        "error": {
            "message": "The model `x` does not exist here.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


def test_when_to_try_again_is_told_in_whole_seconds_never_too_few() -> None:
    assert headers(Failure(Kind.RATE_LIMITED, "Slower.", retry_after=2.1)) == {"retry-after": "3"}
    assert headers(Failure(Kind.RATE_LIMITED, "Slower.", retry_after=-1.0)) == {"retry-after": "0"}
    assert headers(Failure(Kind.RATE_LIMITED, "Slower.")) == {}


def test_an_upstream_text_with_half_a_character_can_still_be_told() -> None:
    assert "\ufffd" in OPENAI_ERRORS.body(details(Failure(Kind.UPSTREAM_ERROR, "cut \ud83d")))


def test_the_middle_of_a_long_message_is_cut() -> None:
    message = details(Failure(Kind.INVALID_REQUEST, f"begin {'x' * 1_000_000} end")).message
    assert len(message) < 5000
    assert message.startswith("begin x")
    assert message.endswith("x end")
