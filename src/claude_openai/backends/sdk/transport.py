"""The SDK's transport over a child process that somebody else owns.

The SDK's own transport merges the child's environment over the server's, starts the child with what the options say
(a system prompt of 128 KiB at most, visible in `ps`), and reads lines of up to 1 MiB. Here all that is `process`'s.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from claude_agent_sdk import CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from claude_openai.backends.process import MAX_LINE_BYTES, Child


class ChildTransport(Transport):
    """Speaks to `child`."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._ready = False
        self._asked = 0
        self._answers: dict[str, anyio.Event] = {}

    async def connect(self) -> None:
        """The child runs already."""
        self._ready = True

    async def write(self, data: str) -> None:
        """Send one line.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        try:
            await self._child.send(data.encode())
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
        if code != 0 and not self._child.was_killed:
            raise ProcessError("Claude Code ended", exit_code=code, stderr=self._child.complaints())

    async def configure(self, environment: Mapping[str, str]) -> None:
        """Set variables of Claude Code from its next request on; the SDK has no method for this control request.

        A variable stays until it is set again: always send the full set, "" for what is not wanted.

        Raises:
            CLIConnectionError: the child reads no more.
        """
        self._asked += 1
        request_id = f"claude-openai-{self._asked}"
        answered = self._answers[request_id] = anyio.Event()
        request = {"subtype": "apply_flag_settings", "settings": {"env": dict(environment)}}
        await self.write(json.dumps({"type": "control_request", "request_id": request_id, "request": request}) + "\n")
        await answered.wait()

    def _is_for_us(self, message: Mapping[str, Any]) -> bool:
        if message.get("type") != "control_response":
            return False
        answered = self._answers.pop(message["response"].get("request_id"), None)
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


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise CLIJSONDecodeError(line[:200].decode(errors="replace"), error) from error
    return message
