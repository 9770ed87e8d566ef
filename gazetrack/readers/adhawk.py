"""Gaze of AdHawk MindLink glasses: ``gaze_data.csv`` of a recording.

Source: "GlassesViewer4AdHawk", https://github.com/zhiguo-eyelab/GlassesViewer4AdHawk: the columns, times in s, and the
gaze in the scene camera's image as fractions of it. The image's size is not in the file.
"""

from __future__ import annotations

import numpy as np

from gazetrack.readers._clock import check_clock
from gazetrack.readers._tables import header_of, needed_header, read_columns
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

FORMAT = Format(
    name="adhawk",
    title="AdHawk MindLink, gaze_data.csv",
    suffixes=(".csv",),
    provides="samples",
    units="s, converted to ms; fractions of the camera image, to px of the size given or 1920x1080",
    lost="3d gaze of either eye, vergence, frame numbers, the time of day",
    source="https://github.com/zhiguo-eyelab/GlassesViewer4AdHawk",
)
_NOMINAL = Screen(1920, 1080)
_NEEDED = {"t": "Timestamp", "x": "Image_X", "y": "Image_Y"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not {*_NEEDED.values(), "Gaze_X", "Vergence"} <= set(header.names):
        return NO
    return Verdict(Level.CERTAIN, "columns Timestamp, Gaze_X, Vergence and Image_X")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the gaze in the scene camera's image.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    wanted = {key: (header.index(name, head.path), "float64") for key, name in _NEEDED.items()}
    table = read_columns(head, header, wanted)  # type: ignore[arg-type]
    time = table.number("t") * 1e3
    timed = np.isfinite(time)
    t = time[timed]
    check_clock(head, header, t, timed)
    origin = float(t[0]) if t.size else 0.0
    x, y = table.number("x")[timed] * _NOMINAL.width_px, table.number("y")[timed] * _NOMINAL.height_px
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, "t_ms": t - origin, "x_px": x, "y_px": y}, SAMPLES),
        events=conform({}, EVENTS),
        origin_ms=origin,
        tracker="AdHawk MindLink",
        world_camera="AdHawk MindLink",
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
    )
    return recording.on_nominal_screen(_NOMINAL, "scene camera's image")
