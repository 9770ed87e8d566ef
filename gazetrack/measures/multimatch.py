"""MultiMatch: how alike the shapes, directions, lengths, places and durations of two scanpaths are.

Jarodzka, Holmqvist & Nyström 2010; Dewhurst, Nyström, Jarodzka, Foulsham, Johansson & Holmqvist
2012. Values are those of multimatch_gaze (Wagner, Halchenko & Hanke 2019): the saccades of both
paths are aligned along the way of least difference, and each value is 1 less the median difference
along it, as a share of the largest possible one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.kernels.scanpaths import warping_path
from gazetrack.kernels.simplify import simplified_saccades

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.maps.track import Track

    Floats = npt.NDArray[np.float64]

LEAST_FIXATIONS = 3


class MultiMatch(NamedTuple):
    """Five similarities of two scanpaths, 1 for equal ones.

    Parameters
    ----------
    shape : float
        Of the saccades as vectors, by twice the diagonal.
    direction : float
        Of the saccades' angles, by 180 degrees.
    length : float
        Of the saccades' lengths, by the diagonal.
    position : float
        Of where the saccades start, by the diagonal.
    duration : float
        Of the fixations before them, by the longer one.
    """

    shape: float
    direction: float
    length: float
    position: float
    duration: float


def multimatch(
    a: Track,
    b: Track,
    *,
    amplitude_px: float = 0.0,
    direction_deg: float = 0.0,
    duration_ms: float = 0.0,
) -> MultiMatch:
    """Return the five similarities of two scanpaths.

    Parameters
    ----------
    a, b : Track
        Fixations on the same image, three or more of each.
    amplitude_px : float
        Simplification: a saccade shorter than this is joined to the next one, where a fixation at
        one of its ends is short. 0 joins none.
    direction_deg : float
        Simplification: two saccades whose directions differ by less are joined, where the fixation
        between them is short. 0 joins none.
    duration_ms : float
        What a short fixation lasts less than, in milliseconds. 0 joins none.

    Returns
    -------
    MultiMatch
        All NaN where a path has fewer than three fixations.
    """
    if min(len(a), len(b)) < LEAST_FIXATIONS:
        return MultiMatch(*[math.nan] * 5)
    limits = (float(amplitude_px), float(direction_deg), float(duration_ms))
    rows_a = simplified_saccades(*_columns(a), *limits)
    rows_b = simplified_saccades(*_columns(b), *limits)
    vectors_a = rows_a[:, 2].copy(), rows_a[:, 3].copy()
    vectors_b = rows_b[:, 2].copy(), rows_b[:, 3].copy()
    way = warping_path(*vectors_a, *vectors_b)
    return _similarities(rows_a[way[:, 0]], rows_b[way[:, 1]], math.hypot(a.width, a.height))


def _columns(track: Track) -> tuple[Floats, Floats, Floats]:
    """Return positions and durations as the kernel takes them."""
    x = np.ascontiguousarray(track.x, np.float64)
    y = np.ascontiguousarray(track.y, np.float64)
    return x, y, np.ascontiguousarray(track.duration_ms, np.float64)


def _similarities(one: Floats, other: Floats, diagonal: float) -> MultiMatch:
    """Return the similarities of saccades that face each other, [K, 5] as the kernel gives them."""
    shape = np.hypot(one[:, 2] - other[:, 2], one[:, 3] - other[:, 3])
    turn = np.abs(np.arctan2(one[:, 3], one[:, 2]) - np.arctan2(other[:, 3], other[:, 2]))
    direction = np.minimum(turn, 2 * math.pi - turn)
    length = np.abs(np.hypot(one[:, 2], one[:, 3]) - np.hypot(other[:, 2], other[:, 3]))
    position = np.hypot(one[:, 0] - other[:, 0], one[:, 1] - other[:, 1])
    longer = np.maximum(one[:, 4], other[:, 4])
    # Two that last no time at all last equally long.
    duration = np.abs(one[:, 4] - other[:, 4]) / np.where(longer > 0, longer, 1.0)
    return MultiMatch(
        shape=1 - float(np.median(shape)) / (2 * diagonal),
        direction=1 - float(np.median(direction)) / math.pi,
        length=1 - float(np.median(length)) / diagonal,
        position=1 - float(np.median(position)) / diagonal,
        duration=1 - float(np.median(duration)),
    )
