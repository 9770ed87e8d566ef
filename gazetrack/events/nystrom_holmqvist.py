"""Nyström & Holmqvist: a velocity threshold found from the data, saccades with their glissades.

Nyström & Holmqvist (2010), An adaptive algorithm for fixation, saccade, and glissade detection in
eyetracking data, Behavior Research Methods 42. Velocity is the slope over a window of time here,
where they smooth with Savitzky & Golay's filter of second order over the same 20 ms: for the first
derivative the two are the same, and uneven steps are no matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations, lasting_runs, runs_of
from gazetrack.kernels.movements import MOVING, STILL, UNKNOWN, moving_samples, still_runs
from gazetrack.kernels.smooth import local_slope

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs

    States = npt.NDArray[np.int8]

_PAUSE_MS = 100.0  # across a longer step no velocity is taken, and no fixation goes on
_MOST_ROUNDS = 100  # of the search for the threshold, which may swing between two values
_CONVERGED_DEG_S = 1.0


@dataclass(frozen=True, kw_only=True)
class NystromHolmqvist(Detector):
    """Parameters of the algorithm of Nyström & Holmqvist; the defaults are theirs.

    Parameters
    ----------
    first_threshold_deg_s : float
        The search for the peak velocity threshold starts from this value.
    peak_factor : float
        The peak velocity of a saccade is at least this many standard deviations above the mean
        velocity of all slower samples.
    onset_factor : float
        A saccade reaches to either side as far as the velocity is at least this many standard
        deviations above the mean velocity of all slower samples.
    window_ms : float
        Length of the window in which a line is fitted to the positions; its slope is the velocity.
    max_velocity_deg_s : float
        Samples with a velocity above this are noise and are not looked at.
    glissade_ms : float
        A saccade goes on through what is fast again within this time after it: the glissade.
    min_saccade_ms : float
        Saccades shorter than this are part of the fixation around them.
    min_duration_ms : float
        Fixations shorter than this are discarded.
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
        return self.movements(trial)["fixation"]

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return fixations, saccades and glissades; see `Detector.movements`.

        A glissade, which follows a saccade, is of the kind ``pso``: post-saccadic oscillation.
        """
        t = trial.t_ms
        vx = local_slope(t, trial.x_px, self.window_ms / 2, _PAUSE_MS)
        vy = local_slope(t, trial.y_px, self.window_ms / 2, _PAUSE_MS)
        speed = np.hypot(vx, vy) * 1000 / trial.px_per_deg
        speed[speed > self.max_velocity_deg_s] = np.nan
        peak, onset = self._thresholds(speed)
        state = moving_samples(t, speed, peak, onset, 0.0)
        saccades = lasting_runs(trial, runs_of(state == MOVING), self.min_saccade_ms)
        with_glissades = self._with_glissades(trial, speed, state, onset)
        fixations = still_runs(t, with_glissades, _PAUSE_MS)
        return {
            "fixation": lasting_runs(trial, fixations, self.min_duration_ms),
            "saccade": saccades,
            "pso": _glissades(saccades, runs_of(with_glissades == MOVING)),
        }

    def _thresholds(self, speed: Floats) -> tuple[float, float]:
        """Return the peak and the onset threshold; speed [N] and both in deg/s.

        Each is mean + factor x standard deviation of the samples slower than the peak threshold,
        which is found by doing so again until it hardly moves.
        """
        peak = self.first_threshold_deg_s
        mean = deviation = 0.0
        for _ in range(_MOST_ROUNDS):
            slow = speed[speed < peak]
            if not slow.size:
                break
            mean = float(slow.mean())
            deviation = float(slow.std())
            moved = mean + self.peak_factor * deviation
            has_converged = abs(moved - peak) < _CONVERGED_DEG_S
            peak = moved
            if has_converged:
                break
        return peak, mean + self.onset_factor * deviation

    def _with_glissades(self, trial: Trial, speed: Floats, state: States, onset: float) -> States:
        """Lengthen saccades by their glissades, and take out those too short."""
        starts, ends = runs_of(state == MOVING)
        is_short = durations(trial, starts, ends) < self.min_saccade_ms
        changed = state.copy()
        for start, end, too_short in zip(starts, ends, is_short, strict=True):
            if too_short:
                changed[start:end] = STILL
                continue
            after = slice(end, self._end_of_glissade(trial, state, end))
            fast = np.flatnonzero(speed[after] > onset)
            if fast.size:
                changed[end : end + fast[-1] + 1] = MOVING
        return changed

    def _end_of_glissade(self, trial: Trial, state: States, end: int) -> int:
        """Return where a glissade after a saccade is over at the latest: in time, or at a loss."""
        t = trial.t_ms
        last = int(np.searchsorted(t, t[end - 1] + self.glissade_ms, side="right"))
        lost = np.flatnonzero(state[end:last] == UNKNOWN)
        return end + int(lost[0]) if lost.size else last


def _glissades(saccades: Runs, lengthened: Runs) -> Runs:
    """Return what lengthened movements have behind the last saccade in them."""
    last = np.searchsorted(saccades[0], lengthened[1]) - 1  # each has a saccade to begin with
    starts = saccades[1][last]
    is_longer = starts < lengthened[1]
    return starts[is_longer], lengthened[1][is_longer]
