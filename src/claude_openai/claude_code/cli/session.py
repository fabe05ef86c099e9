"""One answer of one `claude` process, read from its output. The block that made the session ends the process."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

import anyio
import structlog

from claude_openai.claude_code.cli.output import Output
from claude_openai.claude_code.processes.child import MAX_LINE_BYTES, Child
from claude_openai.claude_code.schema_checks.checks import Checks, feed_checked
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.json_mode import JsonModeReader
from claude_openai.claude_code.stream_json.messages import CliMessage, TurnResult
from claude_openai.claude_code.stream_json.parser import UnreadableMessage, log_message, parse_line, parse_message
from claude_openai.claude_code.stream_json.reader import AnswerReader
from claude_openai.claude_code.stream_json.structured_output import StructuredOutputReader
from claude_openai.claude_code.stream_json.transcript import verbatim
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.ports import SessionStart
from claude_openai.core.turn import Turn

log = structlog.get_logger(__name__)

END_TIMEOUT_SECONDS = 5.0
"""From the end of the answer to the result, and from there to the end of the process: some ms each (measured)."""


_TIMED_OUT = Failure(
    Kind.TIMEOUT,
    "Claude Code took longer for its answer than this server lets the claude command take (--process-timeout-ms).",
)


@dataclass(frozen=True, slots=True)
class RunningCli:
    """A started Claude Code that has its whole input. `output` is where its messages are stored.

    Its first message must come by `begins_by` and its result by `ends_by`, in the event loop's time. `served` or
    `failed` is called once, when it is known whether it started.
    """

    child: Child
    output: Output
    start: SessionStart
    begins_by: float
    ends_by: float
    served: Callable[[], None]
    failed: Callable[[], None]


class CliSession:
    """Implements `core.ports.Session` for one answer: it cannot be resumed."""

    def __init__(self, running: RunningCli, turn: Turn, checks: Checks) -> None:
        self._running = running
        self._checks = checks
        self._lines = running.child.lines()
        arguments = (turn.model.id, frozenset[str](), time.time)
        self._reader: AnswerReader
        if turn.reply_format is None:
            self._reader = AnswerReader(*arguments)
        elif turn.schema is None:
            self._reader = JsonModeReader(*arguments)
        else:
            self._reader = StructuredOutputReader(turn.schema, *arguments)
        self._began = False
        self._done = False

    @property
    def start(self) -> SessionStart:
        """See `core.ports.Session.start`."""
        return self._running.start

    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        """See `core.ports.Session.events`."""
        reader = self._reader
        try:
            while not (reader.done or (reader.complete and reader.must_be_stopped)):
                if (message := await self._next()) is None:
                    break
                if events := await feed_checked(reader, message, self._checks):
                    yield events
                if reader.correction:
                    correction, reader.correction = reader.correction, None
                    await self._running.child.send(verbatim({"role": "user", "content": correction}))
        except TimeoutError:
            log.error("sdk.error", stage="answer", error="Claude Code took too long", began=self._began)
            why = _TIMED_OUT
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            why = process_failure("ended unexpectedly")
        except (UnreadableMessage, anyio.DelimiterNotFound) as error:
            text = str(error) if isinstance(error, UnreadableMessage) else f"a line over {MAX_LINE_BYTES} bytes"
            log.error("sdk.error", stage="answer", error=text)
            why = process_failure("wrote something that this server cannot parse")
        else:
            why = process_failure("ended unexpectedly")
            child = self._running.child
            if reader.must_be_stopped:
                child.kill()  # an interrupt would come after the next request
            elif not reader.done:
                code, stderr = await child.exit_code(), child.stderr_tail()
                log.error("sdk.error", stage="answer", error="Claude Code ended", exit_code=code, stderr=stderr)
        if last := self._last_events(why):
            yield last

    async def resume(self, turn: Turn) -> bool:  # noqa: ARG002 -- the port's
        """See `core.ports.Session.resume`."""
        return False

    def is_resumable(self) -> bool:
        """See `core.ports.Session.is_resumable`."""
        return False

    def should_recycle(self) -> bool:
        """See `core.ports.Session.should_recycle`."""
        return True

    async def wait_closed(self) -> None:
        """See `core.ports.Session.wait_closed`."""
        await self._running.child.wait_closed()

    async def end_by_itself(self) -> None:
        """Let a process that is done end by itself, so that all its output is stored; some 35 ms (measured)."""
        if self._done:
            with anyio.move_on_after(END_TIMEOUT_SECONDS):
                await self._running.child.end_input()
                async for line in self._lines:
                    self._running.output.line(line)
                await self._running.child.wait_closed()

    async def _next(self) -> CliMessage | None:
        """Read and store Claude Code's next message; None where its output ends.

        Raises:
            TimeoutError: no message came in time.
            UnreadableMessage, anyio.DelimiterNotFound: the message cannot be parsed.
        """
        while True:
            now, by = anyio.current_time(), self._running.ends_by
            if not self._began:
                by = min(by, self._running.begins_by)
            if self._reader.complete:
                by = min(by, now + END_TIMEOUT_SECONDS)
            with anyio.fail_after(max(0.0, by - now)):
                line = await anext(self._lines, None)
            if line is None:
                return None
            self._running.output.line(line)
            if raw := parse_line(line):
                log_message(raw)
                if message := parse_message(raw):
                    if not self._began:
                        self._began = True
                        self._running.served()
                    self._done = isinstance(message, TurnResult)
                    return message

    def _last_events(self, why: Failure) -> list[Event]:
        """Return the last events where Claude Code sent no result; none where it did."""
        ends_first = self._running.ends_by <= self._running.begins_by
        if not self._began:
            self._running.failed()
        if why is _TIMED_OUT and (self._began or ends_first) and not self._reader.complete:
            return [TurnFailed(why)]
        return self._reader.abandoned(why if self._began else process_failure("could not be started"))
