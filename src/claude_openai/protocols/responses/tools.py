"""The client's functions, and its choice among them."""

from collections.abc import Iterator
from dataclasses import dataclass

from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.protocols.common.functions import known, read_functions
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire.request import PlainChoice
from claude_openai.protocols.responses.wire import request as wire


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """What the model may call."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO


def read_tools(request: wire.ResponsesRequest) -> ToolOffer:
    """What `request` offers.

    Raises:
        RequestFailed: naming the tool that is faulty or cannot be given, or the choice of one that is not offered.
    """
    parallel = request.parallel_tool_calls is not False
    tools = read_functions(_functions(request.tools or []))
    choice = request.tool_choice.word if isinstance(request.tool_choice, PlainChoice) else request.tool_choice
    if choice not in (None, "none", "auto") and not tools:
        raise invalid("tool_choice", "there are no 'tools' to call")
    if not tools:
        return ToolOffer()
    match choice:
        case None:
            return ToolOffer(tools, ToolChoice(parallel=parallel))
        case "none":
            return ToolOffer(tools, ToolChoice("none"))
        case "auto" | "required":
            return ToolOffer(tools, ToolChoice(choice, parallel=parallel))
        case wire.NamedTool(name=name):
            known(name, tools, "tool_choice")
            return ToolOffer(tools, ToolChoice("tool", name, parallel=parallel))
        case wire.AllowedTools():
            return _allowed(tools, choice, parallel=parallel)


def _functions(sent: list[wire.Tool]) -> Iterator[tuple[wire.FunctionTool, str]]:
    for index, tool in enumerate(sent):
        path = f"tools[{index}]"
        if not isinstance(tool, wire.FunctionTool):
            raise unsupported(f"{path}.type", f"there are functions only, and no tools of type '{tool.type[:80]}'")
        yield tool, path


def _allowed(tools: tuple[Tool, ...], allowed: wire.AllowedTools, *, parallel: bool) -> ToolOffer:
    names = [tool.name for tool in allowed.tools]
    for name in names:
        known(name, tools, "tool_choice")
    if not names:
        raise invalid("tool_choice", "it allows no tool; for that there is 'none'")
    return ToolOffer(tuple(tool for tool in tools if tool.name in names), ToolChoice(allowed.mode, parallel=parallel))
