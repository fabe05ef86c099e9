"""One request as a client makes it, with the official library: what it hears, and how that ends."""

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import httpx2
import openai
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionAssistantMessageParam, ChatCompletionMessageParam

History: TypeAlias = tuple[ChatCompletionMessageParam, ...]


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer."""

    text: str
    calls: tuple[Call, ...] = ()

    def sent_back(self) -> ChatCompletionAssistantMessageParam:
        """As clients keep it in their history."""
        message: ChatCompletionAssistantMessageParam = {"role": "assistant", "content": self.text}
        if self.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.calls
            ]
        return message


@dataclass(frozen=True, slots=True)
class Left:
    """The client has left, and had heard this much."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The server said why not; `code` is OpenAI's, or our word for what is no answer at all."""

    code: str
    message: str


Outcome: TypeAlias = Said | Left | Failed


@dataclass(slots=True)
class Ear:
    """What has been heard of a streamed answer; `enough` is set after so many pieces of text."""

    pieces: int
    text: str = ""
    enough: anyio.Event = field(default_factory=anyio.Event)

    def hear(self, piece: str) -> None:
        self.text += piece
        self.pieces -= bool(piece)
        if not self.pieces:
            self.enough.set()


async def asked(client: openai.AsyncOpenAI, request: dict[str, Any], *, streamed: bool, ear: Ear) -> Said | Failed:
    """The answer to `request`, however it comes."""
    try:
        answer = await (_streamed(client, request, ear) if streamed else client.chat.completions.create(**request))
    except openai.APIStatusError as error:
        return Failed(error.code or f"status {error.status_code}", error.message)
    except openai.APIConnectionError as error:
        return Failed("no connection", str(error))
    except openai.APIError as error:
        return Failed(error.code or "no code", error.message)
    except httpx2.HTTPError as error:
        return Failed("broken connection", repr(error))
    return _said(answer)


async def _streamed(client: openai.AsyncOpenAI, request: dict[str, Any], ear: Ear) -> ChatCompletion:
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    chunks = await client.chat.completions.create(**request, stream=True)
    async with chunks:
        async for chunk in chunks:
            state.handle_chunk(chunk)
            for choice in chunk.choices:
                ear.hear(choice.delta.content or "")
    return state.get_final_completion()


def _said(answer: ChatCompletion) -> Said:
    message = answer.choices[0].message
    functions = [(call.id, call.function) for call in message.tool_calls or () if call.type == "function"]
    return Said(message.content or "", tuple(Call(id_, each.name, each.arguments) for id_, each in functions))


def argument(call: Call, name: str) -> str:
    """One argument of a call that the server has checked against its schema."""
    return str(json.loads(call.arguments)[name])
