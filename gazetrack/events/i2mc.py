"""I2MC: a saccade is where two clusters of gaze meet, whatever the noise.

Hessels et al. (2017), Noise-robust fixation detection in eye movement data: identification by
two-means clustering (I2MC), Behavior Research Methods 49. In a window that moves along, gaze is
split into two clusters; samples where it changes cluster get a weight, the less the more often it
changes. Where the mean weight over all windows is high, no fixation is. Their lower rates are made
by a Chebyshev filter and every n-th sample; here by means over n samples, which needs no constant
rate. The clustering starts from the two samples furthest apart along the wider axis, not at random,
so that the result is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gazetrack.events.base import Detector, Trial, durations
from gazetrack.events.ivt import merge
from gazetrack.kernels.clusters import change_weights
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.smooth import fill_gaps

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Runs

    Integers = npt.NDArray[np.int64]

_AVERAGED = np.array([1, 2, 5, 10])


@dataclass(frozen=True)
class I2MC(Detector):
    """Parameters of I2MC; the defaults are its authors'.

    Parameters
    ----------
    window_ms, step_ms : float
        Length of the window, and how far it moves on each time.
    cutoff_deviations : float
        Fixations are where the weight is below its mean plus this many standard deviations.
    fill_gap_ms : float
        Shorter losses of gaze are interpolated.
    edge_deviations : float
        A fixation begins and ends with samples whose distance from its median position is at most
        the median distance plus this many median absolute deviations; 3.
    merge_gap_ms, merge_distance_deg : float
        Neighbouring fixations closer than both are merged; 30 ms and 0.7 deg (30 px on their
        screen).
    min_duration_ms : float
        Shorter fixations are discarded.
    max_gap_ms : float
        A longer step between samples ends a fixation.
    """

    name: ClassVar[str] = "i2mc"

    window_ms: float = 200.0
    step_ms: float = 20.0
    cutoff_deviations: float = 2.0
    fill_gap_ms: float = 100.0
    edge_deviations: float = 3.0
    merge_gap_ms: float = 30.0
    merge_distance_deg: float = 0.7
    min_duration_ms: float = 40.0
    max_gap_ms: float = 100.0

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations; see `Detector.runs`."""
        x, y = (fill_gaps(trial.t_ms, v, self.fill_gap_ms) for v in (trial.x_px, trial.y_px))
        weights = change_weights(trial.t_ms, x, y, self.window_ms, self.step_ms, _AVERAGED)
        known = weights[~np.isnan(weights)]
        cutoff = known.mean() + self.cutoff_deviations * known.std() if known.size else 0.0
        runs = slow_runs(trial.t_ms, weights, np.nextafter(cutoff, np.inf), self.max_gap_ms)
        filled = replace(trial, x_px=x, y_px=y)
        starts, ends = self._trimmed(
            filled, *merge(filled, runs, self.merge_gap_ms, self.merge_distance_deg)
        )
        keep = durations(trial, starts, ends) >= self.min_duration_ms
        return starts[keep], ends[keep]

    def _trimmed(self, trial: Trial, starts: Integers, ends: Integers) -> Runs:
        """Return the runs without what lies at their edges and far from their centres."""
        starts, ends = starts.copy(), ends.copy()
        for k, (a, b) in enumerate(zip(starts, ends, strict=True)):
            x, y = trial.x_px[a:b], trial.y_px[a:b]
            far = np.hypot(x - np.nanmedian(x), y - np.nanmedian(y))
            middle = np.nanmedian(far)
            near = np.flatnonzero(
                far <= middle + self.edge_deviations * np.nanmedian(np.abs(far - middle))
            )
            starts[k], ends[k] = a + near[0], a + near[-1] + 1
        return starts, ends
