"""Reads the agent profile that a request chooses, in any protocol, and checks it against what the operator allows."""

from collections.abc import Mapping
from typing import Final

from pydantic.alias_generators import to_camel

from claude_openai.core.agent import AgentProfile, AgentRules, Shown
from claude_openai.core.events import Activity
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import Model
from claude_openai.core.tool_rules import is_one_rule, named_paths
from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.common.invalid import invalid
from claude_openai.protocols.common.wire.claude import ClaudeOptions

_CHOOSING: Final = (
    "working_directory",
    "permission_mode",
    "allowed_tools",
    "disallowed_tools",
    "add_dirs",
    "setting_sources",
    "max_turns",
    "max_budget_usd",
)
"""Fields that make no sense without the agent profile, and so choose it."""

_SHOWN: Final[Mapping[str | bool | None, Shown]] = {"events": "events", "reasoning": "reasoning", True: "reasoning"}


def read_profile(sent: ClaudeOptions | None, model: Model, rules: AgentRules | None) -> AgentProfile | None:
    """The agent profile; None for chat. `rules` are None on a server without agents.

    The first of these decides: `mode`, a field that makes sense for agents only, the model's name, the server's
    default.

    Raises:
        RequestFailed: `PERMISSION_DENIED`, naming what is allowed; `UNSUPPORTED_PARAMETER` on a server without agents.
    """
    options = sent or ClaudeOptions()
    if options.mode:
        is_agent = options.mode == "agent"
    else:
        is_chosen = any(getattr(options, field) is not None for field in _CHOOSING)
        is_agent = is_chosen or model.agent or (rules is not None and rules.default_mode == "agent")
    if not is_agent:
        return None
    if rules is None:
        message = "Unsupported parameter: 'claude'. This server's backend has no agent profile; see --backend."
        raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, message, param="claude"))
    return _profile(options, rules)


def ignored_options(sent: ClaudeOptions | None, agent: AgentProfile | None) -> tuple[str, ...]:
    """Names, fit for a header, of the fields of the `claude` object that have no effect because this is a chat."""
    if sent is None or agent:
        return ()
    fields = (*_CHOOSING, "show_activity")
    return tuple(f"claude.{to_camel(field)}" for field in fields if getattr(sent, field) is not None)


def tools_for_agent(
    agent: AgentProfile | None, tools: tuple[Tool, ...], choice: ToolChoice
) -> tuple[tuple[Tool, ...], ToolChoice]:
    """The client's tools and tool choice for an agent, which has tools of its own besides.

    "none" is about the client's tools. A call cannot be forced, since that would force one at each step of the agent.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming `tool_choice`.
    """
    if agent is None:
        return tools, choice
    if choice.mode in ("required", "tool"):
        raise invalid("tool_choice", "the agent profile takes 'auto' or 'none', since the model has tools of its own")
    return ((), AUTO) if choice.mode == "none" else (tools, choice)


def activity_as_reasoning(activity: Activity, before: str = "") -> str:
    """Claude Code's use of one of its own tools as a line for people; empty for a result without an error.

    `before` is the last piece of reasoning: the line begins on a new line after a piece that does not end in one.
    """
    begun = "\n" if before and not before.endswith("\n") else ""
    if activity.result is None:
        return f"{begun}{activity.tool} {without_surrogates(activity.arguments)}\n"
    first_line = without_surrogates(activity.result).strip().partition("\n")[0]
    return f"{begun}{activity.tool} failed: {first_line}\n" if activity.failed else ""


def _profile(options: ClaudeOptions, rules: AgentRules) -> AgentProfile:
    mode = options.permission_mode or "default"
    if mode not in rules.permission_modes:
        allowed = ", ".join(rules.permission_modes)
        raise _denied("claude.permissionMode", f"Permission mode '{mode}' is not allowed here. Allowed: {allowed}.")
    sources = tuple(dict.fromkeys(options.setting_sources or ()))
    if not set(sources) <= set(rules.setting_sources):
        allowed = ", ".join(rules.setting_sources) or "none"
        message = f"Settings of '{', '.join(sources)}' are not allowed here. Allowed: {allowed}"
        raise _denied("claude.settingSources", f"{message} (--allowed-setting-sources).")
    directory = _folder(options.working_directory or rules.workspace.prefixes[0], "claude.workingDirectory", rules)
    added = [_folder(path, f"claude.addDirs[{index}]", rules) for index, path in enumerate(options.add_dirs or ())]
    for index, rule in enumerate(options.allowed_tools or ()):
        param = f"claude.allowedTools[{index}]"
        if not is_one_rule(rule):
            example = "such as 'Edit' or 'Bash(git *)'. Allowed: one rule in each text."
            raise _denied(param, f"'{rule}' is not one rule, {example}")
        paths = named_paths(rule)  # a rule for files opens these paths to commands, too; see `core.tool_rules`
        if paths is None or not all(rules.workspace.holds(f"{directory}/{path}") for path in paths):
            message = f"'{rule}' names a path outside the working directory. Allowed: paths relative to it."
            raise _denied(param, message)
    return AgentProfile(
        directory=directory,
        permission_mode=mode,
        allowed_tools=tuple(options.allowed_tools or ()),
        disallowed_tools=tuple(options.disallowed_tools or ()),
        add_dirs=tuple(added),
        setting_sources=sources,
        max_turns=options.max_turns,
        max_budget_usd=options.max_budget_usd,
        show_activity=_SHOWN.get(options.show_activity),
    )


def _folder(path: str, param: str, rules: AgentRules) -> str:
    found = rules.workspace.folder(path)
    if found is None:
        allowed = ", ".join(rules.workspace.prefixes)
        message = f"'{path}' is no folder that Claude Code may work in. Allowed, with all under it: {allowed}."
        raise _denied(param, message)
    return found


def _denied(param: str, message: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.PERMISSION_DENIED, message, param=param))
