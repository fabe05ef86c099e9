"""The login and the models in Claude Code's reply to `initialize`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.models import EFFORTS, LARGE_SUFFIX, Effort, Model, ModelFacts
from claude_openai.core.ports import Login

_PROVIDERS = {"bedrock": "Amazon Bedrock", "vertex": "Google Vertex AI", "foundry": "Microsoft Foundry"}

_OF_SUBSCRIPTIONS = frozenset({"claude.ai", "CLAUDE_CODE_OAUTH_TOKEN"})
"""Sources of a token that Claude Code gives to subscribers only: its own login, and `claude setup-token`."""


def login_of(info: Mapping[str, Any], environment: Mapping[str, str]) -> Login:
    """How Claude Code is signed in, from `account` (`tokenSource`, `apiKeySource`, `apiProvider`).

    A login that `/login` has stored has no `tokenSource`, only a `subscriptionType`, whatever it is ("Claude API" where
    none is known). A bearer token in the environment does not show there (measured), so the child's environment is
    asked for it.
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
    """The models Claude Code offers, under its own names ("default" left out: the server has a default of its own)."""
    return tuple(
        Model(
            entry["value"],
            resolved=entry.get("resolvedModel"),
            display_name=entry.get("displayName"),
            description=entry.get("description"),
            facts=_facts(entry),
        )
        for entry in info.get("models") or ()
        if entry.get("value") not in {None, "default"}
    )


def _stored_at(environment: Mapping[str, str]) -> float | None:
    """When the login was last written or put in place: Claude Code keeps it in this file, but in the macOS keychain.

    The later of both times, since a file that is put back has its old time of writing.
    """
    home = environment.get("HOME") or environment.get("USERPROFILE") or Path.home()
    folder = Path(environment.get("CLAUDE_CONFIG_DIR") or Path(home, ".claude"))
    with suppress(OSError):
        found = (folder / ".credentials.json").stat()
        return max(found.st_mtime, found.st_ctime)
    return None


def _facts(entry: Mapping[str, Any]) -> ModelFacts:
    """What is known of a listed model. Older versions of Claude Code do not report the efforts that it takes."""
    efforts: tuple[Effort, ...] | None = None
    if "supportsEffort" in entry or "supportsThinkingOff" in entry:
        levels = (entry.get("supportedEffortLevels") or ()) if entry.get("supportsEffort") else ()
        taken = {*levels, *(("none",) if entry.get("supportsThinkingOff") else ())}
        efforts = tuple(effort for effort in EFFORTS if effort in taken)
    name: str = entry.get("resolvedModel") or entry["value"]
    is_large = LARGE_SUFFIX in entry["value"] and LARGE_SUFFIX not in name
    return facts_of(name + LARGE_SUFFIX if is_large else name, listed_efforts=efforts)
