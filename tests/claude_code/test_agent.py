"""The agent profile with the real Claude Code: it uses its own tools here, and the fence is the one that holds it."""

import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import openai
import pytest
from openai.types.chat import ChatCompletion

from claude_openai.claude_code.agent import sandbox
from claude_openai.claude_code.processes.executables import bundled_cli
from claude_openai.core.agent import AgentProfile, PermissionMode
from claude_openai.core.events import TurnFailed
from claude_openai.core.failures import Kind
from claude_openai.core.messages import AssistantMessage, UserMessage
from claude_openai.core.messages import Text as Words
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn
from claude_openai.simulator import Failure, Replies, Reply, Text, ToolUse
from claude_openai.testing.batches import each_event
from tests.claude_code.conftest import Rig, Serve, spoken
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

SECRET = "What nobody in here may know"

MODES: tuple[PermissionMode, ...] = ("default", "acceptEdits", "plan", "auto", "dontAsk")
"""All but `bypassPermissions`, which Claude Code refuses to a superuser."""

LOOK_UP = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}

needs_sandbox = pytest.mark.skipif(
    not sandbox.works(), reason="Claude Code's sandbox does not work here: on Linux it needs bubblewrap and socat"
)


@dataclass(frozen=True)
class Site:
    """A folder that may be used, with a project in it, and what lies around it."""

    root: Path

    @property
    def allowed(self) -> Path:
        return self.root / "allowed"

    @property
    def project(self) -> Path:
        return self.allowed / "project"

    @property
    def secret(self) -> Path:
        return self.root / "secret.txt"

    def untouched(self) -> bool:
        """Whether all around the allowed folder is as it was."""
        return {each.name for each in self.root.iterdir()} == {"allowed", "secret.txt"} and (
            self.secret.read_text() == SECRET
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path.resolve() / "site")
    made.project.mkdir(parents=True)
    made.secret.write_text(SECRET)
    (made.project / "in.txt").write_text("What is inside\n")
    (made.project / "link").symlink_to(made.root)
    return made


@pytest.fixture
async def office(serve: Serve, site: Site) -> AsyncIterator[Rig]:
    """A server whose agents may work at the site."""
    async with serve(
        allowed_working_directory_prefixes=(str(site.allowed),),
        allowed_permission_modes=MODES,
        allowed_setting_sources=("user", "project"),
    ) as rig:
        rig.plays(None)
        yield rig
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.gateway.until_idle()
            await rig.gateway.close_idle_sessions()


async def asked(rig: Rig, site: Site, said: str | list[Any], tools: list[Any] | None = None, **claude: Any) -> Any:
    """An agent's answer in the project; what Claude Code does is told with it."""
    messages = [{"role": "user", "content": said}] if isinstance(said, str) else said
    options = {"workingDirectory": str(site.project), "showActivity": "events", **claude}
    request: dict[str, Any] = {"model": "sonnet", "messages": messages, "extra_body": {"claude": options}}
    create: Any = rig.client.chat.completions.create
    with anyio.fail_after(PATIENCE_SECONDS * 2):
        return await create(**request, **({"tools": tools} if tools else {}))


def uses(*calls: ToolUse) -> Reply:
    return Reply((Text.of("I try."), *calls))


def outcomes(answer: ChatCompletion) -> dict[str, str]:
    """What came of each call, by what it was: "Read done"."""
    activity = (answer.model_extra or {})["claude"]["activity"]
    return {each["call_id"]: each["status"] for each in activity if "status" in each}


def results(rig: Rig) -> str:
    """All that upstream was ever told."""
    return json.dumps([request.body for request in rig.simulator.requests])


def inside(site: Site) -> Iterator[ToolUse]:
    yield ToolUse("Read", {"file_path": str(site.project / "in.txt")}, id="read")
    yield ToolUse("Glob", {"pattern": "*.txt"}, id="glob")
    yield ToolUse("Grep", {"pattern": "inside"}, id="grep")
    yield ToolUse("Write", {"file_path": str(site.project / "new.txt"), "content": "x"}, id="write")
    yield ToolUse("Edit", {"file_path": "in.txt", "old_string": "inside", "new_string": "in here"}, id="edit")
    yield ToolUse("Bash", {"command": "ls", "description": "list"}, id="bash-reads")
    yield ToolUse("Bash", {"command": "echo hi > made.txt", "description": "make"}, id="bash-writes")


def outside(site: Site) -> Iterator[ToolUse]:
    """Each tool, each way out."""
    ways = (str(site.secret), "../../secret.txt", str(site.project / "link" / "secret.txt"))
    folders = (str(site.root), "../..", "link")
    for n, (file, folder) in enumerate(zip(ways, folders, strict=True)):
        new = file.replace("secret", "new")
        yield ToolUse("Read", {"file_path": file}, id=f"read-{n}")
        yield ToolUse("Write", {"file_path": new, "content": "x"}, id=f"write-{n}")
        yield ToolUse("Edit", {"file_path": new, "old_string": "", "new_string": "x"}, id=f"edit-{n}")
        yield ToolUse("Glob", {"pattern": f"{folder}/*.txt"}, id=f"glob-{n}")
        yield ToolUse("Grep", {"pattern": "nobody", "path": folder, "output_mode": "content"}, id=f"grep-{n}")
        yield ToolUse("Bash", {"command": f"cat {file}; echo x > {new}", "description": "try"}, id=f"bash-{n}")
    yield ToolUse("NotebookEdit", {"notebook_path": str(site.root / "new.ipynb"), "new_source": "x"}, id="notebook")


MAY: dict[PermissionMode, set[str]] = {
    "default": {"read", "glob", "grep", "bash-reads"},
    "acceptEdits": {"read", "glob", "grep", "write", "edit", "bash-reads", "bash-writes"},
    "plan": {"read", "glob", "grep", "bash-reads"},
    "auto": {"read", "glob", "grep", "write", "edit", "bash-reads", "bash-writes"},
    "dontAsk": {"read", "glob", "grep", "bash-reads"},
}
"""What each mode does in the project without asking: the table of docs/guide/agent.md."""


@needs_sandbox
@pytest.mark.proves("agent.modes", "agent.fence.every-tool", "agent.asks-nobody")
@pytest.mark.parametrize("mode", MODES)
async def test_in_no_mode_does_any_tool_reach_what_lies_outside(office: Rig, site: Site, mode: PermissionMode) -> None:
    tries = (*inside(site), *outside(site))
    office.plays(Replies(*map(uses, tries), "Done."))
    answer = await asked(office, site, "Work.", permissionMode=mode)
    assert answer.choices[0].message.content == "\n\n".join([*["I try."] * len(tries), "Done."])
    assert {call for call, status in outcomes(answer).items() if status == "done"} == MAY[mode]
    assert SECRET not in results(office)
    assert site.untouched()


@needs_sandbox
@pytest.mark.proves("agent.fence.every-tool", "agent.fence.commands", "agent.secrets")
async def test_with_every_tool_allowed_the_fence_still_holds(office: Rig, site: Site) -> None:
    """Commands that hide where they lead are run, and find nothing there."""
    hidden = b64encode(b"../../secret.txt").decode()
    where = f"$(printf %s {hidden} | base64 -d)"
    shell = f"cat {where}; echo x > {where}; env; cat link/secret.txt; cp in.txt copy.txt; echo end"
    command = {"command": shell, "description": "try"}
    tries = [*outside(site), ToolUse("Bash", command, id="hidden")]
    tries += [ToolUse("Bash", {**command, "dangerouslyDisableSandbox": True}, id="open")]
    tries += [ToolUse("WebFetch", {"url": url, "prompt": "p"}) for url in ("https://127.0.0.1/", "http://2130706433/")]
    office.plays(Replies(*map(uses, tries), "Done.", uses(ToolUse("Bash", command, id="again")), "Done."))
    everything = ["Read", "Write", "Edit", "Glob", "Grep", "Bash", "NotebookEdit", "Monitor", "WebFetch"]
    messages: list[Any] = [{"role": "user", "content": "Work."}]
    answer = await asked(office, site, messages, allowedTools=everything)
    assert {call for call, status in outcomes(answer).items() if status == "done"} == {"hidden"}
    assert (site.project / "copy.txt").exists()

    messages += [
        {"role": "assistant", "content": answer.choices[0].message.content},
        {"role": "user", "content": "On."},
    ]
    (site.project / "copy.txt").unlink()
    office.simulator.requests.clear()
    again = await office.client.chat.completions.create(
        model="sonnet",
        messages=messages,
        max_tokens=999,  # told to the running process, as its settings are
        extra_body={"claude": {"workingDirectory": str(site.project), "allowedTools": everything}},
    )
    assert again.choices[0].finish_reason == "stop"
    assert (site.project / "copy.txt").exists()
    assert office.gateway.load().turns["live"] == 1
    told = results(office)
    assert SECRET not in told
    assert "sk-ant-" not in told, "what Claude Code signs in with is not in a command's environment"
    assert site.untouched()


@pytest.mark.proves("agent.fence.commands")
async def test_where_no_sandbox_works_there_are_no_commands(
    serve: Serve, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(site.root))
    async with serve(allowed_working_directory_prefixes=(str(site.allowed),)) as rig:
        command = {"command": "echo x > made.txt", "description": "make"}
        rig.plays(Replies(uses(ToolUse("Bash", command, id="bash")), "Done."))
        answer = await asked(rig, site, "Work.", allowedTools=["Bash"])
        assert outcomes(answer) == {"bash": "failed"}
        assert not (site.project / "made.txt").exists()
        assert "Bash" not in {tool["name"] for tool in rig.simulator.requests[0].body["tools"]}


@needs_sandbox
@pytest.mark.proves("agent.secrets")
async def test_where_a_home_is_allowed_its_logins_are_not(serve: Serve, site: Site) -> None:
    (site.allowed / ".claude").mkdir()
    (site.allowed / ".claude" / ".credentials.json").write_text(SECRET)
    (site.allowed / "plain.txt").write_text("Anybody may know")
    environment = {"HOME": str(site.allowed), "CLAUDE_CONFIG_DIR": str(site.allowed / ".claude")}
    async with serve(environment, allowed_working_directory_prefixes=(str(site.allowed),)) as rig:
        shell = "cat plain.txt .cl*/.cred*; grep -r nobody . ; true"
        tries = (
            ToolUse("Read", {"file_path": ".claude/.credentials.json"}, id="read"),
            ToolUse("Grep", {"pattern": "nobody", "output_mode": "content"}, id="grep"),
            ToolUse("Bash", {"command": shell, "description": "try"}, id="bash"),
        )
        rig.plays(Replies(*map(uses, tries), "Done."))
        everything = ["Read", "Grep", "Bash"]
        answer = await asked(rig, site, "Go.", workingDirectory=str(site.allowed), allowedTools=everything)
        assert outcomes(answer) == {"read": "failed", "grep": "failed", "bash": "done"}
        assert "Anybody may know" in results(rig)
        assert SECRET not in results(rig)


@pytest.mark.proves("agent.as-it-is", "agent.settings.sources")
async def test_it_has_its_own_prompt_and_tools_then_the_clients_words_and_nobodys_settings(
    office: Rig, site: Site
) -> None:
    (site.project / "CLAUDE.md").write_text("Written in the project")
    hooks = {"PreToolUse": [{"hooks": [{"type": "command", "command": f"touch {site.allowed}/hooked"}]}]}
    (site.project / ".claude").mkdir()
    (site.project / ".claude" / "settings.json").write_text(json.dumps({"hooks": hooks, "disableAllHooks": True}))
    said = [{"role": "system", "content": "The client's words"}, {"role": "user", "content": "Hi"}]
    read = uses(ToolUse("Read", {"file_path": "../../secret.txt"}, id="read"))

    office.plays(None)
    answer = await asked(office, site, said)
    assert "simulated model" in answer.choices[0].message.content, "as in the README's example"
    system = json.dumps(office.asked.body["system"])
    assert system.index("Claude Code") < system.index("The client's words")
    assert str(site.project) in results(office)
    assert "Written in the project" not in results(office)
    tools = {tool["name"] for tool in office.asked.body["tools"]}
    assert {"Read", "Write", "Edit", "Glob", "Grep", "Agent"} < tools
    assert not tools & {"AskUserQuestion", "EnterPlanMode", "Monitor", "CronCreate", "EnterWorktree", "Workflow"}

    office.plays(Replies(read, "Hello."))
    answer = await asked(office, site, said, settingSources=["project"])
    assert "Written in the project" in results(office)
    assert outcomes(answer) == {"read": "failed"}, "the project's settings take nothing from the fence"
    assert not (site.allowed / "hooked").exists()


@pytest.mark.proves("agent.tools", "agent.sessions")
@pytest.mark.parametrize("own_first", [True, False])
async def test_the_clients_calls_are_handed_over_beside_its_own(office: Rig, site: Site, own_first: bool) -> None:
    """Claude Code runs a message's calls in order: its own before the client's are over by then, others follow."""
    calls = [
        ToolUse("Write", {"file_path": str(site.project / "new.txt"), "content": "x"}, id="write"),
        ToolUse("mcp__client__look_up", {"word": "mole"}, id="toolu_look"),
    ]
    office.plays(Replies(uses(*(calls if own_first else reversed(calls))), "It digs.", "Bye."))
    messages: list[Any] = [{"role": "user", "content": "Go."}]
    first = await asked(office, site, messages, [LOOK_UP], permissionMode="acceptEdits")
    said = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert [(call.id, call.function.name) for call in said.tool_calls] == [("toolu_look", "look_up")]
    assert outcomes(first) == ({"write": "done"} if own_first else {})

    messages += [said.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": "toolu_look", "content": "Digs."}]
    second = await asked(office, site, messages, [LOOK_UP], permissionMode="acceptEdits")
    assert second.choices[0].message.content == "It digs."
    assert (site.project / "new.txt").exists()
    (_, _, told) = spoken(office.simulator.requests[-1])
    assert {block["tool_use_id"] for block in told["content"]} == {"write", "toolu_look"}

    messages += [{"role": "assistant", "content": "It digs."}, {"role": "user", "content": "Thanks."}]
    await asked(office, site, messages, [LOOK_UP], permissionMode="acceptEdits")
    assert office.gateway.load().turns == {"cold": 1, "results": 1, "live": 1}


@pytest.mark.proves("agent.sessions", "agent.fence.every-tool")
async def test_results_for_a_session_that_is_gone_are_answered_behind_the_fence(office: Rig, site: Site) -> None:
    """Such a history is answered before Claude Code is told anything, so the fence has to be there before it."""
    office.plays(Replies(uses(ToolUse("mcp__client__look_up", {"word": "mole"}, id="toolu_look"))))
    messages: list[Any] = [{"role": "user", "content": "Go."}]
    said = (await asked(office, site, messages, [LOOK_UP])).choices[0].message
    await office.gateway.close_idle_sessions()
    office.plays(Replies(*map(uses, outside(site)), "Done."))
    messages += [said.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": "toolu_look", "content": "Digs."}]
    allowed = ["Read", "Write", "Edit", "Glob", "Grep", "NotebookEdit"]
    answer = await asked(office, site, messages, [LOOK_UP], allowedTools=allowed)
    assert set(outcomes(answer).values()) == {"failed"}
    (_, earlier, _) = spoken(office.simulator.requests[0])
    assert [block.get("name") for block in earlier["content"]] == [None, "mcp__client__look_up"]
    assert site.untouched()


@pytest.mark.proves("agent.answer", "agent.fence.every-tool")
async def test_a_sub_agent_is_held_too_and_its_words_are_no_part_of_the_answer(office: Rig, site: Site) -> None:
    task = {"description": "look", "prompt": "Look.", "subagent_type": "general-purpose"}
    office.plays(
        Replies(
            uses(ToolUse("Agent", task, id="task")),
            uses(
                ToolUse("Read", {"file_path": str(site.secret)}, id="read"), ToolUse("mcp__client__look_up", id="its")
            ),
            "The sub-agent's report",
            "Done.",
        )
    )
    answer = await asked(office, site, "Go.", [LOOK_UP])
    assert answer.choices[0].message.content == "I try.\n\nDone."
    assert outcomes(answer) == {"read": "failed", "task": "done"}
    assert answer.claude["activity"][1]["parent_call_id"] == "task"
    assert "The sub-agent's report" in results(office)
    assert "for the main conversation only" in results(office)
    assert site.untouched()


@pytest.mark.proves("agent.limits", "agent.failures")
async def test_an_answer_that_is_cut_or_refused_is_told_as_such(office: Rig, site: Site) -> None:
    cut = Reply((Text.of("I w"),), stop_reason="max_tokens")
    office.plays_once(cut)
    answer = await office.client.chat.completions.create(
        model="sonnet",
        messages=[{"role": "user", "content": "Go."}],
        max_tokens=5,
        extra_body={"claude": {"workingDirectory": str(site.project)}},
    )
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("I w", "length")
    office.plays(lambda _: cut)
    for_ever = (await asked(office, site, "Go on.")).choices[0]
    assert (for_ever.message.content, for_ever.finish_reason) == ("I w" * 4, "length")
    office.plays(lambda _: Reply((), stop_reason="refusal"))
    assert (await asked(office, site, "And on.")).choices[0].finish_reason == "content_filter"


@pytest.mark.proves("agent.limits")
async def test_an_answer_that_reaches_a_limit_of_the_requests_says_which(office: Rig, site: Site) -> None:
    read = uses(ToolUse("Read", {"file_path": "in.txt"}))
    for name, limit in (("max_turns", {"maxTurns": 2}), ("max_budget_usd", {"maxBudgetUsd": 0.000001})):
        office.plays(Replies(read, read, read, "Done."))
        answer = await asked(office, site, name, **limit)
        assert answer.choices[0].finish_reason == "length"
        assert answer.claude["limit"] == name
        assert set(answer.choices[0].message.content.split("\n\n")) == {"I try."}, "no word is anybody else's"


@pytest.mark.proves("agent.failures")
async def test_a_failure_in_the_midst_of_the_work_is_told_as_what_it_is(office: Rig, site: Site) -> None:
    office.plays(Replies(uses(ToolUse("Read", {"file_path": "in.txt"})), Failure.of(529).final()))
    with pytest.raises(openai.APIStatusError) as caught:
        await asked(office, site, "Go.")
    assert (caught.value.status_code, caught.value.code) == (503, "overloaded")


@pytest.mark.proves("agent.activity")
@pytest.mark.parametrize("shown", ["events", "reasoning", True, False])
async def test_what_it_does_is_streamed_beside_the_answer_where_that_is_asked_for(
    office: Rig, site: Site, shown: str | bool
) -> None:
    """OpenAI's own client takes the events as chunks that say nothing."""
    office.plays(Replies(uses(ToolUse("Read", {"file_path": "in.txt"}, id="read")), "Done."))
    text, reasoning, activity = "", "", []
    with anyio.fail_after(PATIENCE_SECONDS):
        stream = await office.client.chat.completions.create(
            model="sonnet-agent",
            messages=[{"role": "user", "content": "Go."}],
            stream=True,
            extra_body={"claude": {"workingDirectory": str(site.project), "showActivity": shown}},
        )
        async for chunk in stream:
            (choice,) = chunk.choices
            text += choice.delta.content or ""
            reasoning += (choice.delta.model_extra or {}).get("reasoning_content", "")
            activity += [(chunk.model_extra or {}).get("claude_activity", {}).get("status", "called")]
    assert text == "I try.\n\nDone."
    assert ('Read {"file_path"' in reasoning) == (shown in ("reasoning", True))
    assert ("done" in activity) == (shown == "events")


@pytest.mark.proves("agent.workspace", "agent.refused")
async def test_a_folder_that_leads_elsewhere_by_now_is_refused_to_a_session_that_is_alive(
    office: Rig, site: Site
) -> None:
    office.plays(Replies("Hello.", "Never said."))
    messages: list[Any] = [{"role": "user", "content": "Hi"}]
    await asked(office, site, messages)
    messages += [{"role": "assistant", "content": "Hello."}, {"role": "user", "content": "On."}]
    site.project.rename(site.allowed / "moved")
    site.project.symlink_to(site.root)
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await asked(office, site, messages)
    assert str(site.allowed) in caught.value.message
    assert caught.value.param == "claude.workingDirectory"

    profile = AgentProfile(str(site.project))  # as if the folder had changed after the request was read
    said = (UserMessage((Words("Hi"),)), AssistantMessage("Hello."), UserMessage((Words("On."),)))
    async with office.gateway.open(Turn(Model("sonnet"), said, agent=profile)) as events:
        (last,) = [event async for event in each_event(events)]
    assert isinstance(last, TurnFailed)
    assert last.failure.kind is Kind.PERMISSION_DENIED
    assert len(office.simulator.requests) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only a superuser is refused this mode")
@pytest.mark.proves("agent.modes")
async def test_a_superuser_is_told_that_claude_code_does_not_start_with_every_mode(serve: Serve, site: Site) -> None:
    async with serve(
        allowed_working_directory_prefixes=(str(site.allowed),), allowed_permission_modes=("bypassPermissions",)
    ) as rig:
        rig.plays(None)
        with pytest.raises(openai.PermissionDeniedError, match=r"superuser.*Use another mode") as caught:
            await asked(rig, site, "Go.", permissionMode="bypassPermissions")
        assert caught.value.param == "claude.permissionMode"
        assert rig.simulator.requests == []


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.proves("agent.failures")
async def test_an_agent_that_cannot_be_started_keeps_nobody_else_from_an_answer(
    serve: Serve, site: Site, tmp_path: Path
) -> None:
    command = tmp_path / "claude"
    command.write_text(
        f'#!/bin/sh\ncase "$*" in *--permission-mode=plan*) exit 1;; esac\nexec "{bundled_cli()}" "$@"\n'
    )
    command.chmod(0o755)
    async with serve(allowed_working_directory_prefixes=(str(site.allowed),), claude_command=str(command)) as rig:
        rig.plays(Replies("Hello."))
        for _ in range(4):
            with pytest.raises(openai.InternalServerError) as caught:
                await asked(rig, site, "Go.", permissionMode="plan")
            assert caught.value.code == "claude_code_failed"
        assert rig.gateway.outage(await rig.gateway.description()) is None
        assert await rig.said("Hi") == "Hello."


@pytest.mark.proves("format.fits")
async def test_it_answers_in_the_form_that_was_asked_for_and_its_work_is_no_part_of_that(
    office: Rig, site: Site
) -> None:
    read = ToolUse("Read", {"file_path": "in.txt"}, id="read")
    given = Reply((Text.of("Done:"), ToolUse("StructuredOutput", {"words": 3})))
    office.plays(Replies(uses(read), given))
    schema: Any = {"type": "object", "properties": {"words": {"type": "integer"}}, "required": ["words"]}
    answer = await office.client.chat.completions.create(
        model="sonnet",
        messages=[{"role": "user", "content": "How many words?"}],
        response_format={"type": "json_schema", "json_schema": {"name": "count", "schema": schema}},
        extra_body={"claude": {"workingDirectory": str(site.project), "showActivity": "events"}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"words": 3}
    assert outcomes(answer) == {"read": "done"}


@pytest.mark.proves("simulator.directives")
async def test_the_simulated_model_uses_a_tool_by_its_older_name_once(office: Rig, site: Site) -> None:
    """Claude Code offers `Agent`, takes `Task`, and sends the call back as one of `Agent`."""
    answer = await asked(office, site, "[[sim tool=Task]]", permissionMode="acceptEdits")
    activity = answer.model_extra["claude"]["activity"]
    assert [(each["tool"], each.get("status")) for each in activity] == [("Agent", None), ("Agent", "done")]
    assert answer.choices[0].finish_reason == "stop"
