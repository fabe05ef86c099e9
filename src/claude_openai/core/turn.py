"""A turn: everything that one request asks for."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

from claude_openai.core.agent import AgentProfile
from claude_openai.core.messages import LARGE_CHARACTERS, Message, are_large
from claude_openai.core.models import Effort, Model
from claude_openai.core.tools import AUTO, Tool, ToolChoice

_UPSTREAM: Final = "upstream"
_EXCLUDES_THINKING: Final = "excludes_thinking"


def carried(name: str, *, default: object = None, excludes_thinking: bool = False) -> Any:
    """A field of `Sampling` that is the field `name` of a request in the Messages API.

    `excludes_thinking`: upstream refuses thinking beside it.
    """
    return field(default=default, metadata={_UPSTREAM: name, _EXCLUDES_THINKING: excludes_thinking})


@dataclass(frozen=True, slots=True)
class Sampling:
    """The generation parameters; None leaves upstream's default.

    `max_tokens` counts the answer's tokens, thinking included. `temperature` and `top_p` are in upstream's range,
    0 to 1. `effort` is one that the model supports. `stop` are the stop sequences that upstream gets, `local_stop`
    those that it does not support and this server looks for. A field with a `carried` name is sent upstream under it.
    """

    max_tokens: int | None = None
    temperature: float | None = carried("temperature", excludes_thinking=True)
    top_p: float | None = carried("top_p", excludes_thinking=True)
    stop: tuple[str, ...] = carried("stop_sequences", default=())
    effort: Effort | None = None
    local_stop: tuple[str, ...] = ()

    @property
    def upstream_fields(self) -> dict[str, Any]:
        """The given parameters under their names in the Messages API, as JSON has them."""
        named = {each.metadata[_UPSTREAM]: getattr(self, each.name) for each in fields(self) if each.metadata}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in named.items()
            if value not in (None, ())
        }

    @property
    def excludes_thinking(self) -> bool:
        """Whether it has a parameter beside which upstream refuses thinking."""
        excluding = [each for each in fields(self) if each.metadata.get(_EXCLUDES_THINKING)]
        return any(getattr(self, each.name) is not None for each in excluding)


DEFAULT_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """The answer must be one JSON object that fits `schema`, the JSON text of an object's schema; None allows any
    object (JSON mode), which the model writes as text.
    """

    schema: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One request: the whole conversation, its model and its parameters.

    `messages` ends in a `UserMessage` or a `ToolMessage`. `principal` names the API key that asked ("local" where the
    server has none): conversations never cross principals. `agent` is None for the chat profile. `run_id` names the run
    of the turn, "" if there is none, and does not count in comparisons. `reply_format` is None for plain text.
    `streamed`: the client gets text at once, so that it cannot be withdrawn.
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
        """Whether processing all of it takes too long for the event loop."""
        described = sum(len(tool.schema) + len(tool.description) for tool in self.tools) + len(self.schema or "")
        return described > LARGE_CHARACTERS or are_large(self.messages)

    @property
    def schema(self) -> str | None:
        """The schema that the answer must fit; None if there is none."""
        return self.reply_format.schema if self.reply_format else None
