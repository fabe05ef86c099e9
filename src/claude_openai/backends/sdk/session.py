"""One conversation with a running Claude Code: it answers, and where it calls tools of the client it waits for them.

Calls are taken from the stream, checked against their schemas, and either handed to the client, all of a message, or
all given back to the model as errors it can mend. The process and its end belong to the block that made the session.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

import anyio
import structlog
from claude_agent_sdk import ClaudeSDKClient, ClaudeSDKError

from claude_openai.backends.process import Child
from claude_openai.backends.sdk.calls import Outcome, ParkedCalls, fits
from claude_openai.backends.sdk.command import request_environment
from claude_openai.backends.sdk.failures import process_failure
from claude_openai.backends.sdk.reader import AnswerReader
from claude_openai.backends.sdk.transport import ChildTransport
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import Text, ToolCall, ToolMessage
from claude_openai.core.tools import Toolbox
from claude_openai.core.turn import Turn

log = structlog.get_logger(__name__)

SETTLE_TIMEOUT_SECONDS = 5.0
"""From the end of the answer to Claude Code's result: some ms by itself, 20 to 40 ms after an interrupt (measured)."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started and initialised Claude Code."""

    client: ClaudeSDKClient
    transport: ChildTransport
    child: Child


class SdkSession:
    """Implements `core.ports.Session`. `max_mends` is how often the model may mend calls that do not fit."""

    def __init__(self, running: Running, calls: ParkedCalls, turn: Turn, max_mends: int) -> None:
        self._child = running.child
        self._transport = running.transport
        self._calls = calls
        self._tool_choice = turn.tool_choice
        self._messages = running.client.receive_messages()
        self._toolbox = Toolbox(turn.tools)
        self._model = turn.model.id
        self._offered = frozenset(tool.name for tool in turn.tools)
        self._max_mends = max_mends

    async def events(self) -> AsyncGenerator[Event, None]:
        """See `core.ports.Session.events`."""
        reader = AnswerReader(self._model, self._offered, time.time)
        mends = 0
        try:
            async for message in self._messages:
                for event in reader.feed(message):
                    yield event
                if reader.done:
                    return
                if not reader.complete:
                    continue
                if not reader.calls:
                    break
                problems = self._problems(reader.calls)
                if not problems:
                    break
                mends += 1
                if mends > self._max_mends:
                    yield TurnFailed(_unmended(problems, self._max_mends))
                    return
                self._give_back(reader.calls, problems)
                reader.go_on()
            rest = reader.park() if reader.calls else await self._settled(reader)
        except ClaudeSDKError as error:
            log.error("sdk.error", stage="answer", error=cause(error))
            rest = []
        for event in rest or reader.abandoned(process_failure("ended unexpectedly")):
            yield event

    async def resume(self, turn: Turn) -> bool:
        """See `core.ports.Session.resume`."""
        results = _newest_results(turn)
        if not self._child.is_running or not all(map(fits, results)) or not await self._configured(turn):
            return False
        for result in results:
            self._calls.give(result.tool_call_id, Outcome(result.content))
        return True

    async def _configured(self, turn: Turn) -> bool:
        """Whether Claude Code's next request is as `turn` wants it: a forced choice would be forced again."""
        if turn.tool_choice == self._tool_choice:
            return True
        with anyio.move_on_after(SETTLE_TIMEOUT_SECONDS), suppress(ClaudeSDKError):
            await self._transport.configure(request_environment(turn.sampling, turn.tool_choice))
            self._tool_choice = turn.tool_choice
            return True
        return False

    def _problems(self, calls: list[ToolCall]) -> dict[str, str]:
        found = {call.id: self._toolbox.problem(call.name, call.arguments) for call in calls}
        for call in calls:
            log.info("sdk.structured_tool_call", tool=call.name, call_id=call.id, valid=found[call.id] is None)
        return {call_id: problem for call_id, problem in found.items() if problem}

    def _give_back(self, calls: list[ToolCall], problems: dict[str, str]) -> None:
        for call in calls:
            reason = problems.get(call.id) or "Not run, as another call of this message is invalid. Call again."
            self._calls.give(call.id, Outcome((Text(reason),), is_error=True))

    async def _settled(self, reader: AnswerReader) -> list[Event]:
        """The result's events, after the answer is complete; nothing if it does not come in time."""
        if reader.goes_on and self._offered:  # without tools the budget ends it, and the result has the cost
            self._child.kill()  # an interrupt would come after the next request
            return []
        with anyio.move_on_after(SETTLE_TIMEOUT_SECONDS):
            async for message in self._messages:
                if events := reader.feed(message):
                    return events
        return []


def cause(error: BaseException) -> str:
    """What the log says of an error of the SDK's; a `ProcessError` tells what the process complained about."""
    return f"{type(error).__name__}: {error}"


def _newest_results(turn: Turn) -> list[ToolMessage]:
    results: list[ToolMessage] = []
    for message in reversed(turn.messages):
        if not isinstance(message, ToolMessage):
            break
        results.append(message)
    return results


def _unmended(problems: dict[str, str], mends: int) -> Failure:
    return Failure(
        Kind.INVALID_TOOL_ARGUMENTS,
        f"The model called tools with invalid arguments and did not mend them in {mends} tries: "
        + " ".join(problems.values()),
    )
