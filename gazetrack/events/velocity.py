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
        The samples, whose gaze is in pixels.
    estimator : {"window", "neighbours", "five_point", "savgol"}
        Displacement between the outermost samples of a window (Olsen 2012, The Tobii I-VT fixation
        filter), or between the samples before and after; the mean over five samples (Engbert &
        Kliegl 2003, Microsaccades uncover the orientation of covert attention); the slope of a line
        fitted in a window (Savitzky & Golay 1964, degree 1 or 2).
    window_ms : float
        Length of the window in ms, for the estimators ``window`` and ``savgol``.
    max_gap_ms : float
        No velocity is taken across a step between samples that is longer than this.

    Returns
    -------
    ndarray of float64, shape (N,)
        Speed in px/ms, NaN where there is none.
    """
    t = trial.t_ms
    half_window = window_ms / 2
    if estimator == "five_point":
        vx = five_point_velocity(t, trial.x_px, max_gap_ms)
        vy = five_point_velocity(t, trial.y_px, max_gap_ms)
        return np.hypot(vx, vy)
    if estimator == "savgol":
        vx = local_slope(t, trial.x_px, half_window, max_gap_ms)
        vy = local_slope(t, trial.y_px, half_window, max_gap_ms)
        return np.hypot(vx, vy)
    if estimator == "neighbours":
        half_window = 0.0  # a window always holds the sample before and the one after
    speeds = np.empty(t.size)
    windowed_speed(
        t, trial.x_px, trial.y_px, half_window=half_window, max_gap=max_gap_ms, out=speeds
    )
    return speeds
