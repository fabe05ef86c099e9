"""Tables of how each parameter of a request is treated, one for each protocol: the code follows them, and the
documentation is made from them. Parameters that are ignored or refused need a row only.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import EFFORTS, Effort, Model
from claude_openai.core.turn import Sampling
from claude_openai.protocols.common.shared_parameters import Parameter, SharedFields, Treatment, shared_parameters


class Request(Protocol):
    """A request with a field for each parameter of its protocol."""

    @property
    def unknown_fields(self) -> tuple[str, ...]: ...


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


def ignored_parameters(request: Request, table: Iterable[Parameter]) -> tuple[str, ...]:
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


def unknown_paths(request: Request) -> tuple[str, ...]:
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
        if not getattr(model.facts, number.taken):
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
    no levels. With a temperature or top_p in `sampling` Claude does not think.
    """
    if requested != "none" and (sampling.temperature, sampling.top_p) != (None, None):
        return "none"
    level: Effort = "low" if requested == "minimal" else requested
    levels = [each for each in model.facts.efforts if each != "none" or level == "none"]
    reachable = [each for each in levels if EFFORTS.index(each) <= EFFORTS.index(level)]
    return (reachable[-1] if reachable else levels[0]) if levels else None


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
