"""Dwell time spread along a track and blurred: the sums that densities and heatmaps are made of.

A level begins with the sum of the one before, so all of them cost what the longest one does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.kernels.gaussian import REACH, splat, widen
from gazetrack.maps.quadrature import pieces_and_nodes, unit_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

    from gazetrack.maps.points import Points

_LEAST_STEP_PX = 2.0
_BLOCK = 8192  # fixations whose dwell time is spread at once


def blurred_levels(p: Points, sigma: float, joined: npt.NDArray[np.bool_]) -> Maps:
    """Sum up dwell time, as Gaussians along the track: maps [L, H, W] for the price of the longest.

    A Gaussian of variance sigma^2 is one of half of it, blurred by another one of that half. So the
    first are summed on a grid as coarse as they allow, and the second, a product of two narrow
    matrices per level, takes that grid to the pixels: the work hardly depends on the number of
    fixations. With three quarters of the smaller Gaussians' standard deviation between its nodes
    the sum is the integral to 2 exp(-pi^2 / .75^2) = 5e-8 (Poisson's formula).

    Parameters
    ----------
    p : Points
        The fixations, the levels, and the size of the maps.
    sigma : float
        Standard deviation of the blur, in pixels.
    joined : ndarray of bool, shape (N,)
        Whether the dwell time goes along the line from a fixation to the next one; where it does
        not, it stays at the fixation.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        Milliseconds around each pixel, weighted by a Gaussian whose maximum is 1.
    """
    half = sigma / math.sqrt(2)
    if half <= _LEAST_STEP_PX:
        # So narrow a Gaussian is summed at the pixels' centres themselves.
        pixels = np.zeros((len(p.firsts), *p.size))
        at_centres = _Grid(values=pixels, origin=0.5, step=1.0, sigma=sigma)
        _sum_levels(p, joined, sigma, at_centres)
        return pixels.astype(np.float32)
    step = 0.75 * half
    margin = math.ceil(REACH / 0.75)
    origin = -margin * step
    n_rows, n_columns = (math.ceil(n / step) + 2 * margin + 1 for n in p.size)
    nodes = np.zeros((len(p.firsts), n_rows, n_columns))
    _sum_levels(p, joined, sigma, _Grid(values=nodes, origin=origin, step=step, sigma=half))
    height, width = p.size
    to_rows = _gaussians(height, origin, step, n_rows, half)
    to_columns = _gaussians(width, origin, step, n_columns, half)
    out = np.empty((len(p.firsts), height, width), np.float32)
    widen(nodes.astype(np.float32), to_rows, np.ascontiguousarray(to_columns.T), out)
    return out


class _Grid(NamedTuple):
    """Nodes [L, rows, columns] at which Gaussians of `sigma` are summed, the first at `origin`."""

    values: Floats
    origin: float
    step: float
    sigma: float

    def add(self, level: int, x: Floats, y: Floats, weights: Floats) -> None:
        """Add a Gaussian for each weighted point to a level."""
        values = self.values[level]
        splat(x - self.origin, y - self.origin, weights, self.sigma, self.step, values)


def _sum_levels(p: Points, joined: npt.NDArray[np.bool_], sigma: float, grid: _Grid) -> None:
    """Sum up the dwell time of each level on a grid: it begins with the sum of the one before."""
    firsts = p.firsts.tolist()
    done = len(p.x)
    blocks = _Blocks(p, joined, sigma)
    for level, first in enumerate(firsts):
        if level:
            grid.values[level] = grid.values[level - 1]
        for x, y, weights in blocks.between(first, done):
            grid.add(level, x, y, weights)
        done = min(done, first)
    # Where a level cuts the line, its first fixation keeps the half that the next level spreads
    # over the line before. It comes last, so that no level takes it over from another.
    for level, first in enumerate(firsts):
        if 0 < first < len(p.x) and joined[first - 1]:
            only = slice(first, first + 1)
            grid.add(level, p.x[only], p.y[only], p.duration_ms[only] / 2)


def _gaussians(n: int, origin: float, step: float, nodes: int, sigma: float) -> Maps:
    """Return [n, nodes]: a Gaussian around each node at the pixels' centres.

    A product with it turns sums at nodes into a blurred picture.
    """
    centres = np.arange(n)[:, None] + 0.5
    away = (centres - origin - step * np.arange(nodes)) / sigma
    # Two Gaussians of variance s^2 / 2 make one of s^2 that is lower by 1 / sqrt(2) on each axis;
    # the sum over nodes stands for an integral over sigma.
    values = np.where(np.abs(away) <= REACH, np.exp(-0.5 * away * away), 0.0)
    return np.asarray(values * (step / (sigma * math.sqrt(math.pi))), np.float32)


class _Dwell(NamedTuple):
    """Weighted points [M], sorted by the fixation that they, or their lines, start at."""

    source: npt.NDArray[np.int64]
    x: Floats
    y: Floats
    weights: Floats


class _Blocks:
    """The dwell time of a track as weighted points.

    They are made for a block of fixations at a time, so that memory stays flat. Levels ask from the
    last fixation to the first, so one block in memory serves several of them.
    """

    def __init__(self, p: Points, joined: npt.NDArray[np.bool_], sigma: float) -> None:
        self._p, self._joined, self._sigma = p, joined, sigma
        self._block = -1
        self._points: tuple[_Dwell, ...] = ()

    def between(self, first: int, end: int) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Yield x, y and weights of the dwell time of fixations first .. end - 1.

        It lies at the fixations and on the lines that start at them.
        """
        if first >= end:
            return
        for block in range((end - 1) // _BLOCK, first // _BLOCK - 1, -1):
            if block != self._block:
                i = np.arange(block * _BLOCK, min((block + 1) * _BLOCK, len(self._p.x)))
                staying = _staying(self._p, self._joined, i)
                spread = _spread(self._p, self._joined, i, self._sigma)
                self._points = (staying, spread)
                self._block = block
            for source, x, y, weights in self._points:
                own = slice(*np.searchsorted(source, (first, end)))
                yield x[own], y[own], weights[own]


def _staying(p: Points, joined: npt.NDArray[np.bool_], i: npt.NDArray[np.int64]) -> _Dwell:
    """Return the dwell time that stays at fixations i: half of it for each side without a line."""
    starts = ~joined[i - 1]
    starts[i == 0] = True  # joined[-1] is the last one's
    sides = starts.astype(np.int64) + ~joined[i]
    keeps = sides > 0
    i = i[keeps]
    return _Dwell(i, p.x[i], p.y[i], sides[keeps] / 2 * p.duration_ms[i])


def _spread(
    p: Points, joined: npt.NDArray[np.bool_], i: npt.NDArray[np.int64], sigma: float
) -> _Dwell:
    """Spread half of the dwell time of its two ends along each line from fixations i.

    The points stand for an integral along the line: its pieces have the nodes and shares of
    quadrature rules, see `gazetrack.maps.quadrature`.
    """
    i = i[joined[i]]
    dx = p.x[i + 1] - p.x[i]
    dy = p.y[i + 1] - p.y[i]
    time = (p.duration_ms[i] + p.duration_ms[i + 1]) / 2
    pieces, nodes = pieces_and_nodes(np.hypot(dx, dy) / sigma)
    places, shares = unit_rules()
    n = pieces * nodes
    k = np.repeat(np.arange(len(i)), n)  # the line that each point lies on
    number = np.arange(len(k)) - np.repeat(np.cumsum(n) - n, n)  # of the point on its line
    piece, node = np.divmod(number, nodes[k])
    rule = (nodes[k], node)
    along = (piece + places[rule]) / pieces[k]  # 0 .. 1
    source = i[k]
    return _Dwell(
        source,
        x=p.x[source] + along * dx[k],
        y=p.y[source] + along * dy[k],
        weights=(time / pieces)[k] * shares[rule],
    )
