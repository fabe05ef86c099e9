"""What every backend must keep to, as tests: a backend's own test class inherits them and says how to stage each case.

    class TestMine(BackendConformance):
        @pytest.fixture
        def stage(self) -> Stage: ...

No pytest in here, so that the package can ship it.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

import anyio

from claude_openai.core.events import Event, TextDelta, TurnFailed, TurnFinished, TurnStarted, UsageReported
from claude_openai.core.messages import Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.ports import Backend
from claude_openai.core.turn import Turn

PATIENCE_SECONDS = 20
"""For any one case: a backend may have to start a process."""

TURN = Turn(Model("sonnet"), (UserMessage((Text("Say kiwi"),)),))


class Stage(Protocol):
    """Makes backends whose next turn goes as the method says."""

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
        """Whether nothing is left of the turns opened so far: no process, no request upstream."""
        ...


class BackendConformance:
    """The suite; `stage` is a fixture of the class that inherits it."""

    async def test_an_answer_is_started_said_counted_and_finished(self, stage: Stage) -> None:
        events = await _all(stage.answering())
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "kiwi"
        assert isinstance(events[0], TurnStarted)
        assert isinstance(events[-1], TurnFinished)
        assert in_order(events)

    async def test_a_failure_is_an_event_and_the_last_one(self, stage: Stage) -> None:
        events = await _all(stage.failing())
        assert isinstance(events[-1], TurnFailed)
        assert in_order(events)

    async def test_leaving_the_block_ends_a_turn_that_goes_on(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with stage.silent().open(TURN) as session, aclosing(session.events()) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        break
        assert stage.is_over()

    async def test_a_cancelled_wait_for_an_event_ends_the_turn(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS), anyio.CancelScope() as scope:
            async with stage.silent().open(TURN) as session:
                async for event in session.events():
                    if isinstance(event, TextDelta):
                        scope.cancel()
        assert stage.is_over()

    async def test_a_turn_that_nobody_listens_to_ends_with_its_block(self, stage: Stage) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with stage.answering().open(TURN):
                pass
        assert stage.is_over()


def in_order(events: Sequence[Event]) -> bool:
    """Whether `events` are a whole turn in the order `core.events` promises."""
    kinds = [type(event) for event in events]
    starts = kinds.index(TurnStarted) if TurnStarted in kinds else len(kinds) - 1
    said = [index for index, kind in enumerate(kinds) if kind is TextDelta]
    return (
        kinds.count(TurnStarted) <= 1
        and kinds.count(UsageReported) <= 1
        and all(kind in {TurnFinished, TurnFailed} for kind in kinds[-1:])
        and not any(kind in {TurnFinished, TurnFailed} for kind in kinds[:-1])
        and all(index > starts for index in said)
        and (UsageReported not in kinds or all(index < kinds.index(UsageReported) for index in said))
    )


async def _all(backend: Backend) -> list[Event]:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with backend.open(TURN) as session:
            return [event async for event in session.events()]
