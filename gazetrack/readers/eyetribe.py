"""EyeTribe logs as PyTribe and PyGaze write them: a row per sample, messages between them.

Source: "PyTribe", E. S. Dalmaijer, https://github.com/esdalmaijer/PyTribe. A position of (0, 0)
means that the gaze was lost. ``raw`` is the position as measured, ``avg`` a smoothed one; ``fix``
says whether the tracker saw a fixation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.runs import RunParts, usual_step
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.text_rows import TextRows
from gazetrack.readers.text.header import Kind, header_of, needed_header
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.text.table import Columns

FORMAT = Format(
    name="eyetribe",
    title="EyeTribe, PyTribe log",
    suffixes=(".tsv", ".txt"),
    provides="samples, fixations and messages",
    units="ms, px; pupil as exported",
    lost="smoothed positions, pupil centres, the tracker's state, the local time",
    source="https://github.com/esdalmaijer/PyTribe",
)
_NEEDED = {"t": "time", "x": "rawx", "y": "rawy"}
_EYES = {
    "left_x": "Lrawx",
    "left_y": "Lrawy",
    "left_pupil": "Lpsize",
    "right_x": "Rrawx",
    "right_y": "Rrawy",
    "right_pupil": "Rpsize",
}
_MARKS = ("timestamp", "time", "fix", "state", "rawx", "rawy")
_RESOLUTION = re.compile(r"display resolution: ([0-9]{1,5})x([0-9]{1,5})")
_SIZE = re.compile(r"display size in cm: ([0-9]{1,4}(?:\.[0-9]+)?)x([0-9]{1,4}(?:\.[0-9]+)?)")
_TIME = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
# Messages come before fixations that begin with them.
_MESSAGE, _FIXATION = 0, 1
_RATE = re.compile(r"samplerate: ([0-9]{1,4}(?:\.[0-9]+)?) Hz")


class _Messages:
    """Takes the message lines out of a file, and leaves blank lines in their place."""

    def __init__(self) -> None:
        self.found = TextRows(("time", "text"))

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines; the messages so far are forgotten."""
        self.found = TextRows(("time", "text"))
        return by_line(self._take)

    def _take(self, line: bytes) -> bytes:
        if not line.startswith(b"MSG\t"):
            return line
        # MSG, the local time, the tracker's time, and the text, which may hold tabs.
        cells = line.decode("utf-8", "replace").split("\t", 3)
        time = cells[2] if len(cells) > 2 else ""
        text = cells[3] if len(cells) > 3 else ""
        self.found.add(time, text)
        return b""


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not set(_MARKS) <= set(header.names):
        return NO
    return Verdict(Level.CERTAIN, f"columns {', '.join(_MARKS)}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a log.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, a damaged row or cell, or a message without a time.
    """
    messages = _Messages()
    log = rewritten(head, messages.start)
    header = needed_header(log)
    names = _NEEDED | {key: name for key, name in _EYES.items() if name in header.names}
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in names.items()
    }
    wanted["fix"] = header.index("fix", head.path), "text"
    table = stored_table(log, header, wanted)
    timed = TimedParts(log, header)
    samples = SampleSink()
    fixations = RunParts()
    events = EventParts()
    n_unflagged = 0
    for part in table.parts():
        rows, t_ms = timed.take(part.number("t"))
        gaze = {key: values[rows] for key, values in _gaze(part).items()}
        columns: dict[str, Any] = {**gaze_columns(gaze), "t_ms": t_ms}
        samples.append(columns)
        t = part.number("t")[rows]
        n_unflagged += _n_unflagged(part, rows)
        runs = fixations.take(_kinds(part)[rows], t, (gaze["x"], gaze["y"]))
        _add_fixations(events, runs)
    timed.check()
    _add_fixations(events, fixations.close())
    notes = ["fixations are runs of the tracker's flag fix"] if events.count else []
    if n_unflagged:
        notes.append(f"{n_unflagged} samples whose flag fix is no True or False: of no fixation")
    _add_messages(head, events, messages.found)
    stated = _stated(messages.found)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples.table({"recording": [head.stem]}),
        event_table=_events(head, events, table, timed.origin_ms),
        screen=_screen(stated),
        rate_hz=_rate(stated),
        eyes="binocular" if "left_x" in names else "combined",
        origin_ms=timed.origin_ms,
        tracker="EyeTribe",
        software="PyTribe",
        rows_in=table.n_rows + messages.found.count,
        dropped=timed.dropped,
        notes=tuple(notes),
    )


def _stated(messages: TextRows) -> dict[re.Pattern[str], re.Match[str]]:
    """Return the first match of each pattern among the messages."""
    found: dict[re.Pattern[str], re.Match[str]] = {}
    for _, texts in messages.parts():
        joined = "\n".join(texts)
        for pattern in (_RATE, _RESOLUTION, _SIZE):
            match = pattern.search(joined)
            if match:
                found.setdefault(pattern, match)
    return found


def _rate(stated: Mapping[re.Pattern[str], re.Match[str]]) -> float | None:
    """Return the sampling rate in Hz that PyTribe states among the messages, None for none or 0."""
    match = stated.get(_RATE)
    rate = float(match[1]) if match else 0.0
    return rate or None


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions and pupils; the tracker writes a lost position as (0, 0)."""
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for prefix in ("", "left_", "right_"):
        x = table.number(f"{prefix}x")
        y = table.number(f"{prefix}y")
        lost = (x == 0) & (y == 0)
        gaze[f"{prefix}x"] = np.where(lost, np.nan, x)
        gaze[f"{prefix}y"] = np.where(lost, np.nan, y)
        if prefix:
            gaze[f"{prefix}pupil"] = np.where(lost, np.nan, table.number(f"{prefix}pupil"))
    return gaze


def _screen(stated: Mapping[re.Pattern[str], re.Match[str]]) -> Screen | None:
    """Return the screen that PyGaze states among the messages; lengths of 0 are not stated."""
    pixels = stated.get(_RESOLUTION)
    centimetres = stated.get(_SIZE)
    if pixels is None:
        return None
    width_mm = 10 * float(centimetres[1]) if centimetres else 0.0
    height_mm = 10 * float(centimetres[2]) if centimetres else 0.0
    try:
        return Screen(
            width_px=int(pixels[1]),
            height_px=int(pixels[2]),
            width_mm=width_mm or None,
            height_mm=height_mm or None,
        )
    except ConfigError:
        return None  # a resolution of 0x0: PyGaze without a display


def _kinds(table: Columns) -> npt.NDArray[np.object_]:
    """Return which samples the tracker calls parts of a fixation, as kinds of events."""
    codes, names = table.texts("fix")
    kinds = ["fixation" if name.lower() == "true" else "" for name in names]
    found: npt.NDArray[np.object_] = np.array(kinds, object)[codes]
    return found


def _n_unflagged(table: Columns, rows: npt.NDArray[np.bool_]) -> int:
    """Return how many of the chosen samples the tracker calls neither of a fixation nor of none."""
    codes, names = table.texts("fix")
    is_odd = np.array([name.lower() not in {"true", "false"} for name in names], np.bool_)
    return int(np.count_nonzero(is_odd[codes[rows]]))


def _add_fixations(events: EventParts, runs: dict[str, npt.NDArray[Any]]) -> None:
    """Add runs of samples to the events, with the time from the first to the last of them."""
    if runs:
        columns = {name: runs[name] for name in ("kind", "index", "onset_ms", "x_px", "y_px")}
        columns["duration_ms"] = runs["span_ms"]
        events.append(runs["onset_ms"], {**columns, "eye": "both"}, rank=_FIXATION)


def _add_messages(head: Head, events: EventParts, messages: TextRows) -> None:
    """Add the messages to the events."""
    n_before = 0
    for times, texts in messages.parts():
        for time, text in zip(times, texts, strict=True):
            if _TIME.fullmatch(time) is None:
                what = f"the message {quote(text, 40)!r} has no time"
                raise ParseError(what, path=head.path, hint="export it again")
        onset = np.array([float(time) for time in times])
        columns: dict[str, Any] = {
            "kind": "message",
            "index": np.arange(n_before + 1, n_before + len(times) + 1),
            "onset_ms": onset,
            "duration_ms": 0.0,
            "text": np.array(texts, object),
        }
        events.append(onset, columns, rank=_MESSAGE)
        n_before += len(times)


def _events(head: Head, events: EventParts, table: StoredTable, origin: float) -> pa.Table:
    """Return messages and fixations in the order of time, counted from the first sample."""
    step = usual_step(lambda: _times(table))

    def mend(columns: dict[str, Any]) -> dict[str, Any]:
        # The last sample of a fixation lasts until the next one.
        longer = np.where(columns["rank"] == _FIXATION, step, 0.0)
        return {
            "onset_ms": columns["onset_ms"] - origin,
            "duration_ms": columns["duration_ms"] + longer,
        }

    return events.table(mend, recording=head.stem)


def _times(table: StoredTable) -> Iterator[npt.NDArray[np.floating]]:
    """Yield the times of the samples, as the log has them."""
    for part in table.parts():
        t = part.number("t")
        yield t[np.isfinite(t)]
