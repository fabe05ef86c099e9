"""The models of this server: what Claude Code offers, under the names clients use, or what its owner named."""

from collections.abc import Iterable
from dataclasses import replace

from claude_openai.core.models import AGENT_SUFFIX, Catalogue, Model, named


def build_catalogue(
    offered: Iterable[Model],
    *,
    default: str,
    aliases: tuple[tuple[str, str], ...],
    override: tuple[str, ...],
    agents: bool = False,
    tools: bool = True,
) -> Catalogue:
    """What clients may ask for; `agents`: with the agent profile, too; `tools`: with tools of their own.

    Each model is there once, under the first name that Claude Code has for it. `override` replaces the whole list: then
    nothing else exists.
    """
    offered = tuple(offered)
    if override:
        chosen = tuple(_named_by_owner(name, offered, agents=agents) for name in override)
        return Catalogue(chosen, default, aliases, closed=True, agents=agents, tools=tools)
    first = {model.resolved or model.id: model for model in reversed(offered)}
    models = tuple(model for model in offered if first[model.resolved or model.id] is model)
    return Catalogue(models, default, aliases, agents=agents, tools=tools)


def _named_by_owner(name: str, offered: tuple[Model, ...], *, agents: bool) -> Model:
    if known := named(offered, name):
        return replace(known, id=name)
    if not (agents and name.endswith(AGENT_SUFFIX)):
        return Model(name)
    base = name.removesuffix(AGENT_SUFFIX)
    model = named(offered, base) or Model(base)
    return replace(model, id=name, resolved=model.resolved or base, agent=True)
