"""The curve as an SVG, readable on light and on dark pages. Pure: the same points give the same bytes."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

import svg

from benchmarks.curve import Point

WIDTH: Final = 860
PANEL_WIDTH: Final = 400
PANEL_HEIGHT: Final = 210
LEFT: Final = 46
TOP: Final = 34
GAP: Final = 30
TICKS: Final = 4

STYLE: Final = """
svg { background: #ffffff; }
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.a { stroke: #0550ae; } .dot.a { fill: #0550ae; } text.a { fill: #0550ae; stroke: none; }
.b { stroke: #bc4c00; } .dot.b { fill: #bc4c00; } text.b { fill: #bc4c00; stroke: none; }
.b.line { stroke-dasharray: 6 4; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; }
  text { fill: #e6edf3; }
  .grid { stroke: #30363d; }
  .a { stroke: #79c0ff; } .dot.a { fill: #79c0ff; } text.a { fill: #79c0ff; }
  .b { stroke: #ffa657; } .dot.b { fill: #ffa657; } text.b { fill: #ffa657; }
}
"""
"""The two lines of a panel differ in their dashes too, for those who do not see the colours."""


class Panel(NamedTuple):
    """A title with its unit, and two lines by their names."""

    title: str
    lines: Sequence[tuple[str, Callable[[Point], float]]]


PANELS: Final = (
    Panel(
        "First token, ms",
        (("median", lambda p: p.first_token.median * 1e3), ("95 %", lambda p: p.first_token_95 * 1e3)),
    ),
    Panel("Token lag, ms", (("median", lambda p: p.lag * 1e3), ("99 %", lambda p: p.lag_99 * 1e3))),
    Panel(
        "Processors at work",
        (("server", lambda p: p.server_cores.median), ("its Claude Codes", lambda p: p.claude_code_cores.median)),
    ),
    Panel(
        "Memory, MB",
        (("server", lambda p: p.server_bytes / 1e6), ("its Claude Codes", lambda p: p.claude_code_bytes / 1e6)),
    ),
)


def plot(points: Sequence[Point]) -> str:
    """Four panels over the number of conversations, which is drawn on a logarithmic axis."""
    height = 2 * (PANEL_HEIGHT + GAP)
    elements: list[svg.Element] = [svg.Title(text=escape(alternative(points))), svg.Style(text=STYLE)]
    for number, panel in enumerate(PANELS):
        across, down = number % 2 * (WIDTH - PANEL_WIDTH), number // 2 * (PANEL_HEIGHT + GAP)
        elements.append(svg.G(transform=[svg.Translate(across, down)], elements=_panel(panel, points)))
    image = svg.SVG(width=WIDTH, height=height, viewBox=svg.ViewBoxSpec(0, 0, WIDTH, height), elements=elements)
    return f"{image}\n"


def alternative(points: Sequence[Point]) -> str:
    """What the plot shows, for those who cannot see it."""
    first, last = points[0], points[-1]
    return (
        f"From {first.count} to {last.count} conversations the first token's median goes from "
        f"{first.first_token.median * 1e3:.0f} to {last.first_token.median * 1e3:.0f} ms, the token lag's from "
        f"{first.lag * 1e3:.1f} to {last.lag * 1e3:.1f} ms, the server's processors from "
        f"{first.server_cores.median:.2f} to {last.server_cores.median:.2f}, and its Claude Codes' memory from "
        f"{first.claude_code_bytes / 1e6:.0f} to {last.claude_code_bytes / 1e6:.0f} MB."
    )


def _panel(panel: Panel, points: Sequence[Point]) -> list[svg.Element]:
    right, bottom = PANEL_WIDTH - 12, PANEL_HEIGHT - 18
    top = _round_up(max(value(point) for _, value in panel.lines for point in points))
    last = math.log2(max(points[-1].count, 2))

    def x(count: int) -> float:
        return round(LEFT + (right - LEFT) * math.log2(count) / last, 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - TOP) * value / top, 1)

    drawn: list[svg.Element] = [svg.Text(x=LEFT, y=16, text=escape(panel.title), class_=["title"])]
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        drawn.append(svg.Line(x1=LEFT, x2=right, y1=y(value), y2=y(value), class_=["grid"]))
        drawn.append(svg.Text(x=LEFT - 6, y=y(value) + 4, text=f"{value:g}", text_anchor="end"))
    drawn += [svg.Text(x=x(p.count), y=bottom + 16, text=str(p.count), text_anchor="middle") for p in points]
    for (name, value_of), colour, place in zip(panel.lines, ("a", "b"), (186, right), strict=True):
        line = [svg.Point(x(p.count), y(value_of(p))) for p in points]
        drawn.append(svg.Polyline(points=line, class_=["line", colour]))
        drawn += [svg.Circle(cx=x(p.count), cy=y(value_of(p)), r=3, class_=["dot", colour]) for p in points]
        sign = {"a": "―", "b": "╌"}[colour]
        label = svg.Text(x=place, y=16, text=escape(f"{sign} {name}"), class_=[colour])
        label.text_anchor = "start" if colour == "a" else "end"
        drawn.append(label)
    return drawn


def _round_up(value: float) -> float:
    """The next of 1, 2, 4 and 8 times a power of ten, so that the ticks are round too."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
