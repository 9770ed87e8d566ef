"""The gaze and the fixations of a trial in a few bytes, for a page that holds hundreds of them.

Gaze is thinned to a grid of time and rounded to a 2048th of the longer side of what it is shown on:
the page draws it smaller than that. What is left differs little from point to point, so that the
differences deflate well; a browser undoes it with ``DecompressionStream``.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVELS = 2048  # of the longer side
MISSING = -32768
_FARTHEST = 32000  # gaze far beside the screen is drawn at the edge of what 16 bits hold
FINEST_MS = 20.0  # 50 points a second: more is not seen at the speed of a replay
_POINTS_OF_A_PAGE = 3_200_000  # of a noisy tracker, 12 MB
_FEWEST_POINTS, _MOST_POINTS = 3_000, 60_000  # of one recording
_MOST_POINTS_OF_A_TRIAL = 200_000


@dataclass(frozen=True)
class Packed:
    """Gaze and fixations of a trial as a page holds them.

    Parameters
    ----------
    text : str
        Base64 of deflated bytes: int32 of the fixations (onsets, durations, x, y), then the
        differences of gaze as the low bytes and the high bytes of int16, x and y in turn.
    n_points, n_fixations : int
        How many points of gaze, and how many fixations.
    step_ms : float
        Time from one point of gaze to the next.
    scale : float
        Pixels of one unit of the positions.
    """

    text: str
    n_points: int
    n_fixations: int
    step_ms: float
    scale: float


def points_for(n_recordings: int) -> int:
    """Return how many points of gaze each recording of a page may have."""
    share = _POINTS_OF_A_PAGE // max(n_recordings, 1)
    return min(max(share, _FEWEST_POINTS), _MOST_POINTS)


def step_for(total_ms: float, n_points: int) -> float:
    """Return the step of the grid that gives a recording of this length so many points, in ms."""
    return max(FINEST_MS, total_ms / n_points)


def on_grid(t_ms: Floats, x: Floats, y: Floats, step_ms: float) -> tuple[Floats, Floats]:
    """Return gaze at regular times from the first one on.

    Parameters
    ----------
    t_ms, x, y : ndarray of float64, shape (N,)
        Times in any order, and positions; NaN where gaze is missing.
    step_ms : float
        The step of the grid, in milliseconds.

    Returns
    -------
    tuple of ndarray of float64, shape (M,)
        Of each step the first gaze there is within it, x and y; NaN where there is none.
    """
    if not len(t_ms):
        return np.empty(0), np.empty(0)
    cell = np.floor((t_ms - t_ms.min()) / step_ms).astype(np.int64)
    n_points = min(int(cell.max()) + 1, _MOST_POINTS_OF_A_TRIAL)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (cell < n_points))
    cells, first = np.unique(cell[known], return_index=True)
    grid = np.full((2, n_points), np.nan)
    grid[0, cells] = x[known[first]]
    grid[1, cells] = y[known[first]]
    return grid[0], grid[1]


def pack(
    gaze: tuple[Floats, Floats],
    fixations: tuple[Floats, Floats, Floats, Floats],
    step_ms: float,
    longest_px: float,
) -> Packed:
    """Pack gaze on a grid, and fixations.

    Parameters
    ----------
    gaze : tuple of ndarray of float64, shape (M,)
        Positions in pixels, x and y, as `on_grid` gives them.
    fixations : tuple of ndarray of float64, shape (K,)
        Onsets from the start of the trial and durations in milliseconds, x and y in pixels.
    step_ms : float
        The step of the grid, in milliseconds.
    longest_px : float
        The longer side of what is looked at, in pixels.

    Returns
    -------
    Packed
    """
    scale = longest_px / LEVELS
    onset, duration, x, y = fixations
    columns = (onset, duration, x / scale, y / scale)
    numbers = np.stack([_whole(one, 2**31 - 2) for one in columns]).astype("<i4")
    planes = []
    for axis in gaze:
        units = np.where(np.isfinite(axis), _whole(axis / scale, _FARTHEST), MISSING)
        # Wrapping round is meant: the page adds in 16 bits as well.
        steps = np.diff(units.astype(np.int16), prepend=np.int16(0)).astype("<i2")
        planes += [(steps.view("<u2") & 0xFF), (steps.view("<u2") >> 8)]
    raw = numbers.tobytes() + b"".join(plane.astype(np.uint8).tobytes() for plane in planes)
    text = base64.b64encode(zlib.compress(raw, 9)).decode()
    return Packed(text, len(gaze[0]), len(onset), step_ms, scale)


def _whole(values: Floats, most: int) -> Floats:
    """Return values rounded, and held within what their type can hold; 0 for what is missing."""
    return np.rint(np.clip(np.nan_to_num(values, nan=0.0), -most, most))
