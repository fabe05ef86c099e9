"""The client's tools, and its choice among them.

The functions of the time before tools are tools, too, of which one is called at a time; the answer names them the old
way (`Offer.legacy`).
"""

from dataclasses import dataclass
from typing import Literal

from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.protocols.chat_completions import wire
from claude_openai.protocols.common.functions import known, read_functions
from claude_openai.protocols.common.invalid import invalid
from claude_openai.protocols.common.wire.request import PlainChoice

_Choice = Literal["none", "auto", "required"] | wire.NamedTool | wire.AllowedToolsChoice


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """What the model may call. `legacy`: as functions, and to be answered as such."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO
    legacy: bool = False


def read_tools(request: wire.ChatCompletionRequest) -> ToolOffer:
    """What `request` offers.

    Raises:
        RequestFailed: naming the tool that is faulty, or the choice of one that is not offered.
    """
    if request.tools and request.functions:
        raise invalid("functions", "they are the old form of 'tools', and cannot stand beside them")
    choice = request.tool_choice.word if isinstance(request.tool_choice, PlainChoice) else request.tool_choice
    if choice not in (None, "none", "auto") and not request.tools:
        raise invalid("tool_choice", "there are no 'tools' to call")
    if request.function_call not in (None, "none", "auto") and not request.functions:
        raise invalid("function_call", "there are no 'functions' to call")
    if request.functions:
        return _functions(request.functions, request.function_call)
    if request.tools:
        return _tools(request.tools, choice, parallel=request.parallel_tool_calls is not False)
    return ToolOffer()


def _functions(sent: list[wire.Function], choice: wire.FunctionChoice | None) -> ToolOffer:
    tools = read_functions((function, f"functions[{index}]") for index, function in enumerate(sent))
    match choice:
        case None | "auto":
            return ToolOffer(tools, ToolChoice(parallel=False), legacy=True)
        case "none":
            return ToolOffer(tools, ToolChoice("none"), legacy=True)
        case wire.FunctionByName(name=name):
            known(name, tools, "function_call")
            return ToolOffer(tools, ToolChoice("tool", name, parallel=False), legacy=True)


def _tools(sent: list[wire.Tool], choice: _Choice | None, *, parallel: bool) -> ToolOffer:
    tools = read_functions((tool.function, f"tools[{index}].function") for index, tool in enumerate(sent))
    match choice:
        case None:
            return ToolOffer(tools, ToolChoice(parallel=parallel))
        case "none":
            return ToolOffer(tools, ToolChoice("none"))
        case "auto" | "required":
            return ToolOffer(tools, ToolChoice(choice, parallel=parallel))
        case wire.NamedTool(function=function):
            known(function.name, tools, "tool_choice")
            return ToolOffer(tools, ToolChoice("tool", function.name, parallel=parallel))
        case wire.AllowedToolsChoice(allowed_tools=allowed):
            return _allowed(tools, allowed, parallel=parallel)


def _allowed(tools: tuple[Tool, ...], allowed: wire.AllowedTools, *, parallel: bool) -> ToolOffer:
    names = [tool.function.name for tool in allowed.tools]
    for name in names:
        known(name, tools, "tool_choice")
    if not names:
        raise invalid("tool_choice", "it allows no tool; for that there is 'none'")
    return ToolOffer(tuple(tool for tool in tools if tool.name in names), ToolChoice(allowed.mode, parallel=parallel))
