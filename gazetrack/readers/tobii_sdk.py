"""Tobii Research SDK (Tobii Pro SDK) gaze data saved as a table by user code: the SDK's own names as columns.

Specification: "Tobii Pro SDK", class GazeData: positions on the display area as fractions, origin top left; time stamps
in µs; validity 0 or 1; pupil in mm. Points stand as text, ``(0.1, 0.5)``, or as one column per axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.readers._gaze import gaze_columns
from gazetrack.readers._tables import Columns, Header, Kind, header_of, needed_header, read_columns
from gazetrack.readers._utf8 import by_line, rewritten
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

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
_PAIR = r"^\s*[(\[]\s*([^,\s]+)\s*,\s*([^,\s)\]]+)\s*[)\]]\s*$"


class _Padding:
    """Completes rows that are cut off, as the last one is when the writing program ended early."""

    def __init__(self, header: Header) -> None:
        self._delimiter = header.delimiter.encode()
        self._n = len(header.names) - 1

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self.count = 0
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        missing = self._n - line.count(self._delimiter)
        self.count += missing > 0
        return line + missing * self._delimiter


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
    table = read_columns(rewritten(head, padding.start), header, _wanted(head, header))
    time = table.number("t") / 1000
    timed = np.isfinite(time)
    origin = float(time[timed][0]) if timed.any() else 0.0
    columns = gaze_columns({key: values[timed] for key, values in _gaze(table).items()})
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
        notes=(f"{padding.count} rows cut off: the cells that are not there are missing",) if padding.count else (),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen")


def _time(header: Header) -> str:
    return next((name for name in _TIMES if name in header.names), _TIMES[0])


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(_time(header), head.path), "float64")}
    for eye in ("left", "right"):
        point = _POINT.format(eye)
        if point in header.names:
            wanted[f"{eye}_point"] = header.index(point, head.path), "text"
        else:
            for axis, endings in _AXES.items():
                name = next((point + ending for ending in endings if point + ending in header.names), point)
                wanted[f"{eye}_{axis}"] = header.index(name, head.path), "float64"
        for key, name in (("valid", f"{eye}_gaze_point_validity"), ("pupil", f"{eye}_pupil_diameter")):
            if name in header.names:
                wanted[f"{eye}_{key}"] = header.index(name, head.path), "float64"
    return wanted


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for eye in ("left", "right"):
        x, y = _point(table, eye)
        lost = table.number(f"{eye}_valid", 1.0) != 1
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x * _NOMINAL.width_px)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y * _NOMINAL.height_px)
        gaze[f"{eye}_pupil"] = table.number(f"{eye}_pupil")
    return gaze


def _point(table: Columns, eye: str) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    if f"{eye}_point" not in table.found:
        return table.number(f"{eye}_x"), table.number(f"{eye}_y")
    parts = pd.Series(table.text(f"{eye}_point")).str.extract(_PAIR)
    x, y = (pd.to_numeric(parts[i], errors="coerce").to_numpy(np.float64) for i in (0, 1))
    return x, y
