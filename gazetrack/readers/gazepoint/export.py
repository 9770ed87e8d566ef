"""Gazepoint Analysis exports: a row per sample (``all_gaze``) or per fixation (``fixations``).

Logs of the Open Gaze API, as PyGaze and OpenSesame write them, are tables of samples, too.

Specification: "Gazepoint Analysis UX Edition User Manual" and "Open Gaze API", Gazepoint,
https://www.gazept.com. Both kinds have the same columns, so the rows tell which it is. Positions
are fractions of the screen, whose size the file does not state. ``FPOG`` is the point of gaze
averaged over the fixation so far, ``BPOG`` the best one of the moment. The clock begins anew with
every medium.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.gazepoint.fixations import (
    MOST_INDEX,
    fixations_so_far,
    joined,
    named,
    usable,
)
from gazetrack.readers.gazepoint.messages import Messages
from gazetrack.readers.shared.clock import in_no_order
from gazetrack.readers.shared.counts import counted
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
    title="Gazepoint Analysis export, Open Gaze log of PyGaze",
    suffixes=(".csv", ".tsv"),
    provides="samples and fixations, or fixations; messages of logs",
    units="s, converted to ms; fractions of the screen, to px of the screen given or 1920x1080; "
    "pupil in mm",
    lost="cursor, pupil positions, blinks, biometrics, areas of interest, "
    "the local time of the start",
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
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "best_x": ("BPOGX",),
    "best_y": ("BPOGY",),
    "best_valid": ("BPOGV",),
    "left_pupil": ("LPMM",),
    "right_pupil": ("RPMM",),
}
# Each pupil has its own flag; older exports have only the one of the eye.
_PUPIL_FLAGS: dict[str, tuple[str, ...]] = {
    "left_valid": ("LPMMV", "LPV"),
    "right_valid": ("RPMMV", "RPV"),
}
# Tables that were put together of many sessions, as EGD-CXR, number these and name the image.
_TEXTS: dict[str, tuple[str, ...]] = {
    "session": ("SESSION_ID",),
    "media_id": ("MEDIA_ID",),
    "stimulus": ("MEDIA_NAME", "DICOM_ID"),
}
_TIME_IN_SECONDS = "Time (in secs)"
# A log has no media, but a counter, the tracker's ticks, and the messages of the experiment.
_OF_LOG = {"CNT", "TIME", "TIME_TICK", "USER"}
# The flags that say whether a value is one.
_FLAGS = {"best_valid": "best_x", "left_valid": "left_pupil", "right_valid": "right_pupil"}
_PUPILS_IN_METRES = {"left_pupil": "LPUPILD", "right_pupil": "RPUPILD"}
_FLAGS_IN_METRES = {"left_valid": "LPUPILV", "right_valid": "RPUPILV"}
_MM_PER_M = 1e3
_ON_IMAGE = {"X_ORIGINAL", "Y_ORIGINAL"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    time = None if header is None else _time_column(header)
    if header is None or time is None:
        return NO
    is_log = set(header.names) >= _OF_LOG
    if not is_log and "MEDIA_ID" not in header.names:
        return NO
    missing = sorted(set(_NEEDED.values()) - set(header.names))
    if missing:
        kind = "log of the Open Gaze API" if is_log else "Gazepoint export"
        return Verdict(Level.NO, f"a {kind} without {', '.join(missing)}")
    if "MEDIA_ID" not in header.names:
        return Verdict(Level.CERTAIN, "columns FPOGX, TIME_TICK and USER of the Open Gaze API")
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
    export = Export(head, header)
    for part in read_parts(head, header, export.wanted):
        export.take(part)
    if not export.n_rows:
        raise no_rows(head, header)
    return export.recording().on_nominal_screen(_NOMINAL, "screen")


def _time_column(header: Header) -> str | None:
    """Return the name of the time column, or None.

    It usually holds the local time of the start: ``TIME(2020/01/31 12:00:00.000)``.
    """
    known = ("TIME", _TIME_IN_SECONDS)
    return next((name for name in header.names if name in known or name.startswith("TIME(")), None)


def _wanted(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    time = _time_column(header)
    if time is None:
        hint = "export all gaze or the fixations from Gazepoint Analysis"
        raise ParseError("no column 'TIME(...)'", path=head.path, line=header.lines, hint=hint)
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(time, head.path), "float64")}
    wanted |= {key: (header.index(name, head.path), "float64") for key, name in _NEEDED.items()}
    kinds: dict[Kind, dict[str, tuple[str, ...]]] = {
        "float64": _OPTIONAL | _PUPIL_FLAGS,
        "text": _TEXTS,
    }
    for kind, columns in kinds.items():
        for key, spellings in columns.items():
            name = next((name for name in spellings if name in header.names), None)
            if name is not None:
                wanted[key] = header.index(name, head.path), kind
    if is_log(header):
        wanted["user"] = header.index("USER", head.path), "text"
        if not {"left_pupil", "right_pupil"} & set(wanted):
            in_metres = _PUPILS_IN_METRES | _FLAGS_IN_METRES
            there = {key: name for key, name in in_metres.items() if name in header.names}
            wanted |= {
                key: (header.index(name, head.path), "float64") for key, name in there.items()
            }
    return wanted


def is_log(header: Header) -> bool:
    """Tell whether a table is a log of the Open Gaze API, and no export of Gazepoint Analysis.

    Parameters
    ----------
    header : Header
        The names of the columns of the table.
    """
    return set(header.names) >= _OF_LOG and "MEDIA_ID" not in header.names


class Export:
    """What the parts of an export add up to: samples, and what their rows say of each fixation."""

    def __init__(self, head: Head, header: Header) -> None:
        self.wanted = _wanted(header, head)
        self.n_rows = 0
        self._head = head
        self._header = header
        self._best = {"best_x", "best_y"} <= set(self.wanted)
        self._is_log = is_log(header)
        pupils = _PUPILS_IN_METRES.values() if self._is_log else ()
        places = {place for key, (place, _) in self.wanted.items() if key.endswith("_pupil")}
        are_metres = places & {header.names.index(name) for name in pupils if name in header.names}
        self._pupil_factor = _MM_PER_M if are_metres else 1.0
        self._messages = Messages()
        self._texts: list[str] = [""]
        self._samples = SampleSink()
        self._fixations: list[pd.DataFrame] = []
        self._stimuli: list[str] = [""]
        # The showings of media so far: when each began, the number of media, and the codes of the
        # last row's session, medium and stimulus (-1 before the first row).
        self._starts: list[float] = []
        self._clock = Clock()
        self._media = 0
        self._last_codes = dict.fromkeys(_TEXTS, -1)
        # A medium that is shown again begins again, but that is rare among samples: whether these
        # are in the order of time, the clock of each medium tells.
        self._order = Clock()
        self._first_back = 0
        self._n_timed = 0
        self._all_finished = True
        self._dropped = {"no time": 0, "no fixation number": 0}
        self._n_unflagged = 0
        self._without_flag = dict.fromkeys(_FLAGS, 0)
        self._notes: list[str] = []
        if set(header.names) >= _ON_IMAGE:
            self._notes.append(
                "X_ORIGINAL and Y_ORIGINAL, positions on the image, are not used: "
                "for those give --columns x=X_ORIGINAL,y=Y_ORIGINAL,unit=px,t=FPOGS[s],"
                "duration=FPOGD[s],stimulus=DICOM_ID,trial=SESSION_ID"
            )

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        has_time = np.isfinite(table.number("t"))
        has_number = np.isfinite(table.number("index"))
        first_row = self.n_rows
        self.n_rows += table.n_rows
        self._dropped["no time"] += int(np.count_nonzero(~has_time))
        self._dropped["no fixation number"] += int(np.count_nonzero(has_time & ~has_number))
        self._stimuli = table.texts("stimulus").names
        timed = has_time & has_number
        if not timed.any():
            return
        t = table.number("t")[timed] * 1e3
        showing = self.showings(t, table, timed)
        rows_of_file = first_row + np.flatnonzero(timed)
        self._follow(t, table.texts("media_id").codes[timed], rows_of_file)

        starts = np.array(self._starts)[showing]
        stimulus = table.texts("stimulus").codes[timed]
        self._count_without_flag(table, timed)
        x, y = self._gaze(table)
        left_pupil = _pupil(table, "left")[timed] * self._pupil_factor
        right_pupil = _pupil(table, "right")[timed] * self._pupil_factor
        if self._is_log:
            said = table.texts("user")
            self._texts = said.names
            self._messages.take(said.codes[timed], showing, t - starts)
        self._samples.append(
            {
                "recording": showing,
                "trial": showing,
                "stimulus": stimulus,
                "t_ms": t - starts,
                "x_px": x[timed],
                "y_px": y[timed],
                "left_pupil": left_pupil,
                "right_pupil": right_pupil,
            }
        )

        is_fixation = table.number("valid")[timed]
        self._n_unflagged += int(np.count_nonzero(np.isnan(is_fixation)))
        fixed_x, fixed_y = _position(table, "")
        rows = pd.DataFrame(
            {
                "showing": showing,
                "index": np.clip(table.number("index")[timed], 0, MOST_INDEX).astype(np.int32),
                "stimulus": stimulus,
                "onset_ms": table.number("onset")[timed] * 1e3,
                "duration_ms": table.number("duration")[timed] * 1e3,
                "x_px": fixed_x[timed],
                "y_px": fixed_y[timed],
                "pupil": mean_of_eyes(left_pupil, right_pupil),
                "valid": is_fixation == 1,
            }
        )
        self._all_finished &= bool(rows["valid"].all() and (rows["duration_ms"] > 0).all())
        self._fixations.append(fixations_so_far(rows))

    def showings(
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
        was_in_order = self._order.first_back < 0
        before = self._n_timed
        self._order.take(t, medium)
        self._n_timed += len(t)
        if was_in_order and self._order.first_back >= 0:
            self._first_back = int(rows[self._order.first_back - before])

    def _count_without_flag(self, table: Columns, timed: npt.NDArray[np.bool_]) -> None:
        """Count values that no flag says to be valid or not, where the export has the flag."""
        for flag, value in _FLAGS.items():
            if {flag, value} <= set(self.wanted):
                is_open = np.isnan(table.number(flag)) & np.isfinite(table.number(value))
                self._without_flag[flag] += int(np.count_nonzero(is_open & timed))

    def _gaze(self, table: Columns) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """Return the gaze of the moment, where the export has it, else that of the fixation."""
        x, y = _position(table, "best_" if self._best else "")
        valid = table.number("best_valid", 1.0) if self._best else table.number("valid")
        lost = valid != 1
        return np.where(lost, np.nan, x), np.where(lost, np.nan, y)

    def recording(self) -> Recording:
        """Return all of it."""
        notes = self._notes
        if self._n_unflagged:
            notes.append(f"{self._n_unflagged} rows without FPOGV: taken as of no fixation")
        for flag, count in self._without_flag.items():
            if count:
                name = self._header.names[self.wanted[flag][0]]
                notes.append(f"{count} values without {name}, their flag: taken as missing")
        stem = self._head.stem
        numbers = [str(n) for n in range(1, len(self._starts) + 1)]
        recordings = [stem]
        if len(numbers) > 1:
            recordings = [f"{stem}_{n}" for n in numbers]
            notes.append(
                f"{len(numbers)} showings of media, each with its own clock: "
                "each is a recording of its own"
            )
        names = {
            "recording": recordings,
            "trial": numbers or [""],
            "stimulus": self._stimuli,
        }
        fixations = joined(self._fixations)
        dropped = counted(self._dropped)
        # Every row is a finished fixation: no number comes twice, and all are valid.
        if self._all_finished and len(fixations) == self._samples.rows:
            notes.append("one row per fixation number: a fixation table")
            columns = named(fixations, names)
            found = fixation_recording(stem, FORMAT.name, columns, len(fixations), notes)
            return replace(
                found,
                software="Gazepoint Analysis",
                rows_in=self.n_rows,
                dropped=dropped | dict(found.dropped),
            )
        if self._order.in_no_order:
            line = line_of(self._head, self._header, self._first_back)
            raise in_no_order(self._order, self._head.path, line)
        if not self._best:
            notes.append("no BPOGX and BPOGY: samples are FPOG, averaged over the fixation so far")
        fixations["onset_ms"] -= np.array(self._starts)[fixations["showing"]]
        events = named(usable(fixations, notes), names)
        return Recording(
            name=stem,
            format=FORMAT.name,
            sample_table=self._samples.table(names),
            event_table=self._events({"kind": "fixation"} | events, names),
            origin_ms=self._starts[0] if self._starts else 0.0,
            software="Open Gaze API" if self._is_log else "Gazepoint Analysis",
            rows_in=self.n_rows,
            dropped=dropped,
            notes=tuple(notes),
        )

    def _events(self, fixations: dict[str, Any], names: dict[str, list[str]]) -> pa.Table:
        """Return the fixations, of a log with the messages, in the order of time."""
        found = conform(fixations, EVENTS)
        if not self._is_log:
            return found
        messages = conform(self._messages.columns(self._texts, names), EVENTS)
        both = pa.concat_tables([messages, found]).unify_dictionaries()
        showing = pc.index_in(pc.cast(both["recording"], pa.string()), pa.array(names["recording"]))
        order = np.lexsort((both["onset_ms"].to_numpy(), showing.to_numpy()))
        return both.take(order)


def _pupil(table: Columns, eye: str) -> npt.NDArray[np.floating]:
    """Return the diameters of an eye's pupil in mm, NaN where its flag says it was not found."""
    lost = table.number(f"{eye}_valid", 1.0) != 1
    return np.where(lost, np.nan, table.number(f"{eye}_pupil"))


def _position(
    table: Columns, prefix: str
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return positions in pixels of the nominal screen."""
    x = table.number(f"{prefix}x") * _NOMINAL.width_px
    y = table.number(f"{prefix}y") * _NOMINAL.height_px
    return x, y
