"""Pupil Cloud exports of Pupil Invisible and Neon: ``gaze.csv`` and ``fixations.csv``.

Those of its two mappers are read as well. Specification: "Pupil Invisible, Recordings and Export
Formats" and "Neon, Timeseries Data", Pupil Labs, https://docs.pupil-labs.com. Positions are pixels
of the world camera, fractions of a surface (Marker Mapper) or pixels of a reference image. Times
are nanoseconds since 1970 UTC: float64 has too few digits for them, so they are taken as integers
until the start of the recording is subtracted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import NoGaze, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.pupil.surface import name_of_cloud_folder, reference_image
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.placement import filling
from gazetrack.tables.recording import SURFACE, Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = Format(
    name="pupil_cloud",
    title="Pupil Cloud export of Pupil Invisible or Neon",
    suffixes=(".csv",),
    provides="samples, fixations and blinks, or fixations",
    units="ns since 1970 UTC, converted to ms from the start; px of the world camera, "
    "the surface or the image",
    lost="azimuth and elevation, sections",
    source="https://docs.pupil-labs.com",
)
_TIME = "timestamp [ns]"
_START = f"start {_TIME}"
_RECORDING = "recording id"
_GAZE = {"x": "gaze x [px]", "y": "gaze y [px]"}
_FIXATION = {
    "x": "fixation x [px]",
    "y": "fixation y [px]",
    "duration": "duration [ms]",
    "id": "fixation id",
}
_ANGLES = {"azimuth": "azimuth [deg]", "elevation": "elevation [deg]"}
# Gaze and fixations of the enrichments: as fractions of a surface from its top left corner, or in
# px of an image.
_GAZE_ON_SURFACE = {axis: f"gaze position on surface {axis} [normalized]" for axis in "xy"}
_FIXATION_ON_SURFACE = _FIXATION | {axis: f"fixation {axis} [normalized]" for axis in "xy"}
_GAZE_ON_IMAGE = {axis: f"gaze position in reference image {axis} [px]" for axis in "xy"}
_FIXATION_ON_IMAGE_MARK = "fixation detected in reference image"
_SURFACE_PX = Screen(1280, 720)
_OPTIONAL = {"worn": "worn", "id": "fixation id", "blink": "blink id", **_ANGLES}
# By the size of its image: gaze.csv names neither of the two.
_CAMERAS = {"Pupil Invisible": Screen(1088, 1080), "Neon": Screen(1600, 1200)}
# What a line through azimuths needs: samples near the axis, as many as that, as far apart.
_NEAR_AXIS_DEG = 15.0
_LEAST_NEAR_AXIS = 50
_LEAST_SPREAD_DEG = 2.0
# As a share of the width, how far from the middle of its image a camera may look straight ahead.
_OFF_CENTRE = 0.1
_GIVE = "give gaze.csv or fixations.csv of the same recording"
# The other files of an export by columns that no other has, the most particular first.
_COMPANIONS = {
    "saccades": {"saccade id"},
    "blinks": {"blink id", "start timestamp [ns]"},
    "events": {_TIME, "name", "type"},
    "inertial data": {_TIME, "gyro x [deg/s]"},
    "eye states": {_TIME, "pupil diameter left [mm]"},
    "positions of a surface": {_TIME, "tl x [px]"},
}
_JSON_MARKS = ('"android_device_id"', '"camera_matrix"', '"scene_camera_serial_number"')
_UNKNOWN_CAMERA = "Pupil Invisible or Neon"
_MOST_INDEX = 2**31 - 1


class _Plane(NamedTuple):
    """What positions are on: the camera's image, or a surface or image that is the stimulus.

    Parameters
    ----------
    gaze, fixation : dict of str to str
        The columns of the two kinds of files, by our names.
    stimulus : str
        The name of the surface or image, empty for the camera's image.
    screen : Screen or None
        The size of the image in px, where it is known.
    fractions : bool
        Whether positions are fractions, as those on a surface are.
    """

    gaze: dict[str, str]
    fixation: dict[str, str]
    stimulus: str = ""
    screen: Screen | None = None
    fractions: bool = False

    def position(self, table: Columns, axis: str) -> npt.NDArray[np.floating]:
        """Return positions along an axis in px, of a surface in those of its nominal size."""
        exported = table.number(axis)
        if not self.fractions:
            return exported
        return exported * (_SURFACE_PX.width_px if axis == "x" else _SURFACE_PX.height_px)


class _Times(NamedTuple):
    """Times of the rows that have one."""

    timed: npt.NDArray[np.bool_]
    recording: npt.NDArray[np.object_]
    t_ms: npt.NDArray[np.float64]
    start_ns: int | None


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    companion = _companion(head)
    if companion:
        return Verdict(Level.NO, f"{companion} of a Pupil Cloud recording", _GIVE)
    header = header_of(head)
    names = set() if header is None else set(header.names)
    for gaze in (_GAZE, _GAZE_ON_SURFACE, _GAZE_ON_IMAGE):
        if {_TIME, *gaze.values()} <= names:
            return Verdict(Level.CERTAIN, f"columns timestamp [ns] and {gaze['x']}")
    for fixation in (_FIXATION, _FIXATION_ON_SURFACE):
        if {_START, *fixation.values()} <= names:
            return Verdict(Level.CERTAIN, f"columns start timestamp [ns] and {fixation['x']}")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read gaze or fixations; several recordings may be in one file.

    Returns
    -------
    Recording
        Times count from the first sample or fixation of each recording; `start_ns` is exact, and
        the first one's.

    Raises
    ------
    ParseError
        A file without gaze, a missing column, or a damaged row or cell.
    """
    companion = _companion(head)
    if companion:
        what = f"holds no gaze: it is {companion} of a Pupil Cloud recording"
        raise NoGaze(what, path=head.path, line=1, hint=_GIVE)
    header = needed_header(head)
    notes: list[str] = []
    plane = _plane(head, header, notes)
    read_rows = _fixations if _START in header.names else _samples
    rows = read_rows(head, header, plane, notes)
    recording = replace(rows, software="Pupil Cloud", notes=tuple(notes))
    if plane.fractions:
        return recording.on_nominal_screen(_SURFACE_PX, SURFACE)
    if plane.screen is None:
        return recording
    placements = filling(plane.screen, [plane.stimulus])
    return replace(recording, screen=plane.screen, placements=placements)


def _plane(head: Head, header: Header, notes: list[str]) -> _Plane:
    """Return what the positions are on, by the columns and what lies beside the file."""
    names = set(header.names)
    of_surface = (_GAZE_ON_SURFACE, _FIXATION_ON_SURFACE)
    if any(set(columns.values()) <= names for columns in of_surface):
        notes.append("gaze on a surface, the stimulus; positions beside it are kept")
        return _Plane(
            gaze=_GAZE_ON_SURFACE,
            fixation=_FIXATION_ON_SURFACE,
            stimulus=name_of_cloud_folder(head.path),
            fractions=True,
        )
    if set(_GAZE_ON_IMAGE.values()) <= names or _FIXATION_ON_IMAGE_MARK in names:
        image, screen = reference_image(head.path)
        size = "of unknown size, as the image is not beside it"
        if screen is not None:
            size = f"{screen.width_px}x{screen.height_px} px"
        notes.append(f"gaze on the reference image, the stimulus, {size}")
        return _Plane(gaze=_GAZE_ON_IMAGE, fixation=_FIXATION, stimulus=image, screen=screen)
    return _Plane(gaze=_GAZE, fixation=_FIXATION)


def _companion(head: Head) -> str:
    """Return what a file without gaze holds, or an empty text."""
    if head.text.lstrip("\ufeff \r\n").startswith("{"):
        return "settings" if any(mark in head.text for mark in _JSON_MARKS) else ""
    header = header_of(head)
    if header is None:
        return ""
    if _TIME in header.names and set(header.names) <= {_TIME, _RECORDING, "section id"}:
        return "timestamps of camera frames"
    return next((what for what, marks in _COMPANIONS.items() if marks <= set(header.names)), "")


def _table(head: Head, header: Header, names: dict[str, str]) -> Columns:
    """Return columns of numbers, and that of the recording where the file has it."""
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in names.items()
    }
    if _RECORDING in header.names:
        wanted["recording"] = header.index(_RECORDING, head.path), "text"
    return read_columns(head, header, wanted)


def _times(head: Head, header: Header, table: Columns, name: str, notes: list[str]) -> _Times:
    """Return times from the start of each recording, subtracted as integers.

    The column is read a second time: as numbers, where every damaged cell is refused at its place,
    and as texts.
    """
    timed = np.isfinite(table.number("t"))
    at = header.index(name, head.path)
    texts = read_columns(head, header, {"t": (at, "text")}).text("t")[timed]
    try:
        stamps = pd.Series(pc.cast(pa.array(texts, pa.string()), pa.int64()).to_numpy())
    except pa.ArrowInvalid as error:
        hint = "export again: spreadsheets round long numbers"
        what = f"a {name!r} that is no whole number"
        raise ParseError(what, path=head.path, column=at + 1, hint=hint) from error
    recording = np.full(table.n_rows, head.stem, object)
    if "recording" in table.found:
        recording = table.text("recording")
    recording = recording[timed]
    starts = stamps.groupby(recording).transform("first") if len(stamps) else stamps
    t_ms = ((stamps - starts) / 1e6).to_numpy(np.float64)
    check_clock(head, header, t_ms, timed, recording)
    count = len(set(recording))
    if count > 1:
        notes.append(f"{count} recordings: the stated start is that of the first")
    start_ns = int(stamps.iloc[0]) if len(stamps) else None
    return _Times(timed=timed, recording=recording, t_ms=t_ms, start_ns=start_ns)


def _samples(head: Head, header: Header, plane: _Plane, notes: list[str]) -> Recording:
    """Read gaze, and the fixations and blinks whose numbers stand in the rows of their samples."""
    names = {"t": _TIME, **plane.gaze}
    names |= {key: name for key, name in _OPTIONAL.items() if name in header.names}
    table = _table(head, header, names)
    times = _times(head, header, table, _TIME, notes)
    timed = times.timed
    off = table.number("worn", 1.0)[timed] == 0
    if off.any():
        notes.append(f"{int(off.sum())} samples while the glasses were not worn: taken as missing")
    x = np.where(off, np.nan, plane.position(table, "x")[timed])
    y = np.where(off, np.nan, plane.position(table, "y")[timed])
    camera = ""
    screen = None
    if not plane.stimulus:
        azimuth = table.number("azimuth")[timed]
        elevation = table.number("elevation")[timed]
        camera, screen = _camera(x, azimuth, elevation)
    if screen is not None:
        notes.append(
            f"the scene camera is that of {camera} by where it looks straight ahead "
            f"({screen.width_px}x{screen.height_px} px), "
            f"and {screen.fov_deg:.1f} degrees wide by the export's azimuths"
        )
    samples = {
        "recording": times.recording,
        "stimulus": plane.stimulus,
        "t_ms": times.t_ms,
        "x_px": x,
        "y_px": y,
    }
    frame = pd.DataFrame({**samples, "end_ms": _next(times)})
    fixations = _runs(frame, table.number("id")[timed], "fixation")
    blinks = _runs(frame, table.number("blink")[timed], "blink")
    events = pd.concat([fixations, blinks]).sort_values("row", kind="stable").drop(columns="row")
    if len(events):
        notes.append(
            "fixations and blinks from the numbers of the samples: each ends with the next sample"
        )
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(samples, SAMPLES),
        event_table=conform({name: events[name].to_numpy() for name in events}, EVENTS),
        screen=screen,
        world_camera=camera,
        origin_ms=(times.start_ns or 0) / 1e6,
        start_ns=times.start_ns,
        rows_in=table.n_rows,
        dropped=counted({"no time": ~timed}),
    )


def _camera(
    x: npt.NDArray[np.floating],
    azimuth: npt.NDArray[np.floating],
    elevation: npt.NDArray[np.floating],
) -> tuple[str, Screen | None]:
    """Tell the camera from positions and their azimuths.

    These give the pixels per degree, and the column of the image that is straight ahead: near the
    axis both are a line. Where the gaze went nowhere, or the file has no azimuths, the
    camera stays unknown.
    """
    near = np.isfinite(x) & (np.hypot(azimuth, elevation) < _NEAR_AXIS_DEG)
    if np.count_nonzero(near) < _LEAST_NEAR_AXIS:
        return _UNKNOWN_CAMERA, None
    if np.ptp(azimuth[near]) < _LEAST_SPREAD_DEG:
        return _UNKNOWN_CAMERA, None
    px_per_deg, ahead = np.polyfit(azimuth[near], x[near], 1)
    off_centre = {model: abs(ahead / screen.width_px - 0.5) for model, screen in _CAMERAS.items()}
    model = min(off_centre, key=lambda name: off_centre[name])
    if px_per_deg <= 0 or off_centre[model] > _OFF_CENTRE:
        return _UNKNOWN_CAMERA, None
    screen = _CAMERAS[model]
    return model, replace(screen, fov_deg=float(screen.width_px / px_per_deg), fisheye=True)


def _next(times: _Times) -> npt.NDArray[np.floating]:
    """Return the time of the next sample of the same recording.

    After the last one it is as much later as is usual.
    """
    t = pd.Series(times.t_ms)
    by_recording = t.groupby(times.recording)
    steps = by_recording.diff()
    forward = steps[steps > 0]
    usual = float(forward.median()) if len(forward) else 0.0
    return by_recording.shift(-1).fillna(t + usual).to_numpy(np.float64)


def _runs(frame: pd.DataFrame, numbers: npt.NDArray[np.floating], kind: str) -> pd.DataFrame:
    """Return one row per number: from its first sample to the one after its last."""
    rows = frame.assign(row=np.arange(len(frame)), index=numbers)[np.isfinite(numbers)]
    groups = rows.groupby(["recording", "index"], sort=False)
    firsts = groups.agg(row=("row", "first"), onset_ms=("t_ms", "first"), end=("end_ms", "last"))
    runs: pd.DataFrame = firsts.reset_index()
    for axis in ("x_px", "y_px"):
        runs[axis] = groups[axis].mean().to_numpy() if kind == "fixation" else np.nan
    runs["kind"] = kind
    runs["eye"] = "both"
    runs["duration_ms"] = np.maximum(runs["end"] - runs["onset_ms"], 0.0)
    runs["index"] = runs["index"].clip(0, _MOST_INDEX).astype(np.int32)
    return runs.drop(columns="end")


def _fixations(head: Head, header: Header, plane: _Plane, notes: list[str]) -> Recording:
    """Read fixations as Pupil Cloud found them."""
    table = _table(head, header, {"t": _START, **plane.fixation})
    times = _times(head, header, table, _START, notes)
    timed = times.timed
    index = np.clip(np.nan_to_num(table.number("id")[timed]), 0, _MOST_INDEX)
    columns = {
        "recording": times.recording,
        "stimulus": plane.stimulus,
        "index": index.astype(np.int32),
        "eye": "both",
        "onset_ms": times.t_ms,
        "duration_ms": table.number("duration")[timed],
        "x_px": plane.position(table, "x")[timed],
        "y_px": plane.position(table, "y")[timed],
    }
    recording = fixation_recording(head.stem, FORMAT.name, columns, int(timed.sum()))
    dropped = counted({"no onset": ~timed})
    return replace(
        recording,
        origin_ms=(times.start_ns or 0) / 1e6,
        start_ns=times.start_ns,
        world_camera="" if plane.stimulus else _UNKNOWN_CAMERA,
        time_origin="recording",
        rows_in=table.n_rows,
        dropped=dropped | dict(recording.dropped),
    )
