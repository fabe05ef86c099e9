"""The models of this server: what Claude Code offers, under the names clients use, or what its owner named."""

from collections.abc import Iterable

from claude_openai.core.models import FAMILY_PREFIX, Catalogue, Model


def catalogue(
    offered: Iterable[Model], *, default: str, aliases: tuple[tuple[str, str], ...], override: tuple[str, ...]
) -> Catalogue:
    """What clients may ask for.

    Claude Code's `sonnet` is also listed as `claude-sonnet` and as the full id it stands for. `override` replaces the
    whole list: then nothing else exists.
    """
    known = {model.id: model for model in _named(offered)}
    if not override:
        return Catalogue(tuple(known.values()), default, aliases)
    models = tuple(known.get(name, Model(name)) for name in override)
    return Catalogue(models, default, aliases, closed=True)


def _named(offered: Iterable[Model]) -> Iterable[Model]:
    listed = tuple(offered)
    yield from listed
    for model in listed:
        if not model.id.startswith(FAMILY_PREFIX):
            yield Model(FAMILY_PREFIX + model.id, model.resolved, model.display_name)
    for model in listed:
        if model.resolved and model.resolved != model.id:
            yield Model(model.resolved, model.resolved, model.display_name)
