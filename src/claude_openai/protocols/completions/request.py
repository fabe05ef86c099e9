"""From a request to the chat completion that it comes to."""

from dataclasses import replace
from typing import Final

from claude_openai.core.agent import AgentRules
from claude_openai.core.models import Catalogue
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.chat_completions.messages import read_messages
from claude_openai.protocols.chat_completions.parameters import read_choices
from claude_openai.protocols.chat_completions.request import ParsedRequest
from claude_openai.protocols.chat_completions.wire import ChatCompletionRequest, Message, SystemMessage, UserMessage
from claude_openai.protocols.common.body import parse_body
from claude_openai.protocols.common.content import is_blank
from claude_openai.protocols.common.invalid import invalid
from claude_openai.protocols.common.parameters import ignored, refuse_unsupported, unknown
from claude_openai.protocols.completions.parameters import PARAMETERS
from claude_openai.protocols.completions.wire import CompletionRequest

FILL_IN: Final = (
    "A text has a gap. The user's message is what stands before the gap, in <before>, and what stands after it, in "
    "<after>. Say what stands in the gap, exactly, white space included: nothing before it, nothing after it, no "
    "explanation, no Markdown around it."
)
"""What Claude is told where there is a `suffix`, of which the Messages API knows nothing."""


def parse_request(body: bytes) -> CompletionRequest:
    """The request that `body` holds.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, CompletionRequest)


def read_turn(
    request: CompletionRequest, catalogue: Catalogue, principal: str = "local", rules: AgentRules | None = None
) -> ParsedRequest:
    """What `request` asks for, within `rules` where it asks for the agent profile.

    Raises:
        RequestFailed: it asks for something that cannot be given, or of a model that does not exist.
    """
    refuse_unsupported(request, PARAMETERS)
    prompts = [_messages(prompt, request.suffix) for prompt in _prompts(request)]
    asked = ChatCompletionRequest(
        messages=prompts[0],
        model=request.model,
        claude=request.claude,
        max_tokens=request.max_tokens,
        n=request.n,
        stop=request.stop,
        stream=request.stream,
        stream_options=request.stream_options,
        temperature=request.temperature,
        top_p=request.top_p,
        reasoning_effort="none",
    )
    reading = chat.read_turn(asked, catalogue, principal, rules)
    read_choices(request.n, reading.turn.agent, prompts=len(prompts))
    unshown = ("claude.showActivity",) if reading.shown else ()
    return replace(
        reading,
        adjusted=_but_for_effort(reading.adjusted),
        others=tuple(
            replace(reading.turn, messages=read_messages(messages, reading.turn.model).messages)
            for messages in prompts[1:]
        ),
        ignored=(*_but_for_effort(reading.ignored), *ignored(request, PARAMETERS), *unshown, *unknown(request)),
    )


def _but_for_effort(told: tuple[str, ...]) -> tuple[str, ...]:
    """Without what nobody asked for: as little thinking as the model allows, since a completion has no room for it."""
    return tuple(name for name in told if not name.startswith("reasoning_effort"))


def _prompts(request: CompletionRequest) -> list[str]:
    match request.prompt:
        case str(text):
            prompts, paths = [text], ["prompt"]
        case [int() | [*_], *_]:
            raise invalid("prompt", "Claude takes text, and no tokens of another model")
        case [*several] if several and all(isinstance(text, str) for text in several):
            prompts, paths = [str(text) for text in several], [f"prompt[{index}]" for index in range(len(several))]
        case _:
            raise invalid("prompt", "expected a text, or several")
    for prompt, path in zip(prompts, paths, strict=True):
        if is_blank(prompt) and not request.suffix:
            raise invalid(path, "it is empty or only white space")
    return prompts


def _messages(prompt: str, suffix: str | None) -> list[Message]:
    if not suffix:
        return [UserMessage(role="user", content=prompt)]
    gap = f"<before>{prompt}</before><after>{suffix}</after>"
    return [SystemMessage(role="system", content=FILL_IN), UserMessage(role="user", content=gap)]
