"""The `openai` package, unchanged, against this server."""

from collections.abc import AsyncIterator

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from claude_openai.core.events import TextDelta, TurnFailed
from claude_openai.core.failures import Failure, Kind
from tests.server.http.conftest import Serve
from tests.server.http.exchange import STARTED, said

MESSAGES: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[openai.AsyncOpenAI]:
    base_url = serve().client.base_url.join("/v1")
    async with openai.AsyncOpenAI(base_url=str(base_url), api_key="sk-right", max_retries=0) as client:
        yield client


@pytest.mark.proves("chat.client")
async def test_it_reads_a_completion(serve: Serve, client: openai.AsyncOpenAI) -> None:
    serve(said("Hel", "lo"), keys=("sk-right",))
    completion = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert completion.choices[0].message.content == "Hello"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 25
    assert completion._request_id is not None  # noqa: SLF001 -- where the package documents it to be


@pytest.mark.proves("chat.client")
async def test_it_reads_a_stream(serve: Serve, client: openai.AsyncOpenAI) -> None:
    serve(said("Hel", "lo"), keys=("sk-right",))
    async with client.chat.completions.stream(
        model="sonnet", messages=MESSAGES, stream_options={"include_usage": True}
    ) as stream:
        deltas = [event.delta async for event in stream if event.type == "content.delta"]
        completion = await stream.get_final_completion()
    assert "".join(deltas) == "Hello"
    assert completion.choices[0].message.content == "Hello"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 25


@pytest.mark.proves("chat.client")
@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (Kind.INVALID_REQUEST, openai.BadRequestError),
        (Kind.NOT_LOGGED_IN, openai.AuthenticationError),
        (Kind.PERMISSION_DENIED, openai.PermissionDeniedError),
        (Kind.MODEL_NOT_FOUND, openai.NotFoundError),
        (Kind.RATE_LIMITED, openai.RateLimitError),
        (Kind.OVERLOADED, openai.InternalServerError),
    ],
)
async def test_it_raises_its_own_exception_for_a_failure(
    serve: Serve, client: openai.AsyncOpenAI, kind: Kind, raised: type[openai.APIStatusError]
) -> None:
    serve([STARTED, TurnFailed(Failure(kind, "Why it failed."))], keys=("sk-right",))
    with pytest.raises(raised, match="Why it failed"):
        await client.chat.completions.create(model="sonnet", messages=MESSAGES)


@pytest.mark.proves("chat.client", "stream.error-event")
async def test_it_raises_at_an_error_in_mid_stream_after_the_text_before_it(
    serve: Serve, client: openai.AsyncOpenAI
) -> None:
    failed = TurnFailed(Failure(Kind.OVERLOADED, "Why it broke off."))
    serve([STARTED, TextDelta("Half an"), failed], keys=("sk-right",))
    stream = await client.chat.completions.create(model="sonnet", messages=MESSAGES, stream=True)
    texts = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
    assert texts == ["", "Half an"]
    with pytest.raises(openai.APIError, match="Why it broke off"):
        await anext(stream)


@pytest.mark.proves("chat.client", "safety.key")
async def test_it_raises_at_a_wrong_key(serve: Serve, client: openai.AsyncOpenAI) -> None:
    serve(said("Hi"), keys=("sk-another",))
    with pytest.raises(openai.AuthenticationError) as raised:
        await client.chat.completions.create(model="sonnet", messages=MESSAGES)
    assert raised.value.code == "invalid_api_key"


@pytest.mark.proves("models.list")
async def test_it_lists_and_finds_models(serve: Serve, client: openai.AsyncOpenAI) -> None:
    serve(keys=("sk-right",))
    names = [model.id async for model in client.models.list()]
    assert "sonnet" in names
    assert (await client.models.retrieve("gpt-4o")).id == "gpt-4o"
