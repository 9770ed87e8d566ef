"""The default detector: its thresholds come from the noise of the data at hand.

One set of parameters serves every tracker. A saccade is what moves faster than a multiple of the
noise of the velocity (as in Engbert & Kliegl 2003, Microsaccades uncover the orientation of covert
attention, Vision Research 43), by two thresholds (as in Nyström & Holmqvist 2010, An adaptive
algorithm for fixation, saccade, and glissade detection, Behavior Research Methods 42). What lies
between two saccades is a fixation, unless it drifts straight on for long enough to be smooth
pursuit. The parameters were chosen on recordings labelled by human coders; see
``benchmarks/human_agreement.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, clear_of, durations, lasting_runs, runs_of
from gazetrack.kernels.medians import median_and_square
from gazetrack.kernels.movements import (
    MOVING,
    joined_runs,
    merge_runs,
    moving_samples,
    net_and_way,
    still_runs,
)
from gazetrack.kernels.smooth import fill_gaps, local_slope, moving_median

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs

_MEDIAN_SAMPLES = 64  # to either side at most, which bounds the time of the moving median
_PAUSE_MS = 100.0  # across a longer step no velocity is taken, and no fixation goes on
_EDGE_MS = 60.0  # how far apart two fixations are is seen where they end and begin
_NO_PAUSE = -1.0  # a limit that no pause is as short as
_NO_FIXATION = -1


@dataclass(frozen=True, kw_only=True)
class Auto(Detector):
    """Parameters of the noise-adaptive detector.

    Parameters
    ----------
    fill_gap_ms : float
        Losses of gaze that are no longer than this are filled by a straight line.
    median_ms : float
        Length of the moving median that positions are smoothed with.
    velocity_window_ms : float
        Length of the window in which a line is fitted to the positions; its slope is the velocity.
    saccade_noise : float
        A saccade must be faster than this many standard deviations of the velocity. They are taken
        from medians, so that the saccades themselves hardly count.
    edge_noise : float
        A saccade reaches to either side as far as the eye is faster than this many standard
        deviations of the velocity.
    min_velocity_deg_s : float
        Neither of the two velocity thresholds is lower than this.
    quiet_ms : float
        A saccade ends when the eye has been slow for longer than this.
    merge_gap_ms : float
        Neighbouring fixations are merged when the time between them is no longer than this and
        they are near each other; what is near, the next two parameters say.
    merge_distance_deg : float
        Fixations are near each other when they are no farther apart than this.
    merge_noise : float
        Fixations are also near each other when they are no farther apart than this many times the
        step that noise alone makes from one sample to the next.
    min_duration_ms : float
        Fixations shorter than this are discarded.
    pursuit_window_ms : float
        Length of the window in which a line is fitted to find slow, lasting movement; its slope is
        the velocity of smooth pursuit.
    pursuit_velocity_deg_s : float
        Smooth pursuit must be faster than this. Behind a world camera that moves with the head the
        value is 1000, so that nothing is taken for smooth pursuit.
    pursuit_noise : float
        Smooth pursuit must also be faster than this many times the slope that noise alone makes.
    pursuit_pause_ms : float
        Smooth pursuit goes on through pauses that are no longer than this.
    pursuit_duration_ms : float
        Smooth pursuit must last at least this long.
    pursuit_distance_deg : float
        Smooth pursuit must lead at least this far from its first to its last position.
    pursuit_straightness : float
        Smooth pursuit must be straight: the distance from its first to its last position is at
        least this share (0 to 1) of the length of its path.
    pursuit_share : float
        A fixation of which at least this share of the samples (0 to 1) is smooth pursuit is
        discarded as a whole.
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
        return self.movements(trial)["fixation"]

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return fixations, saccades and smooth pursuit; see `Detector.movements`."""
        t = trial.t_ms
        x = fill_gaps(t, trial.x_px, self.fill_gap_ms)
        y = fill_gaps(t, trial.y_px, self.fill_gap_ms)
        # The noise is measured before the moving median takes most of it away.
        noise_px = math.hypot(_median_length(np.diff(x)), _median_length(np.diff(y)))
        x = moving_median(t, x, self.median_ms / 2, _MEDIAN_SAMPLES)
        y = moving_median(t, y, self.median_ms / 2, _MEDIAN_SAMPLES)
        fixations, moving = self._between_saccades(trial, x, y, noise_px)
        fixations = lasting_runs(trial, fixations, self.min_duration_ms)
        saccades = clear_of(moving, fixations)
        fixations, pursuit = self._without_pursuit(trial, x, y, fixations, noise_px)
        fixations = lasting_runs(trial, fixations, self.min_duration_ms)
        return {"fixation": fixations, "saccade": saccades, "smooth_pursuit": pursuit}

    def _between_saccades(
        self, trial: Trial, x: Floats, y: Floats, noise_px: float
    ) -> tuple[Runs, Runs]:
        """Return the runs between saccades, neighbours merged, and those of fast movement.

        Positions x, y [N] are smoothed, in px.
        """
        t = trial.t_ms
        vx = local_slope(t, x, self.velocity_window_ms / 2, _PAUSE_MS)
        vy = local_slope(t, y, self.velocity_window_ms / 2, _PAUSE_MS)
        deviation = math.hypot(_deviation(vx), _deviation(vy))
        floor = self.min_velocity_deg_s * trial.px_per_deg / 1000  # px/ms, as the slopes are
        low = max(self.edge_noise * deviation, floor)
        high = max(self.saccade_noise * deviation, low)
        state = moving_samples(t, np.hypot(vx, vy), high, low, self.quiet_ms)
        starts, ends = still_runs(t, state, _PAUSE_MS)
        near_px = max(self.merge_distance_deg * trial.px_per_deg, self.merge_noise * noise_px)
        # The kernel's gap is from sample to sample, that is, one step longer than the time between
        # the end of the one fixation and the onset of the next.
        max_gap = self.merge_gap_ms + trial.step_ms
        fixations = merge_runs(
            t, x, y, starts, ends, max_gap=max_gap, max_distance=near_px, edge=_EDGE_MS
        )
        return fixations, runs_of(state == MOVING)

    def _without_pursuit(
        self, trial: Trial, x: Floats, y: Floats, fixations: Runs, noise_px: float
    ) -> tuple[Runs, Runs]:
        """Return what is left of the fixations without smooth pursuit, and the pursuit."""
        t = trial.t_ms
        owner, slope = self._drift(trial, x, y, fixations)
        slowest = self.pursuit_velocity_deg_s * trial.px_per_deg / 1000
        threshold = max(slowest, self.pursuit_noise * self._slope_of_noise(trial, noise_px))
        starts, ends = joined_runs(t, slope > threshold, owner, self.pursuit_pause_ms)
        net, way = net_and_way(t, x, y, starts, ends, leg=self.pursuit_window_ms / 2).T
        is_far = net >= self.pursuit_distance_deg * trial.px_per_deg
        is_straight = net >= self.pursuit_straightness * way
        is_long = durations(trial, starts, ends) >= self.pursuit_duration_ms
        is_pursuit = is_far & is_straight & is_long
        left = owner != _NO_FIXATION
        for start, end in zip(starts[is_pursuit], ends[is_pursuit], strict=True):
            left[start:end] = False
        n_left = np.append(0, np.cumsum(left))
        begins, stops = fixations
        is_rest = (n_left[stops] - n_left[begins]) / (stops - begins) <= 1 - self.pursuit_share
        for start, end in zip(begins[is_rest], stops[is_rest], strict=True):
            left[start:end] = False
        pursuit = starts[is_pursuit], ends[is_pursuit]
        return joined_runs(t, left, owner, _NO_PAUSE), pursuit

    def _drift(
        self, trial: Trial, x: Floats, y: Floats, fixations: Runs
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the number of each sample's fixation [N], and its speed of slow drift [N] px/ms.

        Lines are fitted within one fixation at a time, so that no saccade tilts them. Outside the
        fixations the number is `_NO_FIXATION` and the speed NaN.
        """
        owner = np.full(trial.t_ms.size, _NO_FIXATION)
        drift = np.full(trial.t_ms.size, np.nan)
        half_window = self.pursuit_window_ms / 2
        for number, (start, end) in enumerate(zip(*fixations, strict=True)):
            t = trial.t_ms[start:end]
            vx = local_slope(t, x[start:end], half_window, _PAUSE_MS)
            vy = local_slope(t, y[start:end], half_window, _PAUSE_MS)
            owner[start:end] = number
            drift[start:end] = np.hypot(vx, vy)
        return owner, drift

    def _slope_of_noise(self, trial: Trial, noise_px: float) -> float:
        """Return the slope in px/ms that noise alone gives a line fitted in the pursuit window.

        Its standard deviation for n samples, one step apart, with white noise of deviation sigma is
        sigma sqrt(12) / (step n^1.5).
        """
        step = trial.step_ms
        if not step:
            return 0.0
        n = max(self.pursuit_window_ms / step, 3.0)
        return math.sqrt(12) * noise_px / (step * math.pow(n, 1.5))


# No eye pursues as fast. Behind a camera on a moving head, drift is what keeps the eye on its
# target, and so no smooth pursuit is looked for.
BEHIND_CAMERA = Auto(pursuit_velocity_deg_s=1000.0)


def _deviation(velocity: Floats) -> float:
    """Return the standard deviation of a velocity about its median, by medians.

    sqrt(median(v^2) - median(v)^2), as in Engbert & Kliegl (2003): saccades, which are few, do not
    count.
    """
    median, median_square = median_and_square(velocity)
    if math.isnan(median):
        return 0.0
    return math.sqrt(max(median_square - median**2, 0.0))


def _median_length(values: Floats) -> float:
    return math.sqrt(_median_square(values))


def _median_square(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known**2, overwrite_input=True)) if known.size else 0.0
