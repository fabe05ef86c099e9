"""The client's tools and its choice among them: carried as they are, or refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.protocols.chat_completions.tools import ToolOffer
from tests.unit.jsontools.test_strict import json_values
from tests.unit.protocols.chat_completions.asking import offer, offer_of, reading, reading_of, sample

NOTHING = '{"type": "object", "properties": {}}'


def tool(name: str, parameters: object = None, **fields: object) -> dict[str, object]:
    function = {"name": name, **fields}
    return {"type": "function", "function": function | ({} if parameters is None else {"parameters": parameters})}


def named(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *names: str) -> dict[str, object]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named(name) for name in names]}}


def refusal(**fields: object) -> Failure:
    with pytest.raises(RequestFailed) as raised:
        offer(**fields)
    return raised.value.failure


F_AND_G = [tool("f"), tool("g")]


CLIENTS = (
    "agents-sdk-tools",
    "ai-sdk-tools",
    "langchain-named-tool",
    "langchain-one-call",
    "openai-node-tool-results",
    "openai-python-tools",
    "opencode-tools",
)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_tools_of_real_clients_are_offered_as_they_were_sent(client: str) -> None:
    body = sample(client)
    assert isinstance(body, dict)
    sent = [tool["function"] for tool in body["tools"]]
    assert offer_of(body).tools == tuple(
        Tool(one["name"], json.dumps(one["parameters"], ensure_ascii=False), one["description"], "strict" in one)
        for one in sent
    )


def test_the_choices_of_real_clients() -> None:
    assert {client: offer_of(sample(client)).choice for client in CLIENTS} == snapshot(
        {
            "agents-sdk-tools": ToolChoice(),
            "ai-sdk-tools": ToolChoice(),
            "langchain-named-tool": ToolChoice(mode="tool", tool="magic_function"),
            "langchain-one-call": ToolChoice(mode="tool", tool="Joke", parallel=False),
            "openai-node-tool-results": ToolChoice(),
            "openai-python-tools": ToolChoice(parallel=False),
            "opencode-tools": ToolChoice(),
        }
    )


@pytest.mark.proves("tools.choice")
def test_a_real_client_that_chooses_a_tool_it_does_not_offer() -> None:
    body = sample("ai-sdk-unknown-tool")
    assert isinstance(body, dict)
    assert refusal(**body) == snapshot(
        Failure(
            kind=Kind.INVALID_REQUEST,
            message="Invalid 'tool_choice': there is no function named 'nope' among those offered.",
            param="tool_choice",
        )
    )


def test_a_schema_keeps_its_content_and_the_order_of_its_keys() -> None:
    schema = {
        "title": "Arguments",
        "type": "object",
        "properties": {"z": {"$ref": "#/$defs/day"}, "a": {"oneOf": [{"const": "ü"}, {"type": "null"}]}},
        "required": ["z"],
        "additionalProperties": False,
        "$defs": {"day": {"type": "string", "format": "date", "x-unknown": [1, None]}},
        "$schema": "http://json-schema.org/draft-07/schema#",
    }
    (read,) = offer(tools=[tool("f", schema, strict=True, description=" Says.\n")]).tools
    assert read == Tool("f", json.dumps(schema, ensure_ascii=False), " Says.\n", strict=True)


@pytest.mark.parametrize(
    ("sent", "schema"),
    [
        (tool("f"), NOTHING),
        ({"type": "function", "function": {"name": "f", "parameters": None, "description": None}}, NOTHING),
        (tool("f", {}), '{"type": "object"}'),
        (tool("f", {"properties": {"a": {}}}), '{"type": "object", "properties": {"a": {}}}'),
        (tool("f", {"type": "object"}), '{"type": "object"}'),
    ],
    ids=["absent", "null", "empty", "no type", "type alone"],
)
def test_what_a_schema_leaves_out_is_an_object_without_more(sent: object, schema: str) -> None:
    assert offer(tools=[sent]).tools == (Tool("f", schema),)


def test_128_tools_of_64_characters_are_as_many_and_as_long_as_can_be() -> None:
    names = [f"{number:03}".ljust(64, "-") for number in range(128)]
    assert [one.name for one in offer(tools=[tool(name) for name in names]).tools] == names
    failure = refusal(tools=[tool(name) for name in [*names, "f"]])
    assert (failure.kind, failure.param) == (Kind.INVALID_REQUEST, "tools")
    assert refusal(functions=[{"name": name} for name in [*names, "f"]]).param == "functions"


@pytest.mark.proves("tools.faulty")
@pytest.mark.parametrize(
    ("faulty", "path", "message"),
    [
        (
            tool("get weather"),
            "function.name",
            "Invalid 'tools[1].function.name': 'get weather' does not match '[a-zA-Z0-9_-]{1,128}'.",
        ),
        (
            tool("f"),
            "function.name",
            "Invalid 'tools[1].function.name': there are two functions named 'f'.",
        ),
        (
            tool("g", {"type": "object", "properties": {"a": {"type": "string", "required": True}}}),
            "function.parameters",
            "Invalid schema for function 'g': at 'properties/a/required', True is not of type 'array'.",
        ),
        (
            tool("g", {"type": "string"}),
            "function.parameters",
            "Invalid schema for function 'g': schema must be a JSON Schema of 'type: \"object\"'.",
        ),
        (
            tool("g", {"type": "object", "properties": {"a.b-c_D": {"properties": {"any name": {}}}, "ü": {}}}),
            "function.parameters",
            "Invalid schema for function 'g': the property 'ü' does not match '[a-zA-Z0-9_.-]{1,64}'.",
        ),
        (
            tool("g", True),
            "function.parameters",
            "Invalid type for 'tools[1].function.parameters': expected an object, but got a boolean (true) instead.",
        ),
        (
            {"type": "function", "function": {}},
            "function.name",
            "Missing required parameter: 'tools[1].function.name'.",
        ),
        (
            {"type": "custom", "custom": {"name": "g"}},
            "type",
            "Invalid value for 'tools[1].type': 'custom'. Supported values are: 'function'.",
        ),
        (
            {"type": "web_search"},
            "type",
            "Invalid value for 'tools[1].type': 'web_search'. Supported values are: 'function'.",
        ),
    ],
    ids=["name", "twice", "schema", "no object", "property", "no schema", "no name", "custom", "hosted"],
)
def test_a_faulty_tool_is_named(faulty: object, path: str, message: str) -> None:
    assert refusal(tools=[tool("f"), faulty]) == Failure(Kind.INVALID_REQUEST, message, f"tools[1].{path}")


@pytest.mark.proves("tools.faulty")
@pytest.mark.parametrize("name", ["", "a.b", "a/b", "ä", "a\n", "a" * 129, "x" * 1_000_000])
def test_a_name_that_upstream_does_not_take_is_refused_in_brief(name: str) -> None:
    failure = refusal(tools=[tool(name)])
    assert failure.param == "tools[0].function.name"
    assert len(failure.message) < 200


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, AUTO),
        ({"tool_choice": "auto"}, AUTO),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "none", "parallel_tool_calls": False}, ToolChoice("none")),
        ({"tool_choice": "required"}, ToolChoice("required")),
        ({"tool_choice": named("g")}, ToolChoice("tool", "g")),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, AUTO),
        ({"tool_choice": {"type": "none"}}, ToolChoice("none")),
        ({"tool_choice": {"type": "required"}}, ToolChoice("required")),
        ({"tool_choice": {"type": "any"}, "parallel_tool_calls": False}, ToolChoice("required", parallel=False)),
        ({"tool_choice": allowed("auto", "g", "f")}, AUTO),
        ({"parallel_tool_calls": True}, AUTO),
        ({"parallel_tool_calls": False}, ToolChoice("auto", parallel=False)),
        ({"parallel_tool_calls": False, "tool_choice": "required"}, ToolChoice("required", parallel=False)),
        ({"parallel_tool_calls": False, "tool_choice": named("f")}, ToolChoice("tool", "f", parallel=False)),
        (
            {"parallel_tool_calls": False, "tool_choice": allowed("required", "f", "g")},
            ToolChoice("required", parallel=False),
        ),
    ],
)
def test_a_choice_is_carried_and_the_tools_with_it(fields: dict[str, object], choice: ToolChoice) -> None:
    assert offer(tools=F_AND_G, **fields) == ToolOffer((Tool("f", NOTHING), Tool("g", NOTHING)), choice)


def test_allowed_tools_are_the_only_ones_that_are_offered() -> None:
    read = offer(tools=[*F_AND_G, tool("h")], tool_choice=allowed("required", "h", "f"))
    assert read == ToolOffer((Tool("f", NOTHING), Tool("h", NOTHING)), ToolChoice("required"))


@pytest.mark.proves("tools.choice")
@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"tools": F_AND_G, "tool_choice": named("h")}, "tool_choice", "there is no function named 'h' among those"),
        ({"tools": F_AND_G, "tool_choice": allowed("auto", "f", "h")}, "tool_choice", "there is no function named 'h'"),
        ({"tools": F_AND_G, "tool_choice": allowed("auto")}, "tool_choice", "it allows no tool"),
        ({"tool_choice": "required"}, "tool_choice", "there are no 'tools' to call"),
        ({"tool_choice": {"type": "any"}}, "tool_choice", "there are no 'tools' to call"),
        ({"tools": [], "tool_choice": named("f")}, "tool_choice", "there are no 'tools' to call"),
        ({"tool_choice": allowed("auto", "f")}, "tool_choice", "there are no 'tools' to call"),
        ({"function_call": {"name": "f"}}, "function_call", "there are no 'functions' to call"),
        ({"functions": [{"name": "f"}], "function_call": {"name": "g"}}, "function_call", "there is no function named"),
        ({"functions": [{"name": "f"}], "tool_choice": "required"}, "tool_choice", "there are no 'tools' to call"),
        ({"functions": [{"name": "f"}], "tools": F_AND_G}, "functions", "they are the old form of 'tools'"),
    ],
)
def test_a_choice_of_what_is_not_offered_is_refused(fields: dict[str, object], path: str, reason: str) -> None:
    failure = refusal(**fields)
    assert (failure.kind, failure.param) == (Kind.INVALID_REQUEST, path)
    assert failure.message.startswith(f"Invalid '{path}': {reason}")


@pytest.mark.proves("tools.choice")
@pytest.mark.parametrize(
    ("choice", "path"),
    [
        ("any", "tool_choice"),
        (1, "tool_choice"),
        ({}, "tool_choice.type"),
        ({"type": "custom", "custom": {"name": "f"}}, "tool_choice.type"),
        ({"type": "function", "name": "f"}, "tool_choice.function"),
        ({"type": "allowed_tools", "mode": "auto"}, "tool_choice.allowed_tools"),
        (allowed("none", "f"), "tool_choice.allowed_tools.mode"),
    ],
)
def test_a_choice_of_another_form_is_refused_by_its_place(choice: object, path: str) -> None:
    assert refusal(tools=F_AND_G, tool_choice=choice).param == path


def test_without_tools_there_is_nothing_to_choose() -> None:
    assert offer() == offer(tools=[], functions=[]) == ToolOffer()
    assert offer(tool_choice="none", function_call="auto", parallel_tool_calls=False) == ToolOffer()


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, ToolChoice(parallel=False)),
        ({"function_call": "auto", "tool_choice": "auto", "tools": []}, ToolChoice(parallel=False)),
        ({"function_call": "none"}, ToolChoice("none")),
        ({"function_call": {"name": "f"}}, ToolChoice("tool", "f", parallel=False)),
    ],
)
def test_functions_are_tools_of_which_one_is_called_at_a_time(fields: dict[str, object], choice: ToolChoice) -> None:
    functions = [{"name": "f", "description": "Says.", "parameters": {"type": "object"}}]
    read = offer(functions=functions, **fields)
    assert read == ToolOffer((Tool("f", '{"type": "object"}', "Says."),), choice, legacy=True)


@pytest.mark.proves("tools.faulty")
def test_a_faulty_function_is_named() -> None:
    assert refusal(functions=[{"name": "f"}, {"name": "f"}]).param == "functions[1].name"
    assert refusal(functions=[{"name": "f", "parameters": {"type": 1}}]).param == "functions[0].parameters"
    assert refusal(functions=[{"name": "f"}], function_call="required").param == "function_call"


def test_a_turn_is_given_what_the_request_offers() -> None:
    read = reading_of(sample("openai-python-tools"))
    offered = offer_of(sample("openai-python-tools"))
    assert (read.turn.tools, read.turn.tool_choice, read.legacy) == (offered.tools, offered.choice, False)
    assert reading(functions=[{"name": "f"}]).legacy
    assert (reading().turn.tools, reading().turn.tool_choice) == ((), AUTO)


names = st.sampled_from(["f", "g", "a b"])
functions = st.fixed_dictionaries(
    {"name": names},
    optional={
        "description": st.none() | st.text(),
        "parameters": st.none() | st.dictionaries(st.sampled_from(["type", "properties", "$ref"]), json_values),
        "strict": st.none() | st.booleans(),
    },
)
tools = st.fixed_dictionaries({"type": st.just("function"), "function": functions})
choices = (
    st.sampled_from(["none", "auto", "required"])
    | names.map(named)
    | st.builds(lambda names: allowed("auto", *names), st.lists(names))
)
offers = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(tools | json_values, max_size=3),
        "tool_choice": choices | json_values,
        "parallel_tool_calls": st.none() | st.booleans(),
        "functions": st.lists(functions | json_values, max_size=3),
        "function_call": names.map(lambda name: {"name": name}) | json_values,
    },
)


@pytest.mark.proves("tools.faulty", "tools.choice")
@given(offers)
def test_whatever_is_offered_is_native_or_refused_with_a_sentence(fields: dict[str, object]) -> None:
    try:
        read = offer(**fields)
    except RequestFailed as failed:
        sentence, param = failed.failure.message, failed.failure.param
    else:
        sentence, param = ".", next(iter(fields), "")
        assert len({one.name for one in read.tools}) == len(read.tools)
        assert all(json.loads(one.schema)["type"] == "object" for one in read.tools)
        assert read.choice.tool is None or read.choice.tool in [one.name for one in read.tools]
        assert read.tools or read.choice == AUTO
    assert sentence.endswith(".")
    assert param is not None
