"""The client's tools, and its choice among them. Schemas are carried as they are, as JSON text.

The functions of the time before tools are tools, too, of which one is called at a time; the answer names them the old
way (`Offer.legacy`).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.schemas import InvalidSchema, check_schema
from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.translate.faults import invalid
from claude_openai.wire import chat_completions as wire

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""The arguments' own names, not those within them: upstream's rule, and Claude Code leaves out a tool that breaks it
without a word (measured)."""

_MOST_SHOWN = 80
"""Characters of a name at fault that are repeated to the client."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model may call. `legacy`: as functions, and to be answered as such."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO
    legacy: bool = False


def read_tools(request: wire.ChatCompletionRequest) -> Offer:
    """What `request` offers.

    Raises:
        RequestFailed: naming the tool that is faulty, or the choice of one that is not offered.
    """
    if request.tools and request.functions:
        raise invalid("functions", "they are the old form of 'tools', and cannot stand beside them")
    if request.tool_choice not in (None, "none", "auto") and not request.tools:
        raise invalid("tool_choice", "there are no 'tools' to call")
    if request.function_call not in (None, "none", "auto") and not request.functions:
        raise invalid("function_call", "there are no 'functions' to call")
    if request.functions:
        return _functions(request.functions, request.function_call)
    if request.tools:
        return _tools(request.tools, request.tool_choice, parallel=request.parallel_tool_calls is not False)
    return Offer()


def _functions(sent: list[wire.Function], choice: wire.FunctionChoice | None) -> Offer:
    tools = _read((function, f"functions[{index}]") for index, function in enumerate(sent))
    match choice:
        case None | "auto":
            return Offer(tools, ToolChoice(parallel=False), legacy=True)
        case "none":
            return Offer(tools, ToolChoice("none"), legacy=True)
        case wire.FunctionByName(name=name):
            _known(name, tools, "function_call")
            return Offer(tools, ToolChoice("tool", name, parallel=False), legacy=True)


def _tools(sent: list[wire.Tool], choice: wire.ToolChoice | None, *, parallel: bool) -> Offer:
    tools = _read((tool.function, f"tools[{index}].function") for index, tool in enumerate(sent))
    match choice:
        case None:
            return Offer(tools, ToolChoice(parallel=parallel))
        case "none":
            return Offer(tools, ToolChoice("none"))
        case "auto" | "required":
            return Offer(tools, ToolChoice(choice, parallel=parallel))
        case wire.NamedTool(function=function):
            _known(function.name, tools, "tool_choice")
            return Offer(tools, ToolChoice("tool", function.name, parallel=parallel))
        case wire.AllowedToolsChoice(allowed_tools=allowed):
            return _allowed(tools, allowed, parallel=parallel)


def _allowed(tools: tuple[Tool, ...], allowed: wire.AllowedTools, *, parallel: bool) -> Offer:
    names = [tool.function.name for tool in allowed.tools]
    for name in names:
        _known(name, tools, "tool_choice")
    if not names:
        raise invalid("tool_choice", "it allows no tool; for that there is 'none'")
    return Offer(tuple(tool for tool in tools if tool.name in names), ToolChoice(allowed.mode, parallel=parallel))


def _known(name: str, tools: tuple[Tool, ...], path: str) -> None:
    if all(tool.name != name for tool in tools):
        raise invalid(path, f"there is no function named {_shown(name)} among those offered")


def _read(functions: Iterable[tuple[wire.Function, str]]) -> tuple[Tool, ...]:
    tools: dict[str, Tool] = {}
    for function, path in functions:
        if not _NAME.fullmatch(function.name):
            raise invalid(f"{path}.name", f"{_shown(function.name)} does not match '{_NAME.pattern}'")
        if function.name in tools:
            raise invalid(f"{path}.name", f"there are two functions named {_shown(function.name)}")
        schema = _schema(function, f"{path}.parameters")
        tools[function.name] = Tool(function.name, schema, function.description or "", bool(function.strict))
    return tuple(tools.values())


def _schema(function: wire.Function, path: str) -> str:
    """The schema as text. It says that it is an object's, which upstream wants to read in each."""
    schema = {"properties": {}} if function.parameters is None else function.parameters
    text = json.dumps(schema if "type" in schema else {"type": "object", **schema}, ensure_ascii=False)
    try:
        check_schema(text)
    except InvalidSchema as error:
        raise _faulty(function, str(error), path) from None
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        if not _PROPERTY.fullmatch(name):
            raise _faulty(function, f"the property {_shown(name)} does not match '{_PROPERTY.pattern}'", path)
    return text


def _faulty(function: wire.Function, fault: str, path: str) -> RequestFailed:
    sentence = f"Invalid schema for function '{function.name}': {fault}."
    return RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, param=path))


def _shown(name: str) -> str:
    return repr(name[:_MOST_SHOWN])
