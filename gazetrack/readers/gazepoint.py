"""Gazepoint Analysis exports: a row per sample (``all_gaze``) or fixation (``fixations``), with the same columns.

Specification: "Gazepoint Analysis UX Edition User Manual" and "Open Gaze API", Gazepoint. Positions
are fractions of the screen, whose size the file does not state. ``FPOG`` is the point of gaze
averaged over the fixation so far, ``BPOG`` the best one of the moment. The clock begins anew with
every medium.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import in_no_order
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.tables.clock import Clock
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    import numpy.typing as npt

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
_NEEDED = {
    "x": "FPOGX",
    "y": "FPOGY",
    "onset": "FPOGS",
    "duration": "FPOGD",
    "index": "FPOGID",
    "valid": "FPOGV",
}
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
        Times count from the start of each medium, which is a recording of its own where there are
        several.

    Raises
    ------
    ParseError
        A column is missing, or a damaged row or cell.
    """
    header = needed_header(head)
    export = _Export(head, header)
    for part in read_parts(head, header, export.wanted):
        export.take(part)
    if not export.n_rows:
        raise no_rows(head, header)
    return export.recording().on_nominal_screen(_NOMINAL, "screen")


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


class _Export:
    """What the parts of an export add up to: samples, and what their rows say about each fixation."""

    def __init__(self, head: Head, header: Header) -> None:
        self.wanted = _wanted(header, head)
        self.n_rows = 0
        self._head, self._header = head, header
        self._best = {"best_x", "best_y"} <= set(self.wanted)
        self._samples = SampleSink()
        self._fixations: list[pd.DataFrame] = []
        self._stimuli: list[str] = [""]
        self._starts: list[float] = []
        self._clock, self._media, self._last_codes = Clock(), 0, dict.fromkeys(_TEXTS, -1)
        # A medium that is shown again begins again, but that is rare among samples.
        self._order, self._first_back, self._n_timed = Clock(), 0, 0
        self._all_finished = True
        self._dropped = {"no time": 0, "no fixation number": 0}
        self._notes: list[str] = []
        if set(header.names) >= _ON_IMAGE:
            self._notes.append(
                "X_ORIGINAL and Y_ORIGINAL, positions on the image, are not used: for those give --columns "
                "x=X_ORIGINAL,y=Y_ORIGINAL,unit=px,t=FPOGS[s],duration=FPOGD[s],stimulus=DICOM_ID,trial=SESSION_ID"
            )

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        has_time, has_number = np.isfinite(table.number("t")), np.isfinite(table.number("index"))
        self.n_rows += table.n_rows
        self._dropped["no time"] += int(np.count_nonzero(~has_time))
        self._dropped["no fixation number"] += int(np.count_nonzero(has_time & ~has_number))
        self._stimuli = table.texts("stimulus").names
        timed = has_time & has_number
        if not timed.any():
            return
        t = table.number("t")[timed] * 1e3
        showing = self._showings(t, table, timed)
        self._follow(
            t,
            table.texts("media_id").codes[timed],
            self.n_rows - table.n_rows + np.flatnonzero(timed),
        )
        starts = np.array(self._starts)[showing]
        pupils = {f"{eye}_pupil": _pupil(table, eye)[timed] for eye in ("left", "right")}
        stimulus = table.texts("stimulus").codes[timed]
        x, y = self._gaze(table)
        columns = {"recording": showing, "trial": showing, "stimulus": stimulus, "t_ms": t - starts}
        self._samples.append(columns | {"x_px": x[timed], "y_px": y[timed]} | pupils)
        fixed_x, fixed_y = _position(table, "")
        rows = pd.DataFrame(
            {
                "showing": showing,
                "index": np.clip(table.number("index")[timed], 0, _MOST_INDEX).astype(np.int32),
                "stimulus": stimulus,
                "onset_ms": table.number("onset")[timed] * 1e3,
                "duration_ms": table.number("duration")[timed] * 1e3,
                "x_px": fixed_x[timed],
                "y_px": fixed_y[timed],
                "pupil": mean_of_eyes(pupils["left_pupil"], pupils["right_pupil"]),
                "valid": table.number("valid")[timed] == 1,
            }
        )
        self._all_finished &= bool(rows["valid"].all() and (rows["duration_ms"] > 0).all())
        self._fixations.append(_fixations_so_far(rows))

    def _showings(
        self, t: npt.NDArray[np.floating], table: Columns, timed: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        """Return the number of each row's showing of a medium, counted from 0 over all parts."""
        begins = np.zeros(len(t), np.bool_)
        for key, last in self._last_codes.items():
            codes = table.texts(key).codes[timed]
            begins |= np.diff(codes, prepend=last) != 0
            self._last_codes[key] = codes[-1]
        media = self._media + np.cumsum(begins)
        self._media = int(media[-1])
        # A medium shown twice in a row shows by its clock alone.
        begins[self._clock.take(t, media)] = True
        showings = len(self._starts) - 1 + np.cumsum(begins)
        self._starts += t[begins].tolist()
        return showings.astype(np.int32)

    def _follow(
        self, t: npt.NDArray[np.floating], medium: npt.NDArray[np.int32], rows: npt.NDArray[np.intp]
    ) -> None:
        """Follow the clock of each medium, whose rows of the export these are."""
        was_in_order, before = self._order.first_back < 0, self._n_timed
        self._order.take(t, medium)
        self._n_timed += len(t)
        if was_in_order and self._order.first_back >= 0:
            self._first_back = int(rows[self._order.first_back - before])

    def _gaze(self, table: Columns) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        x, y = _position(table, "best_" if self._best else "")
        lost = (table.number("best_valid", 1.0) if self._best else table.number("valid")) != 1
        return np.where(lost, np.nan, x), np.where(lost, np.nan, y)

    def recording(self) -> Recording:
        """Return all of it."""
        notes, stem = self._notes, self._head.stem
        numbers = [str(n) for n in range(1, len(self._starts) + 1)]
        several = len(numbers) > 1
        if several:
            notes.append(
                f"{len(numbers)} showings of media, each with its own clock: each is a recording of its own"
            )
        names = {
            "recording": [f"{stem}_{n}" for n in numbers] if several else [stem],
            "trial": numbers or [""],
            "stimulus": self._stimuli,
        }
        fixations = _joined(self._fixations)
        dropped = {reason: count for reason, count in self._dropped.items() if count}
        # Every row is a finished fixation: no number comes twice, and all are valid.
        if self._all_finished and len(fixations) == self._samples.rows:
            notes.append("one row per fixation number: a fixation table")
            columns = _named(fixations, names)
            found = fixation_recording(stem, FORMAT.name, columns, len(fixations), notes)
            dropped |= found.dropped
            return replace(
                found, software="Gazepoint Analysis", rows_in=self.n_rows, dropped=dropped
            )
        if self._order.in_no_order:
            line = line_of(self._head, self._header, self._first_back)
            raise in_no_order(self._order, self._head.path, line)
        if not self._best:
            notes.append("no BPOGX and BPOGY: samples are FPOG, averaged over the fixation so far")
        fixations["onset_ms"] -= np.array(self._starts)[fixations["showing"]]
        return Recording(
            name=stem,
            format=FORMAT.name,
            sample_table=self._samples.table(names),
            event_table=conform(
                {"kind": "fixation"} | _named(_usable(fixations, notes), names), EVENTS
            ),
            origin_ms=self._starts[0] if self._starts else 0.0,
            software="Gazepoint Analysis",
            rows_in=self.n_rows,
            dropped=dropped,
            notes=tuple(notes),
        )


def _pupil(table: Columns, eye: str) -> npt.NDArray[np.floating]:
    lost = table.number(f"{eye}_valid", 1.0) != 1
    return np.where(lost, np.nan, table.number(f"{eye}_pupil"))


def _position(
    table: Columns, prefix: str
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    return table.number(f"{prefix}x") * _NOMINAL.width_px, table.number(
        f"{prefix}y"
    ) * _NOMINAL.height_px


_KEY = ["showing", "index"]


def _fixations_so_far(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per fixation number, as its last valid row states it: mean and length grow with every sample.

    ``pupil`` becomes the sum of ``pupils`` sizes. A number without a valid row keeps its last one.
    """
    pupils = rows.groupby(_KEY, sort=False)["pupil"].agg(["sum", "count"])
    pupils.columns = pd.Index(["pupil", "pupils"])
    return _last_valid(rows).drop(columns="pupil").join(pupils, on=_KEY)


def _last_valid(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the last valid row of each fixation number, or its last row where none is valid, in their order."""
    valid = rows["valid"].to_numpy(np.bool_)
    key = rows["showing"].to_numpy(np.int64) * (_MOST_INDEX + 1) + rows["index"].to_numpy(np.int64)
    counts = valid | ~np.isin(key, np.unique(key[valid]))
    last = counts.copy()
    last[counts] = ~pd.Series(key[counts]).duplicated(keep="last").to_numpy()
    return rows[last]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return a row per fixation number of all parts, those that go on in the next part once."""
    columns = [
        "showing",
        "index",
        "stimulus",
        "onset_ms",
        "duration_ms",
        "x_px",
        "y_px",
        "valid",
        "pupil",
        "pupils",
    ]
    rows = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({name: [] for name in columns})
    )
    sums = rows.groupby(_KEY, sort=False)[["pupil", "pupils"]].sum()
    found = _last_valid(rows).drop(columns=["pupil", "pupils"]).join(sums, on=_KEY)
    found["pupil"] = (found["pupil"] / found["pupils"]).where(found["pupils"] > 0)
    return found


def _usable(fixations: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the fixations that were valid and have a place and a duration; the others are noted."""
    valid = fixations[fixations["valid"]]
    if never := len(fixations) - len(valid):
        notes.append(f"{never} fixation numbers are never valid (FPOGV): no fixations")
    usable = (valid["duration_ms"] > 0) & valid[["onset_ms", "x_px", "y_px"]].notna().all(axis=1)
    if not usable.all():
        notes.append(
            f"{int((~usable).sum())} fixations without a duration, onset or position: left out"
        )
    return valid[usable]


def _named(fixations: pd.DataFrame, names: dict[str, list[str]]) -> dict[str, Any]:
    """Return the columns of fixations, with texts for their codes."""
    showing = fixations["showing"].to_numpy(np.int64)
    recordings = names["recording"]
    columns: dict[str, Any] = {
        "recording": np.array(recordings, object)[
            showing if len(recordings) > 1 else np.zeros_like(showing)
        ],
        "trial": np.array(names["trial"], object)[showing],
        "stimulus": np.array(names["stimulus"], object)[fixations["stimulus"].to_numpy(np.int64)],
        "eye": "both",
    }
    for name in ("index", "onset_ms", "duration_ms", "x_px", "y_px", "pupil"):
        columns[name] = fixations[name].to_numpy()
    return columns
