"""Which models there are, and what a client's name for one means."""

import re
from dataclasses import dataclass, field

from claude_openai.core.failures import Failure, Kind, RequestFailed

FAMILY_PREFIX = "claude-"
_FULL_ID = re.compile(r"claude-[a-z0-9][a-z0-9.@_-]*(\[1m\])?")
_VERSION = re.compile(r"^claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2}))?(?:-|$|\[|@)")
_FIRST_WITHOUT_TEMPERATURE = (4, 7)


@dataclass(frozen=True, slots=True)
class Model:
    """A model: `id` is the name clients use, `resolved` what it stands for upstream, where Claude Code says so."""

    id: str
    resolved: str | None = None
    display_name: str | None = None

    @property
    def takes_temperature(self) -> bool:
        """Whether upstream accepts `temperature` and `top_p`: models from 4.7 on refuse them (read in Claude Code)."""
        match = _VERSION.match(self.resolved or self.id)
        if match is None:
            return False
        return (int(match[1]), int(match[2] or 0)) < _FIRST_WITHOUT_TEMPERATURE


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one server: those it lists, the client's own names for them, and the default.

    `closed` holds where the person who runs the server named the models: then nothing else exists. Otherwise full
    `claude-...` ids that Claude Code does not list are passed to it as they are.
    """

    models: tuple[Model, ...]
    default: str
    aliases: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    closed: bool = False

    def resolve(self, name: str | None) -> Model:
        """The model a client means by `name`; None means the default.

        Raises:
            RequestFailed: `MODEL_NOT_FOUND`, naming what exists.
        """
        wanted = dict(self.aliases).get(name or self.default, name or self.default)
        for model in self.models:
            if model.id == wanted:
                return model
        if not self.closed and _FULL_ID.fullmatch(wanted):
            return Model(wanted, resolved=wanted)
        raise RequestFailed(Failure(Kind.MODEL_NOT_FOUND, self._unknown(wanted), param="model"))

    def listed(self) -> tuple[Model, ...]:
        """What `/v1/models` shows: the models, then the aliases under their own names."""
        names = {alias for alias, _ in self.aliases}
        others = (model for model in self.models if model.id not in names)
        named = (Model(alias, self.resolve(alias).resolved) for alias, _ in self.aliases)
        return (*others, *named)

    def _unknown(self, name: str) -> str:
        known = ", ".join(model.id for model in self.models)
        aliases = "".join(f", {alias}" for alias, _ in self.aliases)
        return f"The model `{name}` does not exist here. Available: {known}{aliases}."
