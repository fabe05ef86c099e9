"""Parses the login and the models out of Claude Code's reply to `initialize`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.models import EFFORTS, LARGE_SUFFIX, Effort, Model
from claude_openai.core.ports import Login

_PROVIDERS = {"bedrock": "Amazon Bedrock", "vertex": "Google Vertex AI", "foundry": "Microsoft Foundry"}

_OF_SUBSCRIPTIONS = frozenset({"claude.ai", "CLAUDE_CODE_OAUTH_TOKEN"})
"""Sources of tokens that only subscribers get: Claude Code's own login, and `claude setup-token`."""


def login_of(info: Mapping[str, Any], environment: Mapping[str, str]) -> Login:
    """Parse how Claude Code is signed in, from `account` (`tokenSource`, `apiKeySource`, `apiProvider`).

    A login that `/login` stored has no `tokenSource`, only a `subscriptionType` ("Claude API" where Claude Code knows
    none). The reply does not report a bearer token (measured), so that is looked up in the child's `environment`.
    """
    account = info.get("account") or {}
    provider = account.get("apiProvider", "firstParty")
    if provider != "firstParty":
        return Login(_PROVIDERS.get(provider, str(provider)))
    if key := account.get("apiKeySource"):
        return Login(f"API key ({key})")
    stored = account.get("tokenSource")
    if stored != "none" and (source := stored or account.get("subscriptionType")):
        is_subscription = stored in _OF_SUBSCRIPTIONS or account.get("subscriptionType") not in {None, "Claude API"}
        return Login(f"Claude account ({source})", _stored_at(environment), is_subscription)
    if environment.get("ANTHROPIC_AUTH_TOKEN"):
        return Login("bearer token (ANTHROPIC_AUTH_TOKEN)")
    return Login(None)


def models_of(info: Mapping[str, Any]) -> tuple[Model, ...]:
    """Parse the models that Claude Code offers, under its names, without "default": the server has its own default."""
    models = []
    for entry in info.get("models") or ():
        value, resolved = entry.get("value"), entry.get("resolvedModel")
        if value in {None, "default"}:
            continue
        efforts: tuple[Effort, ...] | None = None  # older versions of Claude Code do not report them
        if "supportsEffort" in entry or "supportsThinkingOff" in entry:
            levels = (entry.get("supportedEffortLevels") or ()) if entry.get("supportsEffort") else ()
            taken = {*levels, *(("none",) if entry.get("supportsThinkingOff") else ())}
            efforts = tuple(effort for effort in EFFORTS if effort in taken)
        name = resolved or value
        is_large = LARGE_SUFFIX in value and LARGE_SUFFIX not in name
        facts = facts_of(name + LARGE_SUFFIX if is_large else name, listed_efforts=efforts)
        shown = {"display_name": entry.get("displayName"), "description": entry.get("description")}
        models.append(Model(value, resolved, **shown, facts=facts))
    return tuple(models)


def _stored_at(environment: Mapping[str, str]) -> float | None:
    """Return when the login's file was last written or put in place, in Unix seconds; on macOS there is no file.

    This is the later of two times, since a file that is put back keeps its old time of writing.
    """
    home = environment.get("HOME") or environment.get("USERPROFILE") or Path.home()
    folder = Path(environment.get("CLAUDE_CONFIG_DIR") or Path(home, ".claude"))
    with suppress(OSError):
        found = (folder / ".credentials.json").stat()
        return max(found.st_mtime, found.st_ctime)
    return None
