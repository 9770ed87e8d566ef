"""I-VT: fixations are the runs of samples slower than a threshold.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA, with
the velocity window, merging and discarding of Olsen (2012), The Tobii I-VT fixation filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gazetrack.errors import ConfigError
from gazetrack.events.base import Detector, Trial, durations
from gazetrack.events.velocity import ESTIMATORS, speed
from gazetrack.kernels.movements import merge_centred
from gazetrack.kernels.segments import slow_runs, still_stretches
from gazetrack.kernels.smooth import fill_gaps

if TYPE_CHECKING:
    from gazetrack.events.base import Runs


@dataclass(frozen=True)
class IVT(Detector):
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
        threshold = self.velocity_threshold_deg_s * trial.px_per_deg / 1000
        if self.velocity == "window":
            t, x, y = trial.t_ms, trial.x_px, trial.y_px
            starts, ends = still_stretches(t, x, y, self.window_ms / 2, self.max_gap_ms, threshold)
        else:
            velocity = speed(trial, self.velocity, self.window_ms, self.max_gap_ms)
            starts, ends = slow_runs(trial.t_ms, velocity, threshold, self.max_gap_ms)
        starts, ends = merge(trial, (starts, ends), self.merge_gap_ms, self.merge_distance_deg)
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]


@dataclass(frozen=True)
class TobiiIVT(IVT):
    """I-VT as Olsen (2012) specifies it for Tobii: short losses of gaze are filled in first.

    Parameters
    ----------
    fill_gap_ms : float
        Shorter losses of gaze are interpolated; 75 ms.
    """

    name: ClassVar[str] = "ivt_tobii"

    fill_gap_ms: float = 75.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        x, y = (fill_gaps(trial.t_ms, v, self.fill_gap_ms) for v in (trial.x_px, trial.y_px))
        return super().runs(replace(trial, x_px=x, y_px=y))


def merge(trial: Trial, runs: Runs, max_gap_ms: float, max_distance_deg: float) -> Runs:
    """Merge neighbouring runs whose ends and mean positions are close, comparing each with the merged one before it."""
    max_step = max_gap_ms + trial.step_ms  # from the last sample of a run to the first of the next
    max_distance = max_distance_deg * trial.px_per_deg
    return merge_centred(trial.t_ms, trial.x_px, trial.y_px, *runs, max_step, max_distance)
