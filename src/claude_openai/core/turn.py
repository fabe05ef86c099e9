"""What one request asks for."""

from dataclasses import dataclass, field

from claude_openai.core.agent import AgentProfile
from claude_openai.core.messages import LARGE_CHARACTERS, Message, are_large
from claude_openai.core.models import Effort, Model
from claude_openai.core.tools import AUTO, Tool, ToolChoice


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is to be drawn; None leaves upstream's default.

    `max_tokens` counts the answer's tokens, thinking included. `temperature` and `top_p` are in upstream's range,
    0 to 1; where one of them is given, the model does not think. `effort` is one that the model takes.
    `stop` are sequences for upstream, `halt` those that it does not take or look for, and that end the answer here.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    effort: Effort | None = None
    local_stop: tuple[str, ...] = ()


DEFAULT_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """The answer is one JSON object: one that fits `schema`, JSON text of an object's schema, or, where that is None,
    any (JSON mode), which is the model's own text then.
    """

    schema: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything one request asks for: the whole conversation, its model and its settings.

    `messages` ends in a `UserMessage` or a `ToolMessage`. `principal` names the API key that asked ("local" where the
    server has none): conversations never cross principals. `agent` is None for the chat profile. `run_id` names the run
    that the turn belongs to, where there is one; it is no part of what is asked. `reply_format` is None for plain text.
    `streamed`: what was said is on its way, and cannot be taken back.
    """

    model: Model
    messages: tuple[Message, ...]
    sampling: Sampling = DEFAULT_SAMPLING
    principal: str = "local"
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = AUTO
    agent: AgentProfile | None = None
    reply_format: ReplyFormat | None = None
    streamed: bool = field(default=False, compare=False)
    run_id: str = field(default="", compare=False)

    @property
    def is_large(self) -> bool:
        """Whether to go over all of it takes too long for an event loop."""
        described = sum(len(tool.schema) + len(tool.description) for tool in self.tools) + len(self.schema or "")
        return described > LARGE_CHARACTERS or are_large(self.messages)

    @property
    def schema(self) -> str | None:
        """What the answer must fit, where there is such a schema."""
        return self.reply_format.schema if self.reply_format else None
