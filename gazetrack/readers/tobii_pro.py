"""Tobii Pro Lab data export: tab-separated text, one row per sample, event or sensor value.

Specification: "Tobii Pro Lab User Manual", Tobii AB, "Data Export". The columns are the user's choice, their names have
changed over the years: ``Gaze point X``, ``Gaze point X (DACSpx)``, ``Gaze point X [DACS px]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers._tables import Columns, header_of, needed_header, read_columns
from gazetrack.readers._tobii_columns import find_columns, has_timestamp, time_unit
from gazetrack.readers._tobii_events import EventFacts, events_table
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Placement, Recording, Screen
from gazetrack.schema import SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="tobii_pro",
    title="Tobii Pro Lab and Tobii Studio 3 data export",
    suffixes=(".tsv", ".txt"),
    provides="samples and events",
    units="ms or µs, px; pupil in mm",
    lost="gaze directions, eye positions, areas of interest, mouse and inertial sensors",
    source="Tobii Pro Lab User Manual, Data Export",
)
_MICROSECONDS_FROM = 400.0
_EYES = ("left", "right")
_SIZE = r"^\s*([0-9]{1,5}) ?x ?([0-9]{1,5})\s*$"
_INVALID = ("Invalid", "2", "3", "4")  # Studio: from 2 on it is not certain which eye it was
_MEDIA = ("media_width", "media_height", "media_x", "media_y", "image_width", "image_height")


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not has_timestamp(header.names):
        return NO
    found = find_columns(header, head.path)
    gaze = {"x", "left_x", "right_x", "event_type", "fixation_x"} & set(found)
    if gaze:
        return Verdict(Level.CERTAIN, "columns Recording timestamp and " + header.names[found[min(gaze)][0]])
    return Verdict(Level.NO, "a Tobii Pro Lab export without gaze points")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a data export; several recordings may be in one file.

    Returns
    -------
    Recording
        Times are those of each recording in the export.

    Raises
    ------
    ParseError
        No timestamp column, no samples, or a damaged row or cell.
    """
    header = needed_header(head)
    if not has_timestamp(header.names):
        hint = "export with Recording timestamp and the gaze points; metrics exports hold neither"
        raise ParseError("no column 'Recording timestamp'", path=head.path, line=header.lines, hint=hint)
    columns = find_columns(header, head.path)
    table = read_columns(head, header, columns)
    notes: list[str] = []
    is_sample, is_message, dropped = _sort_rows(table)
    if not is_sample.any():
        raise ParseError("no rows of the eye tracker", path=head.path, hint="export the gaze data as well")
    recording = _recording_names(table, head.stem, notes)
    unit = time_unit(header.names[columns["t"][0]])
    t = table.number("t") * _to_ms(unit, table.number("t"), is_sample, recording, notes)
    stimulus = np.where(table.text("stimulus") != "", table.text("stimulus"), table.text("media"))
    gaze = _gaze(table)
    facts = EventFacts(table, recording, stimulus, t, gaze, is_sample, is_message)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=_samples(table, recording, stimulus, t, gaze, is_sample),
        events=events_table(facts, notes),
        screen=_screen(table, notes),
        placements=_placements(table, stimulus, notes),
        eyes=_eyes(table),
        tracker="",
        software=_software(table),
        rows_in=table.n_rows,
        dropped=dropped,
        notes=tuple(notes),
    )


def _sort_rows(table: Columns) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], dict[str, int]]:
    """Tell samples and messages from all other rows, which are counted by reason."""
    timed = np.isfinite(table.number("t"))
    event, sensor = table.text("event"), table.text("sensor")
    is_message = timed & (event != "")
    if "gaze_index" in table.found:  # Studio 3 writes events into the rows of samples
        is_sample = timed & np.isfinite(table.number("gaze_index"))
    else:
        is_sample = timed & (sensor == "Eye Tracker" if "sensor" in table.found else event == "")
    dropped: dict[str, int] = {}
    if not timed.all():
        dropped["no timestamp"] = int((~timed).sum())
    rest = timed & ~is_sample & ~is_message
    for name in sorted(set(sensor[rest])):
        dropped[f"{name or 'no'} sensor"] = int((rest & (sensor == name)).sum())
    return is_sample, is_message, dropped


def _recording_names(table: Columns, stem: str, notes: list[str]) -> npt.NDArray[np.object_]:
    """Return each row's recording: as named, with the participant where two share a name, else the file's stem."""
    if "recording" not in table.found:
        participants = table.text("participant")
        return participants if len(set(participants)) > 1 else np.full(table.n_rows, stem, object)
    names, participants = table.text("recording"), table.text("participant")
    owners = pd.DataFrame({"name": names, "owner": participants}).drop_duplicates()
    if not owners["name"].duplicated().any():
        return names
    notes.append("recordings of several participants share a name: the participant is part of it")
    return np.array([f"{p}_{n}" for p, n in zip(participants, names, strict=True)], object)


def _to_ms(
    unit: str,
    stamps: npt.NDArray[np.floating],
    is_sample: npt.NDArray[np.bool_],
    recording: npt.NDArray[np.object_],
    notes: list[str],
) -> float:
    if unit == "ms":
        return 1.0
    if unit == "us":
        notes.append("timestamps converted from µs")
        return 1e-3
    steps = pd.Series(stamps[is_sample]).groupby(recording[is_sample]).diff().to_numpy()
    steps = steps[steps > 0]
    micro = steps.size > 0 and float(np.median(steps)) >= _MICROSECONDS_FROM
    notes.append(f"time unit inferred from the step between samples: {'µs, converted' if micro else 'ms'}")
    return 1e-3 if micro else 1.0


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze and pupils of every row; an eye marked Invalid is missing."""
    gaze = {}
    lost = {}
    for eye in _EYES:
        lost[eye] = np.isin(table.text(f"validity_{eye}"), _INVALID)
        for name in ("x", "y", "pupil"):
            gaze[f"{eye}_{name}"] = np.where(lost[eye], np.nan, table.number(f"{eye}_{name}"))
    for axis in "xy":
        left, right = gaze[f"left_{axis}"], gaze[f"right_{axis}"]
        both = (left + right) / 2
        mean = np.where(np.isnan(both), np.where(np.isnan(left), right, left), both)
        exported = np.where(lost["left"] & lost["right"], np.nan, table.number(axis))
        gaze[axis] = exported if axis in table.found else mean
    return gaze


def _samples(
    table: Columns,
    recording: npt.NDArray[np.object_],
    stimulus: npt.NDArray[np.object_],
    t: npt.NDArray[np.floating],
    gaze: dict[str, npt.NDArray[np.floating]],
    rows: npt.NDArray[np.bool_],
) -> pa.Table:
    columns: dict[str, object] = {
        "recording": recording[rows],
        "trial": table.text("timeline")[rows],
        "stimulus": stimulus[rows],
        "t_ms": t[rows],
    }
    columns |= {name if "pupil" in name else f"{name}_px": values[rows] for name, values in gaze.items()}
    return conform(columns, SAMPLES)


def _eyes(table: Columns) -> str:
    eyes = [eye for eye in _EYES if f"{eye}_x" in table.found]
    return "binocular" if len(eyes) > 1 else eyes[0] if eyes else "combined"


def _software(table: Columns) -> str:
    versions = sorted(set(table.text("software")) - {""})
    program = "Tobii Studio" if "gaze_index" in table.found else "Tobii Pro Lab"
    return f"{program} {versions[0]}" if versions else program


def _screen(table: Columns, notes: list[str]) -> Screen | None:
    sizes = np.column_stack([table.number("screen_width"), table.number("screen_height")])
    if "resolution" in table.found:  # Studio 3: "1920 x 1080"
        sizes = pd.Series(table.text("resolution")).str.extract(_SIZE).to_numpy(np.float64)
    sizes = np.unique(sizes[np.isfinite(sizes).all(axis=1)], axis=0)
    if len(sizes) > 1:
        notes.append("recordings with different screens: none is stated")
    if len(sizes) != 1:
        return None
    try:
        return Screen(int(sizes[0, 0]), int(sizes[0, 1]))
    except ConfigError:
        notes.append("the recording resolution is not usable: ignored")
        return None


def _placements(table: Columns, stimulus: npt.NDArray[np.object_], notes: list[str]) -> dict[str, Placement]:
    """Return where the media lay; those shown at several places are left out, with a note."""
    if not set(_MEDIA) <= set(table.found):
        return {}
    frame = pd.DataFrame({name: table.number(name) for name in _MEDIA}).assign(stimulus=stimulus)
    frame = frame[frame["stimulus"] != ""].dropna().drop_duplicates()
    frame = frame[(frame[["media_width", "media_height", "image_width", "image_height"]] >= 1).all(axis=1)]
    several = frame["stimulus"].duplicated(keep=False)
    if several.any():
        count = frame.loc[several, "stimulus"].nunique()
        notes.append(f"{count} images were shown at several places: not mapped to image pixels")
    return {
        str(row["stimulus"]): Placement(
            float(row["media_x"]),
            float(row["media_y"]),
            float(row["media_width"]),
            float(row["media_height"]),
            int(row["image_width"]),
            int(row["image_height"]),
        )
        for row in frame[~several].to_dict("records")
    }
