"""Output of tools that is too long for the model: Claude Code keeps it in a file, and gives the model the path.

The file lies in Claude Code's own configuration folder, which is out of bounds. So what a process keeps there is the
one thing in it that the process may read, and it is removed with the process. Claude Code gives the folder a random
name for each process (measured), that of its session, and lets any process read what lies there of those that work in
the same folder (measured). So a process reads what its own session or its own results name, and nothing else.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from claude_openai.claude_code.processes.scratch import LONG_OUTPUT, Scratch
from claude_openai.claude_code.stream_json.messages import ToolResult

READERS: Final = ("Read", "Grep")

_TOLD: Final = re.compile(r"<persisted-output>\n[^\n]*saved to: ([^\n]+)\n")
"""How a result begins that was too long."""


class LongOutput:
    """What one process keeps, in the configuration folder `config`. Its folders are on record in
    `scratch`, for the sweep after a server that was killed.
    """

    def __init__(self, config: str, scratch: Scratch) -> None:
        self._config = os.path.realpath(config)
        self._scratch = scratch
        self._folders: set[Path] = set()

    def note(self, results: Iterable[ToolResult]) -> None:
        """Remember the folder that one of `results` says its whole text is in."""
        for result in results:
            told = _TOLD.match(_text(result))
            if told and self.has(told[1]):
                self._folders.add(Path(os.path.realpath(told[1])).parent)
                self._scratch.long_output.write_text("\n".join(map(str, sorted(self._folders))))

    def has(self, path: object) -> bool:
        """Whether `path` names one of its files, no link among the folders on the way."""
        if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:  # noqa: PTH117 -- a text
            return False
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self._config) or not real.is_file():
            return False
        return LONG_OUTPUT.fullmatch(real.parent.relative_to(self._config).as_posix()) is not None

    def reads(self, tool: str, arguments: Mapping[str, object], session: str) -> bool:
        """Whether `tool` would read one of them and nothing else, for the process of that `session`."""
        named = arguments.get("file_path") if tool == "Read" else arguments.get("path")
        if tool not in READERS or not isinstance(named, str) or not self.has(named):
            return False
        folder = Path(os.path.realpath(named)).parent
        return folder in self._folders or folder.parent.name == session


def _text(result: ToolResult) -> str:
    match result.content:
        case str(text):
            return text
        case [{"text": str(text)}, *_]:
            return text
        case _:
            return ""
