"""The SDK's transport over a child process that somebody else owns.

The SDK's own transport merges the child's environment over the server's, starts the child with what the options say
(a system prompt of 128 KiB at most, visible in `ps`), and reads lines of up to 1 MiB. Here all that is `process`'s.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
from claude_agent_sdk import CLIConnectionError, CLIJSONDecodeError, ProcessError, Transport

from claude_openai.backends.process import MAX_LINE_BYTES, Child


class ChildTransport(Transport):
    """Speaks to `child`."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._ready = False

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
                if line.lstrip().startswith(b"{"):  # some builds write diagnostics between the messages
                    yield _parsed(line)
        except anyio.DelimiterNotFound as error:
            raise CLIJSONDecodeError(f"a line over {MAX_LINE_BYTES} bytes", error) from error
        self._ready = False
        code = await self._child.exit_code()
        if code != 0:
            raise ProcessError("Claude Code ended", exit_code=code, stderr=self._child.complaints())

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
