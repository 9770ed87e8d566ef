"""SMI event exports: several small tables in one file.

Source: "iView X System Manual", SensoMotoric Instruments, "IDF Event Detector"; "BeGaze Manual",
"Export". Every row begins with the name of its event, which says the table it belongs to; tables
come one below the other, or all headers first.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.shared.clock import check_lines
from gazetrack.readers.smi.header import message_text, properties_of
from gazetrack.readers.text.utf8 import Utf8Lines
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from gazetrack.readers.base import Head

TABLE = "Table Header for "
_FIRST = "Event Type"
# The first word of a row: the table it belongs to, and our kind.
_TABLES = {
    "Fixation": ("Fixations", "fixation"),
    "Saccade": ("Saccades", "saccade"),
    "Blink": ("Blinks", "blink"),
    "UserEvent": ("User Events", "message"),
    "TriggerLine": ("Trigger Line Events", "input"),
}
_POSITIONS = {"fixation": ("Location X", "Location Y"), "saccade": ("Start Loc.X", "Start Loc.Y")}
_EYES = {"L": "left", "R": "right"}
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}([.,][0-9]{0,18})?|[.,][0-9]{1,18})")
_MISSING = {"", "-"}
_MOST_INDEX = 2**31
_HINT = "the file is damaged here; export it again"


class EventExport(NamedTuple):
    """What an event export says; times in milliseconds from `origin_ms`."""

    events: pa.Table
    origin_ms: float
    eyes: str
    rows_in: int
    dropped: dict[str, int]
    properties: Mapping[str, str]


def read_events(head: Head) -> EventExport:
    """Read an event export line by line.

    Raises
    ------
    ParseError
        No events, a row with too few or too many cells, or a cell that is no number.
    """
    reader = _Reader(head)
    rows: list[dict[str, object]] = []
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for line, text in enumerate(file, 1):
            rows += reader.take(text.decode().strip("\n"), line)
    if not rows:
        hint = "export the events again, with fixations"
        raise ParseError("no events", path=head.path, hint=hint)
    frame = pd.DataFrame(rows)

    # Only fixations of one eye are in the order of time: the tables come one after the other.
    is_fixation = (frame["kind"] == "fixation").to_numpy()
    fixations = frame[is_fixation]
    onsets = fixations["onset_ms"].to_numpy(np.float64)
    lines = np.array(reader.lines)[is_fixation]
    check_lines(head, onsets, lines, fixations["eye"].to_numpy(object))

    origin = float(frame["onset_ms"].min())
    frame["onset_ms"] -= origin
    properties = properties_of(reader.preamble)
    stimulus = properties.get("Stimulus", "")
    frame["stimulus"] = frame["stimulus"].where(frame["stimulus"] != "", stimulus)
    columns: dict[str, object] = {str(name): frame[name].to_numpy() for name in frame}
    columns["recording"] = np.full(len(frame), head.stem, object)
    columns["participant"] = properties.get("Subject", "")
    return EventExport(
        events=conform(columns, EVENTS),
        origin_ms=origin,
        eyes=_eyes_of(set(frame["eye"]) - {""}),
        rows_in=len(rows) + sum(reader.dropped.values()),
        dropped=dict(reader.dropped),
        properties=properties,
    )


def _eyes_of(eyes: set[str]) -> str:
    """Return whose movements an export has, by the eyes that its rows name."""
    if not eyes or "both" in eyes:
        return "combined"
    return "binocular" if len(eyes) > 1 else next(iter(eyes))


class _Reader:
    """Takes the lines in the order of the file."""

    def __init__(self, head: Head) -> None:
        self.path = head.path
        self.preamble: list[str] = []
        self.dropped: Counter[str] = Counter()
        self.lines: list[int] = []  # of the events
        self._names: dict[str, list[str]] = {}
        self._table = ""
        self._delimiter = ""

    def take(self, text: str, line: int) -> Iterator[dict[str, object]]:
        """Yield the row of a line, if it has one."""
        if text.startswith(TABLE):
            self._table = text.removeprefix(TABLE).strip(" \t,;:")
        elif text.startswith(_FIRST):
            # The character behind the first name separates all of them.
            self._delimiter = text[len(_FIRST) : len(_FIRST) + 1] or "\t"
            names = [name.strip() for name in text.split(self._delimiter)]
            self._names[self._table] = self._header(names, line)
        elif not self._names:
            self.preamble.append(text)
        elif text.strip():
            yield from self._row(text, line)

    def _header(self, names: list[str], line: int) -> list[str]:
        """Return the names of a table, none of which may be there twice."""
        for name, count in Counter(names).items():
            if name and count > 1:
                what = f"column {quote(name)!r} is there twice"
                raise ParseError(what, path=self.path, line=line, hint="rename one of the two")
        return names

    def _row(self, text: str, line: int) -> Iterator[dict[str, object]]:
        """Yield the event of a row, such as ``Fixation L``, or count why there is none."""
        what, _, eye = text.split(self._delimiter, 1)[0].strip().partition(" ")
        if what not in _TABLES:
            self.dropped[f"event type {quote(what, 20)}"] += 1
            return
        table, kind = _TABLES[what]
        names = self._names.get(table)
        if names is None:
            reason = f"a {what} and no table header for {table}"
            raise ParseError(reason, path=self.path, line=line, hint=_HINT)
        # The text of a message comes last and may hold the delimiter.
        most_splits = len(names) - 1 if kind == "message" else -1
        cells = text.split(self._delimiter, most_splits)
        if len(cells) != len(names):
            reason = f"a row with {len(cells)} cells, the table header for {table} has {len(names)}"
            raise ParseError(reason, path=self.path, line=line, hint=_HINT)
        row = _Row(dict(zip(names, cells, strict=True)), self, line)
        of_eye = kind in {"fixation", "saccade", "blink"}
        event = row.event(kind, _EYES.get(eye, "both") if of_eye else "")
        if event is None:
            self.dropped[f"{what} without time or duration"] += 1
        else:
            self.lines.append(line)
            yield event

    def number(self, name: str, cell: str, line: int, names: list[str]) -> float:
        """Return a cell as a number, NaN when it is missing."""
        cell = cell.strip()
        if cell in _MISSING:
            return math.nan
        if _NUMBER.fullmatch(cell) is None:
            what = f"{quote(cell, 30)!r} in column {quote(name, 40)!r} is not a number"
            hint = "correct the cell, or empty it if the value is missing"
            column = names.index(name) + 1
            raise ParseError(what, path=self.path, line=line, column=column, hint=hint)
        return float(cell.replace(",", "."))


class _Row(NamedTuple):
    """One row by column name."""

    cells: Mapping[str, str]
    reader: _Reader
    line: int

    def event(self, kind: str, eye: str) -> dict[str, object] | None:
        """Return the row as an event in milliseconds, or None without onset or duration."""
        onset = self._number("Start")
        duration = self._number("Duration")
        if kind == "message":
            duration = 0.0
        elif math.isnan(duration):
            duration = self._number("End") - onset
        if math.isnan(onset) or not duration >= 0:
            return None
        x_column, y_column = _POSITIONS.get(kind, ("", ""))
        x, y = self._position(x_column, y_column)
        end_x, end_y = self._position("End Loc.X", "End Loc.Y")
        number = self._number("Number")
        stimulus = self.cells.get("Stimulus", self.cells.get("Image", "")).strip()
        said = self.cells.get("Description", self.cells.get("Port Status", ""))
        return {
            "kind": kind,
            "eye": eye,
            "trial": self.cells.get("Trial", "").strip(),
            "stimulus": "" if stimulus in _MISSING else stimulus,
            "index": int(number) if abs(number) < _MOST_INDEX else 0,
            "onset_ms": onset / 1000,
            "duration_ms": duration / 1000,
            "x_px": x,
            "y_px": y,
            "end_x_px": end_x,
            "end_y_px": end_y,
            "amplitude_deg": self._number("Amplitude"),
            "peak_velocity_deg_s": self._number("Peak Speed"),
            "pupil": self._number("Avg. Pupil Size X"),
            "text": message_text(said),
        }

    def _position(self, x: str, y: str) -> tuple[float, float]:
        """Return a position by its columns; SMI writes a lost one as (0, 0)."""
        position = (self._number(x), self._number(y))
        return (math.nan, math.nan) if position == (0, 0) else position

    def _number(self, name: str) -> float:
        """Return the number in a column, NaN where the table does not have it."""
        cell = self.cells.get(name, "")
        return self.reader.number(name, cell, self.line, list(self.cells))
