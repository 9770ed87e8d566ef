"""Estimators of gaze velocity; all of them take what time the samples say, none a nominal rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.kernels.signal import five_point_velocity, windowed_speed
from gazetrack.kernels.smooth import local_slope

if TYPE_CHECKING:
    from gazetrack.events.base import Floats, Trial

ESTIMATORS = ("window", "neighbours", "five_point", "savgol")


def speed(trial: Trial, estimator: str, window_ms: float, max_gap_ms: float) -> Floats:
    """Return the speed of gaze at each sample.

    Parameters
    ----------
    trial : Trial
        The samples.
    estimator : {"window", "neighbours", "five_point", "savgol"}
        Displacement between the outermost samples of a window (Olsen 2012, The Tobii I-VT fixation
        filter), or between the samples before and after; the mean over five samples (Engbert &
        Kliegl 2003, Microsaccades uncover the orientation of covert attention); the slope of a line
        fitted in a window (Savitzky & Golay 1964, degree 1 or 2).
    window_ms : float
        Length of the window.
    max_gap_ms : float
        No velocity is taken across a longer step.

    Returns
    -------
    ndarray of float64, shape (N,)
        px/ms, NaN where there is none.
    """
    t, x, y = trial.t_ms, trial.x_px, trial.y_px
    if estimator == "five_point":
        return np.hypot(*(five_point_velocity(t, v, max_gap_ms) for v in (x, y)))
    if estimator == "savgol":
        return np.hypot(*(local_slope(t, v, window_ms / 2, max_gap_ms) for v in (x, y)))
    out = np.empty(t.size)
    windowed_speed(t, x, y, 0.0 if estimator == "neighbours" else window_ms / 2, max_gap_ms, out)
    return out
