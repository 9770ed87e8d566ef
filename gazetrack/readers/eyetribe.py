"""EyeTribe logs as PyTribe and PyGaze write them: a row per sample, messages between them.

Source: "PyTribe", E. S. Dalmaijer, https://github.com/esdalmaijer/PyTribe. A position of (0, 0)
means that the gaze was lost. ``raw`` is the position as measured, ``avg`` a smoothed one; ``fix``
says whether the tracker saw a fixation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import timed_rows
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.runs import movements
from gazetrack.readers.text.header import Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    import pyarrow as pa

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
_RATE = re.compile(r"samplerate: ([0-9]{1,4}(?:\.[0-9]+)?) Hz")


class _Messages:
    """Takes the message lines out of a file, and leaves blank lines in their place."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines; the messages so far are forgotten."""
        self.found = []
        return by_line(self._take)

    def _take(self, line: bytes) -> bytes:
        if not line.startswith(b"MSG\t"):
            return line
        # MSG, the local time, the tracker's time, and the text, which may hold tabs.
        cells = line.decode("utf-8", "replace").split("\t", 3)
        time = cells[2] if len(cells) > 2 else ""
        text = cells[3] if len(cells) > 3 else ""
        self.found.append((time, text))
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
    table = read_columns(log, header, wanted)
    timed = timed_rows(log, header, table.number("t"))
    notes: list[str] = []
    gaze = {key: values[timed.rows] for key, values in _gaze(table).items()}
    flags = table.text("fix")[timed.rows]
    fixating = np.array([flag.lower() == "true" for flag in flags], bool)
    fixations = _fixations(fixating, table.number("t")[timed.rows], gaze["x"], gaze["y"])
    columns = {"recording": head.stem, "t_ms": timed.t_ms, **gaze_columns(gaze)}
    if fixating.any():
        notes.append("fixations are runs of the tracker's flag fix")
    texts = "\n".join(text for _, text in messages.found)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_events(head, messages.found, fixations, timed.origin_ms),
        screen=_screen(texts),
        rate_hz=_rate(texts),
        eyes="binocular" if "left_x" in names else "combined",
        origin_ms=timed.origin_ms,
        tracker="EyeTribe",
        software="PyTribe",
        rows_in=table.n_rows + len(messages.found),
        dropped=timed.dropped,
        notes=tuple(notes),
    )


def _rate(texts: str) -> float | None:
    """Return the sampling rate in Hz that PyTribe states among the messages, None for none or 0."""
    match = _RATE.search(texts)
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


def _screen(texts: str) -> Screen | None:
    """Return the screen that PyGaze states among the messages; lengths of 0 are not stated."""
    pixels = _RESOLUTION.search(texts)
    centimetres = _SIZE.search(texts)
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


def _fixations(
    fixating: npt.NDArray[np.bool_],
    t: npt.NDArray[np.floating],
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
) -> pd.DataFrame:
    """Return the runs of samples that the tracker calls parts of a fixation."""
    kinds = np.where(fixating, "fixation", "").astype(object)
    runs = movements(kinds, t, x, y)
    return pd.DataFrame(runs).drop(columns=["first", "last"])


def _events(
    head: Head, messages: Sequence[tuple[str, str]], fixations: pd.DataFrame, origin: float
) -> pa.Table:
    """Return messages and fixations in the order of time, counted from the first sample."""
    times = []
    for time, text in messages:
        if _TIME.fullmatch(time) is None:
            what = f"the message {quote(text, 40)!r} has no time"
            raise ParseError(what, path=head.path, hint="export it again")
        times.append(float(time))
    said = pd.DataFrame(
        {
            "onset_ms": np.array(times, np.float64),
            "text": [text for _, text in messages],
            "kind": "message",
            "duration_ms": 0.0,
            "index": np.arange(1, len(times) + 1),
        }
    )
    parts = [part for part in (said, fixations.assign(eye="both")) if len(part)]
    if not parts:
        return conform({}, EVENTS)
    events = pd.concat(parts).sort_values("onset_ms", kind="stable")
    columns: dict[str, object] = {str(name): events[name].to_numpy() for name in events}
    columns["recording"] = head.stem
    columns["onset_ms"] = events["onset_ms"].to_numpy() - origin
    columns["index"] = events["index"].to_numpy(np.int32)
    return conform(columns, EVENTS)
