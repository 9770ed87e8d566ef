"""The kinds of map: fixations in pixels in, one map in [0, 1] per level out."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.kernels.distance import suffix_distance
from gazetrack.kernels.logistic import logistic
from gazetrack.maps.dwell import blurred_levels
from gazetrack.maps.points import Points

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

_ON_THE_BORDER_PX = 1e-6
_CANVAS = 768


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
    total = blurred_levels(p, sigma, p.joined)
    for level in total:
        peak = float(level.max())
        if peak > 0:
            logistic(level.ravel(), np.float32(1 / (peak * width)), np.float32(-threshold / width))
    return total


def heatmap(p: Points, sigma: float) -> Maps:
    """Gaussians at the fixations, weighted by duration, each level scaled to 0 .. 1."""
    total = blurred_levels(p, sigma, np.zeros(len(p.x), np.bool_))
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
