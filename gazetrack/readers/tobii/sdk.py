"""Tobii Research SDK (Tobii Pro SDK) gaze data saved as a table by user code: the SDK's own names as columns.

Specification: "Tobii Pro SDK", class GazeData: positions on the display area as fractions, origin
top left; time stamps in µs; validity 0 or 1; pupil in mm. Points stand as text, ``(0.1, 0.5)``, or
as one column per axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording, Screen
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

FORMAT = Format(
    name="tobii_sdk",
    title="Tobii Pro SDK gaze data as a table",
    suffixes=(".csv", ".tsv"),
    provides="samples",
    units="µs, converted to ms; fractions of the screen, to px of the screen given or 1920x1080; pupil in mm",
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
_COARSE = 1000  # µs


class _Padding:
    """Completes rows that are cut off, as the last one is when the writing program ended early.

    Their last cell goes: half a number is another number.
    """

    def __init__(self, header: Header) -> None:
        self._delimiter = header.delimiter.encode()
        self._n = len(header.names) - 1

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self.count = 0
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        missing = self._n - line.count(self._delimiter)
        if missing <= 0 or not line:
            return line
        self.count += 1
        whole, _, _ = line.rpartition(self._delimiter)
        return whole + (missing + (self._delimiter in line)) * self._delimiter


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not set(_TIMES) & set(header.names):
        return NO
    points = [name for name in header.names if name.startswith(_POINT.format("left"))]
    return Verdict(Level.CERTAIN, f"columns {_time(header)} and {points[0]}") if points else NO


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
    table = read_columns(table_head, header, _wanted(head, header))
    notes = (
        [f"{padding.count} rows cut off: the cells that are not there are missing"]
        if padding.count
        else []
    )
    time = _times(table, notes) / 1000
    timed = np.isfinite(time)
    check_clock(table_head, header, time[timed], timed)
    origin = float(time[timed][0]) if timed.any() else 0.0
    columns = gaze_columns(
        {key: values[timed] for key, values in _gaze(head, header, table).items()}
    )
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, "t_ms": time[timed] - origin, **columns}, SAMPLES),
        events=conform({}, EVENTS),
        eyes="binocular",
        origin_ms=origin,
        tracker="Tobii",
        software="Tobii Pro SDK",
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen")


def _time(header: Header) -> str:
    return next((name for name in _TIMES if name in header.names), _TIMES[0])


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(_time(header), head.path), "float64")}
    if set(_TIMES) <= set(header.names):
        wanted["device"] = header.index(_TIMES[1], head.path), "float64"
    for eye in ("left", "right"):
        point = _POINT.format(eye)
        if point in header.names:
            wanted[f"{eye}_point"] = header.index(point, head.path), "text"
        else:
            for axis, endings in _AXES.items():
                name = next(
                    (point + ending for ending in endings if point + ending in header.names), point
                )
                wanted[f"{eye}_{axis}"] = header.index(name, head.path), "float64"
        for key, name in (
            ("valid", f"{eye}_gaze_point_validity"),
            ("pupil", f"{eye}_pupil_diameter"),
        ):
            if name in header.names:
                wanted[f"{eye}_{key}"] = header.index(name, head.path), "float64"
    return wanted


def _times(table: Columns, notes: list[str]) -> npt.NDArray[np.floating]:
    """Return the times of the system's clock in µs, by the steps of the tracker's where they were rounded in writing.

    Python writes 1564666170330123.0 as 1.56466617033e+15 in twelve digits, which is 10 ms.
    """
    system, device = table.number("t"), table.number("device")
    both = np.isfinite(system) & np.isfinite(device)
    if both.sum() < 2 or (system[both] % _COARSE).any() or not (device[both] % _COARSE).any():
        return system
    spans = np.ptp(system[both]), np.ptp(device[both])
    if not 0.5 * spans[0] < spans[1] < 2 * spans[0]:  # in another unit
        return system
    notes.append(
        "system_time_stamp is rounded to whole ms or more: times go by the steps of device_time_stamp"
    )
    first = int(both.argmax())
    by_device = system[first] + (device - device[first])
    # A row cut off before the device's time keeps the rounded one, but not before the row above.
    least = pd.Series(by_device).ffill().to_numpy(np.float64)
    times: npt.NDArray[np.floating] = np.where(
        np.isfinite(device), by_device, np.fmax(system, least)
    )
    return times


def _gaze(head: Head, header: Header, table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for eye in ("left", "right"):
        x, y = _point(head, header, table, eye)
        lost = table.number(f"{eye}_valid", 1.0) != 1
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x * _NOMINAL.width_px)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y * _NOMINAL.height_px)
        gaze[f"{eye}_pupil"] = table.number(f"{eye}_pupil")
    return gaze


def _point(
    head: Head, header: Header, table: Columns, eye: str
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    if f"{eye}_point" not in table.found:
        return table.number(f"{eye}_x"), table.number(f"{eye}_y")
    texts = pd.Series(table.text(f"{eye}_point"))
    parts = texts.str.extract(_PAIR)
    damaged = (parts[0].isna() & ~texts.str.lower().isin(_MISSING)).to_numpy()
    if damaged.any():
        row = int(damaged.argmax())
        what = f"{quote(texts[row], 40)!r} is no pair of numbers"
        column = header.index(_POINT.format(eye), head.path) + 1
        hint = "correct the cell, or empty it if the value is missing"
        raise ParseError(
            what, path=head.path, line=header.lines + row + 1, column=column, hint=hint
        )
    x, y = (pd.to_numeric(parts[i], errors="coerce").to_numpy(np.float64) for i in (0, 1))
    return x, y
