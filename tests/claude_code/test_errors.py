"""Every failure upstream is told as what it is: by the status as long as nothing was said, by an error event after."""

from collections.abc import Callable

import anyio
import httpx2
import openai
import pytest
from openai import APIStatusError

from claude_openai.simulator import (
    CREDIT_BALANCE,
    PROMPT_TOO_LONG,
    Cut,
    Failure,
    Fault,
    Gate,
    Malformed,
    Refused,
    Replies,
    Reply,
    Stall,
    StreamError,
    Text,
)
from claude_openai.simulator.script import Answer
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve
from tests.patience import PATIENCE_SECONDS


def always(answer: Answer) -> Callable[[object], Answer]:
    return lambda _: answer


async def failure(rig: Rig, answer: Answer, *, stream: bool = False) -> APIStatusError:
    rig.plays(always(answer))
    with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(APIStatusError) as caught:
        await rig.client.chat.completions.create(
            model=NEW_MODEL, messages=[{"role": "user", "content": "hi"}], stream=stream
        )
    return caught.value


async def nothing_is_open_upstream(rig: Rig) -> None:
    """Waits for the end of what was asked: nothing at all where the time was over before Claude Code had started."""
    with anyio.fail_after(PATIENCE_SECONDS):
        for request in rig.simulator.requests:
            await request.closed.wait()


REWORDED = {401, 404, 413}
"""Claude Code has words of its own for these; upstream's do not come through."""

STATUSES = [
    (Failure.of(400), openai.BadRequestError, "invalid_request_error", None),
    (Failure.of(401), openai.AuthenticationError, "authentication_error", "not_logged_in"),
    (Failure.of(403), openai.PermissionDeniedError, "permission_error", None),
    (Failure.of(404), openai.NotFoundError, "invalid_request_error", "model_not_found"),
    (Failure.of(413), openai.APIStatusError, "invalid_request_error", None),
    (Failure.of(429), openai.RateLimitError, "rate_limit_error", "rate_limit_exceeded"),
    (Failure.of(500), openai.InternalServerError, "server_error", None),
    (Failure.of(529), openai.InternalServerError, "server_error", None),
    (PROMPT_TOO_LONG, openai.BadRequestError, "invalid_request_error", "context_length_exceeded"),
    (CREDIT_BALANCE, openai.RateLimitError, "insufficient_quota", "insufficient_quota"),
    (Refused(), openai.InternalServerError, "server_error", None),
]


@pytest.mark.proves("errors.upstream", "errors.bounded-retries", "chat.client")
@pytest.mark.parametrize(("answer", "exception", "kind", "code"), STATUSES)
async def test_a_failure_before_the_first_byte_has_its_own_status(
    rig: Rig, answer: Answer, exception: type[Exception], kind: str, code: str | None
) -> None:
    error = await failure(rig, answer)
    assert type(error) is exception
    assert isinstance(error.body, dict)
    assert error.body["type"] == kind
    if code:
        assert error.body["code"] == code
    expected = {500: 502, 529: 503}
    if isinstance(answer, Failure) and answer not in (PROMPT_TOO_LONG, CREDIT_BALANCE):
        assert error.status_code == expected.get(answer.status, answer.status)
        assert "127.0.0.1" not in error.body["message"]  # where our own upstream is
        if answer.status not in REWORDED:
            assert answer.message in error.body["message"]


@pytest.mark.proves("errors.status-before-first-byte")
async def test_a_stream_that_fails_before_its_first_byte_has_a_status_too(rig: Rig) -> None:
    assert (await failure(rig, Failure.of(529), stream=True)).status_code == 503


FAULTS: list[Fault] = [Cut(6), Malformed(6), StreamError(6)]


@pytest.mark.proves("errors.upstream.cut", "stream.error-event")
@pytest.mark.parametrize("fault", FAULTS, ids=["cut", "malformed", "error event"])
async def test_a_fault_in_mid_stream_is_an_error_event_after_what_was_said_once(rig: Rig, fault: Fault) -> None:
    gate = Gate()  # a connection that is cut takes along what its reader has not yet seen
    rig.plays(always(Reply((Text(("one ", "two ", gate, "three ", "four ")),), fault=fault)))
    said: list[str] = []

    async def listen() -> None:
        stream = await rig.client.chat.completions.create(
            model=NEW_MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
        )
        async for chunk in stream:
            said.append(chunk.choices[0].delta.content or "")
            if said[-1] == "two ":
                gate.open()
            assert chunk.choices[0].finish_reason is None

    with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(openai.APIError) as caught:
        await listen()
    assert "".join(said) in {"one two ", "one two three "}
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "server_error"


@pytest.mark.proves("errors.upstream.cut")
@pytest.mark.parametrize("fault", FAULTS, ids=["cut", "malformed", "error event"])
async def test_a_fault_in_mid_answer_is_no_answer_where_nothing_was_sent_yet(rig: Rig, fault: Fault) -> None:
    error = await failure(rig, Reply((Text(("one ", "two ", "three ", "four ")),), fault=fault))
    assert error.status_code == 502
    assert error.code in {"stream_interrupted", "upstream_unreachable"}


@pytest.mark.proves("stream.error-event")
async def test_nothing_follows_an_error_event(rig: Rig) -> None:
    gate = Gate()
    rig.plays(always(Reply((Text(("one ", gate, "two ", "three ")),), fault=Cut(5))))
    body = {"model": NEW_MODEL, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    events: list[str] = []
    async with (
        httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http,
        http.stream("POST", f"{rig.url}/v1/chat/completions", json=body) as answer,
    ):
        async for line in answer.aiter_lines():
            events.append(line)
            gate.open()
    assert answer.status_code == 200
    assert '"error"' in [event for event in events if event][-1]
    assert not any("[DONE]" in event for event in events)


@pytest.mark.proves("errors.upstream.silent")
async def test_an_upstream_that_falls_silent_in_mid_answer_is_given_up(serve: Serve) -> None:
    async with serve(idle_timeout=1.5) as rig:
        error = await failure(rig, Reply((Text(("one ", "two ")),), fault=Stall(5)))
        await nothing_is_open_upstream(rig)
    assert error.status_code == 504


@pytest.mark.proves("lifetime.timeout")
async def test_a_request_over_its_time_is_ended_upstream_and_says_so(serve: Serve) -> None:
    async with serve(request_timeout=2) as rig:
        error = await failure(rig, Reply((Text(("one ", "two ")),), fault=Stall(5)))
        await nothing_is_open_upstream(rig)
    assert error.status_code == 504
    assert "--request-timeout" in error.message


@pytest.mark.proves("errors.logged-out", "start.login", "http.health.not-ready")
async def test_without_a_login_the_remedy_is_told(serve: Serve) -> None:
    async with serve(environment={"ANTHROPIC_API_KEY": ""}) as rig:
        error = await failure(rig, Reply.of("never"))
        assert error.status_code == 401
        assert isinstance(error.body, dict)
        assert error.body["code"] == "not_logged_in"
        assert "/login" in error.message
        assert rig.simulator.requests == []
        async with httpx2.AsyncClient() as http:
            health = await http.get(f"{rig.url}/health")
    assert health.status_code == 503
    assert "claude auth login" in health.json()["reason"]


@pytest.mark.proves("errors.bounded-retries", "errors.upstream")
@pytest.mark.parametrize("stream", [True, False])
async def test_a_long_wait_that_upstream_asks_for_is_the_clients_to_wait(rig: Rig, stream: bool) -> None:
    error = await failure(rig, Failure.of(429, retry_after=8), stream=stream)
    assert error.status_code == 429
    assert 6 <= float(error.response.headers["retry-after"]) <= 12
    assert len(rig.simulator.requests) == 1


@pytest.mark.proves("errors.bounded-retries")
@pytest.mark.parametrize("status", [429, 529])
async def test_of_a_wait_over_a_minute_claude_code_tells_no_length(rig: Rig, status: int) -> None:
    """Once this fails, Claude Code has begun to pass it on, and so should we."""
    error = await failure(rig, Failure.of(status, retry_after=7200))
    assert "retry-after" not in error.response.headers
    assert len(rig.simulator.requests) == 1


@pytest.mark.proves("errors.upstream.cut")
@pytest.mark.parametrize("after_events", [1, 2, 3, 4])
async def test_a_stream_that_is_cut_early_is_no_answer(rig: Rig, after_events: int) -> None:
    error = await failure(rig, Reply((Text(("one ", "two ")),), fault=Cut(after_events)))
    assert error.status_code == 502
    assert "budget" not in error.message


@pytest.mark.proves("errors.bounded-retries")
async def test_a_passing_failure_is_retried_and_not_seen_by_the_client(rig: Rig) -> None:
    rig.plays(Replies(Failure.of(529), "here I am"))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content == "here I am"
