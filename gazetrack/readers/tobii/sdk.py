"""Tobii Pro SDK gaze data saved as a table by user code, with the SDK's own names as columns.

Specification: "Tobii Pro SDK", class GazeData, https://developer.tobiipro.com: positions on the
display area as fractions, origin top left; time stamps in µs; validity 0 or 1; pupil in mm. Points
stand as text, ``(0.1, 0.5)``, or as one column per axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.readers.text.table import Columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from gazetrack.readers.text.parts import Texts

FORMAT = Format(
    name="tobii_sdk",
    title="Tobii Pro SDK gaze data as a table",
    suffixes=(".csv", ".tsv"),
    provides="samples",
    units="µs, converted to ms; fractions of the screen, to px of the screen given or 1920x1080; "
    "pupil in mm",
    lost="positions of the eyes, gaze in user coordinates, the other of the two clocks",
    source="https://developer.tobiipro.com, GazeData",
)
_NOMINAL = Screen(1920, 1080)
_POINT = "{}_gaze_point_on_display_area"
_AXES = {"x": ("_x", "_0"), "y": ("_y", "_1")}
_TIMES = ("system_time_stamp", "device_time_stamp")
_VALUE = r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|nan|None)"
_PAIR = rf"^\s*[(\[]\s*{_VALUE}\s*,\s*{_VALUE}\s*[)\]]\s*$"
_MISSING = ("", "nan", "na", "n/a", "none")
_COARSE_US = 1000


class _Padding:
    """Completes rows that are cut off, as the last one is when the writing program ended early.

    Their last cell goes: half a number is another number.
    """

    def __init__(self, header: Header) -> None:
        self._delimiter = header.delimiter.encode()
        self._n = len(header.names) - 1

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on.

        The file is read twice, for its head and for its table, so each start counts anew.
        """
        self.count = 0
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        missing = self._n - line.count(self._delimiter)
        if missing <= 0 or not line:
            return line
        self.count += 1
        whole, separator, _ = line.rpartition(self._delimiter)
        # The delimiter in front of the last cell went with it.
        lost = missing + 1 if separator else missing
        return whole + lost * self._delimiter


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not set(_TIMES) & set(header.names):
        return NO
    points = [name for name in header.names if name.startswith(_POINT.format("left"))]
    if not points:
        return NO
    return Verdict(Level.CERTAIN, f"columns {_time(header)} and {points[0]}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a table.

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
    padding = _Padding(header)
    table_head = rewritten(head, padding.start)
    points = _Points(head, header)
    table = stored_table(table_head, header, _wanted(head, header), points.in_numbers)
    notes: list[str] = []
    if padding.count:
        notes.append(f"{padding.count} rows cut off: the cells that are not there are missing")
    timed = TimedParts(table_head, header)
    samples = SampleSink()
    for part, time in _times(table, notes):
        rows, t_ms = timed.take(time / 1000)
        gaze = {key: values[rows] for key, values in _gaze(part).items()}
        columns: dict[str, Any] = {**gaze_columns(gaze), "t_ms": t_ms}
        samples.append(columns)
    timed.check()
    points.check()
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples.table({"recording": [head.stem]}),
        event_table=conform({}, EVENTS),
        eyes="binocular",
        origin_ms=timed.origin_ms,
        tracker="Tobii",
        software="Tobii Pro SDK",
        rows_in=table.n_rows,
        dropped=timed.dropped,
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen")


def _time(header: Header) -> str:
    """Return the column of times: that of the system's clock where both clocks are there."""
    return next((name for name in _TIMES if name in header.names), _TIMES[0])


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    numbers = {"t": _time(header)}
    if set(_TIMES) <= set(header.names):
        numbers["device"] = _TIMES[1]
    texts: dict[str, str] = {}
    for eye in EYES:
        point = _POINT.format(eye)
        if point in header.names:
            texts[f"{eye}_point"] = point
        else:
            for axis, endings in _AXES.items():
                names = (point + ending for ending in endings if point + ending in header.names)
                # Without a column for the axis, the error names the one that should be there.
                numbers[f"{eye}_{axis}"] = next(names, point)
        optional = {
            f"{eye}_valid": f"{eye}_gaze_point_validity",
            f"{eye}_pupil": f"{eye}_pupil_diameter",
        }
        numbers |= {key: name for key, name in optional.items() if name in header.names}

    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in numbers.items()
    }
    wanted |= {key: (header.index(name, head.path), "own_text") for key, name in texts.items()}
    return wanted


def _times(
    table: StoredTable, notes: list[str]
) -> Iterator[tuple[Columns, npt.NDArray[np.floating]]]:
    """Yield the parts of the table, with the times of their rows by the system's clock in µs.

    Where they were rounded in writing, they go by the steps of the tracker's clock: Python 2 writes
    1564666170330123.0 as 1.56466617033e+15 in twelve digits, which is 10 ms.
    """
    firsts = _clocks_to_join(table)
    if firsts is None:
        for part in table.parts():
            yield part, part.number("t")
        return
    notes.append(
        "system_time_stamp is rounded to whole ms or more: "
        "times go by the steps of device_time_stamp"
    )
    first_system, first_device = firsts
    last = np.nan  # by the device, in the parts before
    for part in table.parts():
        device = part.number("device")
        by_device = first_system + (device - first_device)
        # A row cut off before the device's time keeps the rounded one, but not before the row
        # above.
        least = pd.Series(np.r_[last, by_device]).ffill().to_numpy(np.float64)
        last = least[-1]
        rounded = np.fmax(part.number("t"), least[1:])
        yield part, np.where(np.isfinite(device), by_device, rounded)


def _clocks_to_join(table: StoredTable) -> tuple[float, float] | None:
    """Return the first times of system and device, µs, where the system's alone is rounded."""
    first: tuple[float, float] | None = None
    n_both = 0
    system_is_rounded = True
    device_is_fine = False
    low = np.full(2, np.inf)
    high = np.full(2, -np.inf)
    for part in table.parts():
        clocks = np.stack([part.number("t"), part.number("device")])
        clocks = clocks[:, np.isfinite(clocks).all(axis=0)]
        if not clocks.size:
            continue
        if first is None:
            first = (float(clocks[0, 0]), float(clocks[1, 0]))
        n_both += clocks.shape[1]
        system_is_rounded &= not (clocks[0] % _COARSE_US).any()
        device_is_fine |= bool((clocks[1] % _COARSE_US).any())
        low = np.minimum(low, clocks.min(axis=1))
        high = np.maximum(high, clocks.max(axis=1))
    if n_both < 2 or not system_is_rounded or not device_is_fine:
        return None
    # The two must last equally long; else one of them is in another unit.
    system_span, device_span = high - low
    return first if 0.5 * system_span < device_span < 2 * system_span else None


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions in pixels of the nominal screen, none of an invalid eye, and pupils."""
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for eye in EYES:
        x = table.number(f"{eye}_x")
        y = table.number(f"{eye}_y")
        lost = table.number(f"{eye}_valid", 1.0) != 1
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x * _NOMINAL.width_px)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y * _NOMINAL.height_px)
        gaze[f"{eye}_pupil"] = table.number(f"{eye}_pupil")
    return gaze


class _Points:
    """Makes numbers of points that stand as texts, in the parts of a table."""

    def __init__(self, head: Head, header: Header) -> None:
        self._head = head
        self._header = header
        self._n_rows = 0
        self._damage: dict[str, ParseError] = {}  # by the eye, the first of each

    def in_numbers(self, table: Columns) -> Columns:
        """Return a part with x and y of each eye as fractions of the screen in two columns."""
        found = dict(table.found)
        for eye in EYES:
            if f"{eye}_point" in found:
                texts = found.pop(f"{eye}_point")
                found[f"{eye}_x"], found[f"{eye}_y"] = self._numbers(eye, texts)
        self._n_rows += table.n_rows
        return Columns(table.n_rows, found)

    def _numbers(
        self, eye: str, texts: Texts
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        names = pd.Series(texts.names, dtype=object)
        parts = names.str.extract(_PAIR)
        is_missing = names.str.lower().isin(_MISSING)
        damaged = (parts[0].isna() & ~is_missing).to_numpy()[texts.codes]
        if damaged.any() and eye not in self._damage:
            row = int(damaged.argmax())
            what = f"{quote(names[texts.codes[row]], 40)!r} is no pair of numbers"
            self._damage[eye] = ParseError(
                what,
                path=self._head.path,
                line=self._header.lines + self._n_rows + row + 1,
                column=self._header.index(_POINT.format(eye), self._head.path) + 1,
                hint="correct the cell, or empty it if the value is missing",
            )
        x = pd.to_numeric(parts[0], errors="coerce").to_numpy(np.float64)
        y = pd.to_numeric(parts[1], errors="coerce").to_numpy(np.float64)
        return x[texts.codes], y[texts.codes]

    def check(self) -> None:
        """Refuse the table, when all parts are taken.

        Raises
        ------
        ParseError
            A text that is neither a pair of numbers nor a word for a missing one.
        """
        for eye in EYES:
            if eye in self._damage:
                raise self._damage[eye]
