"""The client's tools as an MCP server in this process, whose calls wait until a later request has their results.

Claude Code asks this server to run what the model called; the answer is the client's, and comes with a later request.
Calls are keyed by the id upstream gave them, which Claude Code passes along.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import anyio
from mcp.server import Server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ImageContent,
    ListToolsResult,
    TextContent,
)

from claude_openai import __version__
from claude_openai.core import tools as core
from claude_openai.core.messages import Block, Image, Text, ToolMessage
from claude_openai.jsontools.incremental import decode, encode

SERVER = "client"
"""The server's name; the model sees the tools without it (`CLAUDE_AGENT_SDK_MCP_NO_PREFIX`)."""

MAX_RESULT_CHARACTERS = 500_000
"""Claude Code's ceiling: it would write a longer result to a file and show the model a summary (measured)."""

_CALL_ID = "claudecode/toolUseId"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a call came to: the client's result, or why it was never handed to the client."""

    content: tuple[Block, ...]
    is_error: bool = False


class ParkedCalls:
    """The calls of one session. Outcomes may be given before Claude Code asks for them, or long after."""

    def __init__(self, offered: Iterable[core.Tool]) -> None:
        self._offered = tuple(offered)
        self.listed = _listed(self._offered)
        self._outcomes: dict[str, list[CallOutcome]] = {}
        self._given = anyio.Event()

    @property
    def any(self) -> bool:
        """Whether there are tools at all."""
        return bool(self._offered)

    def server(self) -> Server[None]:
        """The MCP server to give the SDK. `ChildTransport` answers the request for its list of tools with `listed`."""
        return Server(SERVER, version=__version__, on_list_tools=self._list, on_call_tool=self._call)

    def resolve(self, call_id: str, outcome: CallOutcome) -> None:
        """Let the call `call_id` end with `outcome`; of several with that id, the next."""
        self._outcomes.setdefault(call_id, []).append(outcome)
        given, self._given = self._given, anyio.Event()
        given.set()

    async def _list(self, *_: object) -> ListToolsResult:
        return ListToolsResult.model_validate_json(self.listed)

    async def _call(self, _: object, params: CallToolRequestParams) -> CallToolResult:
        call_id = str(dict(params.meta or {})[_CALL_ID])
        while not self._outcomes.get(call_id):
            await self._given.wait()
        return _result(self._outcomes[call_id].pop(0))


def can_be_delivered(result: ToolMessage) -> bool:
    """Whether `result` can be given to a waiting call: text that is not too long, and images."""
    size = sum(len(block.text) for block in result.content if isinstance(block, Text))
    return size <= MAX_RESULT_CHARACTERS and all(isinstance(block, Text | Image) for block in result.content)


def _listed(tools: Iterable[core.Tool]) -> str:
    """The JSON of the answer to `tools/list`. A large one is encoded here, in short steps and in the thread that this
    is called in: the SDK would do it on the event loop, in one.
    """
    listed = [
        {
            "name": tool.name,
            "description": _in_one_paragraph(tool.description),
            "inputSchema": decode(tool.schema),
            # Without the hint Claude Code asks for one call after the other; their results come together anyway.
            "annotations": {"readOnlyHint": True},
            "_meta": {"anthropic/maxResultSizeChars": MAX_RESULT_CHARACTERS},
        }
        for tool in tools
    ]
    return encode({"tools": listed})


def _in_one_paragraph(description: str) -> str:
    """With a space in each empty line: under `CLAUDE_CODE_SIMPLE` the model is shown the first paragraph only."""
    return description.replace("\n\n", "\n \n").replace("\n\n", "\n \n")


def _result(outcome: CallOutcome) -> CallToolResult:
    return CallToolResult(content=[_content(block) for block in outcome.content], is_error=outcome.is_error)


def _content(block: Block) -> TextContent | ImageContent:
    match block:
        case Text(text):
            return TextContent(text=text)
        case Image(media_type, data):
            return ImageContent(data=data, mime_type=media_type)
        case _:
            raise AssertionError(block)  # can_be_delivered() has excluded it
