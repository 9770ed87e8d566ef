"""I-HMM: the most probable sequence of two states, fixation and saccade, given the speed.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA.
Speed has a Gaussian distribution in each state; means, deviations and transitions are fitted to the
trial by Viterbi training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, clear_of, lasting_runs, runs_of
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import windowed_speed
from gazetrack.kernels.viterbi import two_states

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs

# A state's deviation stays above it, or constant gaze would divide by zero.
_SMALLEST_DEVIATION_DEG_S = 0.1
_FIXATION, _SACCADE = 0, 1


@dataclass(frozen=True, kw_only=True)
class IHMM(Detector):
    """Parameters of I-HMM.

    Parameters
    ----------
    fixation_deg_s : float
        Typical speed within fixations. Training starts with all samples as saccades that are faster
        than the mean of this speed and the next parameter's.
    saccade_deg_s : float
        Typical speed within saccades; see the parameter above.
    stay : float
        Probability that a state goes on to the next sample, before training; 0.95 (Salvucci &
        Goldberg 2000).
    iterations : float
        Training ends after this many rounds, or earlier when no state changes any more.
    window_ms : float
        Length of the window that the velocity is taken over.
    max_gap_ms : float
        A step between samples that is longer than this ends a fixation.
    min_duration_ms : float
        Fixations shorter than this are discarded.
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
        return self.movements(trial)["fixation"]

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return fixations, and saccades outside of them; see `Detector.movements`."""
        t = trial.t_ms
        speed = np.empty(t.size)  # px/ms
        windowed_speed(
            t,
            trial.x_px,
            trial.y_px,
            half_window=self.window_ms / 2,
            max_gap=self.max_gap_ms,
            out=speed,
        )
        is_known = ~np.isnan(speed)
        state = np.full(speed.size, np.nan)
        state[is_known] = self._states(speed[is_known] * 1000 / trial.px_per_deg)
        fixations = slow_runs(t, state, 0.5, self.max_gap_ms)
        fixations = lasting_runs(trial, fixations, self.min_duration_ms)
        saccades = clear_of(runs_of(state == _SACCADE), fixations)
        return {"fixation": fixations, "saccade": saccades}

    def _states(self, speed: Floats) -> npt.NDArray[np.int8]:
        """Return the most probable state of each sample; speed [N] in deg/s.

        Viterbi training: the most probable states given the parameters, then the parameters given
        the states, until neither changes.
        """
        between = (self.fixation_deg_s + self.saccade_deg_s) / 2
        state = (speed > between).astype(np.int8)
        stay = np.full(2, min(max(self.stay, 0.5), 1 - 1e-9))
        for _ in range(int(self.iterations)):
            if np.unique(state).size < 2:
                break  # one state alone: nothing to fit the other to
            of_state = [speed[state == _FIXATION], speed[state == _SACCADE]]
            means = np.array([values.mean() for values in of_state])
            deviations = np.array([values.std() for values in of_state])
            deviations = np.maximum(deviations, _SMALLEST_DEVIATION_DEG_S)
            trained = two_states(speed, means, deviations, np.log(stay), np.log1p(-stay))
            if (trained == state).all():
                break
            state = trained
            for k in (_FIXATION, _SACCADE):
                is_before = state[:-1] == k
                if is_before.any():
                    share_that_stays = (state[1:][is_before] == k).mean()
                    stay[k] = np.clip(share_that_stays, 0.5, 1 - 1e-6)
        return state
