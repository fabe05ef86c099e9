"""The agent profile a request asks for: who chooses it, and what of it is allowed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from claude_openai.core.agent import AgentProfile, AgentRules, Mode
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import Model
from claude_openai.protocols.chat_completions.request import ParsedRequest, parse_request, read_turn
from tests.unit.protocols.chat_completions.asking import CATALOGUE, HELLO


@dataclass(frozen=True)
class Folders:
    """A workspace without a disk."""

    prefixes: tuple[str, ...] = ("/work", "/more")
    known: tuple[str, ...] = ("/work", "/work/a", "/more")

    def folder(self, path: str) -> str | None:
        return path if path in self.known else None

    def holds(self, path: str) -> bool:
        return path.startswith(self.prefixes) and "/link" not in path


def rules(default: Mode = "chat") -> AgentRules:
    return AgentRules(Folders(), default, setting_sources=("user", "project"))


def read(claude: object = None, *, agents: AgentRules | None = None, **fields: object) -> ParsedRequest:
    body = {"messages": [HELLO], "claude": claude, **fields}
    catalogue = CATALOGUE if agents is None else type(CATALOGUE)(CATALOGUE.models, CATALOGUE.default, agents=True)
    return read_turn(parse_request(json.dumps(body).encode()), catalogue, "local", agents)


def refusal(claude: object, **fields: object) -> Failure:
    with pytest.raises(RequestFailed) as raised:
        read(claude, agents=rules(), **fields)
    return raised.value.failure


ALL: Mapping[str, object] = {
    "mode": "agent",
    "workingDirectory": "/work/a",
    "permissionMode": "plan",
    "allowedTools": ["Bash(git *)", "Edit(src/**)"],
    "disallowedTools": ["WebFetch"],
    "addDirs": ["/more"],
    "settingSources": ["project", "project"],
    "maxTurns": 3,
    "maxBudgetUsd": 1,
    "showActivity": "events",
}


@pytest.mark.proves("agent.request")
def test_every_field_reaches_the_profile() -> None:
    assert read(ALL, agents=rules()).turn.agent == AgentProfile(
        directory="/work/a",
        permission_mode="plan",
        allowed_tools=("Bash(git *)", "Edit(src/**)"),
        disallowed_tools=("WebFetch",),
        add_dirs=("/more",),
        setting_sources=("project",),
        max_turns=3,
        max_budget_usd=1.0,
        show_activity="events",
    )


@pytest.mark.proves("agent.chosen")
@pytest.mark.parametrize(
    ("claude", "model", "default", "agent"),
    [
        (None, "claude-sonnet", "chat", False),
        ({}, "claude-sonnet", "chat", False),
        ({"showActivity": True}, "claude-sonnet", "chat", False),
        ({"mode": "agent"}, "claude-sonnet", "chat", True),
        ({"workingDirectory": "/work"}, "claude-sonnet", "chat", True),
        ({"permissionMode": "plan"}, "claude-sonnet", "chat", True),
        ({"maxTurns": 1}, "claude-sonnet", "chat", True),
        (None, "claude-sonnet-agent", "chat", True),
        (None, "claude-sonnet", "agent", True),
        ({"mode": "chat"}, "claude-sonnet", "agent", False),
        ({"mode": "chat"}, "claude-sonnet-agent", "agent", False),
        ({"mode": "chat", "workingDirectory": "/etc"}, "claude-sonnet", "chat", False),
    ],
)
def test_the_requests_word_counts_more_than_the_models_name_and_that_more_than_the_default(
    claude: object, model: str, default: Mode, agent: bool
) -> None:
    turn = read(claude, model=model, agents=rules(default)).turn
    assert (turn.agent is not None) == agent
    assert turn.model == Model("claude-sonnet", "claude-sonnet-4-6", agent=model.endswith("-agent"))


@pytest.mark.proves("agent.request")
def test_what_chat_knows_nothing_of_is_reported() -> None:
    reading = read({**ALL, "mode": "chat"}, agents=rules())
    assert set(reading.ignored) == {f"claude.{name}" for name in ALL if name != "mode"}


@pytest.mark.proves("agent.workspace")
def test_without_a_folder_it_is_the_first_that_is_allowed_and_asks_for_everything() -> None:
    assert read({"mode": "agent"}, agents=rules()).turn.agent == AgentProfile("/work", "default")


@pytest.mark.parametrize(
    ("claude", "param", "names"),
    [
        ({"workingDirectory": "/etc"}, "claude.workingDirectory", "/work, /more"),
        ({"addDirs": ["/more", "/"]}, "claude.addDirs[1]", "/work, /more"),
        ({"permissionMode": "bypassPermissions"}, "claude.permissionMode", "acceptEdits, auto, default, plan"),
        ({"permissionMode": "dontAsk"}, "claude.permissionMode", "acceptEdits, auto, default, plan"),
        ({"allowedTools": ["Bash", "Edit(//etc/**)"]}, "claude.allowedTools[1]", "relative"),
        ({"allowedTools": ["Write( ~/x)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Read(a/../../x)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit(a/link/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit(src/** )"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["edit(//tmp/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit({a,../outside}/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit({a,/}/tmp/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit(a/{,.}{,.}/../outside)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": [r"Edit(.\./outside/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Edit([.]./outside/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": ["Whatever(//tmp/**)"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": [f"Edit({'{a,b}' * 8})"]}, "claude.allowedTools[0]", "relative"),
        ({"allowedTools": [f"Edit({'{a}' * 51})"]}, "claude.allowedTools[0]", "relative"),
        ({"settingSources": ["user", "local"]}, "claude.settingSources", "user, project (--allowed-setting-sources)"),
    ],
)
def test_what_is_not_allowed_is_a_403_that_names_what_is(claude: object, param: str, names: str) -> None:
    failure = refusal(claude)
    assert (failure.kind, failure.param) == (Kind.PERMISSION_DENIED, param)
    assert names in failure.message


@pytest.mark.proves("agent.request")
def test_a_rule_may_name_any_path_of_the_working_directory() -> None:
    rules_ = ["Edit(src/[slug]/*.{ts,tsx})", "Read(./docs/**)", "Bash(cat //etc/hosts)", "WebFetch(domain:a.b)", "LS"]
    agent = read({"allowedTools": rules_}, agents=rules()).turn.agent
    assert agent is not None
    assert list(agent.allowed_tools) == rules_


@pytest.mark.proves("agent.request")
@pytest.mark.parametrize(
    ("claude", "param"),
    [
        ({"workingdirectory": "/work"}, "claude.workingdirectory"),
        ({"working_directory": "/work"}, "claude.working_directory"),
        ({"permissionMode": "yolo"}, "claude.permissionMode"),
        ({"workingDirectory": ""}, "claude.workingDirectory"),
        ({"maxTurns": 0}, "claude.maxTurns"),
        ({"maxBudgetUsd": 0}, "claude.maxBudgetUsd"),
        ({"allowedTools": ["--dangerously"]}, "claude.allowedTools[0]"),
        ({"allowedTools": ["Bash(\n)"]}, "claude.allowedTools[0]"),
        ({"disallowedTools": ["\0"]}, "claude.disallowedTools[0]"),
        ({"settingSources": ["policy"]}, "claude.settingSources[0]"),
        ({"showActivity": "yes"}, "claude.showActivity"),
        ("agent", "claude"),
    ],
)
def test_what_is_unknown_or_makes_no_sense_is_a_400_by_its_place(claude: object, param: str) -> None:
    failure = refusal(claude)
    assert (failure.kind, failure.param) == (Kind.INVALID_REQUEST, param)


@pytest.mark.proves("agent.request")
def test_a_server_without_the_profile_says_so() -> None:
    with pytest.raises(RequestFailed) as raised:
        read({"mode": "agent"})
    assert raised.value.failure.kind is Kind.UNSUPPORTED_PARAMETER
    assert read({"mode": "chat"}).turn.agent is None


TOOLS = [{"type": "function", "function": {"name": "look"}}]


@pytest.mark.proves("agent.tools")
def test_a_call_cannot_be_forced_beside_the_models_own_tools() -> None:
    named = {"type": "function", "function": {"name": "look"}}
    for choice in ("required", named):
        assert refusal({"mode": "agent"}, tools=TOOLS, tool_choice=choice).param == "tool_choice"
    assert len(read({"mode": "agent"}, agents=rules(), tools=TOOLS, tool_choice="auto").turn.tools) == 1
    assert read({"mode": "agent"}, agents=rules(), tools=TOOLS, tool_choice="none").turn.tools == ()


@pytest.mark.parametrize(
    "rule", ["Bash,Edit(//home/u/**)", "X Read(//etc/**)", "Bash(a) Edit(//etc/**)", "Edit(a),Bash"]
)
def test_one_text_cannot_carry_several_rules(rule: str) -> None:
    with pytest.raises(RequestFailed, match="is not one rule"):
        read({"allowedTools": [rule]}, agents=rules())
