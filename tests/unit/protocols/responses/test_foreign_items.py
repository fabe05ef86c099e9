"""Items of OpenAI's own tools in a conversation that began there: native calls and results, and nothing refused."""

import json
from typing import Any

import pytest

from claude_openai.core.fingerprint import fingerprint
from claude_openai.core.messages import AssistantMessage, Image, Message, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.protocols.responses.stored import items_with_output
from tests.unit.protocols.responses.asking import reading, reading_of, refusal, stored_response

PIXEL = "iVBORw0KGgo="
GO = {"role": "user", "content": "Go"}
AND = {"role": "user", "content": "And?"}


def within(*items: object) -> tuple[Message, ...]:
    """What Claude is given of `items`, between two messages of the user's."""
    return reading(input=[GO, *items, AND]).turn.messages[1:-1]


def called(call_id: str, name: str, **arguments: object) -> AssistantMessage:
    return AssistantMessage("", (ToolCall(call_id, name, json.dumps(arguments)),))


def test_a_custom_tools_call_and_its_output_are_a_call_and_a_result() -> None:
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "apply_patch", "input": "*** Begin"}
    output = {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}
    assert within(call, output) == (
        called("c1", "apply_patch", input="*** Begin"),
        ToolMessage("c1", (Text("ok"),)),
    )
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": f"data:;base64,{PIXEL}"}]
    assert within(call, {**output, "output": parts})[1] == ToolMessage("c1", (Text("a"), Image("image/png", PIXEL)))
    assert reading(input=[GO, call, output]).adjusted == (
        "input[].custom_tool_call=function_call",
        "input[].custom_tool_call_output=function_call_output",
    )


@pytest.mark.parametrize(
    ("call", "output", "name", "arguments", "outcome"),
    [
        (
            {"type": "local_shell_call", "id": "l", "call_id": "c1", "action": {"type": "exec", "command": ["ls"]}},
            {"type": "local_shell_call_output", "id": "c1", "output": "a.txt"},
            "local_shell",
            {"action": {"type": "exec", "command": ["ls"]}},
            "a.txt",
        ),
        (
            {"type": "local_shell_call", "call_id": "c1", "action": {"command": ["ls"]}, "status": "completed"},
            {"type": "function_call_output", "call_id": "c1", "output": "a.txt"},
            "local_shell",
            {"action": {"command": ["ls"]}},
            "a.txt",
        ),
        (
            {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "c1", "output": [{"stdout": "a", "outcome": {"exit_code": 0}}]},
            "shell",
            {"action": {"commands": ["ls"]}},
            '{"output": [{"stdout": "a", "outcome": {"exit_code": 0}}]}',
        ),
        (
            {"type": "apply_patch_call", "call_id": "c1", "status": "completed", "operation": {"type": "delete_file"}},
            {"type": "apply_patch_call_output", "call_id": "c1", "status": "failed", "output": "no such file"},
            "apply_patch",
            {"operation": {"type": "delete_file"}},
            '{"output": "no such file", "status": "failed"}',
        ),
        (
            {"type": "apply_patch_call", "call_id": "c1", "status": "completed", "operation": {"type": "delete_file"}},
            {"type": "apply_patch_call_output", "call_id": "c1", "status": "completed"},
            "apply_patch",
            {"operation": {"type": "delete_file"}},
            '{"status": "completed"}',
        ),
        (
            {"type": "computer_call", "call_id": "c1", "action": {"type": "click"}, "pending_safety_checks": []},
            {
                "type": "computer_call_output",
                "call_id": "c1",
                "output": {"type": "computer_screenshot", "file_id": "f"},
            },
            "computer",
            {"action": {"type": "click"}, "pending_safety_checks": []},
            '{"output": {"type": "computer_screenshot", "file_id": "f"}}',
        ),
        (
            {"type": "tool_search_call", "call_id": None, "arguments": {"query": "x"}, "execution": "server"},
            {"type": "tool_search_output", "call_id": None, "tools": []},
            "tool_search",
            {"arguments": {"query": "x"}, "execution": "server"},
            '{"tools": []}',
        ),
        (
            {"type": "program", "id": "p", "call_id": "c1", "code": "1", "fingerprint": "f"},
            {"type": "program_output", "id": "q", "call_id": "c1", "result": "1", "status": "completed"},
            "program",
            {"code": "1", "fingerprint": "f"},
            '{"result": "1"}',
        ),
    ],
    ids=[
        "local shell",
        "local shell with a function's output",
        "shell",
        "failed patch",
        "patch",
        "computer",
        "tool search",
        "program",
    ],
)
def test_a_call_and_the_item_with_its_output_are_native(
    call: dict[str, Any], output: dict[str, Any], name: str, arguments: dict[str, Any], outcome: str
) -> None:
    answer, result = within(call, output)
    assert isinstance(answer, AssistantMessage)
    (made,) = answer.tool_calls
    assert (made.name, json.loads(made.arguments)) == (name, arguments)
    assert result == ToolMessage(made.id, (Text(outcome),))


def test_a_screenshot_is_an_image() -> None:
    call = {"type": "computer_call", "call_id": "c1", "actions": []}
    shot = {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{PIXEL}"}
    output = {"type": "computer_call_output", "call_id": "c1", "output": shot}
    assert within(call, output)[1] == ToolMessage("c1", (Image("image/png", PIXEL),))


@pytest.mark.parametrize(
    ("item", "name", "arguments", "outcome"),
    [
        (
            {"type": "web_search_call", "id": "x", "status": "completed", "action": {"type": "search", "query": "q"}},
            "web_search",
            {"action": {"type": "search", "query": "q"}},
            Text('{"status": "completed"}'),
        ),
        (
            {
                "type": "file_search_call",
                "id": "x",
                "status": "completed",
                "queries": ["q"],
                "results": [{"text": "t"}],
            },
            "file_search",
            {"queries": ["q"]},
            Text('{"results": [{"text": "t"}]}'),
        ),
        (
            {"type": "code_interpreter_call", "id": "x", "code": "1", "container_id": "c", "outputs": [{"logs": "1"}]},
            "code_interpreter",
            {"code": "1", "container_id": "c"},
            Text('{"outputs": [{"logs": "1"}]}'),
        ),
        (
            {"type": "image_generation_call", "id": "x", "status": "completed", "result": PIXEL, "size": "1x1"},
            "image_generation",
            {"size": "1x1"},
            Image("image/png", PIXEL),
        ),
        (
            {"type": "image_generation_call", "id": "x", "status": "completed", "result": "b" * 100_000},
            "image_generation",
            {},
            Text('{"result": "(left out: not readable here)"}'),
        ),
        (
            {"type": "mcp_call", "id": "x", "server_label": "s", "name": "a.b", "arguments": '{"c": 1}', "output": "d"},
            "a_b",
            {"c": 1},
            Text("d"),
        ),
        (
            {"type": "mcp_call", "id": "x", "name": "f", "arguments": "{", "error": {"type": "http"}, "output": None},
            "f",
            {"invalid_arguments": "{"},
            Text('{"error": {"type": "http"}}'),
        ),
    ],
    ids=["web search", "file search", "code", "image", "no image", "mcp", "failed mcp"],
)
def test_a_call_that_openai_has_run_is_a_call_and_its_result(
    item: dict[str, Any], name: str, arguments: dict[str, Any], outcome: Text | Image
) -> None:
    answer, result, after = within(item, {"role": "assistant", "content": "So."})
    assert isinstance(answer, AssistantMessage)
    (made,) = answer.tool_calls
    assert (made.id, made.name, json.loads(made.arguments)) == (item["type"], name, arguments)
    assert (result, after) == (ToolMessage(item["type"], (outcome,)), AssistantMessage("So."))
    assert f"input[].{item['type']}=function_call" in reading(input=[item, AND]).adjusted


def test_calls_of_one_answer_stay_together_whoever_has_run_them() -> None:
    search = {"type": "web_search_call", "status": "completed", "action": {}}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    answer, *results = within(search, call, search, {"type": "function_call_output", "call_id": "c1", "output": "r"})
    assert isinstance(answer, AssistantMessage)
    ids = [made.id for made in answer.tool_calls]
    assert (len(set(ids)), ids[:2]) == (3, ["web_search_call", "c1"])
    assert {result.tool_call_id for result in results if isinstance(result, ToolMessage)} == set(ids)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"type": "mcp_list_tools", "server_label": "s", "tools": []}, '{"server_label": "s", "tools": []}'),
        ({"type": "mcp_approval_request", "id": "a", "name": "f"}, '{"id": "a", "name": "f"}'),
        ({"type": "mcp_approval_response", "approve": True, "reason": None}, '{"approve": true}'),
        ({"type": "additional_tools", "role": "developer", "tools": []}, '{"role": "developer", "tools": []}'),
        (
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"},
            '{"id": "cmp_1", "encrypted_content": "(left out: not readable here)"}',
        ),
    ],
)
def test_what_is_no_call_is_a_marked_text(item: dict[str, Any], text: str) -> None:
    asked = reading(input=[item, AND])
    kind = item["type"]
    assert asked.turn.messages == (UserMessage((Text(f"<{kind}>\n{text}\n</{kind}>"), Text("And?"))),)
    assert asked.adjusted == (f"input[].{kind}=text",)


@pytest.mark.parametrize("kind", ["mystery_call", "compaction_trigger"])
def test_an_item_that_is_no_past_is_refused_by_its_type(kind: str) -> None:
    failure = refusal(input=[GO, {"type": kind}])
    assert (failure.param, failure.message) == (
        "input[1].type",
        f"Unsupported 'input[1].type': Claude cannot be given items of type '{kind}' here.",
    )


def test_a_foreign_call_without_its_output_is_named() -> None:
    failure = refusal(input=[GO, {"type": "custom_tool_call", "call_id": "c1", "name": "f", "input": ""}])
    assert (failure.param, "'c1'" in failure.message) == ("input[1].call_id", True)


def test_such_a_conversation_is_the_same_when_it_grows_and_when_it_was_stored() -> None:
    search = {"type": "web_search_call", "status": "completed", "action": {"query": "q"}}
    begun = [GO, search, {"role": "assistant", "content": "So."}, AND]
    grown = [*begun, search, {"role": "assistant", "content": "Thus."}, GO]
    before, after = (fingerprint(reading(input=items).turn) for items in (begun, grown))
    assert after.starts_with(before)
    asked = reading(input=begun)
    answered = {"output": [{"type": "message", "role": "assistant", "content": "Thus."}]}
    history = (stored_response(asked.items, answered),)
    assert items_with_output(*history)[1] == {"id": "item_1_1", **search}
    again = reading_of({"input": "Go", "previous_response_id": "resp_0"}, history)
    assert fingerprint(again.turn).starts_with(before)
