"""Pupil Cloud exports of Pupil Invisible and Neon: ``gaze.csv`` and ``fixations.csv``.

Those of its two mappers are read as well. Specification: "Pupil Invisible, Recordings and Export
Formats" and "Neon, Timeseries Data", Pupil Labs, https://docs.pupil-labs.com. Positions are pixels
of the world camera, fractions of a surface (Marker Mapper) or pixels of a reference image. Times
are nanoseconds since 1970 UTC: float64 has too few digits for them, so they are taken as integers
until the start of the recording is subtracted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.pupil.cloud_gaze import (
    FORMAT_NAME,
    MOST_INDEX,
    SURFACE_PX,
    UNKNOWN_CAMERA,
    Plane,
    read_gaze,
)
from gazetrack.readers.pupil.stamps import RECORDING, TIME, StampedRows
from gazetrack.readers.pupil.surface import name_of_cloud_folder, reference_image
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.text.header import Header, header_of, needed_header
from gazetrack.readers.text.table import joined
from gazetrack.tables.placement import filling
from gazetrack.tables.recording import SURFACE, Recording

FORMAT = Format(
    name=FORMAT_NAME,
    title="Pupil Cloud export of Pupil Invisible or Neon",
    suffixes=(".csv",),
    provides="samples, fixations and blinks, or fixations",
    units="ns since 1970 UTC, converted to ms from the start; px of the world camera, "
    "the surface or the image",
    lost="azimuth and elevation, sections",
    source="https://docs.pupil-labs.com",
)
_START = f"start {TIME}"
_GAZE = {"x": "gaze x [px]", "y": "gaze y [px]"}
_FIXATION = {
    "x": "fixation x [px]",
    "y": "fixation y [px]",
    "duration": "duration [ms]",
    "id": "fixation id",
}
# Gaze and fixations of the enrichments: as fractions of a surface from its top left corner, or in
# px of an image.
_GAZE_ON_SURFACE = {axis: f"gaze position on surface {axis} [normalized]" for axis in "xy"}
_FIXATION_ON_SURFACE = _FIXATION | {axis: f"fixation {axis} [normalized]" for axis in "xy"}
_GAZE_ON_IMAGE = {axis: f"gaze position in reference image {axis} [px]" for axis in "xy"}
_FIXATION_ON_IMAGE_MARK = "fixation detected in reference image"
_GIVE = "give gaze.csv or fixations.csv of the same recording"
# The other files of an export by columns that no other has, the most particular first.
_COMPANIONS = {
    "saccades": {"saccade id"},
    "blinks": {"blink id", "start timestamp [ns]"},
    "events": {TIME, "name", "type"},
    "inertial data": {TIME, "gyro x [deg/s]"},
    "eye states": {TIME, "pupil diameter left [mm]"},
    "positions of a surface": {TIME, "tl x [px]"},
}
_JSON_MARKS = ('"android_device_id"', '"camera_matrix"', '"scene_camera_serial_number"')


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    companion = _companion(head)
    if companion:
        return Verdict(Level.NO, f"{companion} of a Pupil Cloud recording", _GIVE)
    header = header_of(head)
    names = set() if header is None else set(header.names)
    for gaze in (_GAZE, _GAZE_ON_SURFACE, _GAZE_ON_IMAGE):
        if {TIME, *gaze.values()} <= names:
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
    read_rows = _fixations if _START in header.names else read_gaze
    rows = read_rows(head, header, plane, notes)
    recording = replace(rows, software="Pupil Cloud", notes=tuple(notes))
    if plane.fractions:
        return recording.on_nominal_screen(SURFACE_PX, SURFACE)
    if plane.screen is None:
        return recording
    placements = filling(plane.screen, [plane.stimulus])
    return replace(recording, screen=plane.screen, placements=placements)


def _plane(head: Head, header: Header, notes: list[str]) -> Plane:
    """Return what the positions are on, by the columns and what lies beside the file."""
    names = set(header.names)
    of_surface = (_GAZE_ON_SURFACE, _FIXATION_ON_SURFACE)
    if any(set(columns.values()) <= names for columns in of_surface):
        notes.append("gaze on a surface, the stimulus; positions beside it are kept")
        return Plane(
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
        return Plane(gaze=_GAZE_ON_IMAGE, fixation=_FIXATION, stimulus=image, screen=screen)
    return Plane(gaze=_GAZE, fixation=_FIXATION)


def _companion(head: Head) -> str:
    """Return what a file without gaze holds, or an empty text."""
    if head.text.lstrip("\ufeff \r\n").startswith("{"):
        return "settings" if any(mark in head.text for mark in _JSON_MARKS) else ""
    header = header_of(head)
    if header is None:
        return ""
    if TIME in header.names and set(header.names) <= {TIME, RECORDING, "section id"}:
        return "timestamps of camera frames"
    return next((what for what, marks in _COMPANIONS.items() if marks <= set(header.names)), "")


def _fixations(head: Head, header: Header, plane: Plane, notes: list[str]) -> Recording:
    """Read fixations as Pupil Cloud found them."""
    rows = StampedRows(head, header, _START, plane.fixation)
    rows.check(notes)
    # A row a fixation: few enough to be looked at together.
    parts = list(rows.parts())
    table = joined([part.table for part in parts])
    timed = np.concatenate([part.timed for part in parts])
    codes = np.concatenate([part.recording for part in parts])
    index = np.clip(np.nan_to_num(table.number("id")[timed]), 0, MOST_INDEX)
    columns = {
        "recording": np.array(rows.recordings, object)[codes],
        "stimulus": plane.stimulus,
        "index": index.astype(np.int32),
        "eye": "both",
        "onset_ms": np.concatenate([part.t_ms for part in parts]),
        "duration_ms": table.number("duration")[timed],
        "x_px": plane.position(table, "x")[timed],
        "y_px": plane.position(table, "y")[timed],
    }
    recording = fixation_recording(head.stem, FORMAT_NAME, columns, int(timed.sum()))
    dropped = counted({"no onset": ~timed})
    return replace(
        recording,
        origin_ms=(rows.start_ns or 0) / 1e6,
        start_ns=rows.start_ns,
        world_camera="" if plane.stimulus else UNKNOWN_CAMERA,
        time_origin="recording",
        rows_in=table.n_rows,
        dropped=dropped | dict(recording.dropped),
    )
