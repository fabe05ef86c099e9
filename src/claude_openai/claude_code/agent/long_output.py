"""Output of tools that is too long for the model: Claude Code keeps it in a file, and gives the model the path.

The file lies in Claude Code's own configuration folder, which is out of bounds. So what a process keeps there is the
one thing in it that the process may read, and it is removed with the process. Claude Code gives the folder a random
name for each process, and lets any process read what lies there of those that work in the same folder (measured). So a
process reads what is in its own folder and nothing else. Which one that is, it says of commands in a field of its own
beside their output, and otherwise in a result whose file has the name of the call (measured): a text that only looks
like such a result names no folder.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from claude_openai.claude_code.processes.scratch import LONG_OUTPUT, SUB_AGENTS, Scratch
from claude_openai.claude_code.stream_json.messages import ToolResult

READERS: Final = ("Read", "Grep")

_NOTICE: Final = re.compile(r"<persisted-output>\n[^\n]*saved to: ([^\n]+)\n")
"""How a result begins that was too long."""


class LongOutput:
    """What one process keeps, in the configuration folder `config`. Its folders are on record in
    `scratch`, for the sweep after a server that was killed.
    """

    def __init__(self, config: str, scratch: Scratch) -> None:
        self._config = os.path.realpath(config)
        self._scratch = scratch
        self._folders: set[Path] = set()
        self._sub_agents: set[Path] = set()

    def note(self, results: Iterable[ToolResult]) -> None:
        """Remember the folder of a file that one of `results` names, and that has the name of its call."""
        for result in results:
            notice = _NOTICE.match(_text(result))
            if notice and Path(notice[1]).stem == result.call_id:
                self._remember(notice[1])

    def note_command(self, response: object) -> None:
        """Remember the folder of a command's output; `response` is what Claude Code reports of it to a hook."""
        if isinstance(response, Mapping):
            self._remember(response.get("persistedOutputPath"))

    def note_sub_agents(self, transcript: object) -> None:
        """Remember where Claude Code puts notes on sub-agents of the session with that `transcript`: to be removed."""
        folder = Path(os.path.realpath(str(transcript).removesuffix(".jsonl")), "subagents")
        if folder.is_relative_to(self._config) and SUB_AGENTS.fullmatch(folder.relative_to(self._config).as_posix()):
            self._sub_agents.add(folder)
            self._record()

    def _remember(self, path: object) -> None:
        if isinstance(path, str) and self.has(path):
            self._folders.add(Path(os.path.realpath(path)).parent)
            self._record()

    def _record(self) -> None:
        self._scratch.long_output.write_text("\n".join(map(str, sorted(self._folders | self._sub_agents))))

    def has(self, path: object) -> bool:
        """Whether `path` names one of its files, no link among the folders on the way."""
        if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:  # noqa: PTH117 -- a text
            return False
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self._config) or not real.is_file():
            return False
        return LONG_OUTPUT.fullmatch(real.parent.relative_to(self._config).as_posix()) is not None

    def reads(self, tool: str, arguments: Mapping[str, object]) -> bool:
        """Whether `tool` would read one of them and nothing else."""
        named = arguments.get("file_path") if tool == "Read" else arguments.get("path")
        if tool not in READERS or not isinstance(named, str) or not self.has(named):
            return False
        return Path(os.path.realpath(named)).parent in self._folders


def _text(result: ToolResult) -> str:
    match result.content:
        case str(text):
            return text
        case [{"text": str(text)}, *_]:
            return text
        case _:
            return ""
