"""I-VT: fixations are the runs of samples slower than a threshold.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA, with
the velocity window, merging and discarding of Olsen (2012), The Tobii I-VT fixation filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gazetrack.errors import ConfigError
from gazetrack.events.base import Detector, Trial, clear_of, lasting_runs, runs_of
from gazetrack.events.velocity import ESTIMATORS, speed
from gazetrack.kernels.movements import merge_centred
from gazetrack.kernels.segments import slow_runs, still_stretches
from gazetrack.kernels.smooth import fill_gaps

if TYPE_CHECKING:
    from gazetrack.events.base import Runs


@dataclass(frozen=True, kw_only=True)
class IVT(Detector):
    """Parameters of I-VT.

    Parameters
    ----------
    velocity_threshold_deg_s : float
        Samples at which the eye is slower than this belong to fixations; 30 deg/s (Olsen 2012).
    window_ms : float
        Length of the window that the velocity is taken over; 20 ms (Olsen 2012).
    max_gap_ms : float
        A step between samples that is longer than this ends a fixation; 75 ms (Olsen 2012).
    merge_gap_ms : float
        Neighbouring fixations are merged when the time between them is no longer than this, 75 ms
        (Olsen 2012), and they are as close as the next parameter says.
    merge_distance_deg : float
        Neighbouring fixations are merged when their mean positions are no farther apart than this,
        0.5 degrees (Olsen 2012).
    min_duration_ms : float
        Fixations shorter than this are discarded; 60 ms (Olsen 2012).
    velocity : {"window", "neighbours", "five_point", "savgol"}
        How velocity is estimated; see `events.velocity.speed`.
    """

    name: ClassVar[str] = "ivt"

    velocity_threshold_deg_s: float = 30.0
    window_ms: float = 20.0
    max_gap_ms: float = 75.0
    merge_gap_ms: float = 75.0
    merge_distance_deg: float = 0.5
    min_duration_ms: float = 60.0
    velocity: str = "window"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.velocity not in ESTIMATORS:
            raise ConfigError(
                f"velocity = {self.velocity!r}", hint=f"use one of {', '.join(ESTIMATORS)}"
            )

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        threshold = self.velocity_threshold_deg_s * trial.px_per_deg / 1000  # px/ms
        if self.velocity == "window":
            # The same as below in one pass, for the estimator that most tables are made with.
            slow = still_stretches(
                trial.t_ms,
                trial.x_px,
                trial.y_px,
                half_window=self.window_ms / 2,
                max_gap=self.max_gap_ms,
                threshold=threshold,
            )
        else:
            velocity = speed(trial, self.velocity, self.window_ms, self.max_gap_ms)
            slow = slow_runs(trial.t_ms, velocity, threshold, self.max_gap_ms)
        fixations = merge(trial, slow, self.merge_gap_ms, self.merge_distance_deg)
        return lasting_runs(trial, fixations, self.min_duration_ms)

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return fixations, and what is fast outside of them; see `Detector.movements`."""
        fixations = self.runs(trial)
        velocity = speed(trial, self.velocity, self.window_ms, self.max_gap_ms)
        is_fast = velocity * 1000 >= self.velocity_threshold_deg_s * trial.px_per_deg
        return {"fixation": fixations, "saccade": clear_of(runs_of(is_fast), fixations)}


@dataclass(frozen=True, kw_only=True)
class TobiiIVT(IVT):
    """I-VT as Olsen (2012) specifies it for Tobii: short losses of gaze are filled in first.

    Parameters
    ----------
    fill_gap_ms : float
        Losses of gaze that are no longer than this are filled by a straight line; 75 ms (Olsen
        2012).
    """

    name: ClassVar[str] = "ivt_tobii"

    fill_gap_ms: float = 75.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        x = fill_gaps(trial.t_ms, trial.x_px, self.fill_gap_ms)
        y = fill_gaps(trial.t_ms, trial.y_px, self.fill_gap_ms)
        return super().runs(replace(trial, x_px=x, y_px=y))


def merge(trial: Trial, runs: Runs, max_gap_ms: float, max_distance_deg: float) -> Runs:
    """Merge neighbouring runs that are close to each other in time and in space.

    Parameters
    ----------
    trial : Trial
        The samples that the runs are of.
    runs : (ndarray of int64, ndarray of int64)
        Starts and ends in temporal order; each is compared with what is merged before it.
    max_gap_ms : float
        The longest time from the end of one run to the start of the next.
    max_distance_deg : float
        The largest distance between the mean positions of the two.

    Returns
    -------
    starts, ends : ndarray of int64
        The runs that are left.
    """
    starts, ends = runs
    return merge_centred(
        trial.t_ms,
        trial.x_px,
        trial.y_px,
        starts,
        ends,
        # The kernel's is from the last sample of a run to the first of the next, a step longer.
        max_step=max_gap_ms + trial.step_ms,
        max_distance=max_distance_deg * trial.px_per_deg,
    )
