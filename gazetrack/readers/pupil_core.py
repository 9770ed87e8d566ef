"""Pupil Player exports of Pupil Core: ``gaze_positions.csv``, ``fixations.csv``, and fixations on a surface.

Specification: "Pupil Core, Raw Data Exporter", Pupil Labs. Positions are fractions of the world camera's image, or of
a surface, with the origin at the bottom left; the size of neither is in the file. Times are seconds of a clock that
starts anywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers._fixation_rows import fixation_recording
from gazetrack.readers._tables import Columns, Header, header_of, needed_header, read_columns
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = Format(
    name="pupil_core",
    title="Pupil Core, Pupil Player export",
    suffixes=(".csv",),
    provides="samples, or fixations",
    units="s, converted to ms; fractions of the camera image or surface, to px of the size given or 1280x720",
    lost="confidence, 3d gaze, eye centres, frame numbers, dispersion in degrees",
    source="https://docs.pupil-labs.com/core/software/pupil-player/",
)
_NOMINAL = Screen(1280, 720)
_LEAST_CONFIDENCE = 0.6  # Pupil Labs' own advice; below it the pupil was not found
_POSITION = {"x": "norm_pos_x", "y": "norm_pos_y"}
_FIXATION = {"t": "start_timestamp", "duration": "duration", **_POSITION}
_GIVE = "give gaze_positions.csv or fixations.csv of the same export"
# The other files of an export by columns that no other has; info files have all the same columns.
_COMPANIONS = {
    "blinks": {"start_timestamp", "filter_response"},
    "pupil positions": {"norm_pos_x", "diameter"},
    "gaze on a surface": {"x_norm", "y_norm", "on_surf"},
    "timestamps of camera frames": {"# timestamps [seconds]", "pts"},
    "annotations": {"index", "timestamp", "label", "duration"},
}
_INFO_MARKS = ("Player Software Version", "onset_confidence_threshold", "Data Format Version")
_MOST_INDEX = 2**31 - 1


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    companion = _companion(head, header)
    if companion:
        return Verdict(Level.NO, f"{companion} of a Pupil Core recording", _GIVE)
    names = set(header.names)
    if {*_FIXATION.values(), "dispersion"} <= names:
        return Verdict(Level.CERTAIN, "columns start_timestamp, norm_pos_x and dispersion")
    time = _gaze_time(header)
    if time and {*_POSITION.values(), "confidence", "base_data"} <= names:
        return Verdict(Level.CERTAIN, f"columns {time}, norm_pos_x, confidence and base_data")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read gaze or fixations.

    Returns
    -------
    Recording
        Times count from the first sample or fixation.

    Raises
    ------
    ParseError
        A file without gaze, a missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    companion = _companion(head, header)
    if companion:
        raise NoGaze(
            f"holds no gaze: it is {companion} of a Pupil Core recording", path=head.path, line=header.lines, hint=_GIVE
        )
    recording = _fixations(head, header) if "start_timestamp" in header.names else _samples(head, header)
    on_surface = "world_timestamp" in header.names
    recording = replace(
        recording,
        software="Pupil Player",
        time_origin="recording",
        world_camera="" if on_surface else "Pupil Core",
    )
    fractions_of = "surface" if on_surface else "world camera's image"
    return recording.on_nominal_screen(_NOMINAL, fractions_of)


def _companion(head: Head, header: Header) -> str:
    """Return what a file without gaze holds, or an empty text."""
    if header.names == ("key", "value") and any(mark in head.text for mark in _INFO_MARKS):
        return "settings"
    return next((what for what, marks in _COMPANIONS.items() if marks <= set(header.names)), "")


def _gaze_time(header: Header) -> str:
    """Return the time column: until 2019 it was ``timestamp``."""
    return next((name for name in ("gaze_timestamp", "timestamp") if name in header.names), "")


def _to_px(table: Columns) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return positions with the origin moved from the bottom left to the top left."""
    return table.number("x") * _NOMINAL.width_px, (1 - table.number("y")) * _NOMINAL.height_px


def _first(seconds: npt.NDArray[np.floating]) -> float:
    known = seconds[np.isfinite(seconds)]
    return float(known[0]) if known.size else 0.0


def _samples(head: Head, header: Header) -> Recording:
    names = {"t": _gaze_time(header) or "gaze_timestamp", **_POSITION, "confidence": "confidence"}
    table = read_columns(head, header, {key: (header.index(name, head.path), "float64") for key, name in names.items()})
    seconds = table.number("t")
    timed, start = np.isfinite(seconds), _first(seconds)
    unsure = ~(table.number("confidence") >= _LEAST_CONFIDENCE)
    x, y = (np.where(unsure, np.nan, values)[timed] for values in _to_px(table))
    columns = {"recording": head.stem, "t_ms": (seconds[timed] - start) * 1e3, "x_px": x, "y_px": y}
    notes = []
    if unsure.any():
        notes.append(f"{int(unsure.sum())} samples with a confidence below {_LEAST_CONFIDENCE}: taken as missing")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform(columns, SAMPLES),
        events=conform({}, EVENTS),
        origin_ms=start * 1e3,
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=tuple(notes),
    )


def _fixations(head: Head, header: Header) -> Recording:
    """Read fixations; on a surface each has a row per frame, with the position it then had."""
    surface = "world_timestamp" in header.names
    names = {**_FIXATION, "id": "fixation_id" if surface else "id"}
    table = read_columns(head, header, {key: (header.index(name, head.path), "float64") for key, name in names.items()})
    frame = pd.DataFrame({key: table.number(key) for key in names})
    frame["x"], frame["y"] = _to_px(table)
    notes = []
    repeated = 0
    if surface:
        groups = frame.groupby(["id", "t"], sort=False, dropna=False)
        frame = groups.agg({"duration": "first", "x": "mean", "y": "mean"}).reset_index()
        repeated = table.n_rows - len(frame)
        notes.append("fixations on a surface lie at the mean of their frames, beside the surface as well")
    start = _first(frame["t"].to_numpy())
    columns = {
        "recording": head.stem,
        "index": np.clip(np.nan_to_num(frame["id"].to_numpy()), 0, _MOST_INDEX).astype(np.int32),
        "eye": "both",
        "onset_ms": (frame["t"].to_numpy() - start) * 1e3,
        "duration_ms": frame["duration"].to_numpy(),
        "x_px": frame["x"].to_numpy(),
        "y_px": frame["y"].to_numpy(),
    }
    recording = fixation_recording(head.stem, FORMAT.name, columns, len(frame), notes)
    dropped = {"another frame of the same fixation": repeated} if repeated else {}
    return replace(recording, origin_ms=start * 1e3, rows_in=table.n_rows, dropped=dropped | dict(recording.dropped))
