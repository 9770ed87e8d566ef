"""Gaze of VR headsets: HTC Vive Pro Eye (SRanipal) and Pico Neo logs, with a direction per sample.

Sources: "SRanipal SDK", HTC (right-handed axes: x to the left of the wearer; validity bit 1 is the
direction's); "Eye Tracking", Pico Unity SDK (left-handed axes: x to the right). There is no screen:
directions are projected on a plane 1 m before the eyes, where a pixel is a millimetre, so that
degrees come out right in its middle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import RowClock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import PLANE, PLANE_NOTE, gaze_columns
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="vr_headset",
    title="HTC Vive (SRanipal) and Pico VR headset logs",
    suffixes=(".csv",),
    provides="samples",
    units="100 ns or s, converted to ms; directions, to px on a plane 1 m away (1 px = 1 mm); "
    "pupil in mm",
    lost="head and controller movements, eye openness, gaze origins and distances",
    source="SRanipal SDK, HTC; Pico Unity SDK",
)
_NOTE = f"directions of gaze, {PLANE_NOTE}"
_DIRECTION_IS_VALID = 2  # bit 1 of SRanipal's flags
_TICKS = re.compile(r"[0-9]{1,18}")
_LEAST_FORWARD = 0.1  # about 84 degrees off the axis, where no eye can look


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """The columns of a headset's log.

    Parameters
    ----------
    tracker : str
        The name of the headset.
    time : str
        The column of the times.
    ms : float
        The milliseconds in a unit of the times.
    right : float
        The sign of x for what is to the right of the wearer.
    axes : mapping of str to str
        The columns of the direction without the axis, by eye: ``left``, ``right``, or empty for
        both.
    flags, pupils : mapping of str to str
        The columns of validity flags and of pupils, by eye.
    stimulus : str
        The column with the name of the video, empty where there is none.
    """

    tracker: str
    time: str
    ms: float
    right: float
    axes: Mapping[str, str]
    flags: Mapping[str, str]
    pupils: Mapping[str, str]
    stimulus: str = ""


_DIALECTS = (
    _Dialect(
        tracker="HTC Vive Pro Eye",
        time="time(100ns)",
        ms=1e-4,
        right=-1.0,
        axes={"left": "gaze_direct_L.", "right": "gaze_direct_R."},
        flags={"left": "eye_valid_L", "right": "eye_valid_R"},
        pupils={"left": "pupil_diameter_L(mm)", "right": "pupil_diameter_R(mm)"},
    ),
    _Dialect(
        tracker="Pico",
        time="Timeline",
        ms=1e3,
        right=1.0,
        axes={"": "Combine Eye Gaze Vector. "},
        flags={},
        pupils={},
        stimulus="Video Name",
    ),
)


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    dialect = None if header is None else _dialect(header)
    if dialect is None:
        return NO
    direction = next(iter(dialect.axes.values()))
    what = f"columns {dialect.time} and {direction}x of a {dialect.tracker}"
    return Verdict(Level.CERTAIN, what)


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a log.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    dialect = _dialect(header) or _DIALECTS[0]
    log = _Log(head, header, dialect)
    for part in read_parts(head, header, _wanted(head, header, dialect)):
        log.take(part)
    if not log.n_rows:
        raise no_rows(head, header)
    log.check()
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=log.samples(),
        event_table=conform({}, EVENTS),
        screen=PLANE,
        directions=True,
        eyes="binocular" if "left" in dialect.axes else "combined",
        origin_ms=log.origin_ms,
        tracker=dialect.tracker,
        rows_in=log.n_rows,
        dropped=log.dropped,
        notes=(_NOTE,),
    )


class _Log:
    """What the parts of a log add up to."""

    def __init__(self, head: Head, header: Header, dialect: _Dialect) -> None:
        self.n_rows = 0
        self._head = head
        self._header = header
        self._dialect = dialect
        self._clock = RowClock(head, header)
        self._samples = SampleSink()
        self._stimuli = UsedNames()
        self._first: Any = None  # the first time, in the unit of the log
        self._damage: ParseError | None = None

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        time: npt.NDArray[Any]
        if "ticks" in table.found:
            time, timed = self._ticks(table)
        else:
            time, timed = _seconds(table)
        self.n_rows += table.n_rows
        if self._damage is not None:
            return
        if self._first is None and time.size:
            self._first = time[0]
        # Subtracted before the unit is changed: whole numbers of 100 ns stay whole.
        first = 0 if self._first is None else self._first
        t_ms = (time - first) * self._dialect.ms
        self._clock.take(t_ms, timed)
        gaze = {key: values[timed] for key, values in _gaze(table, self._dialect).items()}
        codes, texts = table.texts("stimulus")
        stimulus = self._stimuli.coded(codes[timed], texts)
        columns: dict[str, Any] = {**gaze_columns(gaze), "stimulus": stimulus, "t_ms": t_ms}
        self._samples.append(columns)

    def _ticks(self, table: Columns) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the times as whole numbers, and which rows have one.

        100 ns since the year 1, as .NET counts, have more digits than a float. The first damaged
        one is kept: what is wrong with the rows themselves comes before it.
        """
        codes, names = table.texts("ticks")
        wrong = np.array([name != "" and _TICKS.fullmatch(name) is None for name in names], bool)
        damaged = wrong[codes]
        if damaged.any() and self._damage is None:
            row = int(damaged.argmax())
            what = f"{quote(names[codes[row]], 30)!r} is no whole number of 100 ns"
            line = line_of(self._head, self._header, self.n_rows + row)
            hint = "the file is damaged here; export it again"
            self._damage = ParseError(what, path=self._head.path, line=line, hint=hint)
        numbers = [
            0 if bad or not name else int(name) for name, bad in zip(names, wrong, strict=True)
        ]
        timed = np.array([name != "" for name in names], bool)[codes]
        return np.array(numbers, np.int64)[codes[timed]], timed

    def check(self) -> None:
        """Refuse the log, when all parts are taken.

        Raises
        ------
        ParseError
            A time that is none, or times that begin again or are in no order.
        """
        if self._damage is not None:
            raise self._damage
        self._clock.check()

    def samples(self) -> pa.Table:
        """Return the rows that have a time."""
        texts = {"recording": [self._head.stem], "stimulus": self._stimuli.used or [""]}
        return self._samples.table(texts)

    @property
    def origin_ms(self) -> float:
        """The time of the first sample, ms; 0 without any."""
        return 0.0 if self._first is None else float(self._first * self._dialect.ms)

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows are no samples, by the reason."""
        return counted({"no time": self.n_rows - self._samples.rows})


def _dialect(header: Header) -> _Dialect | None:
    """Return the headset whose columns of times and directions are there, or None."""
    names = set(header.names)
    for dialect in _DIALECTS:
        needed = {f"{prefix}{axis}" for prefix in dialect.axes.values() for axis in "xyz"}
        needed.add(dialect.time)
        if needed <= names:
            return dialect
    return None


def _wanted(head: Head, header: Header, dialect: _Dialect) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names = {}
    for eye, prefix in dialect.axes.items():
        for axis in "xyz":
            names[f"{eye}_{axis}"] = f"{prefix}{axis}"
    optional = {f"{eye}_flags": name for eye, name in dialect.flags.items()}
    optional |= {f"{eye}_pupil": name for eye, name in dialect.pupils.items()}
    names |= {key: name for key, name in optional.items() if name in header.names}
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in names.items()
    }
    time = header.index(dialect.time, head.path)
    if dialect.ms < 1:
        wanted["ticks"] = time, "own_text"
    else:
        wanted["seconds"] = time, "float64"
    if dialect.stimulus in header.names:
        wanted["stimulus"] = header.index(dialect.stimulus, head.path), "text"
    return wanted


def _seconds(table: Columns) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.bool_]]:
    """Return the times, and which rows have one."""
    seconds = table.number("seconds")
    timed = np.isfinite(seconds)
    return seconds[timed], timed


def _gaze(table: Columns, dialect: _Dialect) -> dict[str, npt.NDArray[np.floating]]:
    """Return where the directions meet the plane 1 m ahead, in its pixels, and pupils in mm."""
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for eye in dialect.axes:
        x = table.number(f"{eye}_x")
        y = table.number(f"{eye}_y")
        z = table.number(f"{eye}_z")
        flags = np.nan_to_num(table.number(f"{eye}_flags", _DIRECTION_IS_VALID)).astype(np.int64)
        valid = (flags & _DIRECTION_IS_VALID) > 0
        depth = np.where(valid & (z > _LEAST_FORWARD), z, np.nan)
        prefix = f"{eye}_" if eye else ""
        gaze[f"{prefix}x"] = PLANE.width_px / 2 + 1000 * dialect.right * x / depth
        gaze[f"{prefix}y"] = PLANE.height_px / 2 - 1000 * y / depth
        if f"{eye}_pupil" in table.found:
            pupil = table.number(f"{eye}_pupil")
            gaze[f"{prefix}pupil"] = np.where(pupil > 0, pupil, np.nan)
    return gaze
