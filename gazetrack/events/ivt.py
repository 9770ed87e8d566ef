"""I-VT: fixations are the runs of samples slower than a threshold.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA, with the velocity
window, merging and discarding of Olsen (2012), The Tobii I-VT fixation filter.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import windowed_speed
from gazetrack.schema import FIXATIONS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from gazetrack.recording import Screen

# A 24-inch 16:9 screen (531 mm wide) seen from 650 mm covers about 45 degrees.
ASSUMED_SCREEN_WIDTH_DEG = 45.0
ASSUMED_SCREEN_WIDTH_PX = 1920


@dataclass(frozen=True)
class IVT:
    """Parameters of I-VT.

    Parameters
    ----------
    velocity_threshold_deg_s : float
        Slower samples belong to fixations; 30 deg/s (Olsen 2012).
    window_ms : float
        Length of the window the velocity is taken over; 20 ms (Olsen 2012).
    max_gap_ms : float
        A longer step between samples ends a fixation; 75 ms (Olsen 2012).
    merge_gap_ms, merge_distance_deg : float
        Neighbouring fixations closer than both are merged; 75 ms and 0.5 deg (Olsen 2012).
    min_duration_ms : float
        Shorter fixations are discarded; 60 ms (Olsen 2012).
    """

    velocity_threshold_deg_s: float = 30.0
    window_ms: float = 20.0
    max_gap_ms: float = 75.0
    merge_gap_ms: float = 75.0
    merge_distance_deg: float = 0.5
    min_duration_ms: float = 60.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} = {value}", hint="use a number of 0 or more")


def detect_ivt(samples: pa.Table, screen: Screen | None, params: IVT) -> tuple[pa.Table, dict[str, Any]]:
    """Detect fixations in the combined gaze of a sample table.

    Parameters
    ----------
    samples : pyarrow.Table
        Schema `SAMPLES`, in temporal order within each recording and trial.
    screen : Screen or None
        For degrees. Without physical sizes the screen is taken to be 45 degrees wide, and the result says so.
    params : IVT
        All parameters.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS` in screen pixels; and the detector's name, parameters and the scale used.
    """
    px_per_deg = screen.px_per_deg if screen is not None else None
    width_px = screen.width_px if screen is not None else ASSUMED_SCREEN_WIDTH_PX
    scale = px_per_deg or width_px / ASSUMED_SCREEN_WIDTH_DEG
    facts = {"name": "ivt", **asdict(params), "px_per_deg": scale, "px_per_deg_assumed": px_per_deg is None}
    frame = samples.to_pandas()
    groups = frame.groupby(["recording", "trial", "stimulus"], observed=True, sort=False)
    parts = [_detect_in_trial(key, rows, params, scale) for key, rows in groups]
    names = FIXATIONS.names
    columns = {
        name: [value for part in parts for value in part.get(name, ())]
        for name in names
        if any(name in p for p in parts)
    }
    return conform(columns, FIXATIONS), facts


def _detect_in_trial(key: tuple[object, ...], rows: pd.DataFrame, params: IVT, scale: float) -> dict[str, Any]:
    t, x, y = (np.ascontiguousarray(rows[name]) for name in ("t_ms", "x_px", "y_px"))
    speed = np.empty(len(t))
    windowed_speed(t, x, y, params.window_ms / 2, params.max_gap_ms, speed)
    starts, ends = slow_runs(t, speed, params.velocity_threshold_deg_s * scale / 1000, params.max_gap_ms)
    if starts.size == 0:
        return {}
    step = float(np.median(np.diff(t))) if len(t) > 1 else 0.0
    starts, ends = _merge(t, x, y, starts, ends, step, params, scale)
    durations = t[ends - 1] + step - t[starts]
    keep = durations >= params.min_duration_ms
    pieces = [(x[i:j], y[i:j]) for i, j in zip(starts[keep], ends[keep], strict=True)]
    n = len(pieces)
    recording, trial, stimulus = key
    return {
        "recording": [recording] * n,
        "trial": [trial] * n,
        "stimulus": [stimulus] * n,
        "index": range(1, n + 1),
        "eye": ["both"] * n,
        "onset_ms": t[starts[keep]],
        "duration_ms": durations[keep],
        "x_px": [np.nanmean(px, dtype=np.float64) for px, _ in pieces],
        "y_px": [np.nanmean(py, dtype=np.float64) for _, py in pieces],
        "dispersion_px": [np.nanmax(px) - np.nanmin(px) + np.nanmax(py) - np.nanmin(py) for px, py in pieces],
        "n_samples": [np.count_nonzero(np.isfinite(px) & np.isfinite(py)) for px, py in pieces],
    }


def _merge(
    t: npt.NDArray[np.float64],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    step: float,
    params: IVT,
    scale: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Merge neighbouring runs that are close in time and place, comparing each with the merged one before it."""
    merged = [(starts[0], ends[0])]
    for i, j in zip(starts[1:], ends[1:], strict=True):
        a, b = merged[-1]
        near = np.hypot(np.nanmean(x[i:j]) - np.nanmean(x[a:b]), np.nanmean(y[i:j]) - np.nanmean(y[a:b]))
        gap = t[i] - (t[b - 1] + step)
        if t[i] >= t[b - 1] and gap <= params.merge_gap_ms and near <= params.merge_distance_deg * scale:
            merged[-1] = (a, j)
        else:
            merged.append((i, j))
    return np.array([a for a, _ in merged]), np.array([b for _, b in merged])
