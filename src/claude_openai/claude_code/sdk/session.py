"""One conversation with a running Claude Code: it answers, waits for the next request, and is resumed.

The session checks the model's calls against their schemas. All calls of a message either go to the client, or return to
the model as errors that it can correct. The block that made the session ends its process.
"""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio
import structlog
from claude_agent_sdk import ClaudeSDKClient, ClaudeSDKError

from claude_openai.claude_code.agent.reader import AgentReader, JsonModeAgentReader, StructuredAgentReader
from claude_openai.claude_code.processes.child import Child
from claude_openai.claude_code.schema_checks.checks import Checks, feed_checked
from claude_openai.claude_code.sdk.agent import CLIENT_TOOL_NAMES, PermissionHook
from claude_openai.claude_code.sdk.parked_calls import CallOutcome, ParkedCalls, can_be_delivered
from claude_openai.claude_code.sdk.transport import ChildTransport
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.json_mode import JsonModeReader
from claude_openai.claude_code.stream_json.launch import GenerationOptions
from claude_openai.claude_code.stream_json.messages import ToolResults, TurnResult
from claude_openai.claude_code.stream_json.parser import RawMessage, UnreadableMessage, log_message, parse_message
from claude_openai.claude_code.stream_json.reader import LONGEST_CORRECTED, TOO_LONG, AnswerReader
from claude_openai.claude_code.stream_json.structured_output import MAX_SCHEMA_RETRIES, StructuredOutputReader
from claude_openai.claude_code.stream_json.transcript import history_and_prompt, verbatim
from claude_openai.core.events import Activity, Event, TurnFailed, TurnFinished, TurnStarted, UsageReported
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.fingerprint import newest
from claude_openai.core.messages import Text, ToolCall, ToolMessage, are_large
from claude_openai.core.ports import SessionStart
from claude_openai.core.tool_call_checks import Toolbox
from claude_openai.core.turn import Turn
from claude_openai.system.threads import in_thread_if

log = structlog.get_logger(__name__)

END_TIMEOUT_SECONDS = 5.0
"""From the end of the answer to Claude Code's result: some ms by itself, 20 to 40 ms after an interrupt (measured)."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A started and initialised Claude Code. `can_enable_thinking`: whether thinking can be switched on later;
    `permission_hook` checks the uses of an agent's tools.
    """

    client: ClaudeSDKClient
    transport: ChildTransport
    child: Child
    start: SessionStart
    can_enable_thinking: bool = True
    permission_hook: PermissionHook | None = None


@dataclass(frozen=True, slots=True)
class RecyclePolicy:
    """When a process is replaced: after so many answers, or above so many resident bytes."""

    max_answers: int = 100
    max_resident_bytes: int = 500_000_000


class SdkSession:
    """Implements `core.ports.Session`. `max_corrections` is how often the model may correct calls that do not fit.

    `on_started` is called when upstream has begun to answer; `may_resume` before the session is resumed.
    """

    def __init__(
        self,
        running: RunningProcess,
        calls: ParkedCalls,
        turn: Turn,
        *,
        checks: Checks,
        max_corrections: int,
        recycle_policy: RecyclePolicy,
        hand_over_timeout: float,
        on_started: Callable[[], object],
        may_resume: Callable[[], bool],
    ) -> None:
        self._running = running
        self._calls = calls
        self._checks = checks
        self._options = GenerationOptions.of(turn)
        self._toolbox = Toolbox(turn.tools)
        self._model = turn.model.id
        self._offered = frozenset(tool.name for tool in turn.tools)
        self._reply_format = turn.reply_format
        self._max_corrections = max_corrections
        self._recycle_policy = recycle_policy
        self._on_started = on_started
        self._may_resume = may_resume
        self._hand_over_timeout = hand_over_timeout
        self._answers = 0
        self._spent_usd = 0.0
        self._resumable = False
        self._was_corrected = False
        self._uses: dict[str, Activity] = {}

    @property
    def start(self) -> SessionStart:
        """See `core.ports.Session.start`."""
        return self._running.start

    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        """See `core.ports.Session.events`."""
        self._resumable = False
        transport = self._running.transport
        reader, corrections = self._reader(), 0
        ready: list[Event] = []
        try:
            while True:
                if ready and (reader.correction or not transport.unread):
                    yield ready  # before a correction, as the reader may end the session: streamed text stays sent
                    ready = []
                if reader.correction:
                    correction, reader.correction = reader.correction, None
                    if not await self._send(verbatim({"role": "user", "content": correction})):
                        break
                received = await transport.receive()
                if received is None:
                    break
                events = await self._feed(reader, received)
                if isinstance(events[0] if events else None, TurnStarted):
                    self._on_started()
                ready += events
                if reader.done:
                    self._answers += 1
                    self._resumable = reader.is_resumable and not self._was_corrected
                    yield ready
                    return
                if not (reader.complete and reader.server_must_act):
                    continue
                if ready:
                    yield ready
                    ready = []
                problems = await self._problems(reader.calls)
                if not problems:
                    break
                corrections += 1
                is_too_long = sum(len(call.arguments) for call in reader.calls) > LONGEST_CORRECTED
                if is_too_long or corrections > self._max_corrections:
                    why = TOO_LONG if is_too_long else f"it did not mend them in {self._max_corrections} tries"
                    message = f"The model called tools with invalid arguments, and {why}: {' '.join(problems.values())}"
                    yield [TurnFailed(Failure(Kind.INVALID_TOOL_ARGUMENTS, message))]
                    return
                self._return_as_errors(reader, problems)
            rest = await self._last_events(reader)
        except (ClaudeSDKError, UnreadableMessage) as error:
            log.error("sdk.error", stage="answer", error=describe_error(error))
            rest = []
        if rest := [*ready, *(rest or reader.abandoned(process_failure("ended unexpectedly")))]:
            yield rest

    async def resume(self, turn: Turn) -> bool:
        """See `core.ports.Session.resume`."""
        new = newest(turn.messages)
        results = [message for message in new if isinstance(message, ToolMessage)]
        if not (self.is_resumable() and self._may_resume() and all(map(can_be_delivered, results))):
            return False
        if not await self._configured(GenerationOptions.of(turn)):
            return False
        for result in results:
            self._calls.resolve(result.tool_call_id, CallOutcome(result.content))
        if results:
            return True
        _, prompt = await in_thread_if(are_large(new), history_and_prompt, new)
        return prompt is not None and await self._send(prompt)

    def is_resumable(self) -> bool:
        """See `core.ports.Session.is_resumable`."""
        return self._resumable and self._running.child.is_running

    def should_recycle(self) -> bool:
        """See `core.ports.Session.should_recycle`."""
        policy = self._recycle_policy
        return self._answers >= policy.max_answers or self._running.child.resident_bytes() > policy.max_resident_bytes

    async def wait_closed(self) -> None:
        """See `core.ports.Session.wait_closed`."""
        await self._running.child.wait_closed()

    def _reader(self) -> AnswerReader:
        form, retries = self._reply_format, MAX_SCHEMA_RETRIES
        if hook := self._running.permission_hook:
            agent = (self._model, CLIENT_TOOL_NAMES, hook.has_checked, self._uses, time.time)
            limited = self._options.sampling.max_tokens is not None
            if form is None:
                return AgentReader(*agent, limited=limited)
            if form.schema is None:
                return JsonModeAgentReader(*agent, limited=limited)
            return StructuredAgentReader(form.schema, *agent, corrections=retries, limited=limited)
        chat = (self._model, self._offered, time.time)
        if form is None:
            return AnswerReader(*chat)
        if form.schema is None:
            return JsonModeReader(*chat)
        return StructuredOutputReader(form.schema, *chat, corrections=retries)

    async def _feed(self, reader: AnswerReader, message: RawMessage) -> list[Event]:
        """Log and parse a message, and return its events. While an answer streams, this runs for every token."""
        log_message(message)
        parsed = parse_message(message)
        if parsed is None:
            return []
        if isinstance(parsed, ToolResults) and self._running.permission_hook:
            self._running.permission_hook.note_results(parsed)
        events = await feed_checked(reader, parsed, self._checks)
        if isinstance(parsed, TurnResult):
            for index, event in enumerate(events):
                if isinstance(event, UsageReported) and event.cost_usd is not None:
                    # Claude Code reports the cost of the whole session; the event has the cost of this turn.
                    spent, self._spent_usd = self._spent_usd, event.cost_usd
                    events[index] = replace(event, cost_usd=event.cost_usd - spent)
        return events

    async def _last_events(self, reader: AnswerReader) -> list[Event]:
        """Return the last events of a complete answer; none if Claude Code does not end it in time."""
        if reader.done:
            return []
        self._answers += 1
        if reader.calls:
            self._resumable = reader.can_park
            return reader.park()
        if reader.must_be_stopped:
            self._running.child.kill()  # an interrupt would come after the next request
            return []
        with anyio.move_on_after(END_TIMEOUT_SECONDS):
            while message := await self._running.transport.receive():
                if events := await self._feed(reader, message):
                    # Claude Code's history has the calls that were corrected; the client's history does not.
                    self._resumable = TurnFinished("stop") in events and not self._was_corrected and reader.exact
                    return events
        return []

    async def _send(self, line: bytes | bytearray) -> bool:
        """Write a line to Claude Code's input. False where Claude Code does not read it in time."""
        with anyio.move_on_after(self._hand_over_timeout), suppress(ClaudeSDKError):
            await self._running.transport.hand_over(line)
            return True
        return False

    async def _configured(self, options: GenerationOptions) -> bool:
        """Apply `options` from the next request on: otherwise a forced tool choice, for example, would be forced again.
        False where Claude Code cannot apply them.
        """
        if options == self._options:
            return True
        thinks = None if options.thinks == self._options.thinks else options.thinks
        if thinks and not self._running.can_enable_thinking:
            return False
        with anyio.move_on_after(END_TIMEOUT_SECONDS), suppress(ClaudeSDKError):
            self._options = options
            return await self._running.transport.configure(options, thinks=thinks)
        return False

    async def _problems(self, calls: list[ToolCall]) -> dict[str, str]:
        """Return why calls do not fit their schemas, by call id; several calls may have the same id."""
        problems: dict[str, str] = {}
        for call in calls:
            problem = await self._checks.call(self._toolbox, call)
            log.info("sdk.structured_tool_call", tool=call.name, call_id=call.id, valid=problem is None)
            if problem:
                problems[call.id] = problem
        return problems

    def _return_as_errors(self, reader: AnswerReader, problems: dict[str, str]) -> None:
        for call in reader.calls:
            reason = problems.get(call.id) or "Not run, as another call of this message is invalid. Call again."
            self._calls.resolve(call.id, CallOutcome((Text(reason),), is_error=True))
        self._was_corrected = True
        reader.continue_answer()


def describe_error(error: BaseException) -> str:
    """Describe an error of the SDK for the log; the text of a `ProcessError` has the process's stderr."""
    said = "no answer in time" if isinstance(error, TimeoutError) and not str(error) else error
    return f"{type(error).__name__}: {said}"
