"""BIDS data sets in tests: exports to make them of, and the validator's word on them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run

import numpy as np

from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen
from gazetrack.tables.store import write_table

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)
SCREEN_TYPED = "1920x1080,531x299mm,650mm"


def errors_of(dataset):
    """Return the errors that the BIDS validator finds in a data set and its derivatives."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    line = [program, dataset, "--recursive", "--format", "json", "--max-rows", "-1"]
    found = json.loads(run(line, check=False, capture_output=True).stdout)
    parts = {"": found, **(found.get("derivativesSummary") or {})}
    return [
        (place, issue["code"], issue.get("subCode"), issue.get("location"))
        for place, part in parts.items()
        for issue in part["issues"]["issues"]
        if issue["severity"] == "error"
    ]


def write_samples(path, *, n=12, both_eyes=True, **columns):
    """Write a table of samples as an export of both eyes at 250 Hz, or of columns that are given.

    The combined gaze is the mean of the eyes.
    """
    i = np.arange(n)
    made = {"recording": path.name.split(".")[0], "t_ms": 4.0 * i}
    made |= {"left_x_px": 100.5 + i, "left_y_px": 200.25 + i, "left_pupil": 900.0 + i}
    if both_eyes:
        made |= {"right_x_px": 102.5 + i, "right_y_px": 202.75 + i, "right_pupil": 800.0 + i}
        made |= {"x_px": 101.5 + i, "y_px": 201.5 + i}
    else:
        made |= {"x_px": made["left_x_px"], "y_px": made["left_y_px"]}
    table = conform(made | columns, SAMPLES)
    digest = f"{sum(path.name.encode()):064x}"
    write_table(path, table, {"source": {"file": path.name, "sha256": digest}})
    return path
