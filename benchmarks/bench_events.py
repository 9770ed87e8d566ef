"""Detectors from positions, and their kernels, beside numpy, pymovements and the floor.

pymovements takes part where it is installed.

Usage: python benchmarks/bench_events.py [--samples 1000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools

import numpy as np
import peers_events
from _timing import race, save, show
from scipy.signal import savgol_filter

from gazetrack.events.base import Trial
from gazetrack.events.detectors import DETECTORS
from gazetrack.kernels.clusters import change_weights, two_means
from gazetrack.kernels.dispersion import compact_runs
from gazetrack.kernels.medians import middles
from gazetrack.kernels.movements import (
    joined_runs,
    merge_centred,
    merge_runs,
    moving_samples,
    net_and_way,
    still_runs,
)
from gazetrack.kernels.precision import moving_precision
from gazetrack.kernels.segments import describe_runs, slow_runs, still_stretches
from gazetrack.kernels.signal import five_point_velocity, windowed_speed
from gazetrack.kernels.smooth import fill_gaps, local_polynomial, local_slope, moving_median
from gazetrack.kernels.viterbi import two_states

PX_PER_DEG = 40.0


def simulate(n):
    """Fixations of 250 ms with jitter, 1 kHz."""
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.uniform(0, 1000, (n // 250 + 1, 2)), 250, axis=0)[:n]
    xy = (centres + rng.normal(0, 1, (n, 2))).astype(np.float32)
    return np.arange(n, dtype=float), np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])


def numpy_ivt(t, x, y, threshold):
    """The textbook version: one difference, one comparison, one diff of flags."""
    speed = np.hypot(np.diff(x), np.diff(y)) / np.diff(t)
    flags = np.concatenate([[False], speed < threshold, [False]])
    return np.flatnonzero(np.diff(flags.astype(np.int8)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--json")
    options = parser.parse_args()
    t, x, y = simulate(options.samples)
    speed = np.empty(len(t))

    def ours():
        return still_stretches(t, x, y, 10.0, 75.0, 1.0)

    trial = Trial(t, x.astype(float), y.astype(float), PX_PER_DEG)
    x64, y64 = trial.x_px, trial.y_px
    windowed_speed(t, x, y, 10.0, 75.0, speed)
    state = moving_samples(t, speed, 1.0, 0.5, 18.0)
    runs = still_runs(t, state, 100.0)
    owner, fast = np.zeros(len(t), np.int64), speed > np.float64(0.2)
    labels = np.empty(200, np.int8)
    gaussian = np.array([0.1, 2.0]), np.array([0.2, 2.0]), np.log([0.9, 0.9]), np.log([0.1, 0.1])
    entries = {
        "still_stretches: I-VT": ours,
        "numpy, no window": lambda: numpy_ivt(t, x, y, 1.0),
        "floor: sum the samples": lambda: t.sum() + x.sum() + y.sum(),
        **{
            f"detector {name}": functools.partial(kind().runs, trial)
            for name, kind in DETECTORS.items()
        },
        **{name: functools.partial(peer, trial) for name, peer in _peers(len(t)).items()},
        "windowed_speed": lambda: windowed_speed(t, x, y, 10.0, 75.0, speed),
        "slow_runs": lambda: slow_runs(t, speed, 1.0, 75.0),
        "five_point_velocity": lambda: five_point_velocity(t, x64, 75.0),
        "fill_gaps": lambda: fill_gaps(t, x64, 60.0),
        "moving_median": lambda: moving_median(t, x64, 7.0, 64),
        "local_slope": lambda: local_slope(t, x64, 8.0, 100.0),
        "local_polynomial, 21 samples": lambda: local_polynomial(t, x64, 10.0, 2, 10.0),
        "scipy savgol_filter, 21 samples": lambda: savgol_filter(x64, 21, 2),
        "moving_samples": lambda: moving_samples(t, speed, 1.0, 0.5, 18.0),
        "still_runs": lambda: still_runs(t, state, 100.0),
        "merge_runs": lambda: merge_runs(t, x64, y64, *runs, 120.0, 8.0, 60.0),
        "merge_centred": lambda: merge_centred(t, x64, y64, *runs, 76.0, 20.0),
        "joined_runs": lambda: joined_runs(t, fast, owner, 90.0),
        "net_and_way": lambda: net_and_way(t, x64, y64, *runs, 90.0),
        "describe_runs": lambda: describe_runs(x64, y64, *runs),
        "compact_runs": lambda: compact_runs(t, x64, y64, PX_PER_DEG, 100.0, 75.0),
        "middles": lambda: middles(x64),
        "numpy.median, of values and squares": lambda: (np.median(x64), np.median(x64**2)),
        "moving_precision, 100 samples": lambda: moving_precision(t, x64, y64, 100, 150.0),
        "two_states": lambda: two_states(speed, *gaussian),
        "change_weights": lambda: change_weights(t, x64, y64, 200.0, 20.0, np.array([1, 2, 5, 10])),
        "two_means, 200 samples": lambda: two_means(x64, y64, 0, 1, 200, labels),
    }
    seconds = race(entries)
    show(f"Detection, {options.samples:,} samples", seconds, "still_stretches: I-VT")
    save(options.json, {"samples": options.samples, "seconds": seconds})


def _peers(samples):
    """Return pymovements' detectors; its I-DT is not linear, and left out of long signals."""
    found = {
        name: peer
        for name, peer in peers_events.available().items()
        if name.startswith("pymovements")
    }
    if samples > 100_000:
        found.pop("pymovements idt", None)
    return found


if __name__ == "__main__":
    main()
