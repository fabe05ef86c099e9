"""Checks the model's answers and calls against the client's schemas, in bounded time.

Most checks take a millisecond and run on the event loop. A worker process runs a check that is large, takes longer than
that, or has a pattern that may take longer; the worker is killed when it takes too long. The check is then repeated
without the schema's patterns, the likeliest reason. If that also takes too long, the value passes, and a warning is
logged.
"""

import json
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.lowlevel
import structlog

from claude_openai.claude_code.processes.child import Child, child_process, module_command
from claude_openai.claude_code.stream_json.messages import CliMessage, TurnResult
from claude_openai.claude_code.stream_json.reader import AnswerReader
from claude_openai.core.events import Event
from claude_openai.core.messages import ToolCall
from claude_openai.core.tool_call_checks import Toolbox
from claude_openai.jsontools.incremental import encode_line
from claude_openai.jsontools.schema import Patterns, answer_fault
from claude_openai.jsontools.work_limit import TooMuch, bounded
from claude_openai.system.threads import in_thread_if

log = structlog.get_logger(__name__)

INLINE_SECONDS: Final = 0.01
"""The longest check on the event loop; a longer one would delay the streams of other clients."""

INLINE_CHARACTERS: Final = 32 * 1024
"""The most characters of schema and value together for a check on the event loop: the time is checked only between two
keywords, and one keyword may compare the whole value."""

WORKER: Final = "claude_openai.claude_code.schema_checks.worker"
WORKERS: Final = 2
IDLE_SECONDS: Final = 60.0
"""How long a worker waits for the next check: its start takes 0.3 s, and it occupies 30 MB (measured)."""

CHECK_SECONDS: Final = 10.0
"""The time for one try by a worker, its start and the wait for it included. On an idle machine a try ends after the 2 s
of processor time that a worker has; this bound is for a busy machine."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The result of a check: why the value does not fit, in words for the model, or None where it fits."""

    reason: str | None


@dataclass(eq=False, slots=True)
class _Job:
    """A check for a worker: the line that it gets, and its result. It is skipped unless `wanted`."""

    line: bytearray
    done: anyio.Event = field(default_factory=anyio.Event)
    found: Fault | None = None
    wanted: bool = True


class Checks:
    """Checks values against schemas that have passed `jsontools.schema.check_schema`. A worker is started when it is
    needed; all end with `run`. `valid_calls` and `invalid_calls` count the results of `call`.
    """

    def __init__(self) -> None:
        self.valid_calls = self.invalid_calls = 0
        self._waiting: deque[_Job] = deque()
        self._asked = anyio.Semaphore(0)

    async def run(self) -> None:
        """Run the workers, until cancelled."""
        async with anyio.create_task_group() as group:
            for _ in range(WORKERS):
                group.start_soon(self._work)

    async def call(self, toolbox: Toolbox, call: ToolCall) -> str | None:
        """Return why a call does not fit its tool's schema, as text for the model; None if it does. The check runs in a
        worker process where it takes long.
        """
        schema = toolbox.schema(call.name) or ""
        problem = await self._fault(
            partial(toolbox.problem, call.name, call.arguments), call.name, schema, call.arguments
        )
        if problem is None:
            self.valid_calls += 1
        else:
            self.invalid_calls += 1
        return problem

    async def answer(self, schema: str, answer: str) -> str | None:
        """Return why an answer does not fit `schema`, as text for the model; None if it does. See `call`."""
        return await self._fault(partial(answer_fault, schema, answer), None, schema, answer)

    async def _fault(
        self, here: Callable[[Patterns], str | None], call: str | None, schema: str, value: str
    ) -> str | None:
        """Run the check `here` on the event loop, or else by a worker."""
        await anyio.lowlevel.checkpoint()  # between many checks of one message
        ends_at = time.monotonic() + INLINE_SECONDS

        def out_of_time() -> None:
            if time.monotonic() > ends_at:
                raise TooMuch

        if not schema or len(schema) + len(value) <= INLINE_CHARACTERS:
            try:
                with bounded(out_of_time):
                    return here("quick")
            except TooMuch:
                pass
        for patterns in ("all", "none"):
            check = {"call": call, "schema": schema, "value": value, "patterns": patterns}
            job = _Job(await in_thread_if(len(schema) + len(value) > INLINE_CHARACTERS, encode_line, check))
            self._waiting.append(job)
            self._asked.release()
            try:
                with anyio.move_on_after(CHECK_SECONDS):
                    await job.done.wait()
            finally:
                job.wanted = False
            if job.found:
                return job.found.reason
            log.warning("schema.unchecked", tool=call, without="patterns" if patterns == "all" else "everything")
        return None

    async def _next(self) -> _Job:
        while True:
            await self._asked.acquire()
            job = self._waiting.popleft()
            if job.wanted:
                return job

    async def _work(self) -> None:
        while True:
            job: _Job | None = await self._next()
            try:
                async with child_process(module_command(WORKER, stderr=Path(os.devnull))) as child:
                    while job and await _run_job(job, child):
                        job = None
                        with anyio.move_on_after(IDLE_SECONDS):
                            job = await self._next()
            except OSError as error:
                log.error("schema.worker_failed", error=str(error))
            finally:
                if job:
                    job.done.set()


async def feed_checked(reader: AnswerReader, message: CliMessage, checks: Checks) -> list[Event]:
    """Feed `message` to `reader` and return the events; an answer that must fit a schema is checked first."""
    if isinstance(message, TurnResult) and (unchecked := reader.unchecked_answer(message)):
        reader.fault = await checks.answer(*unchecked)
    return reader.feed(message)


async def _run_job(job: _Job, child: Child) -> bool:
    """Let the worker `child` do `job`. False where it does not in time, and must end."""
    with anyio.move_on_after(CHECK_SECONDS), suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await child.send(job.line)
        async for line in child.lines():
            job.found = Fault(json.loads(line))
            job.done.set()
            return True
    return False
