"""Looks at areas of interest: our time beside a loop over rows, and how it grows.

Usage: python benchmarks/bench_aois.py [--fixations 10000] [--json FILE]

The loop is what a script does with shapely and pandas rows, for dwell, visits and the time to the
first fixation alone. Both must find the same. All polygons have 24 corners, ten a stimulus.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np
import pandas as pd
import shapely
from _timing import race, save, show, where_and_when

import gazetrack
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Polygon

N_STIMULI = 10
N_AOIS = 10
PER_TRIAL = 50
SIDE_PX = 1000.0
GROWTH_SIZES = (20_000, 80_000, 320_000)


def fixations(n: int) -> pd.DataFrame:
    """Return random fixations, 50 a trial, each trial of the next of ten stimuli."""
    random = np.random.default_rng(n)
    trial = np.arange(n) // PER_TRIAL
    x, y = random.uniform(0, SIDE_PX, (2, n))
    return pd.DataFrame(
        {
            "recording": [f"r{number // N_STIMULI}" for number in trial],
            "stimulus": [f"s{number % N_STIMULI}" for number in trial],
            "onset_ms": np.arange(n) * 300.0,
            "duration_ms": np.floor(random.uniform(80, 280, n)),
            "x_px": x.astype(np.float32),
            "y_px": y.astype(np.float32),
            "image_width_px": SIDE_PX,
            "image_height_px": SIDE_PX,
        }
    )


def areas() -> AoiSet:
    """Return ten round polygons a stimulus, which may overlap."""
    random = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    found = []
    for number in range(N_AOIS):
        corners = random.uniform(100, 900, 2) + random.uniform(30, 90) * circle
        shape = Polygon(points_px=tuple((float(x), float(y)) for x, y in corners))
        found.append(Aoi(name=f"a{number}", parts=(Part(shape=shape),)))
    stimuli = (StimulusAois(stimulus=f"s{k}", aois=tuple(found)) for k in range(N_STIMULI))
    return AoiSet(stimuli=tuple(stimuli))


def loop(frame: pd.DataFrame, aois: AoiSet) -> pd.DataFrame:
    """Measure as a script does: trial by trial, area by area, fixation by fixation."""
    rows = []
    for (recording, stimulus), trial in frame.groupby(["recording", "stimulus"], sort=False):
        own = aois.of(stimulus)
        for aoi in [] if own is None else own.aois:
            polygon = shapely.Polygon(aoi.parts[0].shape.points_px)
            dwell, visits, first, was_inside = 0.0, 0, math.nan, False
            start = trial["onset_ms"].iloc[0]
            for one in trial.itertuples():
                is_inside = polygon.contains(shapely.Point(one.x_px, one.y_px))
                if is_inside:
                    dwell += one.duration_ms
                    visits += not was_inside
                    first = one.onset_ms - start if math.isnan(first) else first
                was_inside = is_inside
            rows.append((recording, stimulus, aoi.name, dwell, visits, first))
    names = ["recording", "stimulus", "aoi", "dwell_ms", "visits", "time_to_first_fixation_ms"]
    return pd.DataFrame(rows, columns=names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixations", type=int, default=10_000)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"where": where_and_when()}
    aois = areas()
    frame = fixations(arguments.fixations)
    wanted = loop(frame, aois)
    found = gazetrack.measure_aois(frame, aois)[list(wanted)].astype({"visits": np.int64})
    texts = dict.fromkeys(["recording", "stimulus", "aoi"], str)
    pd.testing.assert_frame_equal(found.astype(texts), wanted.astype(texts))
    entries = {
        "gazetrack": lambda: gazetrack.measure_aois(frame, aois),
        "loop over rows": lambda: loop(frame, aois),
    }
    results["seconds"] = race(entries, rounds=3)
    results["fixations"] = arguments.fixations
    title = f"{arguments.fixations:,} fixations, {len(wanted):,} rows"
    show(title, results["seconds"], "gazetrack")
    grown = {}
    for n in GROWTH_SIZES:
        many = fixations(n)
        grown[n] = race({"gazetrack": lambda many=many: gazetrack.measure_aois(many, aois)}, 3)[
            "gazetrack"
        ]
    steps = np.diff(np.log(list(grown.values()))) / np.diff(np.log(list(grown)))
    results["grown"] = {str(n): seconds for n, seconds in grown.items()}
    results["exponent"] = float(steps[-1])
    for n, seconds in grown.items():
        print(f"  {n:9,} fixations  {seconds:8.3f} s")
    print(f"  time grows with n to the {steps[-1]:.2f}")
    save(arguments.json, results)


if __name__ == "__main__":
    main()
