"""From a request to the turn it asks for, and to what the client must be told about the reading."""

from dataclasses import dataclass

from claude_openai.core.agent import AgentRules, Shown
from claude_openai.core.models import Catalogue
from claude_openai.core.turn import Turn
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.messages import read_messages
from claude_openai.protocols.chat_completions.parameters import (
    PARAMETERS,
    read_choices,
    read_format,
    read_sampling,
    shows_thinking,
    without_effect,
)
from claude_openai.protocols.chat_completions.tools import read_tools
from claude_openai.protocols.chat_completions.wire import ChatCompletionRequest
from claude_openai.protocols.common.agent import read_profile, tools_for_agent
from claude_openai.protocols.common.agent import without_effect as unheard
from claude_openai.protocols.common.body import parse_body
from claude_openai.protocols.common.conversation import with_all_media
from claude_openai.protocols.common.parameters import refuse_unsupported
from claude_openai.protocols.common.reply_format import tools_beside_format


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request as understood: the turn, and how its answer is to be given.

    `model` is the name that the reply carries. `ignored` names what was accepted without effect, `adjusted` what was
    carried with another value (`temperature=1`); both are fit for a header. `legacy`: calls are told as functions, as
    they were offered; `thoughts`: what the model thinks is told. `choices` is how many answers are wanted, to `turn`
    and to each of `others`, which the older form of a request may have besides.
    """

    turn: Turn
    model: str
    stream: bool = False
    include_usage: bool = False
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    legacy: bool = False
    thoughts: bool = True
    choices: int = 1
    others: tuple[Turn, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that are asked for."""
        return (self.turn, *self.others)

    @property
    def answers(self) -> tuple[Turn, ...]:
        """For each answer that is wanted the turn that it comes from, in the order of the reply."""
        return tuple(turn for turn in self.turns for _ in range(self.choices))

    @property
    def telling(self) -> AnswerFormat:
        """How its answers are told."""
        formed = self.turn.reply_format is not None
        return AnswerFormat(self.model, self.include_usage, self.legacy, self.shown, self.thoughts, formed)

    @property
    def shown(self) -> Shown | None:
        """How the client wants to see what Claude Code does with its own tools."""
        return self.turn.agent.show_activity if self.turn.agent else None


def parse_request(body: bytes) -> ChatCompletionRequest:
    """The request that `body` holds.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, ChatCompletionRequest)


def read_turn(
    request: ChatCompletionRequest, catalogue: Catalogue, principal: str = "local", rules: AgentRules | None = None
) -> ParsedRequest:
    """What `request` asks for, within `rules` where it asks for the agent profile.

    Raises:
        RequestFailed: it asks for something that cannot be given, or of a model that does not exist.
    """
    refuse_unsupported(request, PARAMETERS)
    model = catalogue.resolve(request.model)
    offer = read_tools(request)
    agent = read_profile(request.claude, model, rules)
    form, tools, choice = tools_beside_format(read_format(request), *tools_for_agent(agent, offer.tools, offer.choice))
    drawing = read_sampling(request, model, form)
    said = read_messages(request.messages)
    options = request.stream_options
    return ParsedRequest(
        turn=Turn(
            model,
            with_all_media(said.messages, model, "messages"),
            drawing.sampling,
            principal,
            tools,
            choice,
            agent,
            form,
            bool(request.stream),
        ),
        model=request.model or model.id,
        stream=bool(request.stream),
        include_usage=bool(options and options.include_usage),
        ignored=drawing.ignored + without_effect(request) + unheard(request.claude, agent),
        adjusted=drawing.adjusted + said.adjusted,
        legacy=offer.legacy,
        thoughts=shows_thinking(request),
        choices=read_choices(request.n, agent),
    )
