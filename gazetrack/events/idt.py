"""I-DT: fixations are the longest windows that stay within a small area.

Salvucci & Goldberg (2000), Identifying fixations and saccades in eye-tracking protocols, ETRA. Any
timestamps serve: the window is a length of time, and the sample that breaks the dispersion is not
part of the fixation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, lasting_runs
from gazetrack.kernels.dispersion import compact_runs

if TYPE_CHECKING:
    from gazetrack.events.base import Runs


@dataclass(frozen=True, kw_only=True)
class IDT(Detector):
    """Parameters of I-DT.

    Parameters
    ----------
    dispersion_deg : float
        Largest dispersion of a fixation, (max x - min x) + (max y - min y); 1 degree (Salvucci &
        Goldberg 2000: 0.5 to 1).
    min_duration_ms : float
        Length of the first window, and so of the shortest fixation; 100 ms (Salvucci & Goldberg
        2000: 100 to 200).
    max_gap_ms : float
        A loss of gaze that is longer than this ends a fixation; shorter ones are skipped.
    """

    name: ClassVar[str] = "idt"

    dispersion_deg: float = 1.0
    min_duration_ms: float = 100.0
    max_gap_ms: float = 75.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        known = np.flatnonzero(~np.isnan(trial.x_px))
        # A fixation lasts one step longer than from its first sample to its last.
        window = max(self.min_duration_ms - trial.step_ms, 0.0)
        among_known_starts, among_known_ends = compact_runs(
            trial.t_ms[known],
            trial.x_px[known],
            trial.y_px[known],
            dispersion=self.dispersion_deg * trial.px_per_deg,
            window=window,
            max_gap=self.max_gap_ms,
        )
        starts = known[among_known_starts]
        ends = known[among_known_ends - 1] + 1
        return lasting_runs(trial, (starts, ends), self.min_duration_ms)
