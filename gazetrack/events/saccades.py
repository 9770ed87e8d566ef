"""Movements described by their samples: where they start and end, how far, whither, how fast.

The speed is the slope of a line fitted to the positions in a window of time, as in Nyström &
Holmqvist (2010), An adaptive algorithm for fixation, saccade, and glissade detection in
eyetracking data, Behavior Research Methods 42.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.events.base import durations
from gazetrack.kernels.smooth import local_slope

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs, Trial

    Places = npt.NDArray[np.int64]

MAX_STEP_MS = 100.0  # across a longer step between samples nothing is known


def speed_of(trial: Trial, window_ms: float) -> Floats:
    """Return the speed of gaze at each sample.

    Parameters
    ----------
    trial : Trial
        The samples, whose gaze is in pixels.
    window_ms : float
        Length of the window that a line is fitted in; it holds one sample to either side at least.

    Returns
    -------
    ndarray of float64, shape (N,)
        Speed in deg/s, NaN where gaze is missing or stands alone.
    """
    vx = local_slope(trial.t_ms, trial.x_px, window_ms / 2, MAX_STEP_MS)
    vy = local_slope(trial.t_ms, trial.y_px, window_ms / 2, MAX_STEP_MS)
    return np.hypot(vx, vy) * 1000 / trial.px_per_deg


def direction(dx: Floats, dy: Floats) -> Floats:
    """Return the direction of steps in pixels, whose y counts downwards.

    Parameters
    ----------
    dx, dy : ndarray of float64, shape (n,)
        Steps to the right and down.

    Returns
    -------
    ndarray of float64, shape (n,)
        Degrees from -180 to 180: 0 to the right, 90 up; NaN for no step.
    """
    angle = np.degrees(np.arctan2(-dy, dx))
    angle = np.where(angle <= -180.0, 180.0, angle)  # -0.0 upwards and to the left
    return np.where((dx == 0) & (dy == 0), np.nan, angle)


def unbroken(trial: Trial, runs: Runs) -> Runs:
    """Return the runs whose samples are all known, and the sample before and after them as well.

    What begins or ends in a loss of gaze is cut off there, or made by a lid that closes: neither
    its length nor its speed is known.
    """
    starts, ends = runs
    n = trial.t_ms.size
    is_lost = np.isnan(trial.x_px)
    is_lost[1:] |= np.diff(trial.t_ms) > MAX_STEP_MS  # between it and the sample before
    n_lost = np.concatenate([[0], np.cumsum(is_lost)])
    has_sides = (starts > 0) & (ends < n)
    before = np.maximum(starts - 1, 0)
    after = np.minimum(ends + 1, n)
    # A long step into the sample before is not within the movement.
    inside = n_lost[after] - n_lost[before + 1]
    keep = has_sides & (inside == 0) & ~np.isnan(trial.x_px[before])
    return starts[keep], ends[keep]


def described(trial: Trial, speed: Floats, kind: str, runs: Runs) -> dict[str, Floats]:
    """Return the columns of movements of one kind.

    Parameters
    ----------
    trial : Trial
        The samples that the runs are of.
    speed : ndarray of float64, shape (N,)
        Speed of gaze in deg/s, as `speed_of` gives it.
    kind : str
        Of `tables.movements.MOVEMENT_KINDS`: a fixation has a mean position, all others a start
        and an end.
    runs : (ndarray of int64, ndarray of int64)
        Starts and ends of the movements, in samples.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        Columns of `tables.movements.MOVEMENTS`. A saccade leads from the sample before its first
        to the one after its last, so that one of a single sample has a length; smooth pursuit from
        its first to its last.
    """
    starts, ends = runs
    columns = {
        "onset_ms": trial.t_ms[starts],
        "duration_ms": durations(trial, starts, ends),
        "pupil": means(trial.pupil, runs),
    }
    if kind == "fixation":
        columns["x_px"] = means(trial.x_px, runs)
        columns["y_px"] = means(trial.y_px, runs)
    elif kind == "smooth_pursuit":
        columns |= _path(trial, *_outermost(trial, runs))
    else:
        last = max(trial.t_ms.size - 1, 0)
        columns |= _path(trial, np.maximum(starts - 1, 0), np.minimum(ends, last))
    columns["mean_velocity_deg_s"] = means(speed, runs)
    columns["peak_velocity_deg_s"] = peaks(speed, runs)
    return columns


def _path(trial: Trial, before: Places, after: Places) -> dict[str, Floats]:
    x, y = trial.x_px, trial.y_px
    dx = x[after] - x[before]
    dy = y[after] - y[before]
    return {
        "x_px": x[before],
        "y_px": y[before],
        "end_x_px": x[after],
        "end_y_px": y[after],
        "amplitude_deg": np.hypot(dx, dy) / trial.px_per_deg,
        "direction_deg": direction(dx, dy),
    }


def _outermost(trial: Trial, runs: Runs) -> tuple[Places, Places]:
    """Return the first and the last known sample of each run; its first sample without any."""
    first = runs[0].copy()
    last = runs[0].copy()
    for k, (start, end) in enumerate(zip(*runs, strict=True)):
        known = np.flatnonzero(~np.isnan(trial.x_px[start:end]))
        if known.size:
            first[k] += known[0]
            last[k] += known[-1]
    return first, last


def means(values: Floats | None, runs: Runs) -> Floats:
    """Return the mean of the known values [N] in each run; NaN without any."""
    if values is None:
        return np.full(len(runs[0]), np.nan)
    found = np.full(len(runs[0]), np.nan)
    for k, (start, end) in enumerate(zip(*runs, strict=True)):
        own = values[start:end]
        known = own[~np.isnan(own)]
        if known.size:
            found[k] = known.mean()
    return found


def peaks(values: Floats, runs: Runs) -> Floats:
    """Return the largest known value [N] in each run; NaN without any."""
    found = np.full(len(runs[0]), np.nan)
    for k, (start, end) in enumerate(zip(*runs, strict=True)):
        found[k] = np.fmax.reduce(values[start:end])
    return found
