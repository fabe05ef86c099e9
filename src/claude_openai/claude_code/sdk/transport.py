"""The SDK's transport over a child process that somebody else owns.

The SDK's own transport merges the child's environment over the server's, starts the child with what the options say
(a system prompt of 128 KiB at most, visible in `ps`), and reads lines of up to 1 MiB. Here all that is `process`'s.

A process that was started for nobody in particular is introduced to its conversation here: how its answers are to be
drawn goes first, and the SDK's own `initialize` request is completed on its way with instructions and tools.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from claude_agent_sdk import CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from claude_openai.claude_code.processes.child import MAX_LINE_BYTES, Child
from claude_openai.claude_code.stream_json.launch import GenerationOptions
from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema
from claude_openai.core.messages import LARGE_CHARACTERS
from claude_openai.system.threads import beside


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """What a waiting process is told of its conversation. `server` is the name of the MCP server that has its tools."""

    model: str
    generation: GenerationOptions
    instructions: str
    server: str | None

    def complete(self, line: str) -> str:
        """The SDK's `initialize` request with what it has no words for; what Claude Code takes there is measured."""
        message = json.loads(line)
        if self.instructions:
            message["request"]["systemPrompt"] = [self.instructions]
        if self.server:
            message["request"]["sdkMcpServers"] = [self.server]
        return json.dumps(message) + "\n"


class ChildTransport(Transport):
    """Speaks to `child`, which is introduced to its conversation first if it does not know it.

    It is told the `schema` that its answers must fit. One that is `gated` starts with the first line: in the same
    moment it has the SDK's `initialize` to read.
    """

    def __init__(
        self,
        child: Child,
        introduction: SessionSetup | None = None,
        *,
        schema: str | None = None,
        gated: bool = False,
    ) -> None:
        self._child = child
        self._introduction = introduction
        self._schema = schema
        self._gate = "\n" if gated else ""
        self._ready = False
        self._asked = 0
        self._answers: dict[str, anyio.Event] = {}
        self._answered = False
        self.refusal: str | None = None
        """Why Claude Code did not do what `configure` or the introduction asked for."""

    async def connect(self) -> None:
        """The child runs already.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        self._ready = True
        if told := self._introduction:
            await self._configure(told.generation, model=told.model, thinks=None if told.generation.thinks else False)

    async def write(self, data: str) -> None:
        """Send one line; the first one is the SDK's `initialize`.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        introduction, self._introduction = self._introduction, None
        schema, self._schema = self._schema, None
        gate, self._gate = self._gate, ""
        if introduction:
            data = await beside(len(introduction.instructions) > LARGE_CHARACTERS, introduction.complete, data)
        if schema:
            data = await beside(len(schema) > LARGE_CHARACTERS, _with_schema, data, schema)
        await self.hand_over((gate + data).encode())

    async def hand_over(self, line: bytes) -> None:
        """Send one line that is not the SDK's: it would encode a long prompt on the event loop.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        try:
            await self._child.send(line)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self._ready = False
            raise CLIConnectionError("Claude Code closed its input") from error

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """What Claude Code says, message by message, until it ends.

        Raises:
            ProcessError: it ended with an exit code other than 0.
            CLIJSONDecodeError: a line is no JSON, or too long.
        """
        try:
            async for line in self._child.lines():
                if not line.lstrip().startswith(b"{"):
                    continue  # some builds write diagnostics between the messages
                message = _parsed(line)
                if not self._is_for_us(message):
                    yield message
        except anyio.DelimiterNotFound as error:
            raise CLIJSONDecodeError(f"a line over {MAX_LINE_BYTES} bytes", error) from error
        self._ready = False
        code = await self._child.exit_code()
        if (code != 0 or not self._answered) and not self._child.was_killed:
            raise ProcessError("Claude Code ended", exit_code=code, stderr=self._child.stderr_tail())

    async def configure(self, drawing: GenerationOptions, *, thinks: bool | None) -> bool:
        """Draw answers so from Claude Code's next request on; `thinks` is None where that stays as it is.

        False where Claude Code refuses.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        for answered in await self._configure(drawing, thinks=thinks):
            await answered.wait()
        return self.refusal is None

    async def _configure(
        self, drawing: GenerationOptions, *, model: str | None = None, thinks: bool | None = None
    ) -> list[anyio.Event]:
        """Ask for it, by control requests that the SDK has no methods for; the events say when it is so.

        Claude Code carries them out one after the other, and before what is asked later (measured).
        """
        settings: dict[str, object] = {"env": dict(drawing.environment()), "effortLevel": drawing.effort}
        if model:
            settings["model"] = model
        asked = [await self._ask({"subtype": "apply_flag_settings", "settings": settings})]
        if thinks is not None:
            tokens = None if thinks else 0
            asked.append(await self._ask({"subtype": "set_max_thinking_tokens", "max_thinking_tokens": tokens}))
        return asked

    async def _ask(self, request: Mapping[str, object]) -> anyio.Event:
        self._asked += 1
        request_id = f"claude-openai-{self._asked}"
        answered = self._answers[request_id] = anyio.Event()
        asked = {"type": "control_request", "request_id": request_id, "request": request}
        await self.hand_over(json.dumps(asked).encode() + b"\n")
        return answered

    def _is_for_us(self, message: Mapping[str, Any]) -> bool:
        if message.get("type") != "control_response":
            return False
        self._answered = True
        answered = self._answers.pop(message["response"].get("request_id"), None)
        if answered and message["response"].get("subtype") == "error":
            self.refusal = str(message["response"].get("error"))
        if answered:
            answered.set()
        return answered is not None

    async def end_input(self) -> None:
        """Nothing: a conversation's input stays open until its process ends."""

    async def close(self) -> None:
        """Stop using the child; the block that owns it ends it."""
        self._ready = False

    def is_ready(self) -> bool:
        """Whether the child still talks."""
        return self._ready


def _with_schema(line: str, schema: str) -> str:
    message = json.loads(line)
    message["request"]["jsonSchema"] = to_draft7_schema(schema)
    return json.dumps(message) + "\n"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CLIJSONDecodeError(f"a line of {len(line)} bytes", error) from error
    return message
