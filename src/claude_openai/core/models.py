"""The models of a server, and the resolution of the names by which clients request them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final, Literal, get_args

from claude_openai.core.failures import Failure, Kind, RequestFailed

FAMILY_PREFIX = "claude-"
AGENT_SUFFIX = "-agent"
"""Suffix of a model's name that selects the agent profile, for clients that can only choose a model."""

_FULL_ID = re.compile(r"claude-[a-z0-9][a-z0-9._-]*(\[1m\])?")
_ELSEWHERE = re.compile(
    r"(?:[a-z-]+\.)?anthropic\.claude-[a-z0-9.:_-]+(\[1m\])?|claude-[a-z0-9._-]+@[a-z0-9]+(\[1m\])?"
)
"""The id of a model on Amazon Bedrock or Google Vertex AI."""

LONGEST_NAME = 256
"""Characters of a name that is looked for, and repeated in an error. In 20 MB each regular expression below
took 370 ms (measured), in which no other thread runs."""

LARGE_SUFFIX = "[1m]"
"""Suffix of a model's name that selects its large context window."""

_TAGS = re.compile(r":(?:beta|thinking|extended|latest)$")
_BEDROCK = re.compile(r"^(?:[a-z-]+\.)?anthropic\.|-v\d+(?::[0-9a-z]+)*$")
_SPELLED = re.compile(r"[\w.:/@-]{1,64}")

_MOST_SHOWN: Final = 100
"""Characters of an unknown model's name that the error about it has."""

Effort = Literal["none", "low", "medium", "high", "xhigh", "max"]
"""The effort levels of Claude Code, and "none" for no thinking at all."""

EFFORTS: tuple[Effort, ...] = get_args(Effort)
"""All levels, the lowest first."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a backend knows of a model; the defaults hold for a model of which nothing is known.

    `efforts` are the levels that it takes, the lowest first, with "none" if it can answer without thinking.
    `context_window` and `most_output`, the longest answer, are in tokens; the latter is None if it is not known.
    `most_media`: images and files in a conversation at most. `thinks_by_budget`: thinking has a number of tokens of its
    own. `takes`: the numbers of `core.turn.Sampling` that upstream accepts, each by its field's name.
    """

    efforts: tuple[Effort, ...] = EFFORTS[1:]
    context_window: int = 200_000
    most_output: int | None = None
    most_media: int = 100
    thinks_by_budget: bool = False
    takes: frozenset[str] = frozenset()


NO_FACTS = ModelFacts()


def no_facts(name: str) -> ModelFacts:  # noqa: ARG001 -- of the form of `Capabilities.model_facts`
    """The facts of a backend that knows none."""
    return NO_FACTS


@dataclass(frozen=True, slots=True)
class Model:
    """A model: `id` is the name that clients use, `resolved` its full id upstream, if Claude Code reports one.

    `agent`: the client's name for it selects the agent profile. `facts` follow from the model, and are no part of what
    makes two models the same.
    """

    id: str
    resolved: str | None = None
    display_name: str | None = None
    agent: bool = False
    description: str | None = None
    facts: ModelFacts = field(default=NO_FACTS, compare=False)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one server: the listed ones, the aliases, and the default.

    `closed`: the operator has named the models, and no others exist. Otherwise full `claude-...` ids that Claude Code
    does not list are passed to it. With `agents`, each name also exists with `AGENT_SUFFIX`. `tools`: clients may
    have tools of their own. A model has many spellings (`spelled_plainly`) and is listed under one.
    """

    models: tuple[Model, ...]
    default: str
    aliases: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    closed: bool = False
    agents: bool = False
    tools: bool = True
    facts: Callable[[str], ModelFacts] = no_facts

    def resolve(self, name: str | None) -> Model:
        """The model that a client requests as `name`; None means the default.

        Raises:
            RequestFailed: `MODEL_NOT_FOUND`, naming what exists.
        """
        wanted = name or self.default
        found = self._resolved(wanted) if len(wanted) <= LONGEST_NAME else None
        if found is None:
            raise RequestFailed(Failure(Kind.MODEL_NOT_FOUND, self._unknown(wanted[:LONGEST_NAME]), param="model"))
        return found

    def _resolved(self, name: str) -> Model | None:
        return self._as_agent(name) if self._chooses_agent(name) else self._find(name)

    def listed(self) -> tuple[Model, ...]:
        """The entries of `/v1/models`: each model once, then the aliases, then the models with the agent suffix.

        Raises:
            RequestFailed: `MODEL_NOT_FOUND`: an alias names a model that does not exist.
        """
        names = {alias for alias, _ in self.aliases}
        others = [model for model in self.models if model.id not in names]
        aliased = [replace(self.resolve(alias), id=alias, display_name=None) for alias in dict(self.aliases)]
        taken = {model.id for model in (*others, *aliased)}
        agents = [replace(model, id=model.id + AGENT_SUFFIX, agent=True) for model in others if not model.agent]
        return (*others, *aliased, *(model for model in agents if self.agents and model.id not in taken))

    def _chooses_agent(self, name: str) -> bool:
        """Whether the ending of `name` selects the agent profile, and is not part of a listed name or an alias."""
        listed = self._alias(name) or named(self.models, name)
        return self.agents and name.lower().endswith(AGENT_SUFFIX) and listed is None

    def _as_agent(self, name: str) -> Model | None:
        plain = self._find(name[: -len(AGENT_SUFFIX)])
        return replace(plain, agent=True) if plain and not plain.agent else None

    def _find(self, name: str) -> Model | None:
        aliased = self._alias(name)
        return self._known(name) if aliased is None else replace(self, aliases=())._resolved(aliased)  # noqa: SLF001

    def _alias(self, name: str) -> str | None:
        """The model name that the alias `name` stands for; None if it is no alias."""
        spelled = {alias.lower(): model for alias, model in self.aliases} | dict(self.aliases)
        return next((spelled[each] for each in (name, name.lower(), _bare(name).lower()) if each in spelled), None)

    def _known(self, name: str) -> Model | None:
        found = named(self.models, name)
        if found or self.closed:
            return found
        wanted = spelled_plainly(name)
        if wanted.endswith(LARGE_SUFFIX) and (base := named(self.models, wanted.removesuffix(LARGE_SUFFIX))):
            resolved = (base.resolved or base.id) + LARGE_SUFFIX
            facts = replace(self.facts(resolved), efforts=base.facts.efforts)
            return replace(base, id=base.id + LARGE_SUFFIX, resolved=resolved, facts=facts)
        passed = _bare(name) if self._uses_provider_ids and _ELSEWHERE.fullmatch(_bare(name)) else wanted
        return Model(passed, resolved=passed, facts=self.facts(passed)) if _FULL_ID.fullmatch(wanted) else None

    @property
    def _uses_provider_ids(self) -> bool:
        """Whether Claude Code lists its models under the ids of Bedrock or Vertex."""
        return any(_ELSEWHERE.fullmatch(model.resolved or "") for model in self.models)

    def _unknown(self, name: str) -> str:
        known = ", ".join(model.id for model in self.models)
        if (target := self._alias(name)) is not None:
            return f"The alias `{name}` stands for `{target}`, which does not exist here. Available: {known}."
        aliases = "".join(f", {alias}" for alias, _ in self.aliases)
        shown = name if _SPELLED.fullmatch(name) else "gpt-4o"
        remedy = f"To serve a model under that name, start the server with --model-alias {shown}={self._served()}."
        named = name if len(name) <= _MOST_SHOWN else f"{name[: _MOST_SHOWN - 1]}\u2026"
        meant = self._like(name)
        advice = f" Did you mean `{meant}`?" if meant else ""
        return f"The model `{named}` does not exist here.{advice} Available: {known}{aliases}. {remedy}"

    def _like(self, name: str) -> str | None:
        """The name that `name` is a misspelling of; None if none is like it."""
        ending = AGENT_SUFFIX if self.agents and name.lower().endswith(AGENT_SUFFIX) else ""
        plain = spelled_plainly(name.lower().removesuffix(ending))
        spelled = {spelling: model.id for model in self.models for spelling in sorted(_spellings(model))}
        spelled |= {alias.lower(): alias for alias, _ in self.aliases}
        close = get_close_matches(plain, spelled, n=1, cutoff=0.75)
        return spelled[close[0]] + ending if close else None

    def _served(self) -> str:
        """A model that exists, for an example: the default, unless that is what does not exist."""
        ids = [model.id for model in self.models]
        return self.default if self._resolved(self.default) or not ids else "sonnet" if "sonnet" in ids else ids[0]


def named(models: Iterable[Model], name: str) -> Model | None:
    """The model that a client requests as `name`, in any spelling; an exact match first."""
    wanted = spelled_plainly(name)
    spelled = [model for model in models if model.id == name or wanted in _spellings(model)]
    return min(spelled, key=lambda model: model.id != name, default=None)


def spelled_plainly(name: str) -> str:
    """The canonical spelling of a Claude model's name as Anthropic, OpenRouter, LiteLLM, Bedrock or Vertex spell it.

    It is in lower case, without the provider (`anthropic/`, `openrouter/anthropic/`, `us.anthropic.`), Bedrock's
    version (`-v1:0`) and OpenRouter's tags (`:beta`); `4.5` becomes `4-5`, and Vertex's `@20250929` `-20250929`.
    """
    plain = _bare(name).lower()
    large = LARGE_SUFFIX if plain.endswith(LARGE_SUFFIX) else ""
    plain = _BEDROCK.sub("", _TAGS.sub("", plain.removesuffix(LARGE_SUFFIX)))
    plain = re.sub(r"@(?:latest|default)$", "", plain).replace("@", "-")
    return re.sub(r"(?<=\d)\.(?=\d)", "-", plain) + large


def _bare(name: str) -> str:
    """`name` without the provider and the router before it."""
    return name.strip().rpartition("/")[2]


def _spellings(model: Model) -> frozenset[str]:
    """The canonical names of `model`: its id, `claude-sonnet` for `sonnet`, and the full id unless it is an agent."""
    own = spelled_plainly(model.id)
    family = own if own.startswith(FAMILY_PREFIX) else FAMILY_PREFIX + own
    full = [spelled_plainly(model.resolved)] if model.resolved and not model.agent else []
    return frozenset({own, family, *full})
