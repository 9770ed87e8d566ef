"""I-DT: fixations are the longest windows that stay within a small area.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA. Any
timestamps serve: the window is a length of time, and the sample that breaks the dispersion is not
part of the fixation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.kernels.dispersion import compact_runs

if TYPE_CHECKING:
    from gazetrack.events.base import Runs


@dataclass(frozen=True)
class IDT(Detector):
    """Parameters of I-DT.

    Parameters
    ----------
    dispersion_deg : float
        Largest (max x - min x) + (max y - min y); 1 deg (Salvucci & Goldberg 2000: 0.5 to 1).
    min_duration_ms : float
        Length of the first window, and so of the shortest fixation; 100 ms (Salvucci & Goldberg
        2000: 100 to 200).
    max_gap_ms : float
        A longer loss of gaze ends a fixation; shorter ones are skipped.
    """

    name: ClassVar[str] = "idt"

    dispersion_deg: float = 1.0
    min_duration_ms: float = 100.0
    max_gap_ms: float = 75.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        known = np.flatnonzero(~np.isnan(trial.x_px))
        t, x, y = (values[known] for values in (trial.t_ms, trial.x_px, trial.y_px))
        window = max(self.min_duration_ms - trial.step_ms, 0.0)
        starts, ends = compact_runs(
            t, x, y, self.dispersion_deg * trial.px_per_deg, window, self.max_gap_ms
        )
        starts, ends = known[starts], known[ends - 1] + 1
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]
