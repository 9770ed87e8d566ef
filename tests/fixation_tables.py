"""Fixation tables with nothing in them but what a test needs."""

from __future__ import annotations

import numpy as np

from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table


def write_fixations(path, stimuli, **columns):
    n = len(stimuli)
    full = {
        "stimulus": stimuli,
        "x_px": np.full(n, 10.0),
        "y_px": np.full(n, 10.0),
        "duration_ms": np.full(n, 300.0),
    }
    full["onset_ms"] = np.arange(n) * 400.0
    table = conform(full | {"image_width_px": 80, "image_height_px": 60} | columns, FIXATIONS)
    write_table(path, table, {"screen": {"width_px": 100, "height_px": 60}})
    return path
