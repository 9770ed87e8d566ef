"""Tobii Pro Glasses 2: ``livedata.json`` of a segment, one JSON object a line, usually gzip.

Specification: "Tobii Pro Glasses 2 API Developer's Guide", chapter "Live data": ``ts`` in µs,
``gp`` the gaze as a fraction of the scene camera's image, origin top left, ``pd`` a pupil's
diameter in mm, ``s`` other than 0 marks what is not valid. The lines of the streams are not in
temporal order; ``gidx`` tells which of them are of one moment.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.number_rows import LastValues, NumberRows, sorted_rows
from gazetrack.readers.text.json_lines import first_objects, number, objects, vector
from gazetrack.readers.tobii.glasses import camera_samples
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
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
    gaze = NumberRows(("t", "x", "y", "index", "line"))
    # A pupil has a line of its own, before or behind that of the gaze with the same gidx.
    pupils = {eye: NumberRows(("index", "size")) for eye in ("left", "right")}
    n_lines = 0
    dropped = Counter[str]()
    for line, found in objects(head):
        n_lines += 1
        valid = found.get("s") == 0
        if "gp" in found:
            x, y = vector(found["gp"], 2) if valid else (np.nan, np.nan)
            gaze.add(number(found.get("ts")), x, y, number(found.get("gidx")), float(line))
        elif "pd" in found and found.get("eye") in pupils:
            dropped["pupil of a gaze sample"] += 1
            if valid:
                pupils[found["eye"]].add(number(found.get("gidx")), number(found["pd"]))
        else:
            dropped["other streams"] += 1
    if not gaze.count:
        raise NoGaze(
            "holds no gaze: no gp in any line",
            path=head.path,
            hint="give the segment's livedata.json.gz",
        )
    sizes = {
        f"{eye}_pupil": LastValues(sorted_rows(rows.parts(), "index"), "index", "size")
        for eye, rows in pupils.items()
    }
    table, origin, n_timed = camera_samples(
        head,
        gaze.parts(),
        CAMERA,
        to_ms=lambda microseconds: microseconds / 1e3,
        pupil=lambda name, batch: sizes[name].of(batch["index"].to_numpy()),
    )
    dropped["no time"] = gaze.count - n_timed
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=table,
        event_table=conform({}, EVENTS),
        origin_ms=origin,
        tracker="Tobii Pro Glasses 2",
        world_camera="Tobii Pro Glasses 2",
        rows_in=n_lines,
        dropped=counted(dropped),
    )
    return recording.on_nominal_screen(CAMERA, "scene camera's image")
