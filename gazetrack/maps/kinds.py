"""The kinds of map: fixations in pixels in, one map in [0, 1] per level out.

All lengths are in pixels here. A level is the suffix of the track that starts at the level's first
fixation.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.kernels.distance import suffix_distance
from gazetrack.kernels.gaussian import REACH, splat, widen
from gazetrack.kernels.logistic import logistic
from gazetrack.maps.quadrature import pieces_and_nodes, unit_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

_LEAST_STEP_PX = 2.0
_ON_THE_BORDER_PX = 1e-6
_CANVAS = 768
_BLOCK = 8192  # fixations whose dwell time is spread at once
_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE = 0.25, 4.0


class Points(NamedTuple):
    """What to render.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the map.
    duration_ms : ndarray of float64, shape (N,)
        How long each fixation lasts, in milliseconds.
    widening : ndarray of float64, shape (N,)
        Factors of the tube's radius, see `widening`.
    joined : ndarray of bool, shape (N,)
        Whether the line goes on from a fixation to the next one.
    firsts : ndarray of int64, shape (L,)
        First fixation of each level, not increasing.
    size : (height, width)
        Size of the maps in pixels.
    """

    x: Floats
    y: Floats
    duration_ms: Floats
    widening: Floats
    joined: npt.NDArray[np.bool_]
    firsts: npt.NDArray[np.int64]
    size: tuple[int, int]


def tube(p: Points, radius: float, softness: float) -> Maps:
    """Logistic of the distance to the line, .5 at `radius` from it.

    The radius is wider or narrower beside each fixation by its widening.
    """
    radii = radius * p.widening
    tapered = bool((p.widening != 1).any())
    # Beyond 17 of these lengths the logistic is 0 to 4e-8: farther pixels are not looked at.
    reach = radii.max(initial=0.0) + 17 * softness
    out = _distance(p, radii, tapered, reach)
    logistic(out.ravel(), np.float32(-1 / softness), np.float32(0))
    return out


def widening(duration_ms: Floats, duration_exponent: float) -> Floats:
    """Return the factor of the tube's radius at each fixation.

    From the durations of the whole track, it is (duration / median) ** exponent, the ratio kept
    within 1/4 to 4. Levels are compared with each other, so a fixation's factor is the same in all
    of them, whatever else they keep. Without a median above 0 it is 1.
    """
    middle = np.median(duration_ms) if len(duration_ms) else 0.0
    if duration_exponent == 0 or not middle > 0:
        return np.ones(len(duration_ms))
    share = np.clip(duration_ms / middle, _MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
    return np.asarray(share**duration_exponent)


def gaussian(p: Points, sigma: float) -> Maps:
    """exp(-D^2 / 2 sigma^2) of the distance D to the line."""
    distance = _distance(p, np.zeros(len(p.x)), tapered=False)
    return np.asarray(np.exp(-0.5 * (distance / np.float32(sigma)) ** 2))


def linear(p: Points) -> Maps:
    """1 - D / D_max of the distance D to the line, each level over its own farthest pixel."""
    distance = _distance(p, np.zeros(len(p.x)), tapered=False)
    for level in distance:
        farthest = level.max()
        if not np.isfinite(farthest):  # a level without fixations
            level[:] = 0
        elif farthest > 0:
            level[:] = 1 - level / farthest
        else:  # a line through every pixel's centre
            level[:] = 1
    return distance


def density(p: Points, sigma: float, threshold: float, width: float) -> Maps:
    """Dwell time spread along the line and blurred.

    Each level's .5 is at a share `threshold` of its maximum. A fixation's dwell time lies half on
    the line before it and half on the line after it, evenly; at an end of the line, that half stays
    at the fixation. So each counts once, and a track read backwards has the same density.
    """
    total = _blurred_levels(p, sigma, p.joined)
    for level in total:
        peak = float(level.max())
        if peak > 0:
            logistic(level.ravel(), np.float32(1 / (peak * width)), np.float32(-threshold / width))
    return total


def heatmap(p: Points, sigma: float) -> Maps:
    """Gaussians at the fixations, weighted by duration, each level scaled to 0 .. 1."""
    total = _blurred_levels(p, sigma, np.zeros(len(p.x), np.bool_))
    for level in total:
        low, peak = level.min(), level.max()
        level[:] = (level - low) / (peak - low) if peak > low else 0.0
    return total


def hull(p: Points, radius: float, softness: float) -> Maps:
    """Logistic of the signed distance to the convex hull of the fixations.

    It is .5 at `radius` outside the hull.
    """
    out = np.empty((len(p.firsts), *p.size), np.float32)
    for level, first in enumerate(p.firsts.tolist()):
        corners_x, corners_y = _hull_corners(p.x[first:], p.y[first:])
        n = len(corners_x)
        nothing = np.zeros(n)
        border = Points(
            x=corners_x,
            y=corners_y,
            duration_ms=nothing,
            widening=nothing,
            joined=np.arange(n) < n - 1,
            firsts=np.zeros(1, np.int64),
            size=p.size,
        )
        out[level] = _distance(border, nothing, tapered=False)[0]
        if n > 3:  # a triangle at least: the first corner comes again at the end
            inside = _inside(corners_x, corners_y, p.size)
            np.negative(out[level], out=out[level], where=inside)
    logistic(out.ravel(), np.float32(-1 / softness), np.float32(radius / softness))
    return out


def _inside(corners_x: Floats, corners_y: Floats, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixels [H, W] have their centre within a convex hull.

    Its last corner is its first one again.
    """
    height, width = size
    y = np.arange(height)[:, None] + 0.5
    x = np.arange(width) + 0.5
    inside = np.ones(size, np.bool_)
    corners = list(zip(corners_x, corners_y, strict=True))
    for (ax, ay), (bx, by) in pairwise(corners):
        # A hull thinner than rounding has no inside: otherwise all of the line through it would be.
        least = _ON_THE_BORDER_PX * math.hypot(bx - ax, by - ay)
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > least
    return inside


def _hull_corners(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the corners of the convex hull in order, the first again at the end.

    Andrew (1979), Another efficient algorithm for convex hulls in two dimensions: the monotone
    chain. One half of the border is found from left to right, the other on the way back.
    """
    points = sorted(set(zip(x.tolist(), y.tolist(), strict=True)))
    walks = [points, points[::-1]] if len(points) > 1 else [points]
    corners: list[tuple[float, float]] = []
    for walk in walks:
        half = _half_of_hull(walk)
        # The second half begins with the corner that the first one ended with.
        corners += half[1:] if corners else half
    return np.array([px for px, _ in corners]), np.array([py for _, py in corners])


def _half_of_hull(walk: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return those of the points, in their order, at which the border turns to the left alone."""
    half: list[tuple[float, float]] = []
    for px, py in walk:
        while len(half) > 1:
            (ax, ay), (bx, by) = half[-2:]
            if (bx - ax) * (py - ay) > (by - ay) * (px - ax):
                break
            half.pop()
        half.append((px, py))
    return half


def gazemedseg(p: Points, sigma: float) -> Maps:
    """GazeMedSeg's heatmap: impulses of duration on a square canvas, blurred, then resized.

    As released by Zhong et al. (MICCAI 2024): 768 x 768 pixels, positions rounded and moved by one
    pixel, so that the first becomes the last; `sigma` is a share of the canvas. A separable blur of
    impulses is a sum of products.
    """
    height, width = p.size
    blur = _canvas_blur(sigma * _CANVAS)
    to_rows = _cubic(height, _CANVAS)
    to_columns = _cubic(width, _CANVAS)
    # As in the release, place 0 becomes -1, which indexes the last pixel.
    at_x = np.rint(p.x / width * _CANVAS).astype(np.int64) - 1
    at_y = np.rint(p.y / height * _CANVAS).astype(np.int64) - 1
    inside = (at_x >= -1) & (at_y >= -1) & (at_x < _CANVAS) & (at_y < _CANVAS)
    weights = np.where(inside, p.duration_ms, 0.0)
    at_x = np.where(inside, at_x, 0)
    at_y = np.where(inside, at_y, 0)
    out = np.zeros((len(p.firsts), height, width), np.float32)
    for level, first in enumerate(p.firsts.tolist()):
        canvas = (blur[:, at_y[first:]] * weights[first:]) @ blur[:, at_x[first:]].T
        low, peak = canvas.min(), canvas.max()
        if peak > low:
            scaled = (canvas - low) / (peak - low)
            out[level] = np.clip(to_rows @ scaled @ to_columns.T, 0, 1)
    return out


@lru_cache(maxsize=4)
def _canvas_blur(sigma_px: float) -> Floats:
    """Return [_CANVAS, _CANVAS]: an impulse at each place of a canvas's axis, blurred.

    What would fall beyond the ends of the axis is reflected.
    """
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(np.eye(_CANVAS), sigma_px, axis=0))


def _cubic(n_out: int, n_in: int) -> Floats:
    """Return [n_out, n_in]: cubic interpolation with a = -.75, as in OpenCV (Keys 1981, eq. 4)."""
    out = np.arange(n_out)
    at = (out + 0.5) * n_in / n_out - 0.5
    base = np.floor(at).astype(np.int64)
    weights = np.zeros((n_out, n_in))
    for k in range(-1, 3):
        d = np.abs(at - base - k)
        near = 1.25 * d**3 - 2.25 * d**2 + 1
        far = -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
        # Beyond the ends, the last pixel is taken again: several weights may fall on it.
        place = np.clip(base + k, 0, n_in - 1)
        np.add.at(weights, (out, place), np.where(d <= 1, near, far))
    return weights


def _distance(p: Points, radii: Floats, tapered: bool, reach: float = math.inf) -> Maps:
    """Return [L, H, W]: the distance of pixels to the line of each level, less its radius there.

    Pixels farther than `reach` may be infinitely far. `tapered` says that radii differ.
    """
    out = np.empty((len(p.firsts), *p.size), np.float32)
    x = p.x.astype(np.float32)
    y = p.y.astype(np.float32)
    suffix_distance(x, y, radii.astype(np.float32), p.joined, p.firsts, tapered, reach, out)
    return out


def _blurred_levels(p: Points, sigma: float, joined: npt.NDArray[np.bool_]) -> Maps:
    """Sum up dwell time, as Gaussians along the track: maps [L, H, W] for the price of the longest.

    A Gaussian of variance sigma^2 is one of half of it, blurred by another one of that half. So the
    first are summed on a grid as coarse as they allow, and the second, a product of two narrow
    matrices per level, takes that grid to the pixels: the work hardly depends on the number of
    fixations. With three quarters of the smaller Gaussians' standard deviation between its nodes
    the sum is the integral to 2 exp(-pi^2 / .75^2) = 5e-8 (Poisson's formula).
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
