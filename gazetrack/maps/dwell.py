"""Dwell time spread along a track and blurred: the sums that densities and heatmaps are made of.

A level begins with the sum of the one before, so all of them cost what the longest one does.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.kernels.gaussian import REACH, spread, widen
from gazetrack.maps.quadrature import pieces_and_nodes, unit_rules

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

    from gazetrack.maps.points import Points

_LEAST_STEP_PX = 2.0


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
        _sum_levels(p, joined, sigma, _Grid(values=pixels, origin=0.5, step=1.0, sigma=sigma))
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


def _sum_levels(p: Points, joined: npt.NDArray[np.bool_], sigma: float, grid: _Grid) -> None:
    """Sum up the dwell time of each level on a grid: it begins with the sum of the one before.

    Along a line, points stand for an integral: its pieces have the nodes and shares of quadrature
    rules, see `gazetrack.maps.quadrature`.
    """
    lengths = np.zeros(len(p.x))
    lengths[:-1] = np.hypot(np.diff(p.x), np.diff(p.y)) / sigma
    pieces, nodes = pieces_and_nodes(np.where(joined, lengths, 0.0))
    lines = np.stack([np.where(joined, pieces, 0), nodes])
    points = np.stack([p.x - grid.origin, p.y - grid.origin, p.duration_ms])
    spread(points, lines, unit_rules(), p.firsts, grid.sigma, grid.step, grid.values)


# A data set is rendered at one size, as a rule.
@lru_cache(maxsize=16)
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
