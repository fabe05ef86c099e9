"""Reads what a request asks for beside its messages and its sampling: profile, tools, reply format, in any protocol."""

from dataclasses import dataclass

from claude_openai.core.agent import AgentProfile, AgentRules
from claude_openai.core.messages import Message
from claude_openai.core.models import Model
from claude_openai.core.tools import Tool, ToolChoice
from claude_openai.core.turn import ReplyFormat, Sampling, Turn
from claude_openai.protocols.common.agent import ignored_options, read_profile, tools_for_agent
from claude_openai.protocols.common.reply_format import reconcile_tools_and_format
from claude_openai.protocols.common.wire.claude import ClaudeOptions


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """A turn without its messages and its sampling. `ignored` names options without effect, fit for a header."""

    model: Model
    agent: AgentProfile | None
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    reply_format: ReplyFormat | None
    ignored: tuple[str, ...]

    def turn(self, messages: tuple[Message, ...], sampling: Sampling, principal: str, *, streamed: bool) -> Turn:
        """The turn with these messages and this sampling."""
        return Turn(
            self.model,
            messages,
            sampling,
            principal,
            self.tools,
            self.tool_choice,
            self.agent,
            self.reply_format,
            streamed,
        )


def read_options(
    claude: ClaudeOptions | None,
    model: Model,
    rules: AgentRules | None,
    *,
    tools: tuple[Tool, ...],
    choice: ToolChoice,
    reply_format: ReplyFormat | None,
) -> TurnOptions:
    """The options of a request with these `tools` and this `reply_format`; `rules` limit the agent profile.

    Raises:
        RequestFailed: the profile is not allowed, or tools, choice and format do not go together.
    """
    agent = read_profile(claude, model, rules)
    tools, choice = tools_for_agent(agent, tools, choice)
    reply_format, tools, choice = reconcile_tools_and_format(reply_format, tools, choice)
    return TurnOptions(model, agent, tools, choice, reply_format, ignored_options(claude, agent))
