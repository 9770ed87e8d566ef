"""The table of eye movements that `gazetrack events` writes: the tracker's own and detected ones.

It has all columns of the export's own events (`schema.EVENTS`), and further ones. Directions are
those of mathematics as an observer sees the screen: 0 is to the right, 90 up, 180 to the left, -90
down. Positions count y downwards, so that an upward saccade has an `end_y_px` below its `y_px`.
"""

from __future__ import annotations

import pyarrow as pa

from gazetrack.tables.schema import EVENTS, TEXT, column

# Where an event comes from.
TRACKER, DETECTED = "tracker", "detected"
# What the eye does; the tracker's own rows also have messages, inputs and the like.
MOVEMENT_KINDS = ("fixation", "saccade", "pso", "smooth_pursuit", "microsaccade", "blink")

MOVEMENTS = pa.schema(
    [
        *(EVENTS.field(name) for name in ("recording", "participant", "stimulus", "trial")),
        column(
            "kind",
            TEXT,
            "",
            "fixation, saccade, pso (post-saccadic oscillation), smooth_pursuit, microsaccade or "
            "blink; of the tracker's own also message and whatever else its export tells",
        ),
        column("source", TEXT, "", "tracker, as exported; or detected in the samples"),
        column(
            "index",
            pa.int32(),
            "",
            "the export's own number of the event; of detected ones their order from 1 within "
            "trial, stimulus, kind and eye",
        ),
        *(EVENTS.field(name) for name in ("eye", "onset_ms", "duration_ms")),
        column(
            "x_px",
            pa.float32(),
            "px",
            "horizontal position on the screen: mean of a fixation, else where the event starts",
        ),
        column(
            "y_px",
            pa.float32(),
            "px",
            "vertical position on the screen, down: mean of a fixation, else where it starts",
        ),
        column("end_x_px", pa.float32(), "px", "horizontal end position; NaN for fixations"),
        column("end_y_px", pa.float32(), "px", "vertical end position, down; NaN for fixations"),
        column(
            "amplitude_deg",
            pa.float32(),
            "deg",
            "distance from start to end; as exported where the tracker tells it",
        ),
        column(
            "direction_deg",
            pa.float32(),
            "deg",
            "direction from start to end, -180 to 180: 0 right, 90 up, 180 left, -90 down",
        ),
        column(
            "mean_velocity_deg_s",
            pa.float32(),
            "deg/s",
            "mean speed of gaze, as exported or in the samples",
        ),
        column(
            "peak_velocity_deg_s",
            pa.float32(),
            "deg/s",
            "largest speed of gaze, as exported or in the samples",
        ),
        *(EVENTS.field(name) for name in ("pupil", "text")),
    ]
)
