"""Gaze track maps: a track rendered at several levels, each a soft map in [0, 1] whose .5 contour is the border.

Levels follow GradTrack's reverse truncation: the first level is the core (the last fixations), the last the full
track. The formulas are our reading of the method (Wang et al., MICCAI 2025, arXiv 2505.22230), which publishes none.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.track import TRUNCATIONS, Track, clean, level_members

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

KINDS = ("tube", "density")
MAX_MAP_PX = 64_000_000
_MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE = 0.25, 4.0


@dataclass(frozen=True)
class MapParams:
    """How a track becomes maps. Lengths are shares of s = sqrt(height x width) of the image.

    Parameters
    ----------
    kind : {"tube", "density"}
        ``tube``: soft distance to the polyline through the fixations. ``density``: dwell time spread along that line,
        blurred, and calibrated so that .5 is the border.
    levels : int
        Number of levels; level l of L keeps the share l/L of the track unless `ratios` says otherwise.
    ratios : tuple of float
        Shares of the track, increasing up to 1.
    truncation : {"tail", "head", "random", "shuffled", "none"}
        Which part of the track a level keeps.
    by : {"count", "time"}
        Whether a share counts fixations or accumulated duration.
    drop_first : int
        Fixations dropped from the start of tracks with at least four.
    min_duration_ms : float
        Shorter fixations are dropped.
    radius, softness : float
        Of the tube: distance of its border from the line, and width of the logistic there.
    duration_exponent : float
        Exponent with which longer fixations widen the tube; 0 for none.
    max_saccade : float
        Longer segments are left out; infinity for none. For images with several objects.
    blur, threshold, width : float
        Of the density: Gaussian sigma; border as a share of the maximum; width of the logistic there.
    seed : int
        For the random truncations.
    """

    kind: str = "tube"
    levels: int = 4
    ratios: tuple[float, ...] = ()
    truncation: str = "tail"
    by: str = "count"
    drop_first: int = 1
    min_duration_ms: float = 50.0
    radius: float = 0.05
    softness: float = 0.015
    duration_exponent: float = 0.0
    max_saccade: float = math.inf
    blur: float = 0.05
    threshold: float = 0.2
    width: float = 0.06
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"map kind {self.kind!r}", hint=f"use one of {', '.join(KINDS)}")
        if self.truncation not in TRUNCATIONS:
            raise ConfigError(f"truncation {self.truncation!r}", hint=f"use one of {', '.join(TRUNCATIONS)}")
        if not 1 <= self.levels <= 64:
            raise ConfigError(f"{self.levels} levels", hint="use 1 to 64")
        if self.drop_first < 0:
            raise ConfigError(f"drop-first {self.drop_first}", hint="use 0 or more")
        for name in ("radius", "softness", "blur", "width"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ConfigError(
                    f"{name} {getattr(self, name)}",
                    hint="use a positive share of the image size, such as 0.05",
                )
        if not self.ratios:
            object.__setattr__(self, "ratios", tuple((level + 1) / self.levels for level in range(self.levels)))
        if len(self.ratios) != self.levels:
            raise ConfigError(f"{len(self.ratios)} ratios for {self.levels} levels", hint="give one ratio per level")

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        values = asdict(self)
        return {
            key: ("inf" if value == math.inf else list(value) if isinstance(value, tuple) else value)
            for key, value in values.items()
        }


@dataclass(frozen=True)
class TrackMaps:
    """The maps of one track.

    Parameters
    ----------
    track : Track
        The cleaned track, on the image size of the maps.
    params : MapParams
        How it was rendered.
    values : ndarray of float32, shape (L, H, W)
        In [0, 1]; the first level is the core, the last the full track.
    """

    track: Track
    params: MapParams
    values: Maps

    def as_uint8(self) -> npt.NDArray[np.uint8]:
        """Return the maps as 0..255, the form they are stored in."""
        return np.rint(self.values * 255).astype(np.uint8)


def prepare(track: Track, params: MapParams) -> Track:
    """Return the track without the fixations that `params` leaves out of every level."""
    return clean(track, min_duration_ms=params.min_duration_ms, drop_first=params.drop_first)


def render_maps(track: Track, params: MapParams | None = None, size: tuple[int, int] | None = None) -> TrackMaps:
    """Render one track at every level.

    Parameters
    ----------
    track : Track
        As built from a fixation table; it is cleaned here.
    params : MapParams, optional
        Defaults: four tube levels.
    size : (height, width), optional
        Size of the maps; the image's own by default.

    Returns
    -------
    TrackMaps
        Maps of zeros when no fixation is left.

    Raises
    ------
    ConfigError
        A size that is not positive or above 64 million pixels.
    """
    params = params or MapParams()
    height, width = size or (round(track.height), round(track.width))
    kept = prepare(track, params).scaled(width, height)
    return TrackMaps(kept, params, render_points(kept.x, kept.y, kept.duration_ms, height, width, params))


def render_points(x: Floats, y: Floats, duration_ms: Floats, height: int, width: int, params: MapParams) -> Maps:
    """Render fixations that are already cleaned, for example after an augmentation has moved them.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Positions in pixels of the map; they may lie outside.
    duration_ms : ndarray, shape (N,)
        Durations.
    height, width : int
        Size of the maps.
    params : MapParams
        Cleaning parameters are ignored here.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        Values in [0, 1].
    """
    check_size(height, width)
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(duration_ms)
    x, y, duration_ms = x[known], y[known], duration_ms[known]
    members = level_members(duration_ms, params.ratios, truncation=params.truncation, by=params.by, seed=params.seed)
    render = _render_tube if params.kind == "tube" else _render_density
    if params.truncation == "tail":
        return render(x, y, duration_ms, np.array([len(x) - len(m) for m in members]), (height, width), params)
    whole = np.zeros(1, np.int64)
    levels = [render(x[m], y[m], duration_ms[m], whole, (height, width), params) for m in members]
    return np.concatenate(levels)


def check_size(height: int, width: int) -> None:
    """Raise ConfigError when maps of this size are not possible, before anything is allocated or written."""
    if not (height > 0 and width > 0 and height * width <= MAX_MAP_PX):
        raise ConfigError(
            f"maps of {height} x {width} px", hint=f"use at least 1 x 1 and at most {MAX_MAP_PX:,} pixels"
        )


def _render_tube(
    x: Floats,
    y: Floats,
    duration_ms: Floats,
    firsts: npt.NDArray[np.int64],
    size: tuple[int, int],
    params: MapParams,
) -> Maps:
    from scipy.special import expit

    from gazetrack.kernels.distance import suffix_distance

    scale = math.sqrt(size[0] * size[1])
    radii = np.full(len(x), params.radius * scale, np.float32)
    tapered = params.duration_exponent != 0 and len(x) > 0
    if tapered:
        share = np.clip(duration_ms / np.median(duration_ms), _MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
        radii *= (share**params.duration_exponent).astype(np.float32)
    out = np.empty((len(firsts), *size), np.float32)
    joined = _joined(x, y, params.max_saccade * scale)
    suffix_distance(x.astype(np.float32), y.astype(np.float32), radii, joined, firsts, tapered, out)
    out *= np.float32(-1.0 / (params.softness * scale))
    return np.asarray(expit(out, out=out))


def _render_density(
    x: Floats,
    y: Floats,
    duration_ms: Floats,
    firsts: npt.NDArray[np.int64],
    size: tuple[int, int],
    params: MapParams,
) -> Maps:
    """Spread dwell time along the segments, blur it, and set the border of each level at a share of its maximum."""
    from scipy.special import expit

    sigma = params.blur * math.sqrt(size[0] * size[1])
    joined = _joined(x, y, params.max_saccade * math.sqrt(size[0] * size[1]))
    total = np.zeros(size, np.float32)
    out = np.empty((len(firsts), *size), np.float32)
    done = len(x)
    for level, first in enumerate(firsts):
        if first < done:
            total += _blurred(*_spread(x, y, duration_ms, joined, int(first), done, sigma), sigma, size)
            done = int(first)
        peak = float(total.max())
        out[level] = expit((total / peak - params.threshold) / params.width) if peak > 0 else 0.0
    return out


def _joined(x: Floats, y: Floats, longest: float) -> npt.NDArray[np.bool_]:
    """Return, per fixation, whether the line goes on to the next one."""
    joined = np.zeros(len(x), np.bool_)
    joined[:-1] = np.hypot(np.diff(x), np.diff(y)) <= longest
    return joined


def _spread(
    x: Floats,
    y: Floats,
    duration_ms: Floats,
    joined: npt.NDArray[np.bool_],
    first: int,
    last: int,
    sigma: float,
) -> tuple[Floats, Floats, Floats]:
    """Spread fixations first..last-1 along the segments that start at them, as weighted points up to sigma/2 apart."""
    px, py, weights = [], [], []
    for i in range(first, last):
        j = i + 1 if joined[i] else i
        n = 1 + math.ceil(2 * math.hypot(x[j] - x[i], y[j] - y[i]) / sigma)
        a = (np.arange(n) + 0.5) / n
        px.append(x[i] + a * (x[j] - x[i]))
        py.append(y[i] + a * (y[j] - y[i]))
        weights.append(np.full(n, (duration_ms[i] + duration_ms[j]) / (2 * n)))
    return np.concatenate(px), np.concatenate(py), np.concatenate(weights)


def _blurred(px: Floats, py: Floats, weights: Floats, sigma: float, size: tuple[int, int]) -> Maps:
    """Sum Gaussians at weighted points: separable, so it is one matrix product."""

    def profile(n: int, at: Floats) -> npt.NDArray[np.float32]:
        return np.exp(-0.5 * ((np.arange(n)[:, None] + 0.5 - at) / sigma) ** 2).astype(np.float32)

    return profile(size[0], py) * weights.astype(np.float32) @ profile(size[1], px).T
