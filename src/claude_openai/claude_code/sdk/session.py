"""One conversation with a running Claude Code: it answers, waits for what comes next, and goes on.

Calls are taken from the stream, checked against their schemas, and either handed to the client, all of a message, or
all given back to the model as errors it can mend. The process and its end belong to the block that made the session.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio
import structlog
from claude_agent_sdk import ClaudeSDKClient, ClaudeSDKError

from claude_openai.claude_code.agent.reader import AgentReader, JsonModeAgentReader, StructuredAgentReader
from claude_openai.claude_code.processes.child import Child
from claude_openai.claude_code.schema_checks.checks import Checks, fed
from claude_openai.claude_code.sdk.agent import CLIENT_TOOL_NAMES, PermissionHook
from claude_openai.claude_code.sdk.calls import CallOutcome, ParkedCalls, can_be_delivered
from claude_openai.claude_code.sdk.messages import log_message, parse_message
from claude_openai.claude_code.sdk.transport import ChildTransport
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.json_mode import JsonModeReader
from claude_openai.claude_code.stream_json.launch import GenerationOptions
from claude_openai.claude_code.stream_json.messages import CliMessage, ToolResults
from claude_openai.claude_code.stream_json.reader import AnswerReader
from claude_openai.claude_code.stream_json.structured_output import MAX_SCHEMA_RETRIES, StructuredOutputReader
from claude_openai.claude_code.stream_json.transcript import handed, verbatim
from claude_openai.core.events import Activity, Event, TurnFailed, TurnFinished, TurnStarted, UsageReported
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.fingerprint import newest
from claude_openai.core.messages import Message, Text, ToolCall, ToolMessage, are_large
from claude_openai.core.ports import SessionStart
from claude_openai.core.tools import Toolbox
from claude_openai.core.turn import Turn
from claude_openai.system.threads import beside

log = structlog.get_logger(__name__)

SETTLE_TIMEOUT_SECONDS = 5.0
"""From the end of the answer to Claude Code's result: some ms by itself, 20 to 40 ms after an interrupt (measured)."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A started and initialised Claude Code. `thinks_again`: whether it can be told to think where it does not; `guard`
    is what it asks before it uses tools of its own, where it has any.
    """

    client: ClaudeSDKClient
    transport: ChildTransport
    child: Child
    start: SessionStart
    can_enable_thinking: bool = True
    permission_hook: PermissionHook | None = None


@dataclass(frozen=True, slots=True)
class RecyclePolicy:
    """When a process has served enough: after so many answers, or above so many resident bytes."""

    max_answers: int = 100
    max_resident_bytes: int = 500_000_000


class SdkSession:
    """Implements `core.ports.Session`. `max_mends` is how often the model may mend calls that do not fit.

    `started` is called when upstream has begun to answer; `allowed` is asked before the session goes on.
    """

    def __init__(
        self,
        running: RunningProcess,
        calls: ParkedCalls,
        turn: Turn,
        *,
        checks: Checks,
        max_mends: int,
        wear: RecyclePolicy,
        hand_over_timeout: float,
        started: Callable[[], object],
        allowed: Callable[[], bool],
    ) -> None:
        self._running = running
        self._calls = calls
        self._checks = checks
        self._drawing = GenerationOptions.of(turn)
        self._messages = _messages_of(running)
        self._toolbox = Toolbox(turn.tools)
        self._model = turn.model.id
        self._offered = frozenset(tool.name for tool in turn.tools)
        self._form = turn.reply_format
        self._max_mends = max_mends
        self._wear = wear
        self._started = started
        self._allowed = allowed
        self._hand_over_timeout = hand_over_timeout
        self._answers = 0
        self._spent_usd = 0.0
        self._waits = False
        self._mended = False
        self._uses: dict[str, Activity] = {}

    @property
    def start(self) -> SessionStart:
        """See `core.ports.Session.start`."""
        return self._running.start

    async def events(self) -> AsyncGenerator[Event, None]:
        """See `core.ports.Session.events`."""
        self._waits = False
        reader = self._reader()
        try:
            async for event in self._answer(reader):
                yield self._with_its_own_cost(event)
                if isinstance(event, TurnStarted):
                    self._started()
                if isinstance(event, TurnFailed):
                    return
            rest = await self._ending(reader)
        except ClaudeSDKError as error:
            log.error("sdk.error", stage="answer", error=describe_error(error))
            rest = []
        for event in rest or reader.abandoned(process_failure("ended unexpectedly")):
            yield self._with_its_own_cost(event)

    async def resume(self, turn: Turn) -> bool:
        """See `core.ports.Session.resume`."""
        new = newest(turn.messages)
        results = [message for message in new if isinstance(message, ToolMessage)]
        if not (self.is_resumable() and self._allowed() and all(map(can_be_delivered, results))):
            return False
        if not await self._configured(GenerationOptions.of(turn)):
            return False
        for result in results:
            self._calls.resolve(result.tool_call_id, CallOutcome(result.content))
        return bool(results) or await self._prompted(new)

    def is_resumable(self) -> bool:
        """See `core.ports.Session.is_resumable`."""
        return self._waits and self._running.child.is_running

    def should_recycle(self) -> bool:
        """See `core.ports.Session.should_recycle`."""
        return (
            self._answers >= self._wear.max_answers
            or self._running.child.resident_bytes() > self._wear.max_resident_bytes
        )

    async def wait_closed(self) -> None:
        """See `core.ports.Session.wait_closed`."""
        await self._running.child.wait_closed()

    def _reader(self) -> AnswerReader:
        if guard := self._running.permission_hook:
            agents = (self._model, CLIENT_TOOL_NAMES, guard.has_checked, self._uses, time.time)
            limited = self._drawing.sampling.max_tokens is not None
            if self._form is None:
                return AgentReader(*agents, limited=limited)
            if self._form.schema is None:
                return JsonModeAgentReader(*agents, limited=limited)
            return StructuredAgentReader(self._form.schema, *agents, mends=MAX_SCHEMA_RETRIES, limited=limited)
        chats = (self._model, self._offered, time.time)
        if self._form is None:
            return AnswerReader(*chats)
        if self._form.schema is None:
            return JsonModeReader(*chats)
        return StructuredOutputReader(self._form.schema, *chats, mends=MAX_SCHEMA_RETRIES)

    async def _answer(self, reader: AnswerReader) -> AsyncGenerator[Event, None]:
        """Up to the end of an answer that is complete, its calls fit for the client; or up to a last event."""
        mends = 0
        async for said in self._messages:
            events = await fed(reader, said, self._checks)
            if reader.done:
                self._answers += 1
                self._waits = reader.is_resumable and not self._mended
            for event in events:
                yield event
            if reader.done:
                return
            if reader.correction:
                complaint, reader.correction = reader.correction, None
                if not await self._tell(verbatim({"role": "user", "content": complaint})):
                    return
            if not reader.is_our_turn:
                continue
            problems = await self._problems(reader.calls)
            if not problems:
                return
            mends += 1
            if mends > self._max_mends:
                yield TurnFailed(_uncorrected_calls(problems, self._max_mends))
                return
            self._give_back(reader.calls, problems)
            self._mended = True
            reader.continue_answer()

    async def _ending(self, reader: AnswerReader) -> list[Event]:
        """The last events of an answer that is complete; nothing if Claude Code does not end it in time."""
        if reader.done:
            return []
        self._answers += 1
        if reader.calls:
            self._waits = reader.can_park
            return reader.park()
        if reader.must_be_stopped:
            self._running.child.kill()  # an interrupt would come after the next request
            return []
        with anyio.move_on_after(SETTLE_TIMEOUT_SECONDS):
            async for said in self._messages:
                if events := await fed(reader, said, self._checks):
                    # What was mended is still in Claude Code's memory, and was never in the client's.
                    self._waits = TurnFinished("stop") in events and not self._mended and reader.exact
                    return events
        return []

    async def _prompted(self, new: tuple[Message, ...]) -> bool:
        _, prompt = await beside(are_large(new), handed, new)
        return prompt is not None and await self._tell(prompt)

    async def _tell(self, line: bytes) -> bool:
        with anyio.move_on_after(self._hand_over_timeout), suppress(ClaudeSDKError):
            await self._running.transport.hand_over(line)
            return True
        return False

    async def _configured(self, drawing: GenerationOptions) -> bool:
        """Whether Claude Code's next request is drawn so: a forced choice, say, would be forced again."""
        if drawing == self._drawing:
            return True
        thinks = None if drawing.thinks == self._drawing.thinks else drawing.thinks
        if thinks and not self._running.can_enable_thinking:
            return False
        with anyio.move_on_after(SETTLE_TIMEOUT_SECONDS), suppress(ClaudeSDKError):
            self._drawing = drawing
            return await self._running.transport.configure(drawing, thinks=thinks)
        return False

    def _with_its_own_cost(self, event: Event) -> Event:
        """Claude Code's figure is that of the whole session."""
        if not isinstance(event, UsageReported) or event.cost_usd is None:
            return event
        spent, self._spent_usd = self._spent_usd, event.cost_usd
        return replace(event, cost_usd=event.cost_usd - spent)

    async def _problems(self, calls: list[ToolCall]) -> dict[str, str]:
        """Why calls do not fit, by their ids; upstream may have given several calls one."""
        problems: dict[str, str] = {}
        for call in calls:
            problem = await self._checks.call(self._toolbox, call)
            log.info("sdk.structured_tool_call", tool=call.name, call_id=call.id, valid=problem is None)
            if problem:
                problems[call.id] = problem
        return problems

    def _give_back(self, calls: list[ToolCall], problems: dict[str, str]) -> None:
        for call in calls:
            reason = problems.get(call.id) or "Not run, as another call of this message is invalid. Call again."
            self._calls.resolve(call.id, CallOutcome((Text(reason),), is_error=True))


async def _messages_of(running: RunningProcess) -> AsyncIterator[CliMessage]:
    """What Claude Code says, as far as it is about an answer."""
    async for message in running.client.receive_messages():
        log_message(message)
        if said := parse_message(message):
            if isinstance(said, ToolResults) and running.permission_hook:
                running.permission_hook.kept.note(said.results)
            yield said


def describe_error(error: BaseException) -> str:
    """What the log says of an error of the SDK's; a `ProcessError` tells what the process complained about."""
    return f"{type(error).__name__}: {error}"


def _uncorrected_calls(problems: dict[str, str], mends: int) -> Failure:
    return Failure(
        Kind.INVALID_TOOL_ARGUMENTS,
        f"The model called tools with invalid arguments and did not mend them in {mends} tries: "
        + " ".join(problems.values()),
    )
