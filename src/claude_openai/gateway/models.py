"""The models of this server: those that Claude Code lists, under the names clients use, or those the operator names."""

from collections.abc import Iterable
from dataclasses import replace

from claude_openai.core.models import AGENT_SUFFIX, Catalogue, Model, named
from claude_openai.core.ports import Capabilities


def build_catalogue(
    offered: Iterable[Model],
    *,
    default: str,
    aliases: tuple[tuple[str, str], ...],
    override: tuple[str, ...],
    capabilities: Capabilities,
) -> Catalogue:
    """The models that clients may ask for, of a backend with these `capabilities`.

    Each model is listed once, under the first name that Claude Code has for it. `override` replaces the whole list.
    """
    offered = tuple(offered)
    agents, tools, facts = capabilities.agent, capabilities.tools, capabilities.model_facts

    def named_by_operator(name: str) -> Model:
        if known := named(offered, name):
            return replace(known, id=name)
        if not (agents and name.endswith(AGENT_SUFFIX)):
            return Model(name, facts=facts(name))
        base = name.removesuffix(AGENT_SUFFIX)
        model = named(offered, base) or Model(base, facts=facts(base))
        return replace(model, id=name, resolved=model.resolved or base, agent=True)

    if override:
        return Catalogue(tuple(map(named_by_operator, override)), default, aliases, True, agents, tools, facts)
    first = {model.resolved or model.id: model for model in reversed(offered)}
    models = tuple(model for model in offered if first[model.resolved or model.id] is model)
    return Catalogue(models, default, aliases, False, agents, tools, facts)
