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

from gazetrack.events.base import Detector, Trial, lasting_runs
from gazetrack.events.ivt import merge
from gazetrack.kernels.clusters import change_weights
from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.smooth import fill_gaps

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Runs

    Floats = npt.NDArray[np.float64]

_AVERAGED = np.array([1, 2, 5, 10])  # of how many samples means are taken: one lower rate each


@dataclass(frozen=True, kw_only=True)
class I2MC(Detector):
    """Parameters of I2MC; the defaults are its authors'.

    Parameters
    ----------
    window_ms : float
        Length of the window in which gaze is split into two clusters.
    step_ms : float
        How far the window moves on each time.
    cutoff_deviations : float
        Fixations are where the weight is below its mean plus this many standard deviations.
    fill_gap_ms : float
        Losses of gaze that are no longer than this are filled by a straight line.
    edge_deviations : float
        A fixation begins and ends with samples whose distance from its median position is at most
        the median distance plus this many median absolute deviations; the authors take 3.
    merge_gap_ms : float
        Neighbouring fixations are merged when the time between them is no longer than this, 30 ms,
        and they are as close as the next parameter says.
    merge_distance_deg : float
        Neighbouring fixations are merged when their mean positions are no farther apart than this;
        0.7 degrees are 30 px on the authors' screen.
    min_duration_ms : float
        Fixations shorter than this are discarded.
    max_gap_ms : float
        A step between samples that is longer than this ends a fixation.
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
        t = trial.t_ms
        # From the first gaze on: sums of larger numbers round differently, and samples midway
        # between two clusters would fall to either by where on the screen the gaze is.
        x = fill_gaps(t, _from_the_first(trial.x_px), self.fill_gap_ms)
        y = fill_gaps(t, _from_the_first(trial.y_px), self.fill_gap_ms)
        filled = replace(trial, x_px=x, y_px=y)
        weights = change_weights(t, x, y, self.window_ms, step=self.step_ms, averaged=_AVERAGED)
        known = weights[~np.isnan(weights)]
        cutoff = known.mean() + self.cutoff_deviations * known.std() if known.size else 0.0
        # The cutoff itself still is a fixation's: `slow_runs` wants weights below its threshold.
        threshold = np.nextafter(cutoff, np.inf)
        fixations = slow_runs(t, weights, threshold, self.max_gap_ms)
        fixations = merge(filled, fixations, self.merge_gap_ms, self.merge_distance_deg)
        fixations = self._trimmed(filled, fixations)
        return lasting_runs(filled, fixations, self.min_duration_ms)

    def _trimmed(self, trial: Trial, runs: Runs) -> Runs:
        """Return the runs without what lies at their edges and far from their centres."""
        starts = runs[0].copy()
        ends = runs[1].copy()
        for k, (start, end) in enumerate(zip(*runs, strict=True)):
            x = trial.x_px[start:end]
            y = trial.y_px[start:end]
            distance = np.hypot(x - np.nanmedian(x), y - np.nanmedian(y))
            middle = np.nanmedian(distance)
            deviation = np.nanmedian(np.abs(distance - middle))
            near = np.flatnonzero(distance <= middle + self.edge_deviations * deviation)
            starts[k] = start + near[0]
            ends[k] = start + near[-1] + 1
        return starts, ends


def _from_the_first(position: Floats) -> Floats:
    """Return positions relative to the first that is known, in px."""
    known = position[~np.isnan(position)]
    return position - known[0] if known.size else position
