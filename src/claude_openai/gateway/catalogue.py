"""The models of this server: what Claude Code offers, under the names clients use, or what its owner named."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from claude_openai.core.models import AGENT_SUFFIX, FAMILY_PREFIX, Catalogue, Model


def catalogue(
    offered: Iterable[Model],
    *,
    default: str,
    aliases: tuple[tuple[str, str], ...],
    override: tuple[str, ...],
    agents: bool = False,
    tools: bool = True,
) -> Catalogue:
    """What clients may ask for; `agents`: with the agent profile, too; `tools`: with tools of their own.

    Claude Code's `sonnet` is also listed as `claude-sonnet` and as the full id it stands for. `override` replaces the
    whole list: then nothing else exists.
    """
    known = {model.id: model for model in _named(offered)}
    if not override:
        return Catalogue(tuple(known.values()), default, aliases, agents=agents, tools=tools)
    models = tuple(_named_by_owner(name, known, agents=agents) for name in override)
    return Catalogue(models, default, aliases, closed=True, agents=agents, tools=tools)


def _named_by_owner(name: str, known: Mapping[str, Model], *, agents: bool) -> Model:
    if not (agents and name.endswith(AGENT_SUFFIX) and name not in known):
        return known.get(name, Model(name))
    base = name.removesuffix(AGENT_SUFFIX)
    model = known.get(base, Model(base))
    return replace(model, id=name, resolved=model.resolved or base, agent=True)


def _named(offered: Iterable[Model]) -> Iterable[Model]:
    listed = tuple(offered)
    yield from listed
    for model in listed:
        if not model.id.startswith(FAMILY_PREFIX):
            yield replace(model, id=FAMILY_PREFIX + model.id)
    for model in listed:
        if model.resolved and model.resolved != model.id:
            yield replace(model, id=model.resolved)
