"""From a request to the chat completion that it comes to."""

from dataclasses import replace

from claude_openai.core.agent import AgentRules
from claude_openai.core.models import Catalogue
from claude_openai.translate.body import parse_body
from claude_openai.translate.chat_completions import inbound as chat
from claude_openai.translate.chat_completions.inbound import Reading
from claude_openai.translate.completions.parameters import PARAMETERS
from claude_openai.translate.content import is_blank
from claude_openai.translate.faults import invalid
from claude_openai.translate.parameters import ignored, refuse_unsupported, unknown
from claude_openai.wire.chat_completions import ChatCompletionRequest, UserMessage
from claude_openai.wire.completions import CompletionRequest


def parse_request(body: bytes) -> CompletionRequest:
    """The request that `body` holds.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, CompletionRequest)


def read_turn(
    request: CompletionRequest, catalogue: Catalogue, principal: str = "local", rules: AgentRules | None = None
) -> Reading:
    """What `request` asks for, within `rules` where it asks for the agent profile.

    Raises:
        RequestFailed: it asks for something that cannot be given, or of a model that does not exist.
    """
    refuse_unsupported(request, PARAMETERS)
    asked = ChatCompletionRequest(
        messages=[UserMessage(role="user", content=_prompt(request))],
        model=request.model,
        claude=request.claude,
        max_tokens=request.max_tokens,
        stop=request.stop,
        stream=request.stream,
        stream_options=request.stream_options,
        temperature=request.temperature,
        top_p=request.top_p,
    )
    reading = chat.read_turn(asked, catalogue, principal, rules)
    unshown = ("claude.showActivity",) if reading.shown else ()
    without_effect = (*reading.ignored, *ignored(request, PARAMETERS), *unshown, *unknown(request))
    return replace(reading, ignored=without_effect)


def _prompt(request: CompletionRequest) -> str:
    match request.prompt:
        case str(text) | [str(text)] if not is_blank(text):
            return text
        case str() | [str()]:
            raise invalid("prompt", "it is empty or only white space")
        case [int() | [*_], *_]:
            raise invalid("prompt", "Claude takes text, and no tokens of another model")
        case _:
            raise invalid("prompt", "expected one text")
