"""Tobii Pro Glasses 2: ``livedata.json`` of a segment, one JSON object a line, usually gzip.

Specification: "Tobii Pro Glasses 2 API Developer's Guide", chapter "Live data": ``ts`` in µs,
``gp`` the gaze as a fraction of the scene camera's image, origin top left, ``pd`` a pupil's
diameter in mm, ``s`` other than 0 marks what is not valid. The lines of the streams are not in
temporal order; ``gidx`` tells which of them are of one moment.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_lines
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.text.json_lines import column, first_objects, number, objects, vector
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

FORMAT = Format(
    name="tobii_glasses2",
    title="Tobii Pro Glasses 2 livedata",
    suffixes=(".gz", ".json"),
    provides="samples",
    units="µs, converted to ms; fractions of the scene camera's image, to px of 1920x1080; "
    "pupil in mm",
    lost="3d gaze, pupil centres, gaze directions, head movements, video time stamps, sync signals",
    source="Tobii Pro Glasses 2 API Developer's Guide, Live data",
)
CAMERA = Screen(1920, 1080)
_STREAMS = {"gp", "gp3", "gd", "pc", "pd", "ac", "gy", "pts", "vts", "sig"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its first objects."""
    first = first_objects(head)
    all_stamped = all({"ts", "s"} <= set(found) for found in first)
    any_stream = any(_STREAMS & set(found) for found in first)
    if first and all_stamped and any_stream:
        return Verdict(Level.CERTAIN, "JSON lines with ts, s and the streams of Glasses 2")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the gaze and the pupils of its moments.

    Returns
    -------
    Recording
        Times count from the first sample, in temporal order whatever that of the lines.

    Raises
    ------
    ParseError
        A line that is no JSON object, or no gaze at all.
    """
    gaze: list[tuple[float, float, float, float]] = []  # ts, x, y, gidx
    # A pupil has a line of its own, before or behind that of the gaze with the same gidx.
    pupils: dict[str, dict[Any, float]] = {"left": {}, "right": {}}
    lines: list[int] = []
    n_lines = 0
    dropped = Counter[str]()
    for line, found in objects(head):
        n_lines += 1
        valid = found.get("s") == 0
        if "gp" in found:
            x, y = vector(found["gp"], 2) if valid else (np.nan, np.nan)
            gaze.append((number(found.get("ts")), x, y, number(found.get("gidx"))))
            lines.append(line)
        elif "pd" in found and found.get("eye") in pupils:
            dropped["pupil of a gaze sample"] += 1
            if valid:
                pupils[found["eye"]][found.get("gidx")] = number(found["pd"])
        else:
            dropped["other streams"] += 1
    if not gaze:
        raise NoGaze(
            "holds no gaze: no gp in any line",
            path=head.path,
            hint="give the segment's livedata.json.gz",
        )
    values = np.array(gaze)
    timed = np.isfinite(values[:, 0])
    dropped["no time"] = int((~timed).sum())
    values = values[timed]
    # The order of the lines is checked before they are sorted: a second segment is no late line.
    check_lines(head, values[:, 0] / 1e3, np.array(lines)[timed])
    values = values[np.argsort(values[:, 0], kind="stable")]
    time = values[:, 0] / 1e3
    origin = float(time[0]) if time.size else 0.0
    columns = {
        "recording": head.stem,
        "t_ms": time - origin,
        "x_px": values[:, 1] * CAMERA.width_px,
        "y_px": values[:, 2] * CAMERA.height_px,
    }
    for eye, found_pupils in pupils.items():
        sizes = [found_pupils.get(index, np.nan) for index in values[:, 3]]
        columns[f"{eye}_pupil"] = column(sizes)
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        origin_ms=origin,
        tracker="Tobii Pro Glasses 2",
        world_camera="Tobii Pro Glasses 2",
        rows_in=n_lines,
        dropped=counted(dropped),
    )
    return recording.on_nominal_screen(CAMERA, "scene camera's image")
