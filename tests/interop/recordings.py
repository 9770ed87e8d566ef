"""Small recordings with what the programs differ in: missing gaze, two eyes, odd times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1280, 1024, 380.0, 300.0, 600.0)
N = 50


def recording(*, eyes=("left", "right"), trials=("", "1", "1", "2"), step_ms=4.0, **fields):
    """Gaze of these eyes in four runs of samples; every seventh is missing."""
    rng = np.random.default_rng(7)
    columns = {"recording": "anna", "t_ms": 3.0 + step_ms * np.arange(N)}
    runs = np.repeat(np.arange(4), -(-N // 4))[:N]
    columns["trial"] = [trials[run] for run in runs]
    columns["stimulus"] = ["" if not trials[run] else f"{trials[run]}.png" for run in runs]
    for eye in eyes or ("both",):
        prefix = "" if eye == "both" else f"{eye}_"
        columns[f"{prefix}x_px"] = rng.uniform(0, 1280, N).astype(np.float32)
        columns[f"{prefix}y_px"] = rng.uniform(0, 1024, N).astype(np.float32)
        columns[f"{prefix}x_px"][::7] = np.nan
        columns[f"{prefix}y_px"][::7] = np.nan
        if prefix:
            columns[f"{prefix}pupil"] = rng.uniform(900, 1000, N).astype(np.float32)
            columns[f"{prefix}pupil"][::7] = np.nan
    if len(eyes) == 1:
        columns |= {f"{axis}_px": columns[f"{eyes[0]}_{axis}_px"] for axis in "xy"}
    elif eyes:
        both = (
            np.stack([columns["left_x_px"], columns["right_x_px"]]),
            np.stack([columns["left_y_px"], columns["right_y_px"]]),
        )
        columns |= {"x_px": both[0].mean(0), "y_px": both[1].mean(0)}
    known = {
        "screen": SCREEN,
        "rate_hz": 1000 / step_ms,
        "eyes": "binocular",
        "origin_ms": 812345.0,
    }
    known |= {"tracker": "EyeLink 1000", "software": "5.15", "pupil_measure": "area"}
    known |= {"participants": {"anna": "p1"}, "notes": ("inferred",), "rows_in": N + 2}
    return Recording(
        name="anna",
        format="eyelink_asc",
        sample_table=conform(columns, SAMPLES),
        event_table=EVENT_TABLE,
        **(known | fields),
    )


EVENT_TABLE = conform(
    {
        "recording": "anna",
        "participant": "p1",
        "stimulus": ["", "1.png", "1.png", "1.png", "2.png", "2.png"],
        "trial": ["", "1", "1", "1", "2", "2"],
        "kind": ["message", "fixation", "saccade", "blink", "fixation", "button"],
        "index": [5, 1, 1, 1, 2, 1],
        "eye": ["", "left", "left", "right", "both", ""],
        "onset_ms": [-7.0, 55.0, 91.0, 103.0, 160.0, 170.0],
        "duration_ms": [0.0, 36.0, 12.0, 16.0, 24.0, 0.0],
        "x_px": [np.nan, 300.5, 310.0, np.nan, 640.25, np.nan],
        "y_px": [np.nan, 200.5, 210.0, np.nan, 512.0, np.nan],
        "end_x_px": [np.nan, np.nan, 700.0, np.nan, np.nan, np.nan],
        "end_y_px": [np.nan, np.nan, 410.0, np.nan, np.nan, np.nan],
        "amplitude_deg": [np.nan, np.nan, 11.5, np.nan, np.nan, np.nan],
        "peak_velocity_deg_s": [np.nan, np.nan, 320.0, np.nan, np.nan, np.nan],
        "pupil": [np.nan, 950.0, np.nan, np.nan, 940.0, np.nan],
        "text": ["TRIALID 1", "", "", "", "", "5 1"],
    },
    EVENTS,
)


def plain(table):
    """Rows as pandas has them, with texts as texts."""
    frame = table.to_pandas() if hasattr(table, "to_pandas") else table
    texts = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(texts, str)).reset_index(drop=True)


def in_order(events):
    """Rows by time; those of one moment by what they are."""
    frame = plain(events).assign(n=range(len(events)))
    order = frame.sort_values(["onset_ms", "kind", "eye", "n"])
    return order.drop(columns="n").reset_index(drop=True)


def assert_same(found, expected):
    """Every sample, event and fact of two recordings is the same; floats to the last bit."""
    pd.testing.assert_frame_equal(plain(found.samples), plain(expected.samples), check_exact=True)
    rows = in_order(expected.events)
    pd.testing.assert_frame_equal(in_order(found.events), rows, check_exact=True)
    assert found.facts() == expected.facts()
    assert found.placements == expected.placements
    assert found.participants == expected.participants
