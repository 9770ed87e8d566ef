"""Tobii Pro Glasses 3: ``gazedata`` of a recording, one JSON object a line, usually gzip.

Specification: "Tobii Pro Glasses 3 Developer Guide", chapter "Recording data": timestamps in
seconds, ``gaze2d`` as a fraction of the scene camera's image, origin top left; an empty ``data``
means that no eye was found.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.number_rows import NumberRows
from gazetrack.readers.text.json_lines import first_objects, number, objects, vector
from gazetrack.readers.tobii.glasses import camera_samples
from gazetrack.tables.plausible import MAX_PUPIL_MM
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = Format(
    name="tobii_glasses3",
    title="Tobii Pro Glasses 3 gazedata",
    suffixes=(".gz", ".json"),
    provides="samples",
    units="s, converted to ms; fractions of the scene camera's image, to px of 1920x1080; "
    "pupil in mm",
    lost="3d gaze, origins and directions of the eyes",
    source="Tobii Pro Glasses 3 Developer Guide, Recording data",
)
CAMERA = Screen(1920, 1080)
# The glasses measure at 50 or 100 Hz.
_LEAST_HZ, _MOST_HZ = 1.0, 10_000.0
_STREAMS = {"imu": "movements of the head", "syncport": "sync signals", "event": "events"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its first objects."""
    first = [found for found in first_objects(head) if {"type", "timestamp", "data"} <= set(found)]
    if not first:
        return NO
    kinds = {str(found["type"]) for found in first}
    if "gaze" in kinds:
        return Verdict(Level.CERTAIN, "JSON lines of type gaze with timestamp and data")
    what = next((_STREAMS[kind] for kind in sorted(kinds) if kind in _STREAMS), "another stream")
    return Verdict(Level.NO, f"{what} of a Glasses 3 recording", "give its gazedata")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the gaze.

    Returns
    -------
    Recording
        Times count from the first sample, in temporal order whatever that of the lines.

    Raises
    ------
    ParseError
        A line that is no JSON object, or no gaze at all.
    """
    rows = NumberRows(("t", "x", "y", "left_pupil", "right_pupil", "line"))
    others = n_broken = n_wide = 0
    for line, found in objects(head):
        if found.get("type") != "gaze":
            others += 1
            continue
        data = found.get("data")
        data = data if isinstance(data, dict) else {}
        time, x, y, *pupils = _row(found.get("timestamp"), data)
        n_broken += data.get("gaze2d") is not None and math.isnan(x + y)
        n_wide += sum(abs(size) > MAX_PUPIL_MM for size in pupils)
        pupils = [math.nan if abs(size) > MAX_PUPIL_MM else size for size in pupils]
        rows.add(time, x, y, *pupils, float(line))
    if not rows.count:
        raise NoGaze(
            "holds no gaze: no line of type gaze",
            path=head.path,
            hint="give the recording's gazedata",
        )
    table, origin, n_timed = camera_samples(
        head,
        rows.parts(),
        CAMERA,
        to_ms=lambda seconds: seconds * 1e3,
        pupil=lambda name, batch: batch[name].to_numpy(),
    )
    dropped = {"no time": rows.count - n_timed, "other streams": others}
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=table,
        event_table=conform({}, EVENTS),
        origin_ms=origin,
        tracker="Tobii Pro Glasses 3",
        world_camera="Tobii Pro Glasses 3",
        rows_in=rows.count + others,
        dropped=counted(dropped),
        notes=_notes(table, n_broken, n_wide),
    )
    return recording.on_nominal_screen(CAMERA, "scene camera's image")


def _notes(table: pa.Table, n_broken: int, n_wide: int) -> tuple[str, ...]:
    """Return what is wrong with the values, in words for the user.

    Parameters
    ----------
    table : pyarrow.Table
        The samples, in the order of time.
    n_broken : int
        How many have a ``gaze2d`` that is no pair of numbers.
    n_wide : int
        How many pupils are wider than any eye's.
    """
    notes = []
    if n_broken:
        notes.append(f"{n_broken} values of gaze2d are no pair of numbers: taken as missing")
    if n_wide:
        wide = f"absurdly large, above {MAX_PUPIL_MM:g} mm"
        notes.append(f"{n_wide} pupil sizes of the samples are {wide}: taken as missing")
    if table.num_rows > 1:
        span_s = (table["t_ms"][-1].as_py() - table["t_ms"][0].as_py()) / 1e3
        rate_hz = (table.num_rows - 1) / span_s if span_s else math.inf
        if not _LEAST_HZ <= rate_hz <= _MOST_HZ:
            notes.append(
                f"timestamps in seconds give {rate_hz:.3g} samples a second: "
                "perhaps they are in another unit"
            )
    return tuple(notes)


def _row(time: Any, data: dict[str, Any]) -> tuple[float, float, float, float, float]:
    """Return time, x, y and both pupils of a line, NaN for what it does not have."""
    x, y = vector(data.get("gaze2d"), 2)
    return number(time), x, y, _pupil(data.get("eyeleft")), _pupil(data.get("eyeright"))


def _pupil(eye: Any) -> float:
    """Return the diameter of an eye's pupil in mm; the eye is an empty object where it is lost."""
    return number(eye.get("pupildiameter")) if isinstance(eye, dict) else float("nan")
