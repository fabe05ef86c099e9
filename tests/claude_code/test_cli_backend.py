"""A server over the claude command: the same answers, what it cannot do refused, what Claude Code wrote kept."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from openai import BadRequestError

from claude_openai.simulator import Replies, Reply, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve, spoken, system_prompt, text
from tests.patience import PATIENCE_SECONDS

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
async def server(serve: Serve, kept: Path) -> AsyncIterator[Rig]:
    async with serve(backend="cli", output_dir=str(kept)) as rig:
        yield rig


@pytest.fixture
async def command(server: Rig) -> AsyncIterator[Rig]:
    yield server
    with anyio.fail_after(PATIENCE_SECONDS):
        await server.gateway.until_idle()


@pytest.mark.proves("cli.same-behaviour")
async def test_a_chat_goes_on_with_all_that_was_said(command: Rig) -> None:
    command.plays(Replies("one", "two"))
    beginning = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "first"}]
    going_on = [*beginning, {"role": "assistant", "content": "one"}, {"role": "user", "content": "second"}]
    for messages, said in ((beginning, "one"), (going_on, "two")):
        answer = await command.client.chat.completions.create(model=NEW_MODEL, messages=messages)  # type: ignore[arg-type]
        assert answer.choices[0].message.content == said
    last = command.simulator.requests[-1]
    assert system_prompt(last) == ["Be brief."]
    assert [(message["role"], message["content"]) for message in spoken(last)] == [
        ("user", [text("first")]),
        ("assistant", [text("one")]),
        ("user", [text("second")]),
    ]


@pytest.mark.proves("cli.refused")
async def test_tools_are_a_400_that_names_the_other_backend(command: Rig) -> None:
    command.plays(None)
    with pytest.raises(BadRequestError) as raised:
        await command.said("hi", tools=[LOOK])
    assert (raised.value.param, raised.value.code) == ("tools", "unsupported_parameter")
    assert "--backend sdk" in raised.value.message
    assert command.simulator.requests == []
    listed = (await command.client.models.list()).data
    assert listed
    assert not any("tools" in (model.model_extra or {})["supported_parameters"] for model in listed)


@pytest.mark.proves("format.fits")
async def test_an_answer_has_the_form_that_was_asked_for(command: Rig) -> None:
    given = (Reply((ToolUse("StructuredOutput", {}),)), Reply((ToolUse("StructuredOutput", {"a": 1}),)))
    command.plays(Replies(*given))
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    assert json.loads(await command.said("hi", response_format=form) or "") == {"a": 1}


@pytest.mark.proves("cli.output")
async def test_what_claude_code_wrote_is_in_the_folder_of_the_run(command: Rig, kept: Path) -> None:
    command.plays(Replies("kiwi"))
    answer = await command.client.chat.completions.create(
        model=NEW_MODEL, messages=[{"role": "user", "content": "Say kiwi"}]
    )
    await command.gateway.until_idle()
    folder = kept / answer.id.removeprefix("chatcmpl-")
    written = (folder / "stdout.ndjson").read_text().splitlines()
    assert '"subtype":"init"' in written[0] + written[1]
    assert any('"type":"result"' in line and "kiwi" in line for line in written)
    assert (folder / "exit_code").read_text() == "0\n"


@pytest.mark.proves("cli.output")
async def test_nothing_is_kept_where_nothing_is_to_be_on_disk(serve: Serve, tmp_path: Path) -> None:
    async with serve(backend="cli", output_dir=str(tmp_path / "kept"), store="memory") as rig:
        rig.plays(Replies("kiwi"))
        assert await rig.said("Say kiwi") == "kiwi"
    assert not (tmp_path / "kept").exists()
