"""I-HMM: the most probable sequence of two states, fixation and saccade, given the speed.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA.
Speed has a Gaussian distribution in each state; means, deviations and transitions are fitted to the
trial by Viterbi training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import windowed_speed
from gazetrack.kernels.viterbi import two_states

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs

_SMALLEST_DEG_S = 0.1  # a state's deviation stays above it, or constant gaze would divide by zero


@dataclass(frozen=True)
class IHMM(Detector):
    """Parameters of I-HMM.

    Parameters
    ----------
    fixation_deg_s, saccade_deg_s : float
        Typical speeds of the two: training starts from the samples above their mean as saccades.
    stay : float
        Probability that a state goes on to the next sample, at the start; 0.95 (Salvucci & Goldberg
        2000).
    iterations : float
        Rounds of training.
    window_ms : float
        Length of the window the velocity is taken over.
    max_gap_ms : float
        A longer step between samples ends a fixation.
    min_duration_ms : float
        Shorter fixations are discarded.
    """

    name: ClassVar[str] = "ihmm"

    fixation_deg_s: float = 10.0
    saccade_deg_s: float = 100.0
    stay: float = 0.95
    iterations: float = 10.0
    window_ms: float = 20.0
    max_gap_ms: float = 75.0
    min_duration_ms: float = 60.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        speed = np.empty(trial.t_ms.size)
        windowed_speed(
            trial.t_ms, trial.x_px, trial.y_px, self.window_ms / 2, self.max_gap_ms, speed
        )
        known = ~np.isnan(speed)
        fast = self._states(speed[known] * 1000 / trial.px_per_deg)
        state = np.full(speed.size, np.nan)
        state[known] = fast
        starts, ends = slow_runs(trial.t_ms, state, 0.5, self.max_gap_ms)
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]

    def _states(self, speed: Floats) -> npt.NDArray[np.int8]:
        """Return 1 for saccades; speed [N] in deg/s."""
        state = (speed > (self.fixation_deg_s + self.saccade_deg_s) / 2).astype(np.int8)
        stay = np.full(2, min(max(self.stay, 0.5), 1 - 1e-9))
        for _ in range(int(self.iterations)):
            if np.unique(state).size < 2:
                break  # one state alone: nothing to fit the other to
            means = np.array([speed[state == k].mean() for k in (0, 1)])
            deviations = np.array([max(speed[state == k].std(), _SMALLEST_DEG_S) for k in (0, 1)])
            again = two_states(speed, means, deviations, np.log(stay), np.log1p(-stay))
            if (again == state).all():
                break
            state = again
            for k in (0, 1):
                here = state[:-1] == k
                if here.any():
                    stay[k] = np.clip((state[1:][here] == k).mean(), 0.5, 1 - 1e-6)
        return state
