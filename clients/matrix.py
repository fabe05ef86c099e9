"""What came of a run, and the table that readers get of it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from clients.capabilities import CAPABILITIES
from clients.catalogue import Client

MATRIX: Final = ("<!-- matrix:begin -->\n", "<!-- matrix:end -->")
"""The marks around the table in docs/guide/clients.md."""


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 -- not that kind of pass
    FAIL = "fail"
    SKIP = "skip"


SIGNS: Final = {Outcome.PASS: "yes", Outcome.FAIL: "**no**", Outcome.SKIP: "skipped"}
START: Final = "start"
"""Stands for the capability where a client could not be started, or not even be installed."""

NOTHING: Final = "·"
"""The client has nothing of the kind, or nobody has tried."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one capability of one client; `why` where it did not pass."""

    client: Client
    capability: str
    outcome: Outcome
    why: str = ""

    @property
    def line(self) -> str:
        """For people who watch."""
        return f"{self.outcome:<4}  {self.client.name:<24}  {self.capability:<12}  {self.why}".rstrip()


def table(results: Sequence[Result]) -> str:
    """A row for each client, a column for each capability; then what the columns mean."""
    clients = list(dict.fromkeys(result.client for result in results))
    found = {(result.client, result.capability): SIGNS[result.outcome] for result in results}
    without = {client: found.get((client, START), NOTHING) for client in clients}
    rows: list[Sequence[str]] = [
        ("Client", "Version", *(each.title for each in CAPABILITIES.values())),
        ("---",) * (2 + len(CAPABILITIES)),
    ]
    for client in clients:
        cells = (found.get((client, name), without[client]) for name in CAPABILITIES)
        rows.append((client.title, client.version, *cells))
    return f"{_lines(rows)}\n{_lines(_meanings())}"


def _meanings() -> Iterator[Sequence[str]]:
    yield from (("Column", "What it takes"), ("---", "---"))
    yield from ((each.title, each.means) for each in CAPABILITIES.values())


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def between(marks: tuple[str, str], made: str, page: str) -> str:
    """The page with `made` between its marks."""
    begin, end = marks
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{made}{end}{after}"
