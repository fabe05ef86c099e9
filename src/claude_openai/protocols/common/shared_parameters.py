"""The one table of the parameters that several protocols have: name, type and bounds, treatment, and how it is carried.

A line is a field of a pydantic class that the protocols' requests inherit, with its `Parameter`. A parameter that is
added here is parsed, documented, reported and, if it is a number with `carried`, handed on by every one of them. This
module does not know the domain, like everything that describes what is sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field, Tag

from claude_openai.protocols.common.wire.claude import ClaudeOptions
from claude_openai.protocols.common.wire.request_base import Object, RequestBody, TokenLimit, json_type_discriminator

Treatment = Literal["carried", "partly", "ignored", "refused"]

_ORDER: Final[Mapping[Treatment, int]] = {"carried": 0, "partly": 0, "refused": 1, "ignored": 2}

Penalty = Annotated[float, Field(ge=-2, le=2)]


@dataclass(frozen=True, slots=True)
class CarriedNumber:
    """How a number is carried: as the field `to` of `core.turn.Sampling`.

    `default` is upstream's own: a request with it is treated as one without the field. A value above `most` is carried
    as `most` and reported as adjusted. For a model whose `core.models.ModelFacts.takes` does not have it, the parameter
    is reported as ignored.
    """

    to: str
    default: float
    most: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a request: carried to Claude, carried in part, ignored and reported, or refused with a 400.

    `unless` are values that have no effect anyway: with them, as with null, the parameter is neither reported nor
    refused. `number`: how it is carried; where it is None, the protocol's own code carries it.
    """

    name: str
    treatment: Treatment
    note: str
    unless: tuple[object, ...] = ()
    number: CarriedNumber | None = None


def _field(
    treatment: Treatment, note: str, *, unless: tuple[object, ...] = (), number: CarriedNumber | None = None
) -> Parameter:
    return Parameter("", treatment, note, unless, number)


_CACHING: Final = _field("ignored", "Claude Code caches prompts by itself.")
_NO_PENALTIES: Final = _field("ignored", "Claude has no penalties.", unless=(0,))
_OWN_USER: Final = _field("ignored", "Claude Code names its own user upstream.")


class SharedFields(RequestBody):
    """The fields of every protocol's request."""

    model: Annotated[
        str | None,
        _field("carried", "A model of `/v1/models`, an alias or a full `claude-...` id; absent: the default."),
    ] = None
    claude: Annotated[
        ClaudeOptions | None,
        _field(
            "carried",
            "The [agent profile](../guide/agent.md); not a field of OpenAI's. An unknown field of it is a 400.",
        ),
    ] = None
    stream: Annotated[bool | None, _field("carried", "Token by token, as Claude sends.")] = None
    temperature: Annotated[
        Annotated[float, Field(ge=0, le=2)] | None,
        _field(
            "partly",
            "Claude's range ends at 1, which is its default: above, it is carried as that and reported as adjusted. "
            "Without effect on models that do not take it (from Claude 4.7 on).",
            number=CarriedNumber("temperature", default=1, most=1),
        ),
    ] = None
    top_p: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        _field(
            "partly",
            "Carried to models before Claude 4.1. Newer ones refuse it beside a temperature, which Claude Code always "
            "sends: then it is without effect.",
            number=CarriedNumber("top_p", default=1, most=1),
        ),
    ] = None
    user: Annotated[str | None, _OWN_USER] = None


class CompletionFields(SharedFields):
    """The further fields of completions and of chat completions."""

    frequency_penalty: Annotated[Penalty | None, _NO_PENALTIES] = None
    logit_bias: Annotated[Object | None, _field("refused", "Claude's tokens cannot be weighted.", unless=({},))] = None
    max_tokens: Annotated[TokenLimit | None, _field("carried", "Bounds the answer, thinking included.")] = None
    n: Annotated[
        Annotated[int, Field(ge=1, le=128)] | None,
        _field("carried", "Up to 8 answers, each a run of its own; see below. More, and several of agents, are a 400."),
    ] = None
    presence_penalty: Annotated[Penalty | None, _NO_PENALTIES] = None
    seed: Annotated[
        Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None, _field("ignored", "Claude has no seed.")
    ] = None
    stop: Annotated[
        Annotated[
            Annotated[str, Tag("<string>")] | Annotated[list[str], Field(max_length=4, fail_fast=True), Tag("<list>")],
            json_type_discriminator("a string or an array of strings"),
        ]
        | None,
        _field(
            "carried",
            "Up to four; an empty one is a 400. Claude takes none of white space alone, and none where the answer has "
            "a `response_format`: such a one ends the answer here, and what the answer used is then not known.",
        ),
    ] = None


class CurrentFields(SharedFields):
    """The further fields of OpenAI's current APIs: chat completions and responses."""

    moderation: Annotated[Object | None, _field("refused", "Answers are not moderated.")] = None
    parallel_tool_calls: Annotated[bool | None, _field("carried", "`false`: Claude makes one call at a time.")] = None
    prompt_cache_key: Annotated[str | None, _CACHING] = None
    prompt_cache_options: Annotated[Object | None, _CACHING] = None
    prompt_cache_retention: Annotated[str | None, _CACHING] = None
    safety_identifier: Annotated[str | None, _OWN_USER] = None
    service_tier: Annotated[
        str | None, _field("ignored", "The tier is that of the login.", unless=("auto", "default"))
    ] = None
    top_logprobs: Annotated[
        Annotated[int, Field(ge=0, le=20)] | None,
        _field("refused", "Claude gives no probabilities.", unless=(0,)),
    ] = None


@cache
def shared_parameters(request: type[SharedFields]) -> tuple[Parameter, ...]:
    """The rows of the shared fields that `request` has."""
    return tuple(
        replace(row, name=name)
        for name, field in request.model_fields.items()
        for row in field.metadata
        if isinstance(row, Parameter)
    )


def parameter_table(request: type[SharedFields], own: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """The table of a protocol: its `own` rows, which also replace shared ones of the same name, and the shared rows."""
    rows = {row.name: row for row in own}
    rows |= {row.name: row for row in shared_parameters(request) if row.name not in rows}
    return tuple(sorted(rows.values(), key=lambda row: _ORDER[row.treatment]))
