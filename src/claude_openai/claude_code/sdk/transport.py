"""The SDK's transport over a child process that the caller owns.

The SDK's own transport merges the child's environment over the server's, starts the child with the options on its
command line (a system prompt of 128 KiB at most, visible in `ps`), and reads lines of up to 1 MiB. Here the caller
starts the child (`processes.child`), without these limits.

The SDK gets the messages of the control protocol only: `initialize`, hooks, the client's tools. Those of the answer go
to `receive`, which parses no message twice and wakes its reader once for all that have come.

A warm process gets its conversation here: the generation options go first, and the SDK's own `initialize` request is
completed with the instructions and the tools. A history goes another way at the same time (`processes.late_history`).
"""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from claude_agent_sdk import ClaudeSDKError, CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from claude_openai.claude_code.processes.child import MAX_LINE_BYTES, Child
from claude_openai.claude_code.stream_json.launch import GenerationOptions
from claude_openai.claude_code.stream_json.parser import RawMessage
from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema
from claude_openai.core.messages import LARGE_CHARACTERS
from claude_openai.jsontools.incremental import decode, encode
from claude_openai.system.threads import in_thread_if

MAX_UNREAD = 256
"""Messages that wait to be received before no more are read: a client that reads slowly slows Claude Code down."""


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """The conversation for a warm process. `server` is the name of the MCP server with the client's tools."""

    model: str
    generation: GenerationOptions
    instructions: str
    server: str | None


class ChildTransport(Transport):
    """Sends and receives the messages of `child`. `setup` is the conversation of a warm process, `schema` that of its
    answers; `tools` is the JSON that answers Claude Code's request for the client's tools.

    A `gated` process starts with the first line, and can read the SDK's `initialize` at the same moment. `send_history`
    is called with the first line: until it has the history, the process may not read a line that the pipe cannot hold.
    """

    def __init__(
        self,
        child: Child,
        setup: SessionSetup | None = None,
        *,
        schema: str | None = None,
        tools: str = "",
        gated: bool = False,
        send_history: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._child = child
        self._setup = setup
        self._schema = schema
        self._tools = tools
        self._gate = "\n" if gated else ""
        self._send_history = send_history
        self._ready = False
        self._requests = 0
        self._pending: dict[str, anyio.Event] = {}
        self._has_replied = False
        self._unread = deque[RawMessage]()
        self._ended = False
        self._error: ClaudeSDKError | None = None
        self._has_come = anyio.Event()
        self._has_room = anyio.Event()
        self.refusal: str | None = None
        """The reason why Claude Code refused the options of `configure` or of the setup."""

    async def connect(self) -> None:
        """Send the options of the setup; the child runs already.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        self._ready = True
        if setup := self._setup:
            thinks = None if setup.generation.thinks else False
            await self._configure(setup.generation, model=setup.model, thinks=thinks)

    async def write(self, data: str) -> None:
        """Send one line; the first one is the SDK's `initialize`.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        setup, self._setup = self._setup, None
        schema, self._schema = self._schema, None
        gate, self._gate = self._gate, ""
        if setup or schema:
            characters = len(setup.instructions if setup else "") + len(schema or "")
            data = await in_thread_if(characters > LARGE_CHARACTERS, _completed, data, setup, schema)
        send_history, self._send_history = self._send_history, None
        if send_history is None:
            await self.hand_over((gate + data).encode())
            return
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(send_history)
                await self.hand_over((gate + data).encode())
        except* (OSError, CLIConnectionError) as errors:
            raise CLIConnectionError("Claude Code did not read its history") from errors

    async def hand_over(self, line: bytes | bytearray) -> None:
        """Send one line as it is. The SDK would encode a long prompt on the event loop.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        try:
            await self._child.send(line)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self._ready = False
            raise CLIConnectionError("Claude Code closed its input") from error

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield Claude Code's control messages, until its output ends; the others can be received meanwhile.

        Raises:
            ProcessError: Claude Code ended with an exit code other than 0.
            CLIJSONDecodeError: a line is not JSON, or too long.
        """
        try:
            async for line in self._child.lines():
                if not line.lstrip().startswith(b"{"):
                    continue  # some builds write diagnostics between the messages
                try:
                    if len(line) > LARGE_CHARACTERS:
                        message: dict[str, Any] = await in_thread_if(True, lambda line: decode(line.decode()), line)
                    else:
                        message = json.loads(line.decode())
                except ValueError as error:
                    raise CLIJSONDecodeError(f"a line of {len(line)} bytes", error) from error
                match message.get("type"):
                    case "control_request" if self._tools and (listing := _listing_request(message)):
                        await self.hand_over(
                            await in_thread_if(len(self._tools) > LARGE_CHARACTERS, listing, self._tools)
                        )
                    case "control_response" if self._takes_reply(message):
                        pass
                    case "control_request" | "control_response" | "control_cancel_request":
                        yield message
                    case _:
                        self._unread.append(message)
                        self._has_come.set()
                        if len(self._unread) >= MAX_UNREAD:
                            self._has_room = anyio.Event()
                            await self._has_room.wait()
            self._ready = False
            code = await self._child.exit_code()
            if (code != 0 or not self._has_replied) and not self._child.was_killed:
                raise ProcessError("Claude Code ended", exit_code=code, stderr=self._child.stderr_tail())
        except anyio.DelimiterNotFound as error:
            self._error = CLIJSONDecodeError(f"a line over {MAX_LINE_BYTES} bytes", error)
            raise self._error from error
        except ClaudeSDKError as error:
            self._error = error
            raise
        finally:
            self._ended = True
            self._has_come.set()

    @property
    def unread(self) -> int:
        """The number of messages that `receive` returns at once."""
        return len(self._unread)

    async def receive(self) -> RawMessage | None:
        """Return Claude Code's next message that is no control message; None where its output has ended.

        Raises:
            ProcessError, CLIJSONDecodeError: see `read_messages`.
        """
        while not self._unread:
            if self._error:
                raise self._error
            if self._ended:
                return None
            self._has_come = anyio.Event()
            await self._has_come.wait()
        if len(self._unread) == MAX_UNREAD // 2:
            self._has_room.set()
        return self._unread.popleft()

    async def configure(self, options: GenerationOptions, *, thinks: bool | None) -> bool:
        """Apply `options` from Claude Code's next request on; `thinks` is None where that does not change.

        False where Claude Code refuses.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        for replied in await self._configure(options, thinks=thinks):
            await replied.wait()
        return self.refusal is None

    async def apply_settings(self, settings: Mapping[str, object]) -> bool:
        """Apply `settings` on top of those from the start, until the process ends. False where Claude Code refuses.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        replied = await self._request({"subtype": "apply_flag_settings", "settings": settings})
        await replied.wait()
        return self.refusal is None

    async def _configure(
        self, options: GenerationOptions, *, model: str | None = None, thinks: bool | None = None
    ) -> list[anyio.Event]:
        """Send control requests that the SDK has no methods for; each event is set by the reply to one.

        Claude Code carries them out in order, and before later requests (measured).
        """
        settings: dict[str, object] = {"env": dict(options.environment()), "effortLevel": options.effort}
        if model:
            settings["model"] = model
        replies = [await self._request({"subtype": "apply_flag_settings", "settings": settings})]
        if thinks is not None:
            tokens = None if thinks else 0
            replies.append(await self._request({"subtype": "set_max_thinking_tokens", "max_thinking_tokens": tokens}))
        return replies

    async def _request(self, request: Mapping[str, object]) -> anyio.Event:
        self._requests += 1
        request_id = f"claude-openai-{self._requests}"
        replied = self._pending[request_id] = anyio.Event()
        message = {"type": "control_request", "request_id": request_id, "request": request}
        await self.hand_over(json.dumps(message).encode() + b"\n")
        return replied

    def _takes_reply(self, message: Mapping[str, Any]) -> bool:
        """Take a reply to a request of `_request`. False where the SDK made the request."""
        self._has_replied = True
        replied = self._pending.pop(message["response"].get("request_id"), None)
        if replied and message["response"].get("subtype") == "error":
            self.refusal = str(message["response"].get("error"))
        if replied:
            replied.set()
        return replied is not None

    async def end_input(self) -> None:
        """Do nothing: a conversation's input stays open until its process ends."""

    async def close(self) -> None:
        """Stop using the child; the block that owns it ends it."""
        self._ready = False

    def is_ready(self) -> bool:
        """Whether the child still reads and writes."""
        return self._ready


def _completed(line: str, setup: SessionSetup | None, schema: str | None) -> str:
    """Add fields to the SDK's `initialize` request that the SDK has no options for (measured)."""
    message = json.loads(line)
    if setup and setup.instructions:
        message["request"]["systemPrompt"] = [setup.instructions]
    if setup and setup.server:
        message["request"]["sdkMcpServers"] = [setup.server]
    if schema:
        message["request"]["jsonSchema"] = to_draft7_schema(schema)
    return encode(message) + "\n"


def _listing_request(message: Mapping[str, Any]) -> Callable[[str], bytes] | None:
    """Return a function that encodes the answer from the JSON of the tools; None if `message` is no request for it."""
    match message:
        case {
            "type": "control_request",
            "request_id": request_id,
            "request": {"subtype": "mcp_message", "message": {"method": "tools/list", "id": call_id}},
        }:
            head = {"subtype": "success", "request_id": request_id}
            begin = f'{{"type": "control_response", "response": {json.dumps(head)[:-1]}, "response": {{"mcp_response": '
            begin += f'{{"jsonrpc": "2.0", "id": {json.dumps(call_id)}, "result": '
            return lambda tools: f"{begin}{tools}}}}}}}}}\n".encode()
        case _:
            return None
