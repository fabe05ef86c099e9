"""Finds settings and worktrees that give an agent's commands more access than the request may have: the user's own
settings, and a worktree whose repository lies outside the allowed folders.

Claude Code merges lists of settings from all sources, so no source can revoke what another one allows (read in Claude
Code, measured). So a request is refused where the user's file allows more. Settings that the server's own settings
override, and those that only forbid, are accepted. In a linked worktree Claude Code gives commands the main repository.
"""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from claude_openai.claude_code.agent.paths import interpretations
from claude_openai.claude_code.agent.protected_paths import config_of
from claude_openai.core.agent import Workspace
from claude_openai.core.tool_rules import named_paths
from claude_openai.system.untrusted_files import read_regular_file
from claude_openai.system.workspace import real_path, within

_MOST_BYTES: Final = 1_000_000
"""Limit on the size of a settings file, which has some kilobytes."""

_WORKTREE: Final = re.compile(r"^gitdir:(.+)$", re.MULTILINE)
"""The content of the file `.git` of a linked worktree or a submodule."""

_HARMLESS: Final = frozenset(
    {
        *("enabled", "failIfUnavailable", "autoAllowBashIfSandboxed", "allowUnsandboxedCommands"),
        *("enableWeakerNestedSandbox", "enableWeakerNetworkIsolation", "allowNestedUserNamespaces"),
        *("allowAppleEvents", "ignoreViolations"),
        *("filesystem.denyRead", "filesystem.denyWrite", "filesystem.disabled"),
        *("network.allowedDomains", "network.deniedDomains", "network.strictAllowlist"),
        *("network.allowAllUnixSockets", "network.allowLocalBinding"),
        *("credentials.files", "credentials.envVars"),
    }
)
"""In `sandbox`: settings that only forbid or report, and those that the server's own override. `excludedCommands` is a
list, so it is merged: a command that matched one of its patterns ran outside the sandbox (measured)."""

_HARMLESS_VARIABLES: Final = re.compile(
    r"(?!\w+_(?:DIR|FILE|FILES|PATH|SOCKET|HELPER|COMMAND)$)"
    r"(?:ANTHROPIC_\w+|CLAUDE_CODE_OAUTH_\w+|CLAUDE_CODE_(?:USE|SKIP)_[A-Z_]+"
    r"|AWS_(?:REGION|DEFAULT_REGION|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|BEARER_TOKEN_BEDROCK)"
    r"|CLOUD_ML_REGION|VERTEX_REGION_\w+|GOOGLE_CLOUD_PROJECT|GCLOUD_PROJECT"
    r"|(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy"
    r"|OTEL_\w+|CLAUDE_CODE_ENABLE_TELEMETRY|CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"
    r"|DISABLE_(?:TELEMETRY|ERROR_REPORTING|AUTOUPDATER|BUG_COMMAND|COST_WARNINGS|PROMPT_CACHING\w*)"
    r"|BASH_(?:DEFAULT_TIMEOUT_MS|MAX_TIMEOUT_MS|MAX_OUTPUT_LENGTH)|MCP_TIMEOUT|MCP_TOOL_TIMEOUT|API_TIMEOUT_MS"
    r"|MAX_THINKING_TOKENS|MAX_MCP_OUTPUT_TOKENS|CLAUDE_CODE_MAX_OUTPUT_TOKENS|CLAUDE_CODE_SUBAGENT_MODEL)"
)
"""In `env`: logins, upstream, telemetry, limits of size and time. Other variables could affect Claude Code and the
programs that it starts outside the sandbox. Measured: it took `bwrap`, `git` and `node` from the user's `PATH`,
a script from `NODE_OPTIONS`, shells and their files from `BASH_ENV`, `SHELL` and `CLAUDE_CODE_SHELL`, and with
`CLAUDE_CODE_SIMPLE` and the like it ran a command without calling the hook."""

_PROGRAM: Final = re.compile(r"\w+(?:Helper|Refresh|Export)")
"""Settings that are commands, which Claude Code runs in no sandbox: `apiKeyHelper`, `awsAuthRefresh` and the like."""

_HOME: Final = re.compile(r"(?:~|\$HOME|\$\{HOME\})(?=/)")

_SHELL_SYNTAX: Final = re.compile(r"[;&|<>$`*?\[\]{}()~#!\\\n\r\0]")
"""Characters with which a shell makes something else of a word, or runs another command."""

_INTERPRETERS: Final = (
    (re.compile(r"(?:ba|da|z|k|fi|c|tc)?sh"), re.compile(r"-\w*c\w*")),
    (re.compile(r"(?:python|node|perl|ruby|php)[\d.]*"), re.compile(r"-\w*[cemr]\w*")),
)
"""Programs that run a text or a module of the working directory, and the options by which they do."""

_GROUPS: Final = ("filesystem", "network", "credentials")
"""In `sandbox`: objects whose settings are checked one by one."""


def user_settings_file(environment: Mapping[str, str]) -> Path:
    """Return the path of Claude Code's settings of the user of `environment`."""
    return Path(config_of(environment), "settings.json")


def widened_by(file: Path, workspace: Workspace, folders: tuple[str, ...], home: str) -> str | None:
    """Return the name of the first setting in `file` that would allow commands more than `folders`, of which the first
    is the working directory; None where there is none. `home` is the user's.
    """
    try:
        text = read_regular_file(file, _MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable content"
    try:
        settings = json.loads(text)
        return next(_widening(settings, workspace, folders, home), None)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return "invalid JSON"


def variables_in(file: Path) -> frozenset[str]:
    """Return the names of the variables that the settings in `file` set; none where `widened_by` refuses the file."""
    try:
        return frozenset(json.loads(read_regular_file(file, _MOST_BYTES + 1)).get("env") or ())
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return frozenset()


def repository_elsewhere(folder: str, workspace: Workspace) -> str | None:
    """Return the repository outside of `workspace` that `folder` is a linked worktree of: commands could write there,
    since git does (measured).
    """
    try:
        named = _WORKTREE.search(read_regular_file(Path(folder, ".git"), _MOST_BYTES).decode(errors="replace"))
    except OSError:
        return None
    if named is None:
        return None
    worktrees = Path(folder, named[1].strip()).parent
    return None if worktrees.name != "worktrees" or workspace.holds(str(worktrees.parent)) else str(worktrees.parent)


def _widening(settings: Mapping[str, Any], workspace: Workspace, folders: tuple[str, ...], home: str) -> Iterator[str]:
    permissions = settings.get("permissions") or {}
    for number, folder in enumerate(permissions.get("additionalDirectories") or ()):
        places = interpretations(folder, home, folders[0])
        if not places or not all(any(within(place, each) for each in folders) for place in places):
            yield f"permissions.additionalDirectories[{number}]"
    for number, rule in enumerate(permissions.get("allow") or ()):
        paths = named_paths(rule)
        if paths is None or not all(workspace.holds(f"{folders[0]}/{path}") for path in paths):
            yield f"permissions.allow[{number}], {rule!r}"
    for name, command in settings.items():
        if _PROGRAM.fullmatch(name) and command and not _runs_elsewhere(command, workspace, folders[0], home):
            yield name
    for name in settings.get("env") or {}:
        if not _HARMLESS_VARIABLES.fullmatch(name):
            yield f"env.{name}"
    for name, value in (settings.get("sandbox") or {}).items():
        group = value.items() if name in _GROUPS and value else ((None, value),)
        for inner, given in group:
            setting = name if inner is None else f"{name}.{inner}"
            # A mode other than "deny" shows commands a masked credential, and the proxy takes the mask off again.
            if given and (
                setting not in _HARMLESS or (name == "credentials" and any(each["mode"] != "deny" for each in given))
            ):
                yield f"sandbox.{setting}"


def _runs_elsewhere(command: str, workspace: Workspace, folder: str, home: str) -> bool:
    """Whether a shell that runs `command` in `folder` surely runs a program outside of `workspace` and hands it no path
    that leads there. A command with a shell's syntax is not analysed: the result is False.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if not set("\"'") & set(command):  # in quotes a shell expands not all of these
        words = [_HOME.sub(lambda _: home, word, count=1) if _HOME.match(word) else word for word in words]
    if "\n" in command.strip() or any(map(_SHELL_SYNTAX.search, words)):
        return False
    names = [Path(word).name for word in words]
    if any(
        program.fullmatch(name) and any(map(option.fullmatch, words))
        for name in names
        for program, option in _INTERPRETERS
    ):
        return False
    for word in words:
        # Also the value in `--file=/path`, `-f/path` and `PATH=/usr/bin:/path`.
        for part in {word, *re.split(r"[=:,]", word), word[max(word.find("/"), 0) :]}:
            path = real_path(Path(folder, part))
            if not path:
                return False
            is_file = os.path.isfile(path)  # noqa: PTH113 -- False where a parent cannot be read
            is_path = part.startswith(("/", ".")) or is_file or ("/" in part and os.path.lexists(path))
            if is_path and (workspace.holds(path) or any(within(prefix, path) for prefix in workspace.prefixes)):
                return False
    return True
