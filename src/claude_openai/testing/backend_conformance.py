"""The conformance suite of backends: a backend's own test class inherits it and stages each case.

    class TestMine(BackendConformance):
        @pytest.fixture
        def stage(self) -> Stage: ...

A backend that runs Claude Code, with a `Simulator` upstream, inherits `ClaudeCodeConformance`.

This module does not import pytest, so that the package can ship it.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import anyio

from claude_openai.core.agent import AgentProfile
from claude_openai.core.events import (
    Event,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)
from claude_openai.core.failures import Kind
from claude_openai.core.messages import AssistantMessage, Image, SystemMessage, Text, UserMessage
from claude_openai.core.models import Model, ModelFacts
from claude_openai.core.ports import Backend
from claude_openai.core.tools import Tool
from claude_openai.core.turn import Sampling, Turn
from claude_openai.simulator import CREDIT_BALANCE, Failure, JsonObject, RecordedRequest, Reply, ToolUse
from claude_openai.simulator import Text as TextBlock
from claude_openai.simulator.script import Answer
from claude_openai.testing.batches import each_event

PATIENCE_SECONDS = 20
"""Time limit of each case: a backend may have to start a process."""

TURN = Turn(Model("sonnet"), (UserMessage((Text("Say kiwi"),)),))

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

CONVERSATION = Turn(
    Model("sonnet"),
    (
        SystemMessage("Be brief. " * 20_000),  # more than an argument of a command can hold
        UserMessage((Text("/cost @/etc/hostname"),)),
        AssistantMessage("That is two words."),
        UserMessage((Text("And this?"), Image("image/png", PIXEL))),
    ),
)

HAIKU = Model("claude-haiku-4-5", facts=ModelFacts(("none",), thinks_by_budget=True, takes=frozenset({"temperature"})))

SAMPLED = replace(TURN, model=HAIKU, sampling=Sampling(5, temperature=0.25, stop=("lemon",)))

WITH_TOOLS = replace(TURN, tools=(Tool("look", '{"type": "object"}'),))

AT_WORK = replace(TURN, agent=AgentProfile("/"))

FAILURES: Mapping[Kind, Failure] = {
    Kind.NOT_LOGGED_IN: Failure.of(401),
    Kind.INSUFFICIENT_QUOTA: CREDIT_BALANCE,
    Kind.OVERLOADED: Failure.of(529),
}


class Stage(Protocol):
    """Makes backends for the cases: each method returns one whose next turn behaves as its docstring says."""

    def answering(self) -> Backend:
        """The answer is "kiwi"."""
        ...

    def failing(self) -> Backend:
        """There is no answer."""
        ...

    def silent(self) -> Backend:
        """The answer begins with "kiwi" and never goes on."""
        ...

    def is_over(self) -> bool:
        """Whether all turns opened so far have ended, with their processes and their requests upstream."""
        ...


class BackendConformance:
    """The suite for every backend; `stage` is a fixture of the class that inherits it."""

    async def test_an_answer_has_a_start_a_text_usage_and_an_end(self, stage: Stage) -> None:
        events = await _events_of(stage.answering())
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "kiwi"
        assert isinstance(events[0], TurnStarted)
        assert isinstance(events[-1], TurnFinished)
        assert in_order(events)

    async def test_a_failure_is_an_event_and_the_last_one(self, stage: Stage) -> None:
        events = await _events_of(stage.failing())
        assert isinstance(events[-1], TurnFailed)
        assert in_order(events)

    async def test_leaving_the_block_ends_a_turn_that_goes_on(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with stage.silent().open(TURN) as session, aclosing(each_event(session.events())) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        break
        assert stage.is_over()

    async def test_a_cancelled_wait_for_an_event_ends_the_turn(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS), anyio.CancelScope() as scope:
            async with stage.silent().open(TURN) as session:
                async for event in each_event(session.events()):
                    if isinstance(event, TextDelta):
                        scope.cancel()
        assert stage.is_over()

    async def test_a_turn_whose_events_are_not_read_ends_with_its_block(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with stage.answering().open(TURN):
                pass
        assert stage.is_over()


class ClaudeCodeStage(Stage, Protocol):
    """Makes backends over a Claude Code that does not retry failed requests, and records the requests upstream."""

    cannot: frozenset[str]
    """Those of the parameters `tools` and `claude` that the backend refuses."""

    def playing(self, answer: Answer) -> Backend:
        """Upstream gives this answer to each request from now on."""
        ...

    def asked(self) -> Sequence[RecordedRequest]:
        """The requests that reached upstream."""
        ...


class ClaudeCodeConformance(BackendConformance):
    """The suite for a backend that runs Claude Code; `stage` is a fixture of the class that inherits it."""

    async def test_it_reports_its_version_its_login_and_its_models(self, stage: ClaudeCodeStage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            description = await stage.answering().describe()
        assert description.version[0].isdigit()
        assert description.login.ready
        assert "sonnet" in {model.id for model in description.models}

    async def test_a_conversation_reaches_upstream_unchanged(self, stage: ClaudeCodeStage) -> None:
        await _events_of(stage.answering(), CONVERSATION)
        (request,) = stage.asked()
        assert request.body["system"][-1]["text"] == "Be brief. " * 20_000
        assert [
            (message["role"], _without_cache_marks(message["content"])) for message in _without_system(request)
        ] == [
            ("user", [{"type": "text", "text": "/cost @/etc/hostname"}]),
            ("assistant", [{"type": "text", "text": "That is two words."}]),
            (
                "user",
                [
                    {"type": "text", "text": "And this?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                ],
            ),
        ]

    async def test_text_that_looks_like_a_command_is_text(self, stage: ClaudeCodeStage) -> None:
        turn = replace(TURN, messages=(UserMessage((Text("/cost @/etc/hostname"),)),))
        await _events_of(stage.answering(), turn)
        (request,) = stage.asked()
        assert _without_cache_marks(_without_system(request)[-1]["content"]) == [
            {"type": "text", "text": "/cost @/etc/hostname"}
        ]

    async def test_sampling_reaches_upstream_and_a_limit_ends_the_answer(self, stage: ClaudeCodeStage) -> None:
        events = await _events_of(stage.playing(Reply((TextBlock(("kiwi",)),), stop_reason="max_tokens")), SAMPLED)
        assert events[-1] == TurnFinished("length")
        first, *others = stage.asked()
        assert len(others) <= 1  # one may have left before Claude Code was stopped; left alone it makes three more
        sent = [first.body.get(name) for name in ("model", "max_tokens", "temperature", "stop_sequences")]
        assert sent == ["claude-haiku-4-5", 5, 0.25, ["lemon"]]

    async def test_usage_is_upstreams(self, stage: ClaudeCodeStage) -> None:
        events = await _events_of(stage.answering())
        (request,) = stage.asked()
        assert request.usage is not None
        (reported,) = [event for event in events if isinstance(event, UsageReported)]
        assert reported.usage == Usage(
            request.usage["input_tokens"],
            request.usage["output_tokens"],
            request.usage["cache_creation_input_tokens"],
            request.usage["cache_read_input_tokens"],
        )
        assert reported.cost_usd

    async def test_a_failure_upstream_is_reported_with_its_kind(self, stage: ClaudeCodeStage) -> None:
        reported = {}
        for kind, failure in FAILURES.items():
            (*_, last) = await _events_of(stage.playing(failure))
            assert isinstance(last, TurnFailed)
            assert not last.session_lost
            reported[kind] = last.failure.kind
        assert reported == {kind: kind for kind in FAILURES}

    async def test_a_cancelled_turn_is_cancelled_upstream(self, stage: ClaudeCodeStage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with stage.silent().open(TURN) as session, aclosing(each_event(session.events())) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        break
            (request,) = stage.asked()
            await request.closed.wait()

    async def test_tools_are_carried_or_refused(self, stage: ClaudeCodeStage) -> None:
        events = await _events_of(stage.playing(Reply((ToolUse("look"),))), WITH_TOOLS)
        if "tools" in stage.cannot:
            _assert_refused(stage, events, "tools")
        else:
            assert [event.call.name for event in events if isinstance(event, ToolCalled)] == ["look"]
            assert events[-1] == TurnFinished("tool_calls")

    async def test_an_agent_profile_that_it_cannot_carry_is_refused(self, stage: ClaudeCodeStage) -> None:
        if "claude" in stage.cannot:
            _assert_refused(stage, await _events_of(stage.answering(), AT_WORK), "claude")


def in_order(events: Sequence[Event]) -> bool:
    """Whether `events` are a whole turn, in the order that `core.events` documents."""
    kinds = [type(event) for event in events]
    starts = kinds.index(TurnStarted) if TurnStarted in kinds else len(kinds) - 1
    deltas = [index for index, kind in enumerate(kinds) if kind is TextDelta]
    return (
        kinds.count(TurnStarted) <= 1
        and kinds.count(UsageReported) <= 1
        and all(kind in {TurnFinished, TurnFailed} for kind in kinds[-1:])
        and not any(kind in {TurnFinished, TurnFailed} for kind in kinds[:-1])
        and all(index > starts for index in deltas)
        and (UsageReported not in kinds or all(index < kinds.index(UsageReported) for index in deltas))
    )


async def _events_of(backend: Backend, turn: Turn = TURN) -> list[Event]:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with backend.open(turn) as session:
            return [event async for event in each_event(session.events())]


def _assert_refused(stage: ClaudeCodeStage, events: Sequence[Event], param: str) -> None:
    """The turn failed at once, with an error for the client that names the remedy."""
    (event,) = events
    assert isinstance(event, TurnFailed)
    assert (event.failure.kind, event.failure.param) == (Kind.UNSUPPORTED_PARAMETER, param)
    assert "--backend sdk" in event.failure.message
    assert not stage.asked()


def _without_system(request: RecordedRequest) -> list[JsonObject]:
    return [message for message in request.messages if message["role"] != "system"]


def _without_cache_marks(blocks: list[JsonObject]) -> list[JsonObject]:
    """The blocks without the marks of the prompt cache."""
    return [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
