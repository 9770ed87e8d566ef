"""iMotions sensor data: rows of all sensors in one table, the eye tracker's among them.

Source: "Sensor Data Export", iMotions Help Center. Two generations: until 2019 tab-separated text
with columns ``GazeLeftx`` and times as ``yyyymmdd_HHMMSSfff``; since then CSV with ``#`` lines
before the header, columns ``ET_GazeLeftx`` and times in ms. -1 marks lost gaze. A row may hold the
data of several sensors (``ET|Shimmer``). Fixations of iMotions stand in the rows they last over;
their start counts from the stimulus's (``MediaTime``), in the newer generation from the
recording's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.imotions_fixations import FIXATIONS, Fixations
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="imotions",
    title="iMotions sensor data",
    suffixes=(".txt", ".csv"),
    provides="samples and fixations",
    units="times to ms; px; pupil in mm",
    lost="all other sensors, saccades, distances, areas of interest, names, age and gender",
    source="https://help.imotions.com, Sensor Data Export",
)
_GAZE = {
    "left_x": "GazeLeftx",
    "left_y": "GazeLefty",
    "right_x": "GazeRightx",
    "right_y": "GazeRighty",
    "left_pupil": "PupilLeft",
    "right_pupil": "PupilRight",
}
# Of iMotions' gaze analysis, which may be exported by itself.
_COMBINED = {"x": "Gaze X", "y": "Gaze Y"}
_NEWER_MARK = "Fixation Index by Stimulus"
_STIMULUS = ("StimulusName", "SourceStimuliName", "Stimulus")
_STAMP = re.compile(r"(\d{8})_(\d{6})(\d{3})")
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,12})?"
_FIRST_LINES = 50
# The columns are the user's choice, so nobody can tell which ones these are.
_NAMELESS = (
    "rows of iMotions without the row that names the columns: export again with it, "
    "or copy it from another export of the study to the top"
)
_WORST_VALIDITY = 1.0  # of 0 best to 4 not found; 2 and more is a guess which eye it was


@dataclass(frozen=True)
class _Layout:
    """Where the columns are; `prefix` is ``ET_`` in the newer generation."""

    header: Header
    prefix: str


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    layout = _layout(head)
    if layout is None:
        return Verdict(Level.NO, _NAMELESS) if _is_nameless(head) else NO
    marks = (f"{layout.prefix}GazeLeftx", "Gaze X")
    gaze = next((name for name in marks if name in layout.header.names), None)
    if gaze is None:
        what = "an iMotions export without eye tracking: export the sensor data of the eye tracker"
        return Verdict(Level.NO, what)
    return Verdict(Level.CERTAIN, f"columns Timestamp and {gaze} of iMotions")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the rows of the eye tracker.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, a damaged row or cell, a time of another form, or no rows of an eye
        tracker.
    """
    table_head = table_of(head)
    header = needed_header(table_head)
    prefix = "ET_" if "ET_GazeLeftx" in header.names else ""
    wanted = _wanted(head, header, prefix)
    rows = _Rows(table_head, header)
    for part in read_parts(table_head, header, wanted):
        rows.take(part)
    if not rows.n_rows:
        raise no_rows(table_head, header)
    notes: list[str] = []
    samples = rows.samples()
    rows.note(notes)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=rows.fixations.table(head.stem, rows.origin_ms, notes),
        eyes="binocular" if "left_x" in wanted else "combined",
        origin_ms=rows.origin_ms,
        software="iMotions",
        rows_in=rows.n_rows,
        dropped=rows.dropped,
        notes=tuple(notes),
    )


def _layout(head: Head) -> _Layout | None:
    header = header_of(table_of(head))
    if header is None:
        return None
    names = set(header.names)
    older = {"EventSource", "StudyName"} <= names
    newer = bool(names & {"ET_GazeLeftx", "SlideEvent", _NEWER_MARK})
    if "Timestamp" not in names or not (older or newer):
        return None
    return _Layout(header, "ET_" if "ET_GazeLeftx" in names else "")


def _is_nameless(head: Head) -> bool:
    """Return whether the rows are iMotions' of an eye tracker, without the names of the columns."""
    for line in head.lines[:_FIRST_LINES]:
        cells = [] if line.startswith("#") else line.split("\t")
        has_stamp = any(map(_STAMP.fullmatch, cells))
        if has_stamp and any(map(_is_tracker, cells)):
            return True
    return False


def table_of(head: Head) -> Head:
    """Return the file without the lines that describe it."""
    return rewritten(head, _without_comments)


def _without_comments() -> Callable[[bytes], bytes]:
    """Return the function that empties the lines that begin with ``#``, also in quotes."""

    def take(line: bytes) -> bytes:
        text = line.lstrip(b'"\xef\xbb\xbf')
        return b"" if text.startswith(b"#") else line

    return by_line(take)


def _wanted(head: Head, header: Header, prefix: str) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names = set(header.names)
    numbers: dict[str, str] = {}
    if "Gaze X" in names and f"{prefix}GazeLeftx" not in names:
        numbers |= _COMBINED
    else:
        for key, name in _GAZE.items():
            # Pupils may be left out of an export, positions may not.
            if not key.endswith("pupil") or prefix + name in names:
                numbers[key] = prefix + name
    for side in ("Left", "Right"):
        for name in (f"{prefix}Validity{side}", f"{prefix}Validity{side}Eye"):
            if name in names:
                numbers.setdefault(f"{side.lower()}_validity", name)
    for form, columns in FIXATIONS.items():
        if set(columns.values()) <= names:
            numbers |= {f"{form}_{key}": name for key, name in columns.items()}
    if "MediaTime" in names:
        numbers["media_t"] = "MediaTime"

    texts: dict[str, str] = {}
    stimulus = next((name for name in _STIMULUS if name in names), None)
    if stimulus:
        texts["stimulus"] = stimulus
    # In the newer generation the column is there once per sensor.
    if not prefix and header.names.count("EventSource") == 1:
        texts["source"] = "EventSource"

    wanted = header.needed(numbers, "float64", head.path)
    wanted |= header.needed({"t": "Timestamp"}, "own_text", head.path)
    return wanted | header.needed(texts, "text", head.path)


class _Rows:
    """What the parts of an export add up to."""

    def __init__(self, head: Head, header: Header) -> None:
        self.n_rows = 0
        self.fixations = Fixations()
        self._head = head
        self._times = _Times(head, header)
        self._timed = TimedParts(head, header)
        self._samples = SampleSink()
        self._stimuli = UsedNames()
        self._n_others = 0
        self._n_unrated = 0

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        of_tracker = _rows_of_tracker(table)
        self._n_others += int(np.count_nonzero(~of_tracker))
        time = self._times.take(table)
        rows, t_ms = self._timed.take(time, among=of_tracker)
        gaze = gaze_columns({key: values[rows] for key, values in _gaze(table).items()})
        codes, texts = table.texts("stimulus")
        columns: dict[str, Any] = {**gaze, "t_ms": t_ms}
        columns["stimulus"] = self._stimuli.coded(codes[rows], texts)
        self._samples.append(columns)
        self._n_unrated += int(np.count_nonzero(_unrated(table)[rows]))
        self.fixations.take(table, time, self.n_rows)
        self.n_rows += table.n_rows

    def samples(self) -> pa.Table:
        """Return the samples, when all parts are taken.

        Raises
        ------
        ParseError
            There are none, or their times are none or in no order.
        """
        if self._n_others == self.n_rows:
            hint = "export the eye tracker's sensor data too"
            raise ParseError("no rows of an eye tracker", path=self._head.path, hint=hint)
        self._times.check()
        self._timed.check()
        texts = {"recording": [self._head.stem], "stimulus": self._stimuli.used or [""]}
        return self._samples.table(texts)

    def note(self, notes: list[str]) -> None:
        """Say what was unusual about the samples, when all parts are taken."""
        if self._n_unrated:
            notes.append(f"{self._n_unrated} positions of eyes without a validity are kept")

    @property
    def origin_ms(self) -> float:
        """The time of the first sample, ms."""
        return self._timed.origin_ms

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows are no samples, by the reason."""
        return counted({"other sensors": self._n_others}) | self._timed.dropped


def _rows_of_tracker(table: Columns) -> npt.NDArray[np.bool_]:
    """Return which rows are the eye tracker's: by their source, else those that hold gaze."""
    if "source" in table.found and "left_x" in table.found:
        codes, names = table.texts("source")
        of_name = np.array([_is_tracker(name) for name in names], np.bool_)
        return np.asarray(of_name[codes], np.bool_)
    gaze = np.column_stack([table.number(key) for key in (*_GAZE, *_COMBINED)])
    return np.asarray(np.isfinite(gaze).any(axis=1), np.bool_)


def _is_tracker(source: str) -> bool:
    """Tell whether the eye tracker is among the sensors of a row, as in ``ET|Shimmer``."""
    sensors = [part.strip() for part in source.split("|")]
    return any(sensor == "ET" or sensor.startswith("ET_") for sensor in sensors)


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions and pupils; iMotions writes a lost eye as -1, or states its validity."""
    if "x" in table.found:
        lost = (table.number("x") == -1) & (table.number("y") == -1)
        return {axis: np.where(lost, np.nan, table.number(axis)) for axis in "xy"}
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for side in ("left", "right"):
        x = table.number(f"{side}_x")
        y = table.number(f"{side}_y")
        pupil = table.number(f"{side}_pupil")
        uncertain = table.number(f"{side}_validity", 0.0) > _WORST_VALIDITY
        lost = ((x == -1) & (y == -1)) | uncertain
        gaze[f"{side}_x"] = np.where(lost, np.nan, x)
        gaze[f"{side}_y"] = np.where(lost, np.nan, y)
        gaze[f"{side}_pupil"] = np.where(lost | ~(pupil > 0), np.nan, pupil)
    return gaze


def _unrated(table: Columns) -> npt.NDArray[np.bool_]:
    """Return in which rows an eye has a position, and no validity though there is a column."""
    unrated = np.zeros(table.n_rows, np.bool_)
    for side in ("left", "right"):
        if f"{side}_validity" in table.found:
            there = np.isfinite(table.number(f"{side}_x")) & (table.number(f"{side}_x") != -1)
            unrated |= there & np.isnan(table.number(f"{side}_validity"))
    return unrated


class _Times:
    """Makes times in ms of the texts of rows, as exported.

    Where the export gives local times, they count from midnight of the first row.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self._head = head
        self._header = header
        self._n_rows = 0
        self._are_stamps: bool | None = None  # by the first row that has a time
        self._midnight: pd.Timestamp | None = None
        self._damage: ParseError | None = None

    def take(self, table: Columns) -> npt.NDArray[np.float64]:
        """Return the times of the next rows, NaN where there is none."""
        codes, names = table.texts("t")
        there = np.array([name != "" for name in names], np.bool_)[codes]
        first = names[codes[int(there.argmax())]] if there.any() else ""
        if self._are_stamps is None and first:
            self._are_stamps = _STAMP.fullmatch(first) is not None
        texts = pd.Series(names, dtype=object)
        times = self._stamps(texts, first) if self._are_stamps else self._numbers(texts)
        found: npt.NDArray[np.float64] = times[codes]
        wrong = np.isnan(found) & there
        if wrong.any() and self._damage is None:
            row = int(wrong.argmax())
            like = "" if names[codes[row]] == first else " like that of the first row"
            what = f"{quote(names[codes[row]], 40)!r} is no time{like}"
            line = line_of(self._head, self._header, self._n_rows + row)
            hint = "the file is damaged here; export it again"
            self._damage = ParseError(what, path=self._head.path, line=line, hint=hint)
        self._n_rows += table.n_rows
        return found

    def _numbers(self, texts: pd.Series) -> npt.NDArray[np.float64]:
        # Where commas do not separate cells, they may be decimal marks.
        if self._header.delimiter != ",":
            texts = texts.str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(texts.where(texts.str.fullmatch(_NUMBER)), errors="coerce")
        return np.asarray(numbers, np.float64)

    def _stamps(self, texts: pd.Series, first: str) -> npt.NDArray[np.float64]:
        parts = texts.str.extract(f"^{_STAMP.pattern}$")
        digits = parts[0] + parts[1] + parts[2]
        stamps = pd.to_datetime(digits, format="%Y%m%d%H%M%S%f", errors="coerce")
        if self._midnight is None:  # there is a first time: it told that these are stamps
            # NaT, and no other row has a time, where there is no such date: `check` says so.
            self._midnight = stamps[texts == first].dt.normalize().iloc[0]
        return np.asarray((stamps - self._midnight) / pd.Timedelta(milliseconds=1), np.float64)

    def check(self) -> None:
        """Refuse the export, when all parts are taken.

        Raises
        ------
        ParseError
            A time of another form than the first one.
        """
        if self._damage is not None:
            raise self._damage
