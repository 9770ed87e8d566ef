"""Gaze of AdHawk MindLink glasses: ``gaze_data.csv`` of a recording.

Source: "GlassesViewer4AdHawk", https://github.com/zhiguo-eyelab/GlassesViewer4AdHawk: the columns,
times in s, and the gaze in the scene camera's image as fractions of it. The image's size is not in
the file. How wide the camera sees is in ``meta_data.json`` of the same recording: ``deg_to_px`` are
the coefficients, the last one constant, of a polynomial that tells pixels per degree at an angle
off the axis. In the recording published there it is that of a flat picture.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import header_of, needed_header
from gazetrack.readers.text.table import no_rows, read_parts
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

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
_META = "meta_data.json"
_MAX_META_BYTES = 1024**2
_LEAST_FOV_DEG = 20.0
_MOST_FOV_DEG = 150.0
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
    wanted = header.needed(_NEEDED, "float64", head.path)
    timed = TimedParts(head, header)
    samples = SampleSink()
    n_rows = 0
    for part in read_parts(head, header, wanted):
        n_rows += part.n_rows
        rows, t_ms = timed.take(part.number("t") * 1e3)
        x = part.number("x")[rows] * _NOMINAL.width_px
        y = part.number("y")[rows] * _NOMINAL.height_px
        samples.append({"t_ms": t_ms, "x_px": x, "y_px": y})
    if not n_rows:
        raise no_rows(head, header)
    timed.check()
    notes: list[str] = []
    camera = _camera(head, notes)
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples.table({"recording": [head.stem]}),
        event_table=conform({}, EVENTS),
        origin_ms=timed.origin_ms,
        tracker="AdHawk MindLink",
        world_camera="AdHawk MindLink",
        rows_in=n_rows,
        dropped=timed.dropped,
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(camera, "scene camera's image")


def _camera(head: Head, notes: list[str]) -> Screen:
    """Return the nominal image, with the field of view that the settings beside the gaze tell.

    Without settings, or with such as tell of no possible camera, it has no field of view.
    """
    path = head.path.with_name(_META)
    try:
        if not path.is_file() or path.stat().st_size > _MAX_META_BYTES:
            return _NOMINAL
        settings = json.loads(path.read_text("utf-8-sig"))
        px_per_deg = float(settings["camera_config"]["deg_to_px"][-1])
    except (OSError, ValueError, RecursionError, KeyError, IndexError, TypeError, OverflowError):
        notes.append(f"{_META} beside the gaze does not tell how wide the camera sees: not used")
        return _NOMINAL
    fov_deg = _field_of_view(px_per_deg)
    if not _LEAST_FOV_DEG < fov_deg < _MOST_FOV_DEG:
        notes.append(
            f"{_META} beside the gaze tells of a camera that cannot be "
            f"({px_per_deg:g} px per degree): not used"
        )
        return _NOMINAL
    notes.append(f"the scene camera is {fov_deg:.1f} degrees wide by {_META} of the recording")
    return replace(_NOMINAL, fov_deg=fov_deg)


def _field_of_view(px_per_deg: float) -> float:
    """Return how many degrees the width of the image covers, 0 where that cannot be.

    Of a flat picture, the focal length in pixels is what a radian at its centre covers.
    """
    if px_per_deg <= 0 or math.isnan(px_per_deg):
        return 0.0
    focal_px = math.degrees(px_per_deg)
    return math.degrees(2 * math.atan(_NOMINAL.width_px / 2 / focal_px))
