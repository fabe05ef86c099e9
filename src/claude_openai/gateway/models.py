"""The models of this server: those that Claude Code lists, under the names clients use, or those the operator names."""

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
    """The models that clients may ask for. `agents`: also with the agent profile; `tools`: with the client's own tools.

    Each model is listed once, under the first name that Claude Code has for it. `override` replaces the whole list.
    """
    offered = tuple(offered)
    if override:
        chosen = tuple(_override_model(name, offered, agents=agents) for name in override)
        return Catalogue(chosen, default, aliases, closed=True, agents=agents, tools=tools)
    first = {model.resolved or model.id: model for model in reversed(offered)}
    models = tuple(model for model in offered if first[model.resolved or model.id] is model)
    return Catalogue(models, default, aliases, agents=agents, tools=tools)


def _override_model(name: str, offered: tuple[Model, ...], *, agents: bool) -> Model:
    if known := named(offered, name):
        return replace(known, id=name)
    if not (agents and name.endswith(AGENT_SUFFIX)):
        return Model(name)
    base = name.removesuffix(AGENT_SUFFIX)
    model = named(offered, base) or Model(base)
    return replace(model, id=name, resolved=model.resolved or base, agent=True)
