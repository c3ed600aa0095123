"""Pictures as SVG, in the colours of the page that they stand in (CSS variables): points, and lines.

Each text is in English and Chinese where it differs; the page shows one of them. The pictures of docs/results.md are
drawn by the same functions, in English, with colours of their own for light and dark.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from marian_distill.evaluation.report.data import Names

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 120, 16, 48
COLOURS = 10  # --c0 to --c9 of page.css
STANDALONE = """<style>
svg { --line: #d0d7de; --ink: #1f2328; --soft: #656d76; --c0: #0969da; --c1: #bf3989; --c2: #1a7f37; --c3: #9a6700;
  --c4: #8250df; --c5: #cf222e; --c6: #0b7285; --c7: #57606a; --c8: #bc4c00; --c9: #6639ba; }
@media (prefers-color-scheme: dark) { svg { --line: #30363d; --ink: #e6edf3; --soft: #9198a1; --c0: #4493f8;
  --c1: #db61a2; --c2: #3fb950; --c3: #d29922; --c4: #ab7df8; --c5: #f85149; --c6: #39c5cf; --c7: #9198a1;
  --c8: #f0883e; --c9: #d2a8ff; } }
</style>"""


class Point(NamedTuple):
    """A system: `x` is None where it is not known; then it is a line at its height. `low` and `high` bound `y`."""

    name: str
    x: float | None
    y: float
    low: float
    high: float


class Line(NamedTuple):
    """A curve of (x, y, low, high)."""

    name: str
    points: Sequence[tuple[float, float, float, float]]


def scatter(points: Sequence[Point], x_label: Names, y_label: Names, standalone: bool = False) -> str:
    """Points over a logarithmic axis, each with its interval."""
    known = [point.x for point in points if point.x is not None and point.x > 0]
    low_x, high_x = (min(known) / 1.5, max(known) * 1.5) if known else (1.0, 10.0)
    y_ticks = _ticks(min(point.low for point in points), max(point.high for point in points))
    across = _Scale(math.log10(low_x), math.log10(high_x), LEFT, WIDTH - RIGHT)
    up = _Scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = _axes(
        {tick: across(math.log10(tick)) for tick in _decades(low_x, high_x)} if known else {},
        {tick: up(tick) for tick in y_ticks},
        x_label,
        y_label,
    )
    heights = _apart([up(point.y) for point in points], 13)
    for number, (point, height) in enumerate(zip(points, heights, strict=True)):
        colour, y = f"var(--c{number % COLOURS})", up(point.y)
        about = f"<title>{escape(point.name)}: {point.y:.1f} [{point.low:.1f}, {point.high:.1f}]</title>"
        end = WIDTH - RIGHT
        if point.x is None:
            parts.append(
                f'<g>{about}<line x1="{LEFT}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
                'stroke-dasharray="2 5" stroke-width="1.5"/></g>'
            )
        else:
            x = across(math.log10(max(point.x, low_x)))
            parts.append(
                f'<g>{about}<line x1="{x:.1f}" x2="{x:.1f}" y1="{up(point.low):.1f}" y2="{up(point.high):.1f}" '
                f'stroke="{colour}" stroke-width="2"/><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
                f'<line x1="{x:.1f}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-opacity=".25"/></g>'
            )
        parts.append(_name_at_end(point.name, y, height, colour))
    return _svg(parts, standalone)


def lines(
    curves: Sequence[Line],
    x_label: Names,
    y_label: Names,
    classes: Sequence[str] = (),
    standalone: bool = False,
) -> str:
    """Curves with their intervals; over `classes`, where given, x counts these from 0."""
    every = [point for curve in curves for point in curve.points]
    y_ticks = _ticks(min(point[2] for point in every), max(point[3] for point in every))
    x_ticks = list(range(len(classes))) or _ticks(min(one[0] for one in every), max(one[0] for one in every))
    margin = 0.3 if classes else 0.0
    across = _Scale(x_ticks[0] - margin, x_ticks[-1] + margin, LEFT, WIDTH - RIGHT)
    up = _Scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    named: Mapping[float | str, float] = {(classes[int(tick)] if classes else tick): across(tick) for tick in x_ticks}
    parts = _axes(named, {tick: up(tick) for tick in y_ticks}, x_label, y_label)
    heights = _apart([up(curve.points[-1][1]) for curve in curves], 13)
    for number, (curve, height) in enumerate(zip(curves, heights, strict=True)):
        colour = f"var(--c{number % COLOURS})"
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y, _, _ in curve.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, low, high in curve.points if len(curve.points) <= 40 else ():
            at = across(x)
            parts.append(
                f"<g><title>{escape(curve.name)}: {y:.4g}</title>"
                f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{up(low):.1f}" y2="{up(high):.1f}" stroke="{colour}"/>'
                f'<circle cx="{at:.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/></g>'
            )
        parts.append(_name_at_end(curve.name, up(curve.points[-1][1]), height, colour))
    return _svg(parts, standalone)


class _Scale(NamedTuple):
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


def _ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from below the lowest to above the highest."""
    rough = max(high - low, 1e-9, abs(high) * 1e-3) / about
    unit = 10 ** math.floor(math.log10(rough))
    step = next(size * unit for size in (1, 2, 5, 10) if size * unit >= rough)
    return [round(number * step, 10) for number in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every decade that lie between; of more than three decades their 1 alone."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    sizes = (1, 2, 5) if len(exponents) < 5 else (1,)
    return [tick for one in exponents for size in sizes if low <= (tick := float(f"{size}e{one}")) <= high]


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """The heights of names, moved apart so that none lies on another."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = [0.0] * len(heights)
    above = -math.inf
    for index in order:
        above = placed[index] = max(heights[index], above + least)
    excess = above - (HEIGHT - BOTTOM)
    if excess > 0:  # back up from the bottom
        below = math.inf
        for index in reversed(order):
            below = placed[index] = min(placed[index] - (excess if below == math.inf else 0), below - least)
    return placed


def _text(x: float, y: float, said: Names | str, attributes: str = "") -> str:
    if isinstance(said, str):
        return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(said)}</text>'
    return "".join(
        f'<text class="{language}" x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(text)}</text>'
        for language, text in zip(("en", "zh"), said, strict=True)
    )


def _name_at_end(name: str, y: float, height: float, colour: str) -> str:
    x = WIDTH - RIGHT
    short = name if len(name) <= 16 else name[:15] + "…"
    leader = f'<path d="M{x},{y:.1f} L{x + 8},{height:.1f}" stroke="{colour}" fill="none"/>'
    label = _text(x + 11, height + 4, short, f'fill="{colour}"')
    return f"<g><title>{escape(name)}</title>{leader}{label}</g>"


def _axes(
    x_ticks: Mapping[float | str, float] | Mapping[float, float],
    y_ticks: Mapping[float, float],
    x_label: Names,
    y_label: Names,
) -> list[str]:
    bottom, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick, y in y_ticks.items():
        parts.append(f'<line x1="{LEFT}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{tick:g}", 'text-anchor="end" fill="var(--soft)"'))
    for tick, x in x_ticks.items():
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="var(--soft)"/>')
        name = tick if isinstance(tick, str) else f"{tick:g}"
        parts.append(_text(x, bottom + 18, name, 'text-anchor="middle" fill="var(--soft)"'))
    parts.append(_text((LEFT + end) / 2, HEIGHT - 8, x_label, 'text-anchor="middle" fill="var(--ink)"'))
    turned = f'text-anchor="middle" fill="var(--ink)" transform="rotate(-90 14 {(TOP + bottom) / 2:.1f})"'
    return [*parts, _text(14, (TOP + bottom) / 2, y_label, turned)]


def _svg(parts: Sequence[str], standalone: bool) -> str:
    style = STANDALONE if standalone else ""
    body = "".join(parts)
    if standalone:  # a page has both languages and shows one
        style += "<style>.zh { display: none }</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12">{style}{body}</svg>'
    )
