"""The default detector: thresholds come from the noise of the data at hand, one set of parameters for every tracker.

Saccades are what moves faster than a multiple of the noise of the velocity (as in Engbert & Kliegl
2003, Microsaccades uncover the orientation of covert attention, Vision Research 43), by two
thresholds (as in Nyström & Holmqvist 2010, An adaptive algorithm for fixation, saccade, and
glissade detection, Behavior Research Methods 42). What is left between them is a fixation unless it
drifts straight on for long enough to be smooth pursuit. The parameters were chosen on recordings
labelled by human coders; see ``benchmarks/human_agreement.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.kernels.movements import (
    joined_runs,
    merge_runs,
    moving_samples,
    net_and_way,
    still_runs,
)
from gazetrack.kernels.smooth import fill_gaps, local_slope, moving_median

if TYPE_CHECKING:
    from gazetrack.events.base import Floats, Runs

_MEDIAN_SAMPLES = 64
_PAUSE_MS = 100.0  # across a longer step no velocity is taken, and no fixation goes on
_EDGE_MS = 60.0  # how far apart two fixations are is seen where they end and begin


@dataclass(frozen=True)
class Auto(Detector):
    """Parameters of the noise-adaptive detector.

    Parameters
    ----------
    fill_gap_ms : float
        Shorter losses of gaze are interpolated.
    median_ms : float
        Length of the moving median.
    velocity_window_ms : float
        Length of the window that velocity is the slope of.
    saccade_noise : float
        A saccade is faster than this many standard deviations of the velocity, taken by medians,
    edge_noise : float
        and reaches as far as the eye is faster than this many.
    min_velocity_deg_s : float
        No threshold is lower.
    quiet_ms : float
        A saccade ends when the eye has been slow for longer.
    merge_gap_ms : float
        Neighbouring fixations are merged when no more time is between them,
    merge_distance_deg : float
        and no larger distance than this,
    merge_noise : float
        or than this many times the step that noise makes from sample to sample.
    min_duration_ms : float
        Shorter fixations are discarded.
    pursuit_window_ms : float
        Length of the window that slow velocity is the slope of.
    pursuit_velocity_deg_s : float
        Smooth pursuit is faster than this (1000, and so nothing is, behind a world camera that
        moves with the head),
    pursuit_noise : float
        and than this many times what noise alone makes of the slope;
    pursuit_pause_ms : float
        it goes on but for shorter pauses
    pursuit_duration_ms : float
        for at least this time,
    pursuit_distance_deg : float
        from end to end over at least this distance,
    pursuit_straightness : float
        and over at least this share of its way.
    pursuit_share : float
        A fixation of which this share pursues is none.
    """

    name: ClassVar[str] = "auto"

    fill_gap_ms: float = 60.0
    median_ms: float = 14.0
    velocity_window_ms: float = 16.0
    saccade_noise: float = 9.0
    edge_noise: float = 4.0
    min_velocity_deg_s: float = 12.0
    quiet_ms: float = 18.0
    merge_gap_ms: float = 120.0
    merge_distance_deg: float = 0.2
    merge_noise: float = 4.0
    min_duration_ms: float = 50.0
    pursuit_window_ms: float = 180.0
    pursuit_velocity_deg_s: float = 2.5
    pursuit_noise: float = 4.0
    pursuit_pause_ms: float = 90.0
    pursuit_duration_ms: float = 150.0
    pursuit_distance_deg: float = 1.0
    pursuit_straightness: float = 0.8
    pursuit_share: float = 0.75

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        t, step = trial.t_ms, trial.step_ms
        x, y = (fill_gaps(t, v, self.fill_gap_ms) for v in (trial.x_px, trial.y_px))
        noise = math.hypot(*(_median_square(np.diff(v)) ** 0.5 for v in (x, y)))
        x, y = (moving_median(t, v, self.median_ms / 2, _MEDIAN_SAMPLES) for v in (x, y))
        vx, vy = (local_slope(t, v, self.velocity_window_ms / 2, _PAUSE_MS) for v in (x, y))
        spread = math.hypot(_noise(vx), _noise(vy))
        floor = self.min_velocity_deg_s * trial.px_per_deg / 1000
        high, low = (max(k * spread, floor) for k in (self.saccade_noise, self.edge_noise))
        state = moving_samples(t, np.hypot(vx, vy), max(high, low), low, self.quiet_ms)
        near = max(self.merge_distance_deg * trial.px_per_deg, self.merge_noise * noise)
        fixations = merge_runs(
            t, x, y, *still_runs(t, state, _PAUSE_MS), self.merge_gap_ms + step, near, _EDGE_MS
        )
        fixations = self._long(trial, fixations)
        return self._long(trial, self._without_pursuit(trial, x, y, fixations, noise))

    def _without_pursuit(
        self, trial: Trial, x: Floats, y: Floats, fixations: Runs, noise: float
    ) -> Runs:
        t, step, scale = trial.t_ms, trial.step_ms, trial.px_per_deg
        owner, slow = np.full(t.size, -1), np.full(t.size, np.nan)
        for k, (a, b) in enumerate(zip(*fixations, strict=True)):
            owner[a:b] = k
            slow[a:b] = np.hypot(
                *(
                    local_slope(t[a:b], v[a:b], self.pursuit_window_ms / 2, _PAUSE_MS)
                    for v in (x, y)
                )
            )
        # Standard deviation of the slope of n equally spaced samples with white noise: sigma
        # sqrt(12) / (step n^1.5).
        n = max(self.pursuit_window_ms / step, 3.0) if step else 3.0
        of_noise = math.sqrt(12) * noise / (step * n**1.5) if step else 0.0
        threshold = max(self.pursuit_velocity_deg_s * scale / 1000, self.pursuit_noise * of_noise)
        starts, ends = joined_runs(t, slow > threshold, owner, self.pursuit_pause_ms)
        net, way = net_and_way(t, x, y, starts, ends, self.pursuit_window_ms / 2).T
        pursuit = (net >= self.pursuit_distance_deg * scale) & (
            net >= self.pursuit_straightness * way
        )
        pursuit &= durations(trial, starts, ends) >= self.pursuit_duration_ms
        left = owner >= 0
        for a, b in zip(starts[pursuit], ends[pursuit], strict=True):
            left[a:b] = False
        for a, b in zip(*fixations, strict=True):
            if left[a:b].mean() <= 1 - self.pursuit_share:
                left[a:b] = False
        return joined_runs(t, left, owner, -1.0)

    def _long(self, trial: Trial, fixations: Runs) -> Runs:
        keep = durations(trial, *fixations) >= self.min_duration_ms
        return fixations[0][keep], fixations[1][keep]


# No eye pursues as fast: behind a camera on a moving head, drift is what keeps the eye on its
# target.
BEHIND_CAMERA = Auto(pursuit_velocity_deg_s=1000.0)


def _noise(velocity: Floats) -> float:
    """Return the standard deviation about the median of a velocity, by medians: saccades do not count."""
    known = velocity[~np.isnan(velocity)]
    return (
        math.sqrt(max(_median_square(known) - float(np.median(known)) ** 2, 0.0))
        if known.size
        else 0.0
    )


def _median_square(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known**2)) if known.size else 0.0
