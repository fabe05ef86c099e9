"""Parses a chat completion request into a turn. `read_turn` is the whole walk, from top to bottom."""

from dataclasses import dataclass

from claude_openai.core.agent import AgentRules, Shown
from claude_openai.core.models import Catalogue
from claude_openai.core.turn import Turn
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.messages import read_messages
from claude_openai.protocols.chat_completions.parameters import (
    PARAMETERS,
    ignored_fields,
    read_choices,
    read_format,
    read_sampling,
    shows_thinking,
)
from claude_openai.protocols.chat_completions.tools import read_tools
from claude_openai.protocols.chat_completions.wire import ChatCompletionRequest
from claude_openai.protocols.common.body import parse_body
from claude_openai.protocols.common.parameter_checks import refuse_unsupported
from claude_openai.protocols.common.turn import read_options


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """The turn that a request asks for, and the form of its answer.

    `model` is the name in the reply. `ignored` names fields without effect, `adjusted` those carried with another
    value (`temperature=1`); both are fit for a header. `legacy`: the client offers functions in the form that preceded
    tools, and gets calls in that form. `shows_thinking`: the answer shows the model's thinking. `choices` is the number
    of answers to `turn`, and to each of `others`, which an older completion may have besides.
    """

    turn: Turn
    model: str
    stream: bool = False
    include_usage: bool = False
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    legacy: bool = False
    shows_thinking: bool = True
    choices: int = 1
    others: tuple[Turn, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns of all prompts."""
        return (self.turn, *self.others)

    @property
    def answers(self) -> tuple[Turn, ...]:
        """The turn of each answer, in the order of the reply."""
        return tuple(turn for turn in self.turns for _ in range(self.choices))

    @property
    def answer_format(self) -> AnswerFormat:
        """The format of its answers."""
        formed = self.turn.reply_format is not None
        return AnswerFormat(self.model, self.include_usage, self.legacy, self.activity, self.shows_thinking, formed)

    @property
    def activity(self) -> Shown | None:
        """How the answer shows what Claude Code does with its own tools; None if it does not."""
        return self.turn.agent.show_activity if self.turn.agent else None


def parse_request(body: bytes) -> ChatCompletionRequest:
    """`body` as a request.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, ChatCompletionRequest)


def read_turn(
    request: ChatCompletionRequest, catalogue: Catalogue, principal: str = "local", rules: AgentRules | None = None
) -> ParsedRequest:
    """The turn that `request` asks for; `rules` limit the agent profile.

    Raises:
        RequestFailed: it asks for something that is not supported or not allowed, or for an unknown model.
    """
    refuse_unsupported(request, PARAMETERS)
    model = catalogue.resolve(request.model)
    offer = read_tools(request)
    options = read_options(
        request.claude, model, rules, tools=offer.tools, choice=offer.choice, reply_format=read_format(request)
    )
    sampling = read_sampling(request, model, options.reply_format)
    choices = read_choices(request.n, options.agent)
    conversation = read_messages(request.messages, model)
    stream = bool(request.stream)
    return ParsedRequest(
        turn=options.turn(conversation.messages, sampling.sampling, principal, streamed=stream),
        model=request.model or model.id,
        stream=stream,
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        ignored=sampling.ignored + ignored_fields(request) + options.ignored,
        adjusted=sampling.adjusted + conversation.adjusted,
        legacy=offer.legacy,
        shows_thinking=shows_thinking(request),
        choices=choices,
    )
