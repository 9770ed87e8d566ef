"""Gazepoint Analysis exports: a row per sample (``all_gaze``) or fixation (``fixations``), with the same columns.

Specification: "Gazepoint Analysis UX Edition User Manual" and "Open Gaze API", Gazepoint. Positions are fractions of
the screen, whose size the file does not state. ``FPOG`` is the point of gaze averaged over the fixation so far,
``BPOG`` the best one of the moment. The clock begins anew with every medium.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.readers._fixation_rows import fixation_recording
from gazetrack.readers._gaze import mean_of_eyes
from gazetrack.readers._tables import Columns, Header, Kind, header_of, needed_header, read_columns
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="gazepoint",
    title="Gazepoint Analysis export",
    suffixes=(".csv",),
    provides="samples and fixations, or fixations",
    units="s, converted to ms; fractions of the screen, to px of the screen given or 1920x1080; pupil in mm",
    lost="cursor, pupil positions, blinks, biometrics, areas of interest, the local time of the start",
    source="https://www.gazept.com",
)
_NOMINAL = Screen(1920, 1080)
_NEEDED = {"x": "FPOGX", "y": "FPOGY", "onset": "FPOGS", "duration": "FPOGD", "index": "FPOGID", "valid": "FPOGV"}
_OPTIONAL = {
    "best_x": "BPOGX",
    "best_y": "BPOGY",
    "best_valid": "BPOGV",
    "left_pupil": "LPMM",
    "right_pupil": "RPMM",
}
# Each pupil has its own flag; older exports have only the one of the eye.
_PUPIL_FLAGS = {"left_valid": ("LPMMV", "LPV"), "right_valid": ("RPMMV", "RPV")}
# Tables that were put together of many sessions, as EGD-CXR, number these and name the image.
_TEXTS: dict[str, tuple[str, ...]] = {
    "session": ("SESSION_ID",),
    "media_id": ("MEDIA_ID",),
    "stimulus": ("MEDIA_NAME", "DICOM_ID"),
}
_TIME_IN_SECONDS = "Time (in secs)"
_ON_IMAGE = {"X_ORIGINAL", "Y_ORIGINAL"}
_MOST_INDEX = 2**31 - 1


class _Rows(NamedTuple):
    """What the rows with a time say, one element per row."""

    part: npt.NDArray[np.int64]
    recording: npt.NDArray[np.object_]
    stimulus: npt.NDArray[np.object_]
    t: npt.NDArray[np.floating]
    onset: npt.NDArray[np.floating]
    duration: npt.NDArray[np.floating]
    number: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]
    pupils: dict[str, npt.NDArray[np.floating]]


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    time = None if header is None else _time_column(header)
    if header is None or time is None or "MEDIA_ID" not in header.names:
        return NO
    missing = sorted(set(_NEEDED.values()) - set(header.names))
    if missing:
        return Verdict(Level.NO, f"a Gazepoint export without {', '.join(missing)}")
    return Verdict(Level.CERTAIN, f"columns MEDIA_ID, {time} and FPOGX")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read an export of samples or of fixations; which of the two, its rows tell.

    Returns
    -------
    Recording
        Times count from the start of each medium, which is a recording of its own where there are several.

    Raises
    ------
    ParseError
        A column is missing, or a damaged row or cell.
    """
    header = needed_header(head)
    table = read_columns(head, header, _wanted(header, head))
    timed = np.isfinite(table.number("t")) & np.isfinite(table.number("index"))
    notes: list[str] = []
    if set(header.names) >= _ON_IMAGE:
        notes.append(
            "X_ORIGINAL and Y_ORIGINAL, positions on the image, are not used: for those give --columns "
            "x=X_ORIGINAL,y=Y_ORIGINAL,unit=px,t=FPOGS[s],duration=FPOGD[s],stimulus=DICOM_ID,trial=SESSION_ID"
        )
    rows = _rows(head, table, timed, notes)
    if _is_fixation_table(rows):
        notes.append("one row per fixation number: a fixation table")
        recording = _fixations(head, table, timed, rows, notes)
    else:
        recording = _samples(head, table, timed, rows, notes)
    return recording.on_nominal_screen(_NOMINAL, "screen")


def _time_column(header: Header) -> str | None:
    """Return the name of the time column, which usually holds the start: ``TIME(2020/01/31 12:00:00.000)``."""
    known = ("TIME", _TIME_IN_SECONDS)
    return next((name for name in header.names if name in known or name.startswith("TIME(")), None)


def _wanted(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    time = _time_column(header)
    if time is None:
        hint = "export all gaze or the fixations from Gazepoint Analysis"
        raise ParseError("no column 'TIME(...)'", path=head.path, line=header.lines, hint=hint)
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(time, head.path), "float64")}
    wanted |= {key: (header.index(name, head.path), "float64") for key, name in _NEEDED.items()}
    optional = {key: (name,) for key, name in _OPTIONAL.items()} | _PUPIL_FLAGS
    for key, names in optional.items():
        name = next((name for name in names if name in header.names), None)
        if name is not None:
            wanted[key] = header.index(name, head.path), "float64"
    for key, spellings in _TEXTS.items():
        name = next((name for name in spellings if name in header.names), None)
        if name is not None:
            wanted[key] = header.index(name, head.path), "text"
    return wanted


def _rows(head: Head, table: Columns, timed: npt.NDArray[np.bool_], notes: list[str]) -> _Rows:
    t = table.number("t")[timed] * 1e3
    # A medium shown twice in a row shows by its clock alone.
    begins = np.diff(t, prepend=np.inf) < 0
    for key in _TEXTS:
        codes = table.texts(key).codes[timed]
        begins[1:] |= codes[1:] != codes[:-1]
    part = np.cumsum(begins).astype(np.int64)
    several = bool(t.size) and part[-1] > 1
    if several:
        notes.append(f"{part[-1]} showings of media, each with its own clock: each is a recording of its own")
    index = table.number("index")[timed]
    return _Rows(
        part=part,
        recording=np.array([f"{head.stem}_{n}" if several else head.stem for n in part], object),
        stimulus=table.text("stimulus")[timed],
        t=t,
        onset=table.number("onset")[timed] * 1e3,
        duration=table.number("duration")[timed] * 1e3,
        number=np.clip(index, 0, _MOST_INDEX).astype(np.int64),
        valid=table.number("valid")[timed] == 1,
        pupils={eye: _pupil(table, eye)[timed] for eye in ("left", "right")},
    )


def _pupil(table: Columns, eye: str) -> npt.NDArray[np.floating]:
    lost = table.number(f"{eye}_valid", 1.0) != 1
    return np.where(lost, np.nan, table.number(f"{eye}_pupil"))


def _is_fixation_table(rows: _Rows) -> bool:
    """Tell whether every row is a finished fixation: no number comes twice, and all are valid."""
    numbers = pd.DataFrame({"part": rows.part, "index": rows.number})
    return bool(rows.valid.all() and (rows.duration > 0).all() and not numbers.duplicated().any())


def _position(table: Columns, prefix: str) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    return table.number(f"{prefix}x") * _NOMINAL.width_px, table.number(f"{prefix}y") * _NOMINAL.height_px


def _dropped(table: Columns) -> dict[str, int]:
    """Count the rows that cannot be used: without a time first, then without a fixation number."""
    timeless = np.isnan(table.number("t"))
    counts = {
        "no time": int(timeless.sum()),
        "no fixation number": int((~timeless & np.isnan(table.number("index"))).sum()),
    }
    return {reason: count for reason, count in counts.items() if count}


def _fixations(head: Head, table: Columns, timed: npt.NDArray[np.bool_], rows: _Rows, notes: list[str]) -> Recording:
    x, y = _position(table, "")
    columns = {
        "recording": rows.recording,
        "trial": rows.part.astype(str).astype(object),
        "stimulus": rows.stimulus,
        "index": rows.number.astype(np.int32),
        "eye": "both",
        "onset_ms": rows.onset,
        "duration_ms": rows.duration,
        "x_px": x[timed],
        "y_px": y[timed],
        "pupil": mean_of_eyes(rows.pupils["left"], rows.pupils["right"]),
    }
    recording = fixation_recording(head.stem, FORMAT.name, columns, len(rows.t), notes)
    dropped = _dropped(table) | dict(recording.dropped)
    return replace(recording, software="Gazepoint Analysis", rows_in=table.n_rows, dropped=dropped)


def _samples(head: Head, table: Columns, timed: npt.NDArray[np.bool_], rows: _Rows, notes: list[str]) -> Recording:
    starts = pd.Series(rows.t).groupby(rows.part).transform("first").to_numpy(np.float64)
    best = {"best_x", "best_y"} <= set(table.found)
    x, y = _position(table, "best_" if best else "")
    lost = (table.number("best_valid", 1.0) if best else table.number("valid")) != 1
    if not best:
        notes.append("no BPOGX and BPOGY: samples are FPOG, averaged over the fixation so far")
    columns: dict[str, object] = {
        "recording": rows.recording,
        "trial": rows.part.astype(str).astype(object),
        "stimulus": rows.stimulus,
        "t_ms": rows.t - starts,
        "x_px": np.where(lost, np.nan, x)[timed],
        "y_px": np.where(lost, np.nan, y)[timed],
    }
    columns |= {f"{eye}_pupil": values for eye, values in rows.pupils.items()}
    fixed_x, fixed_y = _position(table, "")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform(columns, SAMPLES),
        events=_events(rows, starts, fixed_x[timed], fixed_y[timed], notes),
        origin_ms=float(starts[0]) if starts.size else 0.0,
        software="Gazepoint Analysis",
        rows_in=table.n_rows,
        dropped=_dropped(table),
        notes=tuple(notes),
    )


def _events(
    rows: _Rows,
    starts: npt.NDArray[np.float64],
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    notes: list[str],
) -> pa.Table:
    """Return the fixations as their last valid rows state them: mean position and length grow with every sample."""
    frame = pd.DataFrame(
        {
            "part": rows.part,
            "recording": rows.recording,
            "stimulus": rows.stimulus,
            "trial": rows.part.astype(str).astype(object),
            "kind": "fixation",
            "index": rows.number.astype(np.int32),
            "eye": "both",
            "onset_ms": rows.onset - starts,
            "duration_ms": rows.duration,
            "x_px": x,
            "y_px": y,
            "pupil": mean_of_eyes(rows.pupils["left"], rows.pupils["right"]),
        }
    )
    groups = frame.groupby(["part", "index"], sort=False)
    frame["pupil"] = groups["pupil"].transform("mean")
    last = frame[rows.valid].drop_duplicates(["part", "index"], keep="last")
    never = groups.ngroups - len(last)
    if never:
        notes.append(f"{never} fixation numbers are never valid (FPOGV): no fixations")
    usable = (last["duration_ms"] > 0) & np.isfinite(last["onset_ms"]) & last["x_px"].notna() & last["y_px"].notna()
    if not usable.all():
        notes.append(f"{int((~usable).sum())} fixations without a duration, onset or position: left out")
    kept = last[usable].drop(columns="part")
    return conform({name: kept[name].to_numpy() for name in kept}, EVENTS)
