"""How much gaze scatters where the eye is still: RMS-S2S, STD and BCEA."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.data_quality.gaze import PAUSE_STEPS, Gaze
from gazetrack.kernels.precision import moving_precision

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

BCEA_SHARE = 0.68
_NAN = float("nan")


def precision(gaze: Gaze, window_ms: float) -> dict[str, float]:
    """Return the precision over the whole period, and its median in a window that moves along.

    The whole period makes sense where the eye is still; the window, which mostly lies within one
    fixation, serves all others.

    Parameters
    ----------
    gaze : Gaze
        Of one period, in pixels or degrees.
    window_ms : float
        Length of the window: it holds as many samples as take this long at the usual step.

    Returns
    -------
    dict of str to float
        ``rms_s2s``, ``std`` and ``bcea`` of the whole period, ``window_rms_s2s`` and ``window_std``
        of the window, in the unit of the gaze (``bcea`` in its square). NaN without gaze; those of
        the window also when the period holds fewer samples than it.
    """
    is_known = np.isfinite(gaze.x)
    x = gaze.x[is_known]
    y = gaze.y[is_known]
    is_within = np.diff(gaze.piece) == 0
    squares = (np.diff(gaze.x) ** 2 + np.diff(gaze.y) ** 2)[is_within]
    squares = squares[np.isfinite(squares)]
    window_rms, window_std = _in_windows(gaze, window_ms)
    return {
        "rms_s2s": float(np.sqrt(squares.mean())) if squares.size else _NAN,
        "std": float(np.hypot(x.std(), y.std())) if x.size else _NAN,
        "bcea": bcea(x, y),
        "window_rms_s2s": window_rms,
        "window_std": window_std,
    }


def _in_windows(gaze: Gaze, window_ms: float) -> tuple[float, float]:
    """Return the medians over all positions of the window of RMS-S2S and STD."""
    step = gaze.usual_step_ms
    n = max(round(window_ms / step), 2) if step else 0
    longest_ms = PAUSE_STEPS * n * step  # a window that takes longer spans a gap
    found = [np.full((1, 2), np.nan)]
    edges = np.append(gaze.piece_starts, gaze.t_ms.size)
    for start, end in pairwise(edges.tolist()):
        if 0 < n <= end - start:
            piece = slice(start, end)
            t, x, y = gaze.t_ms[piece], gaze.x[piece], gaze.y[piece]
            found.append(moving_precision(t, x, y, n, longest_ms))
    rms, std = np.vstack(found).T
    return _median(rms), _median(std)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else _NAN


def bcea(x: Floats, y: Floats, share: float = BCEA_SHARE) -> float:
    """Return the area of the bivariate contour ellipse that holds a share of the gaze.

    2 k pi s_x s_y sqrt(1 - rho^2) with k = -ln(1 - share), by the determinant of the covariance,
    which gaze along a line has as well.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Known positions in pixels or degrees, none missing.
    share : float
        Share of the gaze within the ellipse, 0 to 1; 0.68 is one standard deviation.

    Returns
    -------
    float
        The area in the square of the positions' unit; NaN for fewer than two samples.
    """
    if x.size < 2:
        return _NAN
    covariance = np.cov(x, y)
    determinant = covariance[0, 0] * covariance[1, 1] - covariance[0, 1] ** 2
    return float(2 * np.pi * -np.log(1 - share) * np.sqrt(max(determinant, 0.0)))
