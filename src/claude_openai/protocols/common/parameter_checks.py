"""Checks a request against its protocol's table of parameters: what is refused, what is ignored and reported.

The documentation is made from the same tables. Parameters that are ignored or refused need a row only.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from pydantic import BaseModel

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.protocols.common.shared_parameters import Parameter, Treatment


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
