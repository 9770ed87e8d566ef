"""Gaze in ARFF, the attribute-relation format, as sp_tool and the GazeCom data set write it.

Source: "sp_tool", M. Startsev et al., https://github.com/MikhailStartsev/sp_tool: time in µs,
positions in pixels, confidence 0 to 1; the screen stands in comments ``%@METADATA``. A label per
sample, of sp_tool (``EYE_MOVEMENT_TYPE``) or of the experts of GazeCom (``handlabeller_final``: 1
fixation, 2 saccade, 3 pursuit, 4 noise), makes events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.runs import RunParts, usual_step
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.steps import median_of_positive, steps_within
from gazetrack.readers.text.header import Header, Kind, needed_header
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.text.table import Columns

FORMAT = Format(
    name="arff",
    title="ARFF gaze recording (sp_tool, GazeCom)",
    suffixes=(".arff",),
    provides="samples, and labelled eye movements",
    units="µs, converted to ms; px",
    lost="confidence (below 0.5 is missing gaze), labels of single coders, features",
    source="https://github.com/MikhailStartsev/sp_tool",
)
_ATTRIBUTE = re.compile(rb"@attribute\s+(?:'([^']+)'|\"([^\"]+)\"|(\S+))\s+\S", re.IGNORECASE)
_METADATA = re.compile(r"%@METADATA\s+(\w+)\s+([0-9]{1,7}(?:\.[0-9]+)?)\s*", re.IGNORECASE)
_UNKNOWN = re.compile(rb"(^|,)\s*\?\s*(?=,|$)")
_LEAST_CONFIDENCE = 0.5
_LEAST_STEP_US = 100.0  # no tracker samples at more than 10 kHz
_LABELS = ("handlabeller_final", "eye_movement_type")
_CODES = {"1": "FIX", "2": "SACCADE", "3": "SP", "4": "NOISE"}
_KINDS = {
    "FIX": "fixation",
    "SACCADE": "saccade",
    "SP": "unclassified",
    "NOISE": "unclassified",
    "BLINK": "blink",
}


class _Arff:
    """Makes a file with a header line of it: the attributes, in the line of ``@data``."""

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on.

        The file is read twice, for its head and for its table, so each start forgets what was.
        """
        self._names: list[bytes] = []
        self._in_data = False
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        line = line.strip()
        if self._in_data:
            return _row(line)
        match = _ATTRIBUTE.match(line)
        if match:
            self._names.append(match[1] or match[2] or match[3])
        elif line.lower() == b"@data":
            self._in_data = True
            return b",".join(self._names)
        return b""


def _row(line: bytes) -> bytes:
    """Return a row of data; comments have none, and a question mark is a missing value."""
    if line.startswith(b"%"):
        return b""
    return _UNKNOWN.sub(rb"\1", line) if b"?" in line else line


def sniff(head: Head) -> Verdict:
    """Judge the file by its declarations."""
    lines = [line.strip().lower() for line in head.lines]
    if not any(line.startswith("@relation") for line in lines):
        return NO
    matches = [_ATTRIBUTE.match(line.encode()) for line in lines]
    names = {(match[1] or match[2] or match[3]).decode() for match in matches if match}
    if not {"time", "x", "y"} <= names:
        return Verdict(Level.NO, "an ARFF file without the attributes time, x and y")
    return Verdict(Level.CERTAIN, "@RELATION with the attributes time, x and y")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a recording.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing attribute, or a damaged row or cell.
    """
    table_head = rewritten(head, _Arff().start)
    header = needed_header(table_head)
    # Attributes may be spelt in capitals as well as in small letters.
    spelt = {name.lower(): name for name in header.names}
    wanted: dict[str, tuple[int, Kind]] = {}
    for key in ("time", "x", "y", "confidence"):
        if key in spelt or key != "confidence":
            wanted[key] = header.index(spelt.get(key, key), head.path), "float64"
    label = next((name for name in _LABELS if name in spelt), None)
    if label is not None:
        wanted["label"] = header.index(spelt[label], head.path), "text"
    table = stored_table(table_head, header, wanted)
    notes = ["time taken as µs, as this format defines it"]
    rows = _Rows(TimedParts(table_head, header))
    for part in table.parts():
        rows.take(part)
    rows.timed.check()
    _check_unit(head, header, table)
    if rows.n_unsure:
        notes.append(
            f"{rows.n_unsure} samples with a confidence below {_LEAST_CONFIDENCE}: taken as missing"
        )
    samples = rows.samples.table({"recording": [head.stem]})
    if label is not None:
        notes.append(f"events are runs of one label in {label}")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=rows.events(head.stem, samples),
        screen=_screen(head),
        origin_ms=rows.timed.origin_ms,
        rows_in=table.n_rows,
        dropped=rows.timed.dropped,
        notes=tuple(notes),
    )


def _steps_us(table: StoredTable) -> Iterator[npt.NDArray[np.floating]]:
    """Yield the steps between the times of the samples in µs, part by part."""
    times = (part.number("time") / 1000 for part in table.parts())
    for steps in steps_within(t[np.isfinite(t)] for t in times):
        yield 1000 * steps


def _check_unit(head: Head, header: Header, table: StoredTable) -> None:
    """Refuse times too close together to be µs: some tools write ms."""
    usual = median_of_positive(lambda: _steps_us(table))
    if usual < _LEAST_STEP_US:
        what = f"times {usual:.3g} apart cannot be µs: no tracker samples at more than 10 kHz"
        hint = "multiply the attribute time by 1000 if it is in ms"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)


class _Rows:
    """What the parts of a recording add up to."""

    def __init__(self, timed: TimedParts) -> None:
        self.timed = timed
        self.samples = SampleSink()
        self.n_unsure = 0
        self._runs = RunParts()
        self._events = EventParts()
        self._labels: dict[str, int] = {}
        self._last_label = -1  # of the last sample so far

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        rows, t_ms = self.timed.take(table.number("time") / 1000)
        confidence = table.number("confidence", 1.0)
        lost = ~(confidence >= _LEAST_CONFIDENCE)
        # Without those of confidence 0: no gaze at all.
        self.n_unsure += int(np.count_nonzero(lost & (confidence > 0)))
        x = np.where(lost, np.nan, table.number("x"))[rows]
        y = np.where(lost, np.nan, table.number("y"))[rows]
        self.samples.append({"t_ms": t_ms, "x_px": x, "y_px": y})
        if "label" not in table.found or not t_ms.size:
            return
        codes, names = table.texts("label")
        own = [self._labels.setdefault(_label(name), len(self._labels)) for name in names]
        labels = np.array(own, np.int32)[codes[rows]]
        kinds = np.array([_KINDS.get(label, "") for label in self._labels], object)[labels]
        # Pursuit and noise are of one kind, but not one run.
        begins = np.r_[True, labels[1:] != labels[:-1]]
        begins[0] = bool(self._last_label != labels[0])
        self._last_label = int(labels[-1])
        self._add(self._runs.take(kinds, t_ms, (x, y), begins, {"label": labels}))

    def _add(self, runs: dict[str, npt.NDArray[Any]]) -> None:
        """Add the runs of one label to the events; pursuit and noise have no kind of their own."""
        if runs:
            names = ("kind", "index", "onset_ms", "x_px", "y_px", "end_x_px", "end_y_px")
            columns: dict[str, Any] = {name: runs[name] for name in names}
            columns["duration_ms"] = runs["span_ms"]
            columns["text"] = np.array(list(self._labels), object)[runs["first_label"]]
            self._events.append(runs["first"], {**columns, "eye": "both"})

    def events(self, name: str, samples: pa.Table) -> pa.Table:
        """Return all events of the recording of a name, whose samples are given."""
        self._add(self._runs.close())
        step = usual_step(lambda: (chunk.to_numpy() for chunk in samples["t_ms"].chunks))
        return self._events.table(
            lambda columns: {"duration_ms": columns["duration_ms"] + step}, recording=name
        )


def _label(text: str) -> str:
    """Return the label of a cell: a number of the experts stands for one of sp_tool's words."""
    plain = text.strip("'\"").upper()
    return _CODES.get(plain.removesuffix(".0"), plain)


def _screen(head: Head) -> Screen | None:
    """Return the screen that the comments ``%@METADATA`` state; lengths of 0 are not known."""
    facts: dict[str, float] = {}
    for line in head.lines:
        match = _METADATA.fullmatch(line.strip())
        if match:
            facts[match[1].lower()] = float(match[2])
    if not {"width_px", "height_px"} <= set(facts):
        return None
    try:
        return Screen(
            width_px=int(facts["width_px"]),
            height_px=int(facts["height_px"]),
            width_mm=facts.get("width_mm") or None,
            height_mm=facts.get("height_mm") or None,
            distance_mm=facts.get("distance_mm") or None,
        )
    except ConfigError:
        return None
