"""Nyström & Holmqvist: a velocity threshold found from the data, and saccades that end with their oscillation.

Nyström & Holmqvist (2010), An adaptive algorithm for fixation, saccade, and glissade detection in
eyetracking data, Behavior Research Methods 42. Velocity is the slope over a window of time here,
where they smooth with Savitzky & Golay's filter of second order over the same 20 ms: for the first
derivative the two are the same, and uneven steps are no matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.kernels.movements import MOVING, STILL, UNKNOWN, moving_samples, still_runs
from gazetrack.kernels.smooth import local_slope

if TYPE_CHECKING:
    from gazetrack.events.base import Floats, Runs

_PAUSE_MS = 100.0  # across a longer step no velocity is taken, and no fixation goes on


@dataclass(frozen=True)
class NystromHolmqvist(Detector):
    """Parameters of the algorithm of Nyström & Holmqvist; the defaults are theirs.

    Parameters
    ----------
    first_threshold_deg_s : float
        Peak velocity threshold that the search starts from.
    peak_factor, onset_factor : float
        Peaks, and the edges of saccades, are this many standard deviations above the mean of slower
        samples.
    window_ms : float
        Length of the window that velocity is the slope of.
    max_velocity_deg_s : float
        Faster samples are noise: they are not looked at.
    glissade_ms : float
        A saccade goes on through what is fast again within this time after it: the glissade.
    min_saccade_ms, min_duration_ms : float
        Shorter saccades are part of the fixation around them; shorter fixations are discarded.
    """

    name: ClassVar[str] = "nystrom_holmqvist"

    first_threshold_deg_s: float = 100.0
    peak_factor: float = 6.0
    onset_factor: float = 3.0
    window_ms: float = 20.0
    max_velocity_deg_s: float = 1000.0
    glissade_ms: float = 40.0
    min_saccade_ms: float = 10.0
    min_duration_ms: float = 40.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        t = trial.t_ms
        slopes = (
            local_slope(t, v, self.window_ms / 2, _PAUSE_MS) for v in (trial.x_px, trial.y_px)
        )
        speed = np.hypot(*slopes) * 1000 / trial.px_per_deg
        speed[speed > self.max_velocity_deg_s] = np.nan
        peak, onset = self._thresholds(speed)
        state = moving_samples(t, speed, peak, onset, 0.0)
        state = self._with_glissades(trial, speed, state, onset)
        starts, ends = still_runs(t, state, _PAUSE_MS)
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]

    def _thresholds(self, speed: Floats) -> tuple[float, float]:
        """Return the peak and onset thresholds in deg/s: mean + factor x deviation of what is slower than the peak."""
        peak, mean, deviation = self.first_threshold_deg_s, 0.0, 0.0
        for _ in range(100):
            slow = speed[speed < peak]
            if not slow.size:
                break
            mean, deviation = float(slow.mean()), float(slow.std())
            again = mean + self.peak_factor * deviation
            if abs(again - peak) < 1:
                peak = again
                break
            peak = again
        return peak, mean + self.onset_factor * deviation

    def _with_glissades(
        self, trial: Trial, speed: Floats, state: np.ndarray, onset: float
    ) -> np.ndarray:
        """Lengthen saccades by their glissades, and take out those too short."""
        t = trial.t_ms
        edges = np.flatnonzero(
            np.diff(np.concatenate([[False], state == MOVING, [False]]).astype(np.int8))
        )
        starts, ends = edges[::2], edges[1::2]
        short = durations(trial, starts, ends) < self.min_saccade_ms
        out = state.copy()
        for a, b, too_short in zip(starts, ends, short, strict=True):
            if too_short:
                out[a:b] = STILL
                continue
            end = int(np.searchsorted(t, t[b - 1] + self.glissade_ms, side="right"))
            lost = np.flatnonzero(state[b:end] == UNKNOWN)
            end = b + int(lost[0]) if lost.size else end
            fast = np.flatnonzero(speed[b:end] > onset)
            if fast.size:
                out[b : b + fast[-1] + 1] = MOVING
        return out
