"""The real Claude Code against the simulator: what it shows of an answer is what was answered."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import anyio
import claude_agent_sdk
import pytest

from claude_openai.simulator import JsonObject, Simulator
from claude_openai.testing.environment import simulated_login

pytestmark = pytest.mark.proves("simulate.answers")

CLAUDE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"

SECONDS = 60
"""A cold start takes half a second; a loaded machine some more."""


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


async def claude(simulator: Simulator, home: Path, prompt: str, *options: str) -> list[JsonObject]:
    """What Claude Code prints for a prompt, line by line."""
    command = [str(CLAUDE), "-p", prompt, "--output-format", "stream-json", "--verbose", "--include-partial-messages"]
    command += ["--model", "claude-sonnet-5", "--setting-sources=", "--strict-mcp-config", *options]
    (temporary := home / "tmp").mkdir()
    async with simulator.serve() as base_url:
        environment = simulated_login(base_url, home, os.environ) | {"TMPDIR": str(temporary)}
        with anyio.fail_after(SECONDS):
            done = await anyio.run_process(command, env=environment, cwd=home)
    return [json.loads(line) for line in done.stdout.splitlines()]


def result(lines: list[JsonObject]) -> JsonObject:
    (found,) = [line for line in lines if line["type"] == "result"]
    return found


def streamed(lines: list[JsonObject], kind: str) -> list[JsonObject]:
    events = [line["event"] for line in lines if line["type"] == "stream_event"]
    return [event for event in events if event["type"] == kind]


def counts(usage: Mapping[str, object] | None) -> Mapping[str, object]:
    return {name: tokens for name, tokens in (usage or {}).items() if name.endswith("_tokens")}


@pytest.mark.proves("simulator.usage")
async def test_it_streams_an_answer_and_reports_its_usage(simulator: Simulator, tmp_path: Path) -> None:
    lines = await claude(simulator, tmp_path, "Count to 4", "--tools=")
    deltas = [event["delta"]["text"] for event in streamed(lines, "content_block_delta")]
    assert deltas == ["1,", " 2,", " 3,", " 4"]
    assert (result(lines)["result"], result(lines)["stop_reason"]) == ("1, 2, 3, 4", "end_turn")
    (request,) = simulator.requests
    assert counts(request.usage).items() <= result(lines)["usage"].items()
    assert simulator.other_requests == []


@pytest.mark.proves("simulator.directives", "simulator.usage")
async def test_it_runs_a_tool_that_the_model_uses_and_sends_the_result(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("the sea is calm")
    prompt = f'[[sim tool=Read input={{"file_path": "{tmp_path}/note.txt"}}]]'
    lines = await claude(simulator, tmp_path, prompt, "--tools=Read")
    assert result(lines)["result"].startswith("Read answered: ")
    assert "the sea is calm" in result(lines)["result"]
    first, second = (counts(request.usage) for request in simulator.requests)
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert first["cache_creation_input_tokens"] != 0


@pytest.mark.proves("simulator.rules", "simulator.directives")
async def test_it_takes_structured_output_after_sending_back_a_wrong_one(simulator: Simulator, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    prompt = "[[sim tool=StructuredOutput invalid=1]] Which town is that, Paris?"
    lines = await claude(simulator, tmp_path, prompt, "--tools=", "--json-schema", json.dumps(schema))
    assert result(lines)["structured_output"] == {"city": "Paris"}
    assert len(simulator.requests) == 2
