"""An MCP server in this process for the client's tools. A call waits until a later request has its result.

Claude Code requests each call of the model from this server; the client runs it, and sends the result with a later
request. Calls are keyed by upstream's id, which Claude Code passes along.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import anyio
from mcp.server import Server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    TextContent,
)

from claude_openai import __version__
from claude_openai.claude_code.sdk.command import SERVER
from claude_openai.core import tools as core
from claude_openai.core.messages import Block, Image, Text, ToolMessage
from claude_openai.jsontools.incremental import decode, encode

MAX_RESULT_CHARACTERS = 500_000
"""Claude Code's ceiling: it would write a longer result to a file and show the model a summary (measured)."""

_CALL_ID = "claudecode/toolUseId"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The outcome of a call: the client's result, or the reason why the client never got the call."""

    content: tuple[Block, ...]
    is_error: bool = False


class ParkedCalls:
    """The calls of one session. An outcome may come before Claude Code requests the call, or long after."""

    def __init__(self, offered: Iterable[core.Tool]) -> None:
        self._offered = tuple(offered)
        self._outcomes: dict[str, list[CallOutcome]] = {}
        self._given = anyio.Event()
        listed = [
            {
                "name": tool.name,
                # With a space in each empty line: under `CLAUDE_CODE_SIMPLE` Claude Code shows the model the first
                # paragraph only.
                "description": tool.description.replace("\n\n", "\n \n").replace("\n\n", "\n \n"),
                "inputSchema": decode(tool.schema),
                # Without the hint Claude Code requests one call after the other; their results come together anyway.
                "annotations": {"readOnlyHint": True},
                "_meta": {"anthropic/maxResultSizeChars": MAX_RESULT_CHARACTERS},
            }
            for tool in self._offered
        ]
        self.listed = encode({"tools": listed})
        """The JSON of the answer to `tools/list`, encoded in the thread that makes this object: the SDK would encode a
        long list on the event loop, in one step."""

    @property
    def any(self) -> bool:
        """Whether there are tools at all."""
        return bool(self._offered)

    def server(self) -> Server[None]:
        """Create the MCP server for the SDK. `ChildTransport` answers its `tools/list` with `listed`."""
        return Server(SERVER, version=__version__, on_list_tools=self._list, on_call_tool=self._call)

    def resolve(self, call_id: str, outcome: CallOutcome) -> None:
        """End the call `call_id` with `outcome`; where several calls have that id, the next one."""
        self._outcomes.setdefault(call_id, []).append(outcome)
        given, self._given = self._given, anyio.Event()
        given.set()

    async def _list(self, *_: object) -> ListToolsResult:
        return ListToolsResult.model_validate_json(self.listed)

    async def _call(self, _: object, params: CallToolRequestParams) -> CallToolResult:
        call_id = str(dict(params.meta or {})[_CALL_ID])
        while not self._outcomes.get(call_id):
            await self._given.wait()
        outcome = self._outcomes[call_id].pop(0)
        content: list[ContentBlock] = []
        for block in outcome.content:
            match block:
                case Text(text):
                    content.append(TextContent(text=text))
                case Image(media_type, data):
                    content.append(ImageContent(data=data, mime_type=media_type))
                case _:
                    raise AssertionError(block)  # can_be_delivered() has excluded it
        return CallToolResult(content=content, is_error=outcome.is_error)


def can_be_delivered(result: ToolMessage) -> bool:
    """Whether a waiting call can end with `result`: it has only text that is not too long, and images."""
    size = sum(len(block.text) for block in result.content if isinstance(block, Text))
    return size <= MAX_RESULT_CHARACTERS and all(isinstance(block, Text | Image) for block in result.content)
