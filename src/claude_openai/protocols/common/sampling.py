"""Reads the sampling of a turn: the numbers of the shared table, the limit in tokens and the effort."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from claude_openai.core.models import EFFORTS, Effort, Model
from claude_openai.core.turn import Sampling
from claude_openai.protocols.common.shared_parameters import SharedFields, shared_parameters

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
"""The effort levels of OpenAI's clients."""


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """The generation parameters of a turn, and which parameters of the request were ignored or adjusted for them."""

    sampling: Sampling
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def resolve_sampling(
    request: SharedFields,
    model: Model,
    *,
    limit: tuple[str, int | None],
    effort: tuple[str, RequestedEffort | None],
    stop: tuple[str, ...] = (),
    local_stop: tuple[str, ...] = (),
) -> SamplingParameters:
    """The generation parameters of `request`, as far as `model` takes them: the numbers of the shared table, and what
    each protocol has under a name of its own, which comes with it: the `limit` in tokens and the `effort`.
    """
    ignored: list[str] = []
    adjusted: list[str] = []
    most_output = model.facts.most_output
    if limit[1] is not None and most_output is not None and limit[1] > most_output:
        adjusted.append(f"{limit[0]}={most_output}")  # Claude Code requests no more by itself
    numbers: dict[str, Any] = {}
    for row in shared_parameters(type(request)):
        value, number = getattr(request, row.name), row.number
        if number is None or value in (None, number.default):
            continue
        if number.to not in model.facts.takes:
            ignored.append(row.name)
        elif value > number.most:
            adjusted.append(f"{row.name}={number.most:g}")
            numbers[number.to] = None if number.most == number.default else number.most
        else:
            numbers[number.to] = value
    sampling = Sampling(limit[1], stop=stop, local_stop=local_stop, **numbers)
    name, requested = effort
    if requested is not None:
        taken = _effort(requested, model, sampling)
        if taken is None:
            ignored.append(name)
        elif taken != requested:
            adjusted.append(f"{name}={taken}")
        sampling = replace(sampling, effort=taken)
    return SamplingParameters(sampling, tuple(ignored), tuple(adjusted))


def _effort(requested: RequestedEffort, model: Model, sampling: Sampling) -> Effort | None:
    """The effort as `model` takes it: the same level, the next lower one that it has, or its lowest; None if it has
    no levels. Beside some numbers Claude does not think.
    """
    if requested != "none" and sampling.excludes_thinking:
        return "none"
    level: Effort = "low" if requested == "minimal" else requested
    levels = [each for each in model.facts.efforts if each != "none" or level == "none"]
    reachable = [each for each in levels if EFFORTS.index(each) <= EFFORTS.index(level)]
    return (reachable[-1] if reachable else levels[0]) if levels else None
