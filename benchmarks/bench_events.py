"""I-VT from positions: ours (kernels windowed_speed and slow_runs) beside numpy and the floor of reading the samples.

Usage: python benchmarks/bench_events.py [--samples 1000000] [--json FILE]
"""

from __future__ import annotations

import argparse

import numpy as np
from _timing import race, save, show

from gazetrack.kernels.segments import slow_runs
from gazetrack.kernels.signal import windowed_speed


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
        windowed_speed(t, x, y, 10.0, 75.0, speed)
        return slow_runs(t, speed, 1.0, 75.0)

    entries = {
        "ours": ours,
        "windowed_speed": lambda: windowed_speed(t, x, y, 10.0, 75.0, speed),
        "slow_runs": lambda: slow_runs(t, speed, 1.0, 75.0),
        "numpy, no window": lambda: numpy_ivt(t, x, y, 1.0),
        "floor: sum the samples": lambda: t.sum() + x.sum() + y.sum(),
    }
    seconds = race(entries)
    show(f"I-VT, {options.samples:,} samples", seconds, "ours")
    save(options.json, {"samples": options.samples, "seconds": seconds})


if __name__ == "__main__":
    main()
