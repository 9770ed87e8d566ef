"""Tobii Studio 2 text exports: All-Data and Fixation-Data.

All-Data has one row per sample or event, Fixation-Data one row per fixation. Specification: "Tobii
Studio 2.x User Manual", Tobii Technology, "Exporting data as text". The mapped positions count from
the top left corner of the medium shown, all others from that of the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.shared.gaze import mean_of_eyes, pupils_of, without_marks
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.tobii.studio_header import (
    NO_GAZE,
    Layout,
    layout_of,
    needed_layout,
    screen_of,
)
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.text.header import Header, Kind

FORMAT = Format(
    name="tobii_studio",
    title="Tobii Studio 2 text export",
    suffixes=(".tsv", ".txt", ".csv"),
    provides="samples and events, or fixations",
    units="ms, px; pupil in mm",
    lost="eye positions in the camera, distances, areas of interest, microseconds",
    source="Tobii Studio 2.x User Manual, Exporting data as text",
)
_NUMBERS = {
    "fixation": "FixationIndex",
    "duration": "FixationDuration",
    "fixation_x": "MappedFixationPointX",
    "fixation_y": "MappedFixationPointY",
    "number": "Number",
    "left_x": "GazePointXLeft",
    "left_y": "GazePointYLeft",
    "left_pupil": "PupilLeft",
    "left_validity": "ValidityLeft",
    "right_x": "GazePointXRight",
    "right_y": "GazePointYRight",
    "right_pupil": "PupilRight",
    "right_validity": "ValidityRight",
    "x": "GazePointX",
    "y": "GazePointY",
    "media_x": "MediaPosX",
    "media_y": "MediaPosY",
    "media_width": "MediaWidth",
    "media_height": "MediaHeight",
}
_MESSAGE = {"event": "Event", "data1": "Data1", "data2": "Data2", "descriptor": "Descriptor"}
_STIMULI = ("StimuliName", "MediaName")
_NOT_FOUND_FROM = 2  # 0 certain, 1 probable; from 2 on it is the other eye, or none
_NO_MEDIA = "No media"
_MOST_MEDIA = 3
_MOST_INDEX = 2**31


class _Rows(NamedTuple):
    """What the rows of All-Data say, one element per row."""

    table: Columns
    recording: str  # one of a file, as its preamble states it
    participant: str
    stimulus: npt.NDArray[np.object_]
    t: npt.NDArray[np.floating]
    gaze: dict[str, npt.NDArray[np.floating]]
    is_sample: npt.NDArray[np.bool_]
    is_message: npt.NDArray[np.bool_]


def sniff(head: Head) -> Verdict:
    """Judge the file by the names of its columns, wherever its header is."""
    layout = layout_of(head)
    if layout is None:
        return NO
    if layout.kind == "events":
        what, _, instead = NO_GAZE.partition(": ")
        return Verdict(Level.NO, what, instead)
    marks = ("GazePointXLeft", "GazePointX", "MappedFixationPointX")
    mark = next((name for name in marks if name in layout.header.names), "GazePointXRight")
    return Verdict(Level.CERTAIN, f"columns Timestamp and {mark} in line {layout.header.lines}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read All-Data or Fixation-Data.

    Returns
    -------
    Recording
        Times of All-Data count from its first sample, those of Fixation-Data as exported.

    Raises
    ------
    ParseError
        Not an export with gaze in pixels, no samples, or a damaged row or cell.
    """
    layout = needed_layout(head)
    table = read_columns(head, layout.header, _wanted(layout.header, head))
    notes: list[str] = []
    if layout.kind == "fixations":
        recording = _fixations(head, layout, table, notes)
    else:
        recording = _all(head, layout, table, notes)
    screen = screen_of(layout, notes)
    return replace(recording, software="Tobii Studio", screen=screen, notes=tuple(notes))


def _wanted(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index("Timestamp", head.path), "float64")}
    for key, name in _NUMBERS.items():
        if name in header.names:
            # Durations become times, which are kept in double precision.
            kind: Kind = "float64" if key == "duration" else "float32"
            wanted[key] = header.index(name, head.path), kind
    for key, name in _MESSAGE.items():
        if name in header.names:
            wanted[key] = header.index(name, head.path), "text"
    stimulus = next((name for name in _STIMULI if name in header.names), None)
    if stimulus is not None:
        wanted["stimulus"] = header.index(stimulus, head.path), "text"
    return wanted


def _names(head: Head, layout: Layout) -> tuple[str, str]:
    """Return recording and participant, as stated."""
    recording = layout.stated("Recording name", "Recording") or head.stem
    participant = layout.stated("Participant", "Subject")
    return recording, participant


def _index(table: Columns) -> npt.NDArray[np.floating]:
    """Return the numbers of the fixations, without those that are too large to be one."""
    index = table.number("fixation")
    return np.where(np.abs(index) < _MOST_INDEX, index, np.nan)


def _fixations(head: Head, layout: Layout, table: Columns, notes: list[str]) -> Recording:
    notes.append(
        "positions count from the corner of the medium shown: "
        "the export does not say where that lay"
    )
    recording, participant = _names(head, layout)
    check_clock(head, layout.header, table.number("t"), np.ones(table.n_rows, np.bool_))
    x, y = _both(table.number("fixation_x"), table.number("fixation_y"))
    index = _index(table)
    if np.isnan(index).any():
        notes.append("fixations without a usable FixationIndex are numbered 0")
    columns = {
        "recording": np.full(table.n_rows, recording, object),
        "participant": participant,
        "stimulus": table.text("stimulus"),
        "index": np.nan_to_num(index).astype(np.int32),
        "eye": "both",
        "onset_ms": table.number("t"),
        "duration_ms": table.number("duration"),
        "x_px": x,
        "y_px": y,
    }
    found = fixation_recording(head.stem, FORMAT.name, columns, table.n_rows)
    return replace(found, time_origin="recording")


def _all(head: Head, layout: Layout, table: Columns, notes: list[str]) -> Recording:
    is_sample, is_message, dropped = _sort_rows(table)
    if not is_sample.any():
        hint = "export the gaze data as well"
        what = "holds no gaze: no samples"
        raise NoGaze(what, path=head.path, line=layout.header.lines, hint=hint)
    stimulus = table.text("stimulus")
    stimulus[stimulus == _NO_MEDIA] = ""
    check_clock(head, layout.header, table.number("t")[is_sample], is_sample)
    origin = float(table.number("t")[is_sample][0])
    recording, participant = _names(head, layout)
    rows = _Rows(
        table=table,
        recording=recording,
        participant=participant,
        stimulus=stimulus,
        t=table.number("t") - origin,
        gaze=_gaze(table),
        is_sample=is_sample,
        is_message=is_message,
    )
    frames = [_messages(rows), _movements(rows, notes)]
    events = pd.concat(frames).sort_values("row", kind="stable").drop(columns="row")
    _note_media(rows, notes)
    eyes = [eye for eye in EYES if f"{eye}_x" in table.found]
    one_eye = eyes[0] if eyes else "combined"
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=_samples(rows),
        event_table=conform({name: events[name].to_numpy() for name in events}, EVENTS),
        eyes="binocular" if len(eyes) > 1 else one_eye,
        origin_ms=origin,
        rows_in=table.n_rows,
        dropped=dropped,
    )


def _sort_rows(
    table: Columns,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, int]]:
    """Tell samples and messages from all other rows, which are counted by reason."""
    timed = np.isfinite(table.number("t"))
    event = table.text("event")
    is_message = timed & (event != "")
    # A sample has the number of its gaze point; an event may stand in the row of one.
    numbered = np.isfinite(table.number("number")) if "number" in table.found else event == ""
    is_sample = timed & numbered
    rest = timed & ~is_sample & ~is_message
    reasons = {"no timestamp": ~timed, "neither sample nor event": rest}
    dropped = counted(reasons)
    return is_sample, is_message, dropped


def _both(
    x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return positions without those that Studio calls missing.

    These are -1 in both coordinates; a lone -1 is a place beside the screen.
    """
    x, y, _ = without_marks(x, y, -1.0)
    return x, y


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze and pupils of every row.

    An eye that was not found is missing, whatever its position says. The combined gaze is that of
    the export, else the mean of both eyes.
    """
    gaze = {}
    not_found = []
    for eye in EYES:
        lost = table.number(f"{eye}_validity", missing=0.0) >= _NOT_FOUND_FROM
        if f"{eye}_validity" in table.found:
            not_found.append(lost)
        x, y = _both(table.number(f"{eye}_x"), table.number(f"{eye}_y"))
        pupil = pupils_of(table.number(f"{eye}_pupil"))
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y)
        gaze[f"{eye}_pupil"] = np.where(lost, np.nan, pupil)

    no_eye = np.all(not_found, axis=0) if not_found else np.zeros(table.n_rows, np.bool_)
    combined_x, combined_y = _both(table.number("x"), table.number("y"))
    for axis, exported in (("x", combined_x), ("y", combined_y)):
        if axis in table.found:
            gaze[axis] = np.where(no_eye, np.nan, exported)
        else:
            gaze[axis] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return gaze


def _samples(rows: _Rows) -> pa.Table:
    """Return the rows of samples as the table of them."""
    keep = rows.is_sample
    columns: dict[str, object] = {
        "recording": np.full(keep.sum(), rows.recording, object),
        "stimulus": rows.stimulus[keep],
        "t_ms": rows.t[keep],
    }
    for name, values in rows.gaze.items():
        columns[name if "pupil" in name else f"{name}_px"] = values[keep]
    return conform(columns, SAMPLES)


def _messages(rows: _Rows) -> pd.DataFrame:
    """Return the events of the export; the text is the event and the cells that describe it."""
    at = np.flatnonzero(rows.is_message)
    cells = zip(*(rows.table.text(key)[at] for key in _MESSAGE), strict=True)
    texts = [" ".join(filter(None, row)) for row in cells]
    return pd.DataFrame(
        {
            "row": at,
            "recording": rows.recording,
            "participant": rows.participant,
            "stimulus": rows.stimulus[at],
            "kind": "message",
            "index": np.arange(1, at.size + 1, dtype=np.int32),
            "eye": "",
            "onset_ms": rows.t[at],
            "duration_ms": 0.0,
            "text": np.array(texts, object),
            **dict.fromkeys(("x_px", "y_px", "pupil"), np.nan),
        }
    )


def _movements(rows: _Rows, notes: list[str]) -> pd.DataFrame:
    """Return the fixations of Studio's filter, moved from the medium to the screen.

    Each is the first sample of its ``FixationIndex``; its pupil is the mean of all its samples.
    """
    table = rows.table
    x, y = _both(table.number("fixation_x"), table.number("fixation_y"))
    left, top = _corner_of_medium(rows)
    index = _index(table)
    frame = pd.DataFrame(
        {
            "row": np.arange(table.n_rows),
            "recording": rows.recording,
            "participant": rows.participant,
            "stimulus": rows.stimulus,
            "kind": "fixation",
            "index": index,
            "eye": "both",
            "onset_ms": rows.t,
            "duration_ms": table.number("duration").astype(np.float64),
            "text": "",
            "x_px": x + left,
            "y_px": y + top,
            "pupil": mean_of_eyes(rows.gaze["left_pupil"], rows.gaze["right_pupil"]),
        }
    )[rows.is_sample & np.isfinite(index)]
    smaller = frame["index"].diff() < 0
    if smaller.any():
        notes.append(
            f"the fixation index starts again {int(smaller.sum())} times: "
            "the same number is another fixation"
        )
    frame["round"] = smaller.cumsum()
    pupils = frame.groupby(["round", "index"], sort=False)["pupil"].mean()
    first = frame.drop_duplicates(["round", "index"]).drop(columns="round")
    first["pupil"] = pupils.to_numpy()
    placeless = np.isnan(left + top)[first["row"].to_numpy()]
    if placeless.any():
        notes.append(
            f"{int(placeless.sum())} fixations on a medium whose place is missing: "
            "at the mean of their samples"
        )
    unusable = ~(first["duration_ms"] > 0)
    if unusable.any():
        notes.append(f"{int(unusable.sum())} fixations without a duration: left out")
    if len(first) and "media_x" not in table.found:
        notes.append(
            "fixations count from the corner of the medium shown: "
            "the export does not say where that lay"
        )
    fixations: pd.DataFrame = first[~unusable].astype({"index": np.int32})
    return fixations


def _corner_of_medium(rows: _Rows) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return where the left and top edge of each row's medium lay on the screen.

    They are 0 where no medium is shown, or where the export has no such columns.
    """
    left = rows.table.number("media_x", 0.0)
    top = rows.table.number("media_y", 0.0)
    nothing_shown = np.isnan(left) & np.isnan(top) & (rows.stimulus == "")
    return np.where(nothing_shown, 0.0, left), np.where(nothing_shown, 0.0, top)


def _note_media(rows: _Rows, notes: list[str]) -> None:
    """Say where the media lay on the screen.

    It is no placement, because the size of the image files is not in the export.
    """
    keys = ["media_x", "media_y", "media_width", "media_height"]
    frame = pd.DataFrame({key: rows.table.number(key) for key in keys})
    frame = frame[rows.is_sample & (rows.stimulus != "")].dropna().drop_duplicates()
    places = [",".join(f"{value:g}" for value in row) for row in frame.to_numpy()]
    if not places:
        return
    shown = " and ".join(places[:_MOST_MEDIA])
    if len(places) > _MOST_MEDIA:
        shown += " and others"
    notes.append(
        f"media shown at {shown}: give the place with --placement to map gaze to the image"
    )
