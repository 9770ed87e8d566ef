"""Engbert & Kliegl: fixations are what lies between (micro)saccades.

Engbert & Kliegl (2003), Microsaccades uncover the orientation of covert attention, Vision Research
43; Engbert et al. (2015), the Microsaccade Toolbox 0.9. The velocity over five samples is divided
by the times between them, so that uneven steps are no matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations, lasting_runs, runs_of
from gazetrack.kernels.medians import median_and_square
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import five_point_velocity

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Runs


@dataclass(frozen=True, kw_only=True)
class EngbertKliegl(Detector):
    """Parameters of the algorithm of Engbert & Kliegl.

    Parameters
    ----------
    threshold_factor : float
        Saccades leave the ellipse of this many standard deviations of the horizontal and vertical
        velocity. The deviations are taken from medians; the authors' factor is 6 (2003).
    min_saccade_ms : float
        Excursions from the ellipse that are shorter than this are no saccades; 6 ms are 3 samples
        at 500 Hz (2003).
    max_gap_ms : float
        A step between samples that is longer than this ends a fixation.
    min_duration_ms : float
        Fixations shorter than this are discarded.
    """

    name: ClassVar[str] = "engbert_kliegl"

    threshold_factor: float = 6.0
    min_saccade_ms: float = 6.0
    max_gap_ms: float = 75.0
    min_duration_ms: float = 40.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        return self.movements(trial)["fixation"]

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return fixations, and saccades small and large; see `Detector.movements`."""
        t = trial.t_ms
        vx = five_point_velocity(t, trial.x_px, self.max_gap_ms)
        vy = five_point_velocity(t, trial.y_px, self.max_gap_ms)
        # (v_x / eta_x)^2 + (v_y / eta_y)^2 > 1 is a saccade, where eta = factor x deviation.
        radius_x = self.threshold_factor * _deviation(vx)
        radius_y = self.threshold_factor * _deviation(vy)
        with np.errstate(divide="ignore", invalid="ignore"):
            from_centre = np.hypot(vx / radius_x, vy / radius_y)
        is_known = ~np.isnan(vx)
        from_centre[np.isnan(from_centre) & is_known] = 0.0  # gaze that never moves: 0 / 0
        is_saccade = _without_short(trial, from_centre > 1, self.min_saccade_ms)
        speed = np.where(is_known, 0.0, np.nan)
        speed[is_saccade] = 2.0
        fixations = slow_runs(t, speed, 1.0, self.max_gap_ms)
        return {
            "fixation": lasting_runs(trial, fixations, self.min_duration_ms),
            "saccade": runs_of(is_saccade),
        }


def _deviation(velocity: Floats) -> float:
    """Return the standard deviation of a velocity about its median, by medians; NaN of nothing."""
    median, median_square = median_and_square(velocity)
    if math.isnan(median):
        return math.nan
    return math.sqrt(max(median_square - median**2, 0.0))


def _without_short(
    trial: Trial, is_saccade: npt.NDArray[np.bool_], min_ms: float
) -> npt.NDArray[np.bool_]:
    starts, ends = runs_of(is_saccade)
    is_short = durations(trial, starts, ends) < min_ms
    kept = is_saccade.copy()
    for start, end in zip(starts[is_short], ends[is_short], strict=True):
        kept[start:end] = False
    return kept
