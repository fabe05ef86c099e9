"""How each parameter of a request is treated: a table for each protocol, which the code follows and the documentation
is made from. Ignored and refused parameters need nothing but their row.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from pydantic import BaseModel

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import EFFORTS, Effort, Model

Treatment = Literal["carried", "partly", "ignored", "refused"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a request: carried to Claude, carried in part, ignored and reported, or refused with a 400.

    `unless` has the values that ask for what happens anyway; they are treated like null and like an absent field.
    """

    name: str
    treatment: Treatment
    note: str
    unless: tuple[object, ...] = ()


MODEL: Final = Parameter(
    "model", "carried", "A model of `/v1/models`, an alias or a full `claude-...` id; absent: the default."
)
TEMPERATURE: Final = Parameter(
    "temperature",
    "partly",
    "Claude's range ends at 1, which is its default: above, it is carried as that and reported as adjusted. Without "
    "effect on models that do not take it (from Claude 4.7 on).",
)
TOP_P: Final = Parameter(
    "top_p",
    "partly",
    "Carried to models before Claude 4.1. Newer ones refuse it beside a temperature, which Claude Code always sends: "
    "then it is without effect.",
)
PARALLEL_TOOL_CALLS: Final = Parameter("parallel_tool_calls", "carried", "`false`: Claude makes one call at a time.")
MODERATION: Final = Parameter("moderation", "refused", "Answers are not moderated.")
TOP_LOGPROBS: Final = Parameter("top_logprobs", "refused", "Claude gives no probabilities.", unless=(0,))
LOGIT_BIAS: Final = Parameter("logit_bias", "refused", "Claude's tokens cannot be weighted.", unless=({},))
FREQUENCY_PENALTY: Final = Parameter("frequency_penalty", "ignored", "Claude has no penalties.", unless=(0,))
PRESENCE_PENALTY: Final = Parameter("presence_penalty", "ignored", "Claude has no penalties.", unless=(0,))
SEED: Final = Parameter("seed", "ignored", "Claude has no seed.")
SERVICE_TIER: Final = Parameter("service_tier", "ignored", "The tier is that of the login.", unless=("auto", "default"))
USER: Final = Parameter("user", "ignored", "Claude Code names its own user upstream.")
SAFETY_IDENTIFIER: Final = Parameter("safety_identifier", "ignored", "Claude Code names its own user upstream.")
CACHING: Final = (
    Parameter("prompt_cache_key", "ignored", "Claude Code caches prompts by itself."),
    Parameter("prompt_cache_options", "ignored", "Claude Code caches prompts by itself."),
    Parameter("prompt_cache_retention", "ignored", "Claude Code caches prompts by itself."),
)


class Request(Protocol):
    """A request with a field for each parameter of its protocol."""

    @property
    def unknown_fields(self) -> tuple[str, ...]: ...


HIGHEST_TEMPERATURE: Final = 1.0
"""The upper end of Claude's range; that of OpenAI's is 2."""

_MOST_UNKNOWN = 16
"""Unknown fields that are reported by name. A header has a bounded length, and more are not sent by mistake."""


def refuse_unsupported(request: Request, table: Iterable[Parameter]) -> None:
    """Check that the request asks for nothing that is not supported.

    Raises:
        RequestFailed: `UNSUPPORTED_PARAMETER`, naming the first such parameter.
    """
    for parameter in _effective(request, table, "refused"):
        sentence = f"Unsupported parameter: '{parameter.name}'. {parameter.note}"
        raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, sentence, param=parameter.name))


def ignored(request: Request, table: Iterable[Parameter]) -> tuple[str, ...]:
    """The names of the ignored parameters that the request has, fit for a header."""
    return tuple(parameter.name for parameter in _effective(request, table, "ignored"))


def require_exact(ignored: Sequence[str], adjusted: Sequence[str]) -> None:
    """Check that no parameter of the request is ignored or adjusted (`--strict-parameters`).

    Raises:
        RequestFailed: `UNSUPPORTED_PARAMETER`, naming the first one that is.
    """
    faults = [(name, f"'{name}' would have no effect") for name in ignored]
    for change in adjusted:
        name, _, value = change.partition("=")
        faults.append((name, f"'{name}' cannot be carried as sent, only as {value}"))
    for name, why in faults:
        sentence = f"Unsupported parameter: {why}, and this server does not accept that (--strict-parameters)."
        raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, sentence, param=name))


def unknown(request: Request) -> tuple[str, ...]:
    """The paths of the fields that the protocol does not have, fit for a header."""
    named = request.unknown_fields[:_MOST_UNKNOWN]
    more = len(request.unknown_fields) - len(named)
    return (*named, *([f"({more} more)"] if more else []))


@dataclass(frozen=True, slots=True)
class SamplingResolution:
    """Temperature and top_p for `Sampling`, and which of them were ignored or adjusted."""

    temperature: float | None
    top_p: float | None
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def resolve_sampling(temperature: float | None, top_p: float | None, model: Model) -> SamplingResolution:
    """Temperature and top_p as `model` takes them. 1 is the default of both, here and upstream, so it is as good as
    absent.
    """
    requested = {"temperature": temperature, "top_p": top_p}
    supported = {"temperature": model.facts.takes_temperature, "top_p": model.facts.takes_top_p}
    ignored = tuple(name for name, value in requested.items() if value not in (None, 1) and not supported[name])
    temperature, top_p = (None if value == 1 or not supported[name] else value for name, value in requested.items())
    if temperature is not None and temperature > HIGHEST_TEMPERATURE:
        return SamplingResolution(None, top_p, ignored, (f"temperature={HIGHEST_TEMPERATURE:g}",))
    return SamplingResolution(temperature, top_p, ignored)


LENGTH_NOTE: Final = (
    "Bounds the answer, thinking included: at 1024 or less Claude does not think, where the model can do without and "
    "no effort is asked for. More than the model gives is carried as its most, and reported as adjusted."
)


def clamped_limit(name: str, requested: int | None, model: Model) -> tuple[str, ...]:
    """Reports the parameter `name` as adjusted if `model` gives fewer tokens: Claude Code asks for no more."""
    most = model.facts.most_output
    return () if requested is None or most is None or requested <= most else (f"{name}={most}",)


EFFORT_NOTE: Final = (
    "Claude Code's levels `low` to `max`; `minimal` is `low`, `none` switches thinking off. What the model does not "
    "take is carried as the next level below, or its lowest, and reported as adjusted; where it has no levels, it is "
    "reported. Beside a `temperature` or `top_p` other than 1 Claude does not think: then it is carried as `none`."
)


@dataclass(frozen=True, slots=True)
class EffortResolution:
    """The effort for `Sampling`, and whether the parameter was ignored or adjusted."""

    effort: Effort | None = None
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


RequestedEffort = Literal[Effort, "minimal"]
"""The levels that OpenAI's clients may ask for."""


def resolve_effort(
    name: str, requested: RequestedEffort | None, model: Model, sampling: SamplingResolution
) -> EffortResolution:
    """The effort of the parameter `name` as `model` takes it: the same level, or the next lower one that it has.

    With a temperature or top_p in `sampling` Claude does not think.
    """
    if requested is None:
        return EffortResolution()
    if requested != "none" and (sampling.temperature, sampling.top_p) != (None, None):
        return EffortResolution("none", adjusted=(f"{name}=none",))
    level: Effort = "low" if requested == "minimal" else requested
    levels = [effort for effort in model.facts.efforts if effort != "none" or level == "none"]
    if not levels:
        return EffortResolution(ignored=(name,))
    reachable = [effort for effort in levels if EFFORTS.index(effort) <= EFFORTS.index(level)]
    taken = reachable[-1] if reachable else levels[0]
    return EffortResolution(taken, adjusted=() if taken == requested else (f"{name}={taken}",))


def markdown_table(table: Sequence[Parameter]) -> str:
    """The table as the documentation shows it."""
    rows = ["| Parameter | What happens | Note |", "|---|---|---|"]
    for row in table:
        plain = [value.model_dump() if isinstance(value, BaseModel) else value for value in row.unless]
        unless = f" unless {' or '.join(f'`{json.dumps(value)}`' for value in plain)}" if plain else ""
        happens: dict[Treatment, str] = {
            "carried": "carried",
            "partly": "carried in part",
            "ignored": f"no effect, reported{unless}",
            "refused": f"400{unless}",
        }
        rows.append(f"| `{row.name}` | {happens[row.treatment]} | {row.note} |")
    return "\n".join(rows) + "\n"


def _effective(request: Request, table: Iterable[Parameter], treatment: Treatment) -> Iterator[Parameter]:
    for parameter in table:
        value: object = getattr(request, parameter.name)
        if parameter.treatment == treatment and value is not None and value not in parameter.unless:
            yield parameter
