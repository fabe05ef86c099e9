"""Markdown tables that read well in a terminal too, and numbers in them. Pure."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from benchmarks.spread import Spread

Row: TypeAlias = tuple[str, ...]


def milliseconds(measured: Spread) -> str:
    return in_brackets(measured, 1000, 0)


def megabytes(count: float) -> str:
    return f"{count / 1_000_000:.0f} MB"


def in_brackets(measured: Spread, scale: float, digits: int) -> str:
    median, low, high = (f"{value * scale:.{digits}f}" for value in (measured.median, measured.low, measured.high))
    return f"{median} ({low} to {high})"


def aligned(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(row, widths) for row in lines)


def _line(row: Row, widths: Sequence[int]) -> str:
    fill = "-" if row[0] == "---" else " "
    return f"| {' | '.join(cell.ljust(width, fill) for cell, width in zip(row, widths, strict=True))} |"
