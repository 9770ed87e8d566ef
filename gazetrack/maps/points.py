"""Fixations in pixels as the kinds of map take them.

All lengths are in pixels here. A level is the suffix of the track that starts at the level's first
fixation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

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


def widening(duration_ms: Floats, duration_exponent: float) -> Floats:
    """Return the factor of the tube's radius at each fixation.

    From the durations of the whole track, it is (duration / median) ** exponent, the ratio kept
    within 1/4 to 4. Levels are compared with each other, so a fixation's factor is the same in all
    of them, whatever else they keep. Without a median above 0 it is 1.
    """
    if duration_exponent == 0 or not len(duration_ms):
        return np.ones(len(duration_ms))
    middle = np.median(duration_ms)
    if not middle > 0:
        return np.ones(len(duration_ms))
    share = np.clip(duration_ms / middle, _MIN_RADIUS_SHARE, _MAX_RADIUS_SHARE)
    return np.asarray(share**duration_exponent)
