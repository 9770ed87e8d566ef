"""Pupil Player exports of Pupil Core: ``gaze_positions.csv``, ``fixations.csv``, also on a surface.

Specification: "Pupil Core, Raw Data Exporter", Pupil Labs. Positions are fractions of the world
camera's image, or of a surface, with the origin at the bottom left; the size of the image is not in
the file, that of a surface where the user gave it one. Times are seconds of a clock that starts
anywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.pupil.surface import name_of_player_file, size_from_scaled
from gazetrack.readers.shared.clock import RowClock, check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, no_rows, read_columns, read_parts
from gazetrack.tables.recording import SURFACE, Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = Format(
    name="pupil_core",
    title="Pupil Core, Pupil Player export",
    suffixes=(".csv",),
    provides="samples, or fixations",
    units="s, converted to ms; fractions of the camera image or surface, to px of the size given "
    "or 1280x720",
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
    "positions of a surface": {"img_to_surf_trans"},
    "counts of frames with a surface": {"surface_name", "visible_frame_count"},
    "counts of gaze on surfaces": {"surface_name", "gaze_count"},
    "when surfaces came and went": {"surface_name", "event_type"},
    "timestamps of camera frames": {"# timestamps [seconds]", "pts"},
    "annotations": {"index", "timestamp", "label", "duration"},
}
_INFO_MARKS = ("Player Software Version", "onset_confidence_threshold", "Data Format Version")
_ON_SURFACE = {"t": "gaze_timestamp", "x": "x_norm", "y": "y_norm"}
_SCALED = {"x_scaled": "x_scaled", "y_scaled": "y_scaled"}
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
    if {*_ON_SURFACE.values(), "on_surf"} <= names:
        what = "columns gaze_timestamp, x_norm and on_surf: gaze on a surface"
        return Verdict(Level.CERTAIN, what)
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
        what = f"holds no gaze: it is {companion} of a Pupil Core recording"
        raise NoGaze(what, path=head.path, line=header.lines, hint=_GIVE)
    notes: list[str] = []
    read_rows = _fixations if "start_timestamp" in header.names else _samples
    # Fixations on a surface have a row per frame of the world camera, so they have its times.
    on_surface = "on_surf" in header.names or "world_timestamp" in header.names
    rows = read_rows(head, header, on_surface, notes)
    recording = replace(
        rows.recording, software="Pupil Player", time_origin="recording", notes=tuple(notes)
    )
    if not on_surface:
        recording = replace(recording, world_camera="Pupil Core")
        return recording.on_nominal_screen(_NOMINAL, "world camera's image")
    recording = recording.on_nominal_screen(_NOMINAL, SURFACE)
    return recording if rows.surface is None else recording.with_screen(rows.surface)


class _Read(NamedTuple):
    """A recording in pixels of the nominal size, and the size the export states of its surface."""

    recording: Recording
    surface: Screen | None


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
    x = table.number("x") * _NOMINAL.width_px
    y = (1 - table.number("y")) * _NOMINAL.height_px
    return x, y


def _first(seconds: npt.NDArray[np.floating]) -> float:
    """Return the first time that is there, 0 without any."""
    known = seconds[np.isfinite(seconds)]
    return float(known[0]) if known.size else 0.0


def _table(head: Head, header: Header, names: dict[str, str]) -> Columns:
    """Return columns of numbers, by our names."""
    return read_columns(head, header, _wanted(head, header, names))


def _wanted(head: Head, header: Header, names: dict[str, str]) -> dict[str, tuple[int, Kind]]:
    """Return where the columns of numbers are, by our names."""
    return {key: (header.index(name, head.path), "float64") for key, name in names.items()}


def _surface_of(table: Columns, notes: list[str]) -> Screen | None:
    """Return the size of the surface where the export states it in pixels."""
    if not set(_SCALED) <= set(table.found):
        return None
    fractions = (table.number("x"), table.number("y"))
    scaled = (table.number("x_scaled"), table.number("y_scaled"))
    found = size_from_scaled(fractions, scaled)
    if found is not None:
        size = f"{found.width_px}x{found.height_px}"
        notes.append(f"the surface is {size}, as the scaled positions say: taken as px")
    return found


def _scaled(header: Header) -> dict[str, str]:
    """Return the columns of positions in the units of the surface, none where there are none."""
    return _SCALED if set(_SCALED.values()) <= set(header.names) else {}


def _samples(head: Head, header: Header, on_surface: bool, notes: list[str]) -> _Read:
    """Read gaze; what the tracker does not trust has no position."""
    names = {"t": _gaze_time(header) or "gaze_timestamp", **_POSITION}
    if on_surface:
        names = _ON_SURFACE | _scaled(header)
    if not on_surface or "confidence" in header.names:
        names = {**names, "confidence": "confidence"}
    gaze = _Gaze(head, header)
    for part in read_parts(head, header, _wanted(head, header, names)):
        gaze.take(part)
    if not gaze.n_rows:
        raise no_rows(head, header)
    gaze.clock.check()
    stimulus = ""
    if on_surface:
        stimulus = name_of_player_file(head.stem)
        notes.append("gaze on a surface, the stimulus; positions beside it are kept")
    if gaze.n_unsure:
        notes.append(
            f"{gaze.n_unsure} samples with a confidence below {_LEAST_CONFIDENCE}: taken as missing"
        )
    texts = {"recording": [head.stem], "trial": [""], "stimulus": [stimulus]}
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=gaze.samples.table(texts),
        event_table=conform({}, EVENTS),
        origin_ms=gaze.start * 1e3,
        rows_in=gaze.n_rows,
        dropped=counted({"no time": gaze.n_rows - gaze.samples.rows}),
    )
    return _Read(recording, _surface_of(gaze.positions(), notes))


class _Gaze:
    """What the parts of a table of gaze add up to.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line of times in no order.

    Attributes
    ----------
    samples : SampleSink
        The rows that have a time.
    clock : RowClock
        Follows the times of these rows, in the order of the file.
    start : float
        The first time, s; 0 without any.
    n_rows, n_unsure : int
        The number of rows, and of those among them that the tracker does not trust.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self.samples = SampleSink()
        self.clock = RowClock(head, header)
        self.start = 0.0
        self.n_rows = 0
        self.n_unsure = 0
        self._on_surface: list[Columns] = []

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        seconds = table.number("t")
        timed = np.isfinite(seconds)
        if not self.samples.rows:
            self.start = _first(seconds)
        self.clock.take(seconds[timed] * 1e3, timed)
        unsure = ~(table.number("confidence", 1.0) >= _LEAST_CONFIDENCE)
        x, y = (np.where(unsure, np.nan, values)[timed] for values in _to_px(table))
        none = np.zeros(len(x), np.int32)
        self.samples.append(
            {
                **dict.fromkeys(("recording", "trial", "stimulus"), none),
                "t_ms": (seconds[timed] - self.start) * 1e3,
                "x_px": x.astype(np.float32),
                "y_px": y.astype(np.float32),
            }
        )
        self.n_rows += table.n_rows
        self.n_unsure += int(np.count_nonzero(unsure))
        # The size of a surface needs all of its positions.
        if set(_SCALED) <= set(table.found):
            self._on_surface.append(table)

    def positions(self) -> Columns:
        """Return the positions on a surface whose size the export states; else no columns."""
        parts = self._on_surface
        keys = ("x", "y", *_SCALED) if parts else ()
        found = {key: np.concatenate([part.number(key) for part in parts]) for key in keys}
        return Columns(self.n_rows, found)


def _fixations(head: Head, header: Header, on_surface: bool, notes: list[str]) -> _Read:
    """Read fixations; on a surface each has a row per frame, with the position it then had."""
    names = {**_FIXATION, "id": "fixation_id" if on_surface else "id"}
    scaled = _scaled(header) if on_surface else {}
    table = _table(head, header, names | scaled)
    frame = pd.DataFrame({key: table.number(key) for key in names})
    x, y = _to_px(table)
    frame["x"] = x
    frame["y"] = y
    check_clock(head, header, table.number("t") * 1e3, np.ones(table.n_rows, np.bool_))
    repeated = 0
    if on_surface:
        groups = frame.groupby(["id", "t"], sort=False, dropna=False)
        frame = groups.agg({"duration": "first", "x": "mean", "y": "mean"}).reset_index()
        repeated = table.n_rows - len(frame)
        notes.append(
            "fixations on a surface lie at the mean of their frames, beside the surface as well"
        )
    start = _first(frame["t"].to_numpy())
    columns = {
        "recording": head.stem,
        "stimulus": name_of_player_file(head.stem) if on_surface else "",
        "index": np.clip(np.nan_to_num(frame["id"].to_numpy()), 0, _MOST_INDEX).astype(np.int32),
        "eye": "both",
        "onset_ms": (frame["t"].to_numpy() - start) * 1e3,
        "duration_ms": frame["duration"].to_numpy(),
        "x_px": frame["x"].to_numpy(),
        "y_px": frame["y"].to_numpy(),
    }
    found = fixation_recording(head.stem, FORMAT.name, columns, len(frame))
    notes += found.notes
    dropped = counted({"another frame of the same fixation": repeated})
    dropped |= found.dropped
    found = replace(found, origin_ms=start * 1e3, rows_in=table.n_rows, dropped=dropped)
    return _Read(found, _surface_of(table, notes))
