"""The chat profile: the model is offered no tool, and sees nothing of the machine the server runs on."""

import json
from pathlib import Path

import anyio
import psutil
import pytest

from claude_openai.simulator import Gate, Reply, Text
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve, spoken, text
from tests.patience import PATIENCE_SECONDS
from tests.processes import children

MARK = "MARK-of-the-users-own-files"

LOGINS = {
    "with an API key": {},
    "with an account": {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-nobody"},
}
"""Only with a key in the environment can Claude Code leave its note on the environment out."""


@pytest.fixture
def users_home(tmp_path: Path) -> Path:
    """A home full of what Claude Code loads for its user, each with a mark in it."""
    home = tmp_path / "user"
    config = home / ".claude"
    for folder in (config / "skills" / "marked", config / "commands", config / "agents"):
        folder.mkdir(parents=True)
    ran = {"type": "command", "command": f"touch {home}/hook-ran"}
    server = {"command": "/bin/sh", "args": ["-c", f"touch {home}/mcp-ran; sleep 5"]}
    settings = {
        "env": {"MARKED": MARK},
        "hooks": {event: [{"hooks": [ran]}] for event in ("SessionStart", "UserPromptSubmit", "Stop")},
        "outputStyle": "Explanatory",
    }
    (config / "settings.json").write_text(json.dumps(settings))
    (config / "CLAUDE.md").write_text(MARK)
    (config / "skills" / "marked" / "SKILL.md").write_text(f"---\nname: marked\ndescription: {MARK}\n---\n{MARK}")
    (config / "commands" / "marked.md").write_text(MARK)
    (config / "agents" / "marked.md").write_text(f"---\nname: marked\ndescription: {MARK}\n---\n{MARK}")
    (config / ".claude.json").write_text(json.dumps({"mcpServers": {"marked": server}}))
    return home


@pytest.mark.proves("safety.chat.no-tools", "safety.chat.no-user-config")
@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS.keys())
async def test_nothing_of_the_users_reaches_the_model_and_nothing_of_it_runs(
    serve: Serve, users_home: Path, sandbox: Path, login: dict[str, str]
) -> None:
    project = sandbox / "tmp" / "CLAUDE.md"  # above every scratch folder
    project.write_text(MARK)
    home = {"HOME": str(users_home), "CLAUDE_CONFIG_DIR": str(users_home / ".claude")}
    try:
        async with serve(environment=home | login) as rig:
            rig.plays(None)
            assert await rig.said("Say kiwi") == "kiwi"
            upstream = rig.asked
            others = rig.simulator.other_requests
    finally:
        project.unlink()
    assert upstream.tools == []
    assert spoken(upstream) == [{"role": "user", "content": [text("Say kiwi")]}]
    assert MARK not in json.dumps(upstream.body)
    assert str(users_home) not in json.dumps(upstream.body)
    assert "budget" not in json.dumps(upstream.body)
    assert not (users_home / "hook-ran").exists()
    assert not (users_home / "mcp-ran").exists()
    assert others == []


@pytest.mark.proves("safety.chat.no-compaction")
async def test_a_history_far_over_the_context_is_sent_as_it_is(rig: Rig) -> None:
    long = "word " * 300_000
    messages = [{"role": "user", "content": long}, {"role": "assistant", "content": "ok"}]
    rig.plays(lambda _: Reply.of("still here"))
    with anyio.fail_after(PATIENCE_SECONDS):
        await rig.client.chat.completions.create(
            model=NEW_MODEL,
            messages=[*messages, {"role": "user", "content": "and?"}],  # type: ignore[list-item]
        )
    assert len(rig.simulator.requests) == 1
    assert [message["content"] for message in spoken(rig.asked)] == [[text(long)], [text("ok")], [text("and?")]]


@pytest.mark.proves("safety.argv", "safety.environment")
async def test_neither_the_command_line_nor_the_environment_holds_what_is_not_claude_codes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PROGRAMS_SECRET", MARK)
    gate = Gate()
    rig.plays(lambda _: Reply((Text(("one", gate, "two")),)))
    before = dict(psutil.Process().environ())

    async def ask() -> None:
        await rig.client.chat.completions.create(
            model=NEW_MODEL,
            messages=[
                {"role": "system", "content": MARK},
                {"role": "user", "content": MARK},
                {"role": "assistant", "content": MARK},
                {"role": "user", "content": MARK},
            ],
        )

    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await gate.reached.wait()
            (claude,) = children()  # none of those that it may have started itself
            command, environment = claude.cmdline(), claude.environ()
            gate.open()
    assert MARK not in " ".join(command)
    assert "sk-ant" not in " ".join(command)
    assert MARK not in json.dumps(environment)
    assert psutil.Process().environ() == before
