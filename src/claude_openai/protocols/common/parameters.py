"""Tables of how each parameter of a request is treated, one for each protocol: the code follows them, and the
documentation is made from them. Parameters that are ignored or refused need a row only.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from pydantic import BaseModel

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import EFFORTS, Effort, Model
from claude_openai.core.turn import Sampling

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


LENGTH_NOTE: Final = (
    "Bounds the answer, thinking included: at 1024 or less Claude does not think, where the model can do without and "
    "no effort is asked for. More than the model gives is carried as its most, and reported as adjusted."
)


EFFORT_NOTE: Final = (
    "Claude Code's levels `low` to `max`; `minimal` is `low`, `none` switches thinking off. What the model does not "
    "take is carried as the next level below, or its lowest, and reported as adjusted; where it has no levels, it is "
    "reported. Beside a `temperature` or `top_p` other than 1 Claude does not think: then it is carried as `none`."
)


RequestedEffort = Literal[Effort, "minimal"]
"""The levels that OpenAI's clients may ask for."""


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """The sampling of a turn, and which of its parameters were ignored or adjusted; both are fit for a header."""

    sampling: Sampling
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def resolve_sampling(
    model: Model,
    temperature: float | None,
    top_p: float | None,
    *,
    limit: tuple[str, int | None],
    effort: tuple[str, RequestedEffort | None],
    stop: Sequence[str] = (),
    upstream_stop: Sequence[str] = (),
) -> SamplingParameters:
    """The parameters as `model` takes them; `limit` and `effort` come with the name that the protocol has for them.

    A `temperature` or `top_p` of 1 is the default, here and upstream, so it is as good as absent. `upstream_stop` are
    those of the `stop` sequences that upstream can look for.
    """
    facts = model.facts
    requested = {"temperature": temperature, "top_p": top_p}
    supported = {"temperature": facts.takes_temperature, "top_p": facts.takes_top_p}
    ignored = [name for name, value in requested.items() if value not in (None, 1) and not supported[name]]
    temperature, top_p = (None if value == 1 or not supported[name] else value for name, value in requested.items())
    adjusted = []
    limit_name, most_tokens = limit
    if most_tokens is not None and facts.most_output is not None and most_tokens > facts.most_output:
        adjusted.append(f"{limit_name}={facts.most_output}")  # Claude Code asks for no more
    if temperature is not None and temperature > HIGHEST_TEMPERATURE:
        temperature = None
        adjusted.append(f"temperature={HIGHEST_TEMPERATURE:g}")
    effort_name, level = effort
    taken = _supported_effort(level, model)
    if level not in (None, "none") and (temperature, top_p) != (None, None):
        taken = "none"  # with these Claude does not think
    if level is not None and taken is None:
        ignored.append(effort_name)
    elif taken != level:
        adjusted.append(f"{effort_name}={taken}")
    local_stop = tuple(sequence for sequence in stop if sequence not in upstream_stop)
    sampling = Sampling(most_tokens, temperature, top_p, tuple(upstream_stop), effort=taken, local_stop=local_stop)
    return SamplingParameters(sampling, tuple(ignored), tuple(adjusted))


def _supported_effort(requested: RequestedEffort | None, model: Model) -> Effort | None:
    """The same level, the next lower one that `model` has, or its lowest; None if it has none."""
    if requested is None:
        return None
    level: Effort = "low" if requested == "minimal" else requested
    levels = [effort for effort in model.facts.efforts if effort != "none" or level == "none"]
    reachable = [effort for effort in levels if EFFORTS.index(effort) <= EFFORTS.index(level)]
    if not levels:
        return None
    return reachable[-1] if reachable else levels[0]


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
