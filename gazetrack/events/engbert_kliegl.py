"""Engbert & Kliegl: fixations are what lies between (micro)saccades.

Engbert & Kliegl (2003), Microsaccades uncover the orientation of covert attention, Vision Research
43; Engbert et al. (2015), the Microsaccade Toolbox 0.9. The velocity over five samples is divided
by the times between them, so that uneven steps are no matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import five_point_velocity

if TYPE_CHECKING:
    from gazetrack.events.base import Floats, Runs


@dataclass(frozen=True)
class EngbertKliegl(Detector):
    """Parameters of the algorithm of Engbert & Kliegl.

    Parameters
    ----------
    threshold_factor : float
        Saccades leave the ellipse of this many standard deviations of velocity, taken by medians; 6
        (2003).
    min_saccade_ms : float
        Shorter excursions are no saccades; 6 ms (3 samples at 500 Hz, 2003).
    max_gap_ms : float
        A longer step between samples ends a fixation.
    min_duration_ms : float
        Shorter fixations are discarded.
    """

    name: ClassVar[str] = "engbert_kliegl"

    threshold_factor: float = 6.0
    min_saccade_ms: float = 6.0
    max_gap_ms: float = 75.0
    min_duration_ms: float = 40.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        t = trial.t_ms
        vx, vy = (five_point_velocity(t, v, self.max_gap_ms) for v in (trial.x_px, trial.y_px))
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = np.hypot(
                vx / (self.threshold_factor * _spread(vx)),
                vy / (self.threshold_factor * _spread(vy)),
            )
        speed[np.isnan(speed) & ~np.isnan(vx)] = 0.0  # gaze that never moves: 0 / 0
        fast = _without_short(trial, speed > 1, self.min_saccade_ms)
        speed = np.where(fast, 2.0, np.where(np.isnan(vx), np.nan, 0.0))
        starts, ends = slow_runs(t, speed, 1.0, self.max_gap_ms)
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]


def _spread(velocity: Floats) -> float:
    known = velocity[~np.isnan(velocity)]
    if not known.size:
        return np.nan
    return float(np.sqrt(max(np.median(known**2) - np.median(known) ** 2, 0.0)))


def _without_short(trial: Trial, fast: np.ndarray, min_ms: float) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], fast, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    short = durations(trial, starts, ends) < min_ms
    out = fast.copy()
    for a, b in zip(starts[short], ends[short], strict=True):
        out[a:b] = False
    return out
