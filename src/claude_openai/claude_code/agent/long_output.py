"""Long output of tools: Claude Code stores it in a file, and gives the model the path, where it is too long to be sent.

The file lies in Claude Code's configuration folder, of which an agent may read nothing else. Claude Code gives the
folder a random name for each process, but lets a process read the files of others that work in the same folder
(measured). Here a process may read its own folder only, and the folder is removed with the process. Claude Code reports
the path of a command's output in a separate field beside the output, and other paths in a result whose file has the
name of the call (measured). So a text that only looks like such a result adds no folder.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from claude_openai.claude_code.processes.scratch import LONG_OUTPUT, SUB_AGENTS, Scratch
from claude_openai.claude_code.stream_json.messages import ToolResult
from claude_openai.system.workspace import real_path, within

READERS: Final = ("Read", "Grep")

_NOTICE: Final = re.compile(r"<persisted-output>\n[^\n]*saved to: ([^\n]+)\n")
"""The beginning of a result whose output was too long."""


class LongOutput:
    """The long output of one process, in the configuration folder `config`. `scratch` has a record of its folders, for
    the sweep after a server that was killed.
    """

    def __init__(self, config: str, scratch: Scratch) -> None:
        self._config = os.path.realpath(config)
        self._scratch = scratch
        self._folders: set[Path] = set()
        self._sub_agents: set[Path] = set()

    def note(self, results: Iterable[ToolResult]) -> None:
        """Remember the folder of each file that one of `results` names, if the file has the name of the call."""
        for result in results:
            match result.content:
                case str(text) | [{"text": str(text)}, *_]:
                    notice = _NOTICE.match(text)
                case _:
                    continue
            if notice and Path(notice[1]).stem == result.call_id:
                self._remember(notice[1])

    def note_command(self, response: object) -> None:
        """Remember the folder of a command's output, which is in the `response` that Claude Code reports to a hook."""
        if isinstance(response, Mapping):
            self._remember(response.get("persistedOutputPath"))

    def note_sub_agents(self, transcript: object) -> None:
        """Remember the folder with notes on sub-agents of the session with that `transcript`, to remove it later."""
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
        """Whether `path` leads to a file in a folder for long output."""
        if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:  # noqa: PTH117 -- a text
            return False
        found = real_path(path)
        if not within(found, self._config) or not os.path.isfile(found):  # noqa: PTH113 -- a text
            return False
        real = Path(found)
        return LONG_OUTPUT.fullmatch(real.parent.relative_to(self._config).as_posix()) is not None

    def reads(self, tool: str, arguments: Mapping[str, object]) -> bool:
        """Whether `tool` would read a file of this process's long output and nothing else."""
        named = arguments.get("file_path") if tool == "Read" else arguments.get("path")
        if tool not in READERS or not isinstance(named, str) or not self.has(named):
            return False
        return Path(real_path(named)).parent in self._folders
