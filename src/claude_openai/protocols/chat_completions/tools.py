"""Reads the client's tools, and its choice among them.

Functions in the form that preceded tools become tools, too, of which one is called at a time; the answer names them in
the old form (`ToolOffer.legacy`).
"""

from dataclasses import dataclass

from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.protocols.chat_completions import wire
from claude_openai.protocols.common.functions import allowed_tools, check_offered, read_functions
from claude_openai.protocols.common.invalid import invalid
from claude_openai.protocols.common.wire.request_base import Function, PlainChoice


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """The tools that the model may call. `legacy`: the client offers functions, and expects calls in that form."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO
    legacy: bool = False


def read_tools(request: wire.ChatCompletionRequest) -> ToolOffer:
    """The tools that `request` offers.

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
        return _read_old_form(request.functions, request.function_call)
    if not request.tools:
        return ToolOffer()
    parallel = request.parallel_tool_calls is not False
    tools = read_functions((tool.function, f"tools[{index}].function") for index, tool in enumerate(request.tools))
    match choice:
        case None | "auto":
            return ToolOffer(tools, ToolChoice(parallel=parallel))
        case "none":
            return ToolOffer(tools, ToolChoice("none"))
        case "required":
            return ToolOffer(tools, ToolChoice("required", parallel=parallel))
        case wire.NamedTool(function=function):
            check_offered(function.name, tools, "tool_choice")
            return ToolOffer(tools, ToolChoice("tool", function.name, parallel=parallel))
        case wire.AllowedToolsChoice(allowed_tools=allowed):
            tools = allowed_tools([tool.function.name for tool in allowed.tools], tools)
            return ToolOffer(tools, ToolChoice(allowed.mode, parallel=parallel))


def _read_old_form(functions: list[Function], choice: wire.FunctionChoice | None) -> ToolOffer:
    tools = read_functions((function, f"functions[{index}]") for index, function in enumerate(functions))
    match choice:
        case None | "auto":
            return ToolOffer(tools, ToolChoice(parallel=False), legacy=True)
        case "none":
            return ToolOffer(tools, ToolChoice("none"), legacy=True)
        case wire.FunctionByName(name=name):
            check_offered(name, tools, "function_call")
            return ToolOffer(tools, ToolChoice("tool", name, parallel=False), legacy=True)
