"""Which models there are, and what a client's name for one means."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from claude_openai.core.failures import Failure, Kind, RequestFailed

FAMILY_PREFIX = "claude-"
AGENT_SUFFIX = "-agent"
"""Behind a model's name: the same model, with Claude Code's own tools. For clients that have no more than a menu."""

_FULL_ID = re.compile(r"claude-[a-z0-9][a-z0-9.@_-]*(\[1m\])?")
_VERSION = re.compile(r"^claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2}))?(?:-|$|\[|@)")
_FIRST_WITHOUT_TEMPERATURE = (4, 7)
_FIRST_WITH_ONE_SAMPLER = (4, 1)
_USUAL_WINDOW = 200_000
_OLDER_OUTPUT = {(3, 7): 64_000, (3, 5): 8192}

Effort = Literal["none", "low", "medium", "high", "xhigh", "max"]
"""How hard a model is to think: the words of Claude Code, and "none" where it is not to think at all."""

EFFORTS: tuple[Effort, ...] = get_args(Effort)
"""All there are, the least first."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model: `id` is the name clients use, `resolved` what it stands for upstream, where Claude Code says so.

    `agent`: the client's name for it asks for the agent profile. `listed_efforts` are those that Claude Code says it
    takes, the least first, "none" among them where it can do without thinking; None where it says nothing.
    """

    id: str
    resolved: str | None = None
    display_name: str | None = None
    agent: bool = False
    description: str | None = None
    listed_efforts: tuple[Effort, ...] | None = None

    @property
    def efforts(self) -> tuple[Effort, ...]:
        """Which it takes; of one that Claude Code does not list, what its version takes (measured)."""
        return _efforts_by_name(self.resolved or self.id) if self.listed_efforts is None else self.listed_efforts

    @property
    def context_window(self) -> int:
        """In tokens, as Claude Code reckons it (measured); of a model without a version what all have."""
        version = _version(self.resolved or self.id)
        large = "[1m]" in self.id or "[1m]" in (self.resolved or "")
        return 1_000_000 if large or (version is not None and version >= (4, 7)) else _USUAL_WINDOW

    @property
    def most_output(self) -> int | None:
        """The longest answer, in tokens, that Claude Code asks for (measured); None where the version does not tell."""
        version = _version(self.resolved or self.id)
        if version is None:
            return None
        if version < (4, 0):
            return _OLDER_OUTPUT.get(version)
        if version < (4, 6):
            return 32_000 if version < (4, 5) and "opus" in (self.resolved or self.id) else 64_000
        return 128_000

    @property
    def thinks_by_budget(self) -> bool:
        """Whether thinking has a number of tokens of its own, as it has with the models before 4.6 (measured)."""
        version = _version(self.resolved or self.id)
        return version is not None and (4, 0) <= version < (4, 6)

    @property
    def most_media(self) -> int:
        """Images and files in a conversation; of more Claude Code leaves out the oldest, without a word (measured)."""
        return 600 if self.context_window > _USUAL_WINDOW else 100

    @property
    def takes_temperature(self) -> bool:
        """Whether upstream accepts `temperature` and `top_p`: models from 4.7 on refuse them (read in Claude Code)."""
        version = _version(self.resolved or self.id)
        return version is not None and version < _FIRST_WITHOUT_TEMPERATURE

    @property
    def takes_top_p(self) -> bool:
        """Whether upstream accepts `top_p` beside a temperature, which Claude Code sends where the model does not think
        (measured): from 4.1 on it takes one of them ("cannot both be specified for this model").
        """
        version = _version(self.resolved or self.id)
        return version is not None and version < _FIRST_WITH_ONE_SAMPLER


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one server: those it lists, the client's own names for them, and the default.

    `closed` holds where the person who runs the server named the models: then nothing else exists. Otherwise full
    `claude-...` ids that Claude Code does not list are passed to it as they are. With `agents`, each name exists once
    more with `AGENT_SUFFIX`. `tools`: a client may offer its own.
    """

    models: tuple[Model, ...]
    default: str
    aliases: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    closed: bool = False
    agents: bool = False
    tools: bool = True

    def resolve(self, name: str | None) -> Model:
        """The model a client means by `name`; None means the default.

        Raises:
            RequestFailed: `MODEL_NOT_FOUND`, naming what exists.
        """
        wanted = self._meant(name or self.default)
        plain = self._meant(wanted.removesuffix(AGENT_SUFFIX))
        as_agent = self.agents and plain != wanted and self._listed_as(wanted) is None
        found = self._known(plain) if as_agent else self._known(wanted)
        if found is None:
            raise RequestFailed(Failure(Kind.MODEL_NOT_FOUND, self._unknown(wanted), param="model"))
        return replace(found, agent=True) if as_agent else found

    def listed(self) -> tuple[Model, ...]:
        """What `/v1/models` shows: the models, then the aliases under their own names; then all of them as agents."""
        names = {alias for alias, _ in self.aliases}
        others = (model for model in self.models if model.id not in names)
        named = (replace(self.resolve(alias), id=alias, display_name=None) for alias, _ in self.aliases)
        plain = (*others, *named)
        taken = {model.id for model in plain}
        agents = (replace(model, id=model.id + AGENT_SUFFIX, agent=True) for model in plain if not model.agent)
        return (*plain, *(model for model in agents if self.agents and model.id not in taken))

    def _meant(self, name: str) -> str:
        return dict(self.aliases).get(name, name)

    def _listed_as(self, name: str) -> Model | None:
        return next((model for model in self.models if model.id == name), None)

    def _known(self, name: str) -> Model | None:
        if listed := self._listed_as(name):
            return listed
        return Model(name, resolved=name) if not self.closed and _FULL_ID.fullmatch(name) else None

    def _unknown(self, name: str) -> str:
        known = ", ".join(model.id for model in self.models)
        aliases = "".join(f", {alias}" for alias, _ in self.aliases)
        return f"The model `{name}` does not exist here. Available: {known}{aliases}."


def _version(name: str) -> tuple[int, int] | None:
    match = _VERSION.match(name)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _efforts_by_name(name: str) -> tuple[Effort, ...]:
    """A model without a version is told any level, and whether it can do without thinking is open."""
    version = _version(name)
    if version is None:
        return EFFORTS[1:]
    off: tuple[Effort, ...] = () if version > (5, 0) or "fable" in name else ("none",)
    if version < (4, 5) or (version == (4, 5) and "opus" not in name):
        return off
    if version == (4, 5):
        return (*off, "low", "medium", "high")
    if version == (4, 6):
        return (*off, "low", "medium", "high", "max")
    return (*off, *EFFORTS[1:])
