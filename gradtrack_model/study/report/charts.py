"""Line charts as the coordinates of an SVG, which a template draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Colours of the page's style, in light and in dark, and dashes for whoever cannot tell them apart.
_COLOURS = ("var(--line-1)", "var(--line-2)", "var(--line-3)", "var(--line-4)")
_DASHES = ("", "7 3", "2 3", "9 3 2 3")
# The view box, and the rectangle in it within which lines are drawn.
_WIDTH = 520
_HEIGHT = 260
_LEFT = 52
_RIGHT = 508
_TOP = 24
_BOTTOM = 224
_TICKS = 5


@dataclass(frozen=True)
class Line:
    """One line: its name, colour and dashes, its ``points`` as SVG wants them, and its dots."""

    name: str
    colour: str
    dash: str
    points: str
    dots: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart in units of the SVG's view box; ticks are (place, text)."""

    title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    mark: float | None
    x_title: str = ""
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def chart(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    mark: float | None = None,
    *,
    x_title: str = "",
    dotted: Collection[str] = (),
) -> Chart | None:
    """Lay out lines.

    Parameters
    ----------
    title : str
        What the y axis shows, as the heading of the chart.
    series : mapping
        The (x, y) of each line by its name; points that are not finite are left out.
    mark : float, optional
        An x to be marked by a vertical line.
    x_title : str
        What the x axis shows; empty where the page says it.
    dotted : collection of str
        Names of lines that have a dot at each of their points.

    Returns
    -------
    Chart or None
        None when there is nothing to draw.
    """
    kept = {}
    for name, points in series.items():
        finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if finite:
            kept[name] = finite
    if not kept:
        return None
    drawn = [point for points in kept.values() for point in points]
    x_ticks = ticks(min(x for x, _ in drawn), max(x for x, _ in drawn))
    y_ticks = ticks(min(y for _, y in drawn), max(y for _, y in drawn))

    def across(x: float) -> float:
        share = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    def up(y: float) -> float:
        share = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)

    lines = []
    for number, (name, points) in enumerate(kept.items()):
        places = [(across(x), up(y)) for x, y in points]
        line = Line(
            name=name,
            colour=_COLOURS[number % len(_COLOURS)],
            dash=_DASHES[number % len(_DASHES)],
            points=" ".join(f"{x},{y}" for x, y in places),
            dots=tuple(places) if name in dotted else (),
        )
        lines.append(line)
    return Chart(
        title=title,
        lines=tuple(lines),
        x_ticks=tuple((across(x), f"{x:g}") for x in x_ticks),
        y_ticks=tuple((up(y), f"{y:g}") for y in y_ticks),
        mark=None if mark is None else across(mark),
        x_title=x_title,
    )


def ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers from below `low` to above `high`.

    They are 1, 2 or 5 times a power of ten apart. Of a line that is level, the next ones lie above.
    """
    from matplotlib.ticker import MaxNLocator

    span = high - low or abs(high) or 1.0
    places = MaxNLocator(nbins=_TICKS, steps=[1, 2, 5, 10]).tick_values(low, low + span)
    return [round(float(place), 12) for place in places]
