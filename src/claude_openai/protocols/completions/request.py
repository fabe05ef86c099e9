"""Parses a completion request into the turns of a chat completion."""

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
from claude_openai.protocols.common.parameter_checks import ignored_parameters, refuse_unsupported, unknown_paths
from claude_openai.protocols.common.shared_parameters import shared_parameters
from claude_openai.protocols.completions.parameters import PARAMETERS
from claude_openai.protocols.completions.wire import CompletionRequest

FILL_IN: Final = (
    "A text has a gap. The user's message is what stands before the gap, in <before>, and what stands after it, in "
    "<after>. Say what stands in the gap, exactly, white space included: nothing before it, nothing after it, no "
    "explanation, no Markdown around it."
)
"""The instructions for a request with a `suffix`, which the Messages API does not have."""

_CARRIED: Final = [row for row in shared_parameters(CompletionRequest) if row.treatment in {"carried", "partly"}]
"""What a chat completion has under the same name. What is ignored or refused is reported of this request itself."""


def parse_request(body: bytes) -> CompletionRequest:
    """`body` as a request.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, CompletionRequest)


def read_turn(
    request: CompletionRequest, catalogue: Catalogue, principal: str = "local", rules: AgentRules | None = None
) -> ParsedRequest:
    """The turns that `request` asks for, one for each prompt; `rules` limit the agent profile.

    Raises:
        RequestFailed: it asks for something that is not supported or not allowed, or for an unknown model.
    """
    refuse_unsupported(request, PARAMETERS)
    prompts = [_messages(prompt, request.suffix) for prompt in _prompts(request)]
    as_chat = ChatCompletionRequest(
        messages=prompts[0],
        stream_options=request.stream_options,
        reasoning_effort="none",
        **{row.name: getattr(request, row.name) for row in _CARRIED},
    )
    parsed = chat.read_turn(as_chat, catalogue, principal, rules)
    read_choices(request.n, parsed.turn.agent, prompts=len(prompts))
    others = (read_messages(messages, parsed.turn.model).messages for messages in prompts[1:])
    # the client has not asked for the effort: a completion has no place for thinking, so it is as little as possible
    ignored_by_chat, adjusted = (
        tuple(name for name in names if not name.startswith("reasoning_effort"))
        for names in (parsed.ignored, parsed.adjusted)
    )
    hidden = ("claude.showActivity",) if parsed.activity else ()
    return replace(
        parsed,
        adjusted=adjusted,
        others=tuple(replace(parsed.turn, messages=messages) for messages in others),
        ignored=(*ignored_by_chat, *ignored_parameters(request, PARAMETERS), *hidden, *unknown_paths(request)),
    )


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
