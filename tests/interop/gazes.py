"""A small `Gaze` of pymovements, as anybody might have made it."""

from __future__ import annotations

import polars as pl
import pymovements

EXPERIMENT = pymovements.Experiment(1280, 1024, 38.0, 30.0, 60.0, "upper left", 1000.0)


def gaze_of(experiment=EXPERIMENT, **choices):
    samples = pl.DataFrame(
        {
            "time": [1000.0, 1001.0, 1002.0],
            "x": [0.0, 639.5, None],
            "y": [0.0, 511.5, 700.0],
            "page": [1, 1, 2],
        }
    )
    known = {"experiment": experiment, "pixel_columns": ["x", "y"], "trial_columns": ["page"]}
    return pymovements.Gaze(samples, **(known | choices))
