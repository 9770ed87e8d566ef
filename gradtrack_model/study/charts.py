"""Line charts as the coordinates of an SVG, which a template draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLOURS = ("#3465a4", "#cc5500", "#4e9a06", "#75507b")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520, 260, 52, 508, 24, 232
_TICKS = 5


@dataclass(frozen=True)
class Line:
    """One line: its name, its colour, and its ``points`` as SVG wants them."""

    name: str
    colour: str
    points: str


@dataclass(frozen=True)
class Chart:
    """A chart in units of the SVG's view box; ticks are (place, text)."""

    title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    mark: float | None
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def chart(
    title: str, series: Mapping[str, Sequence[tuple[float, float]]], mark: float | None = None
) -> Chart | None:
    """Lay out lines.

    Parameters
    ----------
    title : str
        What the y axis shows.
    series : mapping
        (x, y) by the name of the line; points that are not finite are left out.
    mark : float, optional
        An x to be marked.

    Returns
    -------
    Chart or None
        None when there is nothing to draw.
    """
    kept = {
        name: [p for p in points if all(map(math.isfinite, p))] for name, points in series.items()
    }
    kept = {name: points for name, points in kept.items() if points}
    if not kept:
        return None
    xs, ys = ([point[axis] for points in kept.values() for point in points] for axis in (0, 1))
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))
    x_ends, y_ends = (x_ticks[0], x_ticks[-1]), (y_ticks[0], y_ticks[-1])

    def across(x: float) -> float:
        return round(_LEFT + (x - x_ends[0]) / (x_ends[1] - x_ends[0]) * (_RIGHT - _LEFT), 1)

    def up(y: float) -> float:
        return round(_BOTTOM - (y - y_ends[0]) / (y_ends[1] - y_ends[0]) * (_BOTTOM - _TOP), 1)

    lines = [
        Line(name, _COLOURS[i % len(_COLOURS)], " ".join(f"{across(x)},{up(y)}" for x, y in points))
        for i, (name, points) in enumerate(kept.items())
    ]
    return Chart(
        title,
        tuple(lines),
        tuple((across(x), f"{x:g}") for x in x_ticks),
        tuple((up(y), f"{y:g}") for y in y_ticks),
        None if mark is None else across(mark),
    )


def ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers, 1, 2 or 5 times a power of ten apart, from below `low` to above `high`."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * _TICKS >= span)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]
