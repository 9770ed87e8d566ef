"""Gaze in ARFF, the attribute-relation format, as sp_tool and the GazeCom data set write it.

Source: "sp_tool", M. Startsev et al., https://github.com/MikhailStartsev/sp_tool: time in µs,
positions in pixels, confidence 0 to 1; the screen stands in comments ``%@METADATA``. A label per
sample, of sp_tool (``EYE_MOVEMENT_TYPE``) or of the experts of GazeCom (``handlabeller_final``: 1
fixation, 2 saccade, 3 pursuit, 4 noise), makes events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import timed_rows
from gazetrack.readers.shared.runs import movements
from gazetrack.readers.text.header import Header, Kind, needed_header
from gazetrack.readers.text.table import read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

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
    table = read_columns(table_head, header, wanted)
    time = table.number("time") / 1000
    timed = timed_rows(table_head, header, time)
    notes = ["time taken as µs, as this format defines it"]
    _check_unit(head, header, time[timed.rows])
    confidence = table.number("confidence", 1.0)
    lost = ~(confidence >= _LEAST_CONFIDENCE)
    unsure = int((lost & (confidence > 0)).sum())  # without those of confidence 0: no gaze at all
    if unsure:
        notes.append(
            f"{unsure} samples with a confidence below {_LEAST_CONFIDENCE}: taken as missing"
        )
    x = np.where(lost, np.nan, table.number("x"))[timed.rows]
    y = np.where(lost, np.nan, table.number("y"))[timed.rows]
    columns = {"recording": head.stem, "t_ms": timed.t_ms, "x_px": x, "y_px": y}
    if label is not None:
        notes.append(f"events are runs of one label in {label}")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_events(head.stem, table.text("label")[timed.rows], timed.t_ms, x, y),
        screen=_screen(head),
        origin_ms=timed.origin_ms,
        rows_in=table.n_rows,
        dropped=timed.dropped,
        notes=tuple(notes),
    )


def _check_unit(head: Head, header: Header, t: npt.NDArray[np.floating]) -> None:
    """Refuse times too close together to be µs: some tools write ms."""
    steps = 1000 * np.diff(t)
    steps = steps[steps > 0]
    usual = float(np.median(steps)) if steps.size else _LEAST_STEP_US
    if usual < _LEAST_STEP_US:
        what = f"times {usual:.3g} apart cannot be µs: no tracker samples at more than 10 kHz"
        hint = "multiply the attribute time by 1000 if it is in ms"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)


def _events(
    name: str,
    labels: npt.NDArray[np.object_],
    t: npt.NDArray[np.floating],
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
) -> pa.Table:
    """Return the runs of one label; pursuit and noise have no kind of their own."""
    plain = [label.strip("'\"").upper() for label in labels]
    labels = np.array([_CODES.get(label.removesuffix(".0"), label) for label in plain], object)
    kinds = np.array([_KINDS.get(label, "") for label in labels], object)
    # Pursuit and noise are of one kind, but not one run.
    begins = np.r_[True, labels[1:] != labels[:-1]][: t.size]
    runs = movements(kinds, t, x, y, begins)
    rows = runs.pop("first").astype(np.intp)
    del runs["last"]
    if not rows.size:
        return conform({}, EVENTS)
    return conform({**runs, "recording": name, "eye": "both", "text": labels[rows]}, EVENTS)


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
