"""Recurrence: how often, and in what order, gaze comes back to where it was.

Anderson, Bischof, Laidlaw, Risko & Kingstone 2013 (a path and itself); Anderson, Anderson,
Kingstone & Bischof 2015 (two paths).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.errors import ConfigError
from gazetrack.kernels.scanpaths import recurrence_counts
from gazetrack.measures.distances import columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RADIUS_PX = 64.0
LINE = 2


class Recurrence(NamedTuple):
    """Recurrence of one scanpath, or of two, each in percent.

    Parameters
    ----------
    recurrence : float
        Pairs of fixations that are close to each other, of all pairs.
    determinism : float
        Those in diagonal lines, of all that are close: stretches of the path that come again.
    laminarity : float
        Those in vertical or horizontal lines: places looked at again and again.
    corm : float
        Centre of recurrence mass: how far apart in the order of time the close ones are, of the
        farthest possible; between two paths, negative where the second one is ahead.
    """

    recurrence: float
    determinism: float
    laminarity: float
    corm: float


def recurrence(places: Floats, radius_px: float = RADIUS_PX, line: int = LINE) -> Recurrence:
    """Return the recurrence of a scanpath.

    Parameters
    ----------
    places : ndarray of float64, shape (N, 2)
        Positions in pixels, in the order of time.
    radius_px : float
        Two fixations are close that are at most this far apart.
    line : int
        From how many close pairs in a row on they are a line.

    Returns
    -------
    Recurrence
        All NaN with fewer than two fixations; all but the first where none are close.

    Raises
    ------
    ConfigError
        The radius is negative, or the line shorter than one.
    """
    n = len(places)
    return _of_counts(places, places, radius_px, line, n_pairs=n * (n - 1) // 2)


def cross_recurrence(
    a: Floats, b: Floats, radius_px: float = RADIUS_PX, line: int = LINE
) -> Recurrence:
    """Return the recurrence between two scanpaths, of which the longer one is cut to the other.

    Parameters
    ----------
    a, b : ndarray of float64, shape (N, 2) and (M, 2)
        Positions in pixels, in the order of time.
    radius_px, line
        The same as those of `recurrence`.

    Returns
    -------
    Recurrence
        All NaN without fixations; all but the first where none are close.
    """
    n = min(len(a), len(b))
    return _of_counts(a[:n], b[:n], radius_px, line, n_pairs=n * n)


def _of_counts(a: Floats, b: Floats, radius_px: float, line: int, *, n_pairs: int) -> Recurrence:
    if not radius_px >= 0 or line < 1:
        what = f"recurrence within {radius_px:g} px in lines of {line}"
        raise ConfigError(what, hint="use a radius of 0 px or more, and lines of 1 or more")
    if not n_pairs:
        return Recurrence(*[math.nan] * 4)
    counts = recurrence_counts(*columns(a), *columns(b), float(radius_px), line, a is b)
    n_close, diagonal, horizontal, vertical, lags = counts.tolist()
    if not n_close:
        return Recurrence(0.0, math.nan, math.nan, math.nan)
    return Recurrence(
        recurrence=100 * n_close / n_pairs,
        determinism=100 * diagonal / n_close,
        laminarity=100 * (horizontal + vertical) / (2 * n_close),
        corm=100 * lags / (max(len(a) - 1, 1) * n_close),
    )
