"""The agent profile a request asks for, whatever its protocol: who chooses it, and what of it is allowed."""

from typing import Final

from pydantic.alias_generators import to_camel

from claude_openai.core.agent import AgentProfile, AgentRules, Shown, Workspace
from claude_openai.core.events import Activity
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import Model
from claude_openai.core.tool_rules import is_one_rule, named_paths
from claude_openai.core.tools import AUTO, Tool, ToolChoice
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.common.invalid import invalid
from claude_openai.protocols.common.wire.claude import ClaudeOptions

_NOTHING: Final = ClaudeOptions()

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


def read_profile(sent: ClaudeOptions | None, model: Model, rules: AgentRules | None) -> AgentProfile | None:
    """The profile, None for chat. `rules` are None where there is no agent profile.

    What chooses it, first come first served: `mode`, a field that makes sense with it only, the model's name, the
    server's default.

    Raises:
        RequestFailed: `PERMISSION_DENIED`, naming what is allowed; `UNSUPPORTED_PARAMETER` where there is none.
    """
    wish = sent or _NOTHING
    if not _wanted(wish, model, rules):
        return None
    if rules is None:
        message = "Unsupported parameter: 'claude'. This server's backend has no agent profile; see --backend."
        raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, message, param="claude"))
    return _allowed(wish, rules)


def without_effect(sent: ClaudeOptions | None, agent: AgentProfile | None) -> tuple[str, ...]:
    """The names of what the `claude` object asks for in vain, fit for a header: what chat knows nothing of."""
    if sent is None or agent:
        return ()
    fields = (*_CHOOSING, "show_activity")
    return tuple(f"claude.{to_camel(field)}" for field in fields if getattr(sent, field) is not None)


def tools_for_agent(
    agent: AgentProfile | None, tools: tuple[Tool, ...], choice: ToolChoice
) -> tuple[tuple[Tool, ...], ToolChoice]:
    """The client's tools and its choice as the model is to have them, beside tools of its own where it is an agent.

    "none" speaks of the client's. A call cannot be forced: it would be with each of the model's steps.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming `tool_choice`.
    """
    if agent is None:
        return tools, choice
    if choice.mode in ("required", "tool"):
        raise invalid("tool_choice", "the agent profile takes 'auto' or 'none', since the model has tools of its own")
    return ((), AUTO) if choice.mode == "none" else (tools, choice)


def activity_as_reasoning(activity: Activity, before: str = "") -> str:
    """What Claude Code does with its own tools as a line for people; nothing for what went as it should. `before` is
    what was told last: the line begins anew after thinking that ended within one.
    """
    begun = "\n" if before and not before.endswith("\n") else ""
    if activity.result is None:
        return f"{begun}{activity.tool} {without_surrogates(activity.arguments)}\n"
    first_line = without_surrogates(activity.result).strip().partition("\n")[0]
    return f"{begun}{activity.tool} failed: {first_line}\n" if activity.failed else ""


def _wanted(wish: ClaudeOptions, model: Model, rules: AgentRules | None) -> bool:
    if wish.mode:
        return wish.mode == "agent"
    chosen = any(getattr(wish, field) is not None for field in _CHOOSING)
    return chosen or model.agent or (rules is not None and rules.default_mode == "agent")


def _allowed(wish: ClaudeOptions, rules: AgentRules) -> AgentProfile:
    mode = wish.permission_mode or "default"
    if mode not in rules.permission_modes:
        allowed = ", ".join(rules.permission_modes)
        raise _denied("claude.permissionMode", f"Permission mode '{mode}' is not allowed here. Allowed: {allowed}.")
    sources = tuple(dict.fromkeys(wish.setting_sources or ()))
    if not set(sources) <= set(rules.setting_sources):
        allowed = ", ".join(rules.setting_sources) or "none"
        said = (
            f"Settings of '{', '.join(sources)}' are not allowed here. Allowed: {allowed} (--allowed-setting-sources)."
        )
        raise _denied("claude.settingSources", said)
    directory = _folder(wish.working_directory or rules.workspace.prefixes[0], "claude.workingDirectory", rules)
    added = [_folder(path, f"claude.addDirs[{index}]", rules) for index, path in enumerate(wish.add_dirs or ())]
    for index, rule in enumerate(wish.allowed_tools or ()):
        _check_rule(rule, f"claude.allowedTools[{index}]", directory, rules.workspace)
    return AgentProfile(
        directory=directory,
        permission_mode=mode,
        allowed_tools=tuple(wish.allowed_tools or ()),
        disallowed_tools=tuple(wish.disallowed_tools or ()),
        add_dirs=tuple(added),
        setting_sources=sources,
        max_turns=wish.max_turns,
        max_budget_usd=wish.max_budget_usd,
        show_activity=_shown(wish.show_activity),
    )


def _folder(path: str, param: str, rules: AgentRules) -> str:
    found = rules.workspace.folder(path)
    if found is None:
        allowed = ", ".join(rules.workspace.prefixes)
        raise _denied(
            param, f"'{path}' is no folder that Claude Code may work in. Allowed, with all under it: {allowed}."
        )
    return found


def _check_rule(rule: str, param: str, directory: str, workspace: Workspace) -> None:
    """A rule for files opens what it names to commands, too; see `core.tool_rules`."""
    if not is_one_rule(rule):
        raise _denied(
            param, f"'{rule}' is not one rule, such as 'Edit' or 'Bash(git *)'. Allowed: one rule in each text."
        )
    paths = named_paths(rule)
    if paths is None or not all(workspace.holds(f"{directory}/{path}") for path in paths):
        raise _denied(param, f"'{rule}' names a path outside the working directory. Allowed: paths relative to it.")


def _shown(sent: str | bool | None) -> Shown | None:
    match sent:
        case "events":
            return "events"
        case "reasoning" | True:
            return "reasoning"
        case _:
            return None


def _denied(param: str, message: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.PERMISSION_DENIED, message, param=param))
