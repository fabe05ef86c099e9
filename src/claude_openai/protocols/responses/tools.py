"""Reads the client's functions, and its choice among them."""

from dataclasses import dataclass

from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.protocols.common.functions import allowed_tools, check_offered, read_functions
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire.request_base import PlainChoice
from claude_openai.protocols.responses.wire import request as wire


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """The tools that the model may call."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO


def read_tools(request: wire.ResponsesRequest) -> ToolOffer:
    """The tools that `request` offers.

    Raises:
        RequestFailed: naming the tool that is faulty or not supported, or the choice of one that is not offered.
    """
    parallel = request.parallel_tool_calls is not False
    functions = []
    for index, tool in enumerate(request.tools or []):
        path = f"tools[{index}]"
        if not isinstance(tool, wire.FunctionTool):
            raise unsupported(f"{path}.type", f"there are functions only, and no tools of type '{tool.type[:80]}'")
        functions.append((tool, path))
    tools = read_functions(functions)
    choice = request.tool_choice.word if isinstance(request.tool_choice, PlainChoice) else request.tool_choice
    if choice not in (None, "none", "auto") and not tools:
        raise invalid("tool_choice", "there are no 'tools' to call")
    if not tools:
        return ToolOffer()
    match choice:
        case None | "auto":
            return ToolOffer(tools, ToolChoice(parallel=parallel))
        case "none":
            return ToolOffer(tools, ToolChoice("none"))
        case "required":
            return ToolOffer(tools, ToolChoice("required", parallel=parallel))
        case wire.NamedTool(name=name):
            check_offered(name, tools, "tool_choice")
            return ToolOffer(tools, ToolChoice("tool", name, parallel=parallel))
        case wire.AllowedTools():
            tools = allowed_tools([tool.name for tool in choice.tools], tools)
            return ToolOffer(tools, ToolChoice(choice.mode, parallel=parallel))
