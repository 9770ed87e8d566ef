"""The kinds of map: fixations in pixels in, one map in [0, 1] per level out. Lengths are in pixels here.

A level is the suffix of the track that starts at the level's first fixation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE = 0.25, 4.0


class Points(NamedTuple):
    """What to render.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Fixations in pixels of the map.
    duration_ms : ndarray of float64, shape (N,)
        Their durations.
    joined : ndarray of bool, shape (N,)
        Whether the line goes on from a fixation to the next one.
    firsts : ndarray of int64, shape (L,)
        First fixation of each level, not increasing.
    size : (height, width)
        Of the maps.
    """

    x: Floats
    y: Floats
    duration_ms: Floats
    joined: npt.NDArray[np.bool_]
    firsts: npt.NDArray[np.int64]
    size: tuple[int, int]


def tube(p: Points, radius: float, softness: float, duration_exponent: float) -> Maps:
    """Logistic of the distance to the line: .5 at `radius` from it."""
    radii = np.full(len(p.x), radius)
    tapered = duration_exponent != 0 and len(p.x) > 0
    if tapered:
        share = np.clip(p.duration_ms / np.median(p.duration_ms), _MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
        radii *= share**duration_exponent
    out = _distance(p, radii, tapered)
    out *= np.float32(-1.0 / softness)
    return _logistic(out)


def gaussian(p: Points, sigma: float) -> Maps:
    """exp(-D^2 / 2 sigma^2) of the distance D to the line."""
    distance = _distance(p, np.zeros(len(p.x)), tapered=False)
    return np.asarray(np.exp(-0.5 * (distance / np.float32(sigma)) ** 2))


def linear(p: Points) -> Maps:
    """1 - D / D_max of the distance D to the line, each level over its own farthest pixel."""
    distance = _distance(p, np.zeros(len(p.x)), tapered=False)
    if len(p.x) == 0:
        return np.zeros_like(distance)
    farthest = distance.max(axis=(1, 2), keepdims=True)
    return np.where(np.isfinite(farthest), 1 - distance / farthest, 0).astype(np.float32)


def density(p: Points, sigma: float, threshold: float, width: float) -> Maps:
    """Dwell time spread along the line and blurred; each level's .5 is at a share `threshold` of its maximum."""
    total = _blurred_levels(p, sigma, p.joined)
    for level in total:
        peak = level.max()
        level[:] = _logistic((level / peak - np.float32(threshold)) / np.float32(width)) if peak > 0 else 0.0
    return total


def heatmap(p: Points, sigma: float) -> Maps:
    """Gaussians at the fixations, weighted by duration, each level scaled to 0 .. 1."""
    total = _blurred_levels(p, sigma, np.zeros(len(p.x), np.bool_))
    for level in total:
        low, peak = level.min(), level.max()
        level[:] = (level - low) / (peak - low) if peak > low else 0.0
    return total


def _logistic(x: Maps) -> Maps:
    """Return 1 / (1 + exp(-x)), in place: in single precision numpy's exp is vectorised, scipy's expit is not."""
    with np.errstate(over="ignore"):  # exp(-x) = inf is a map of exactly 0
        np.exp(np.negative(x, out=x), out=x)
    x += np.float32(1)
    return np.reciprocal(x, out=x)


def _distance(p: Points, radii: Floats, tapered: bool) -> Maps:
    from gazetrack.kernels.distance import suffix_distance

    out = np.empty((len(p.firsts), *p.size), np.float32)
    x, y = p.x.astype(np.float32), p.y.astype(np.float32)
    suffix_distance(x, y, radii.astype(np.float32), p.joined, p.firsts, tapered, out)
    return out


def _blurred_levels(p: Points, sigma: float, joined: npt.NDArray[np.bool_]) -> Maps:
    """Sum up dwell time level by level: each adds the fixations that the one before lacks."""
    total = np.zeros(p.size, np.float32)
    out = np.empty((len(p.firsts), *p.size), np.float32)
    done = len(p.x)
    for level, first in enumerate(p.firsts.tolist()):
        if first < done:
            total += _blurred(*_spread(p, joined, range(first, done), sigma), sigma, p.size)
            done = first
        out[level] = total
    return out


def _spread(p: Points, joined: npt.NDArray[np.bool_], chosen: range, sigma: float) -> tuple[Floats, Floats, Floats]:
    """Spread fixations along the segments that start at them, as weighted points at most sigma apart."""
    px, py, weights = [], [], []
    for i in chosen:
        j = i + 1 if joined[i] else i
        # Gaussians one sigma apart add up to their integral to 1e-8.
        n = 1 + math.ceil(math.hypot(p.x[j] - p.x[i], p.y[j] - p.y[i]) / sigma)
        a = (np.arange(n) + 0.5) / n
        px.append(p.x[i] + a * (p.x[j] - p.x[i]))
        py.append(p.y[i] + a * (p.y[j] - p.y[i]))
        weights.append(np.full(n, (p.duration_ms[i] + p.duration_ms[j]) / (2 * n)))
    return np.concatenate(px), np.concatenate(py), np.concatenate(weights)


def _blurred(px: Floats, py: Floats, weights: Floats, sigma: float, size: tuple[int, int]) -> Maps:
    """Sum Gaussians at weighted points: separable, so it is one matrix product."""

    def profile(n: int, at: Floats) -> Maps:
        away = (np.arange(n)[:, None] + 0.5 - at) / sigma
        return np.asarray(np.exp((-0.5 * away * away).astype(np.float32)))

    return profile(size[0], py) * weights.astype(np.float32) @ profile(size[1], px).T
