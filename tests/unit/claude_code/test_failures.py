"""What Claude Code's report of a failure means."""

import pytest

from claude_openai.claude_code.stream_json.failures import upstream_failure
from claude_openai.core.failures import Kind

CASES = [
    (400, "API Error: 400 max_tokens: must be positive", Kind.INVALID_REQUEST),
    (400, "Prompt is too long", Kind.CONTEXT_LENGTH_EXCEEDED),
    (400, "API Error: 400 input length exceeds the context limit", Kind.CONTEXT_LENGTH_EXCEEDED),
    (400, "Credit balance is too low", Kind.INSUFFICIENT_QUOTA),
    (401, "API Error: 401 invalid x-api-key", Kind.NOT_LOGGED_IN),
    (403, "API Error: 403 forbidden", Kind.PERMISSION_DENIED),
    (404, "API Error: 404 model: claude-x", Kind.MODEL_NOT_FOUND),
    (413, "API Error: 413 too large", Kind.REQUEST_TOO_LARGE),
    (422, "API Error: 422 unprocessable", Kind.INVALID_REQUEST),
    (429, "API Error: 429 slow down", Kind.RATE_LIMITED),
    (500, "API Error: 500 oops", Kind.UPSTREAM_ERROR),
    (529, "API Error: 529 overloaded", Kind.OVERLOADED),
    (None, "Not logged in · Please run /login", Kind.NOT_LOGGED_IN),
    (None, "API Error: Unable to connect to API (ECONNREFUSED)", Kind.UPSTREAM_UNREACHABLE),
    (None, "Request timed out", Kind.UPSTREAM_TIMEOUT),
    (None, "something new", Kind.UPSTREAM_ERROR),
]


@pytest.mark.parametrize(("status", "text", "kind"), CASES)
def test_each_report_has_its_kind(status: int | None, text: str, kind: Kind) -> None:
    assert upstream_failure(status, text, model="m").kind is kind


def test_the_message_is_upstreams_own_without_claude_codes_prefix() -> None:
    failure = upstream_failure(400, "API Error: 400 max_tokens: must be positive", model="m")
    assert failure.message == "max_tokens: must be positive"


@pytest.mark.proves("safety.upstream-address")
def test_the_address_of_ones_own_gateway_is_not_told() -> None:
    told = "API Error: 500 oops. If it persists, check your inference gateway (https://inner.example/v1)."
    assert upstream_failure(500, told, model="m").message == "oops."


def test_a_missing_login_says_what_to_run() -> None:
    assert "/login" in upstream_failure(None, "Not logged in · Please run /login", model="m").message


def test_a_model_refused_upstream_is_named() -> None:
    failure = upstream_failure(404, "API Error: 404 not_found_error", model="claude-typo")
    assert "`claude-typo`" in failure.message
    assert failure.param == "model"
