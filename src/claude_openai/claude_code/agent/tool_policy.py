"""The policy for Claude Code's own tools: which paths and hosts they may use, whatever the permission mode and its
rules allow.

The hook of `sdk.agent` applies the policy before each use of a tool, a sub-agent's too. The policy only refuses: Claude
Code's own rules apply afterwards. It refuses a tool that it does not know, so a new version of Claude Code adds none
unchecked. Commands run in Claude Code's sandbox, and not at all where that does not work.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from claude_openai.claude_code.agent.git_paths import CONTROL, is_git_control
from claude_openai.claude_code.agent.paths import SEARCHING, interpretations, paths_named
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths
from claude_openai.claude_code.agent.web import unclear
from claude_openai.core.agent import Workspace
from claude_openai.system.workspace import below, folded, within

READING: Final = ("Read", "Glob", "Grep", "LS", "NotebookRead")
WRITING: Final = ("Write", "Edit", "MultiEdit", "NotebookEdit")
COMMANDS: Final = ("Bash", "BashOutput", "KillBash", "KillShell")
WEB: Final = "WebFetch"
SUB_AGENT: Final = ("Agent", "Task")
OTHERS: Final = (*SUB_AGENT, "TaskOutput", "TaskStop", "TodoWrite", "Skill", WEB, "WebSearch")
PLANNED: Final = "ExitPlanMode"
"""Presents a plan for approval. `EnterPlanMode` is refused: no person could approve the plan."""

STRUCTURED: Final = "StructuredOutput"
"""Returns an answer that has to fit a schema. It uses no file."""

_KNOWN: Final = frozenset((*READING, *WRITING, *COMMANDS, *OTHERS, PLANNED, STRUCTURED))

_UNSANDBOXED: Final = "dangerouslyDisableSandbox"

_ISOLATED: Final = "isolation"
"""The argument that requests a git worktree to work in, which Claude Code makes by commands outside the sandbox."""

_PROCESSES: Final = "/proc"
"""A folder with each process's environment, and so with Claude Code's login."""


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """Tools use paths in `workspace` that are not `protected`. `allows_commands` where the sandbox works. Tools whose
    names begin with `client_prefix` are the client's, which runs them.
    """

    workspace: Workspace
    protected: ProtectedPaths
    allows_commands: bool
    client_prefix: str

    def refusal(self, tool: str, arguments: Mapping[str, object], cwd: str) -> str | None:
        """Return why `tool` may not be used with these arguments, as a sentence for the model; None if it may."""
        if tool.startswith(self.client_prefix):
            return None
        if tool not in _KNOWN:
            return f"{tool} is not available here."
        if tool in COMMANDS and not self.allows_commands:
            return "Commands cannot be run here: this machine has no sandbox for them. Use the other tools."
        if tool in COMMANDS and arguments.get(_UNSANDBOXED):
            return "Commands run in the sandbox only."
        if tool == WEB:
            return unclear(arguments.get("url"))
        if arguments.get(_ISOLATED):
            return "Work in a copy of the repository is not available here."
        if tool == STRUCTURED:
            return None
        for sent in paths_named(tool, arguments):
            places = interpretations(sent, self.protected.home, cwd)
            if not places:
                return f"{sent!r} is no path that is clear: name it in full, without white space around it."
            for real in places:
                if reason := self._path_refusal(tool, real, sent):
                    return reason
        return None

    def _path_refusal(self, tool: str, real: str, sent: object) -> str | None:
        relative = [parts for each in self.workspace.prefixes if (parts := below(real, each)) is not None]
        if not relative or not self.workspace.holds(real):
            return f"{sent} is outside the folders that may be used here: {', '.join(self.workspace.prefixes)}."
        protected, place = self.protected, folded(real)
        if any(within(place, folded(each)) for each in (_PROCESSES, *protected.private)):
            return f"{sent} is what people sign in with or what this server keeps, which is out of bounds here."
        if tool in SEARCHING and any(within(folded(each), place) for each in protected.logins if os.path.lexists(each)):
            return f"{sent} has in it what people sign in with: search in a folder below."
        if tool in WRITING and any(within(place, folded(each)) for each in protected.executed):
            return f"{sent} is run or obeyed by programs of this machine, and must not be changed here."
        shortest = min(relative, key=len)
        decides = is_git_control(real, len(shortest)) or not CONTROL.isdisjoint(map(folded, shortest))
        if tool in WRITING and decides:
            return f"{sent} decides what git, Claude Code or an editor run, and must not be changed here."
        return None
