"""Arrington Research ViewPoint text: lines whose first cell is a code for what they hold.

Specification: "ViewPoint EyeTracker Software User Guide", Arrington Research, chapter "Data Files":
10 a sample, 5 and 6 the samples' columns, 3 information, 2 a string, 12 a marker, 16 an
asynchronous string. Positions are fractions of the screen and may lie beside it; the screen's size
is in the file in mm alone. ViewPoint's fixations are a timer per eye, in s, that grows with each
sample of a fixation and falls back at a saccade.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import timed_rows
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.runs import movements
from gazetrack.readers.text.header import Header, Kind, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.floating]

FORMAT = Format(
    name="viewpoint",
    title="Arrington ViewPoint",
    suffixes=(".txt", ".wks"),
    provides="samples, fixations and messages",
    units="s, converted to ms; fractions of the screen, to px of the screen given or 1280 wide",
    lost="regions, pupil heights, quality of lost samples, torsion",
    source="ViewPoint EyeTracker Software User Guide, Data Files",
)
_NOMINAL = Screen(1280, 1024)
# The codes of the columns (line 6), by our names; eye B is there in binocular recordings.
_CODES = {"t": "ATT", "x": "ALX", "y": "ALY", "pupil": "APW", "quality": "AQU", "timer": "AFX"}
_CODES_B = {"b_x": "BLX", "b_y": "BLY", "b_pupil": "BPW", "b_quality": "BQU", "b_timer": "BFX"}
_TEXTS = {"marker": "MRK", "string": "STR"}
_WORST_QUALITY = 3.0  # of 0 best to 5 worst; from 4 on no pupil was found
_MESSAGES = (b"2", b"12", b"16")
_NO_DATA = (b"", b"3", b"5", b"6", b"7")  # information, names, and rates that are often 0
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_SIZE = re.compile(r"3\s+ScreenSize\s+([0-9.]{1,9})\s+([0-9.]{1,9})\s*")
_DISTANCE = re.compile(r"3\s+ViewingDistance\s+([0-9.]{1,9})\s*")


class _Log:
    """Leaves the line of column codes and the samples, keeps the messages, and counts the rest."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self.messages: list[tuple[str, str]] = []
        self.layouts: list[bytes] = []
        self.others = 0
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        code, _, rest = line.partition(b"\t")
        code = code.strip()
        if code == b"10":
            return rest
        if code == b"6":
            self.layouts.append(rest.strip())
            return rest if len(self.layouts) == 1 else b""
        if code in _MESSAGES:
            time, _, text = rest.decode("utf-8", "replace").partition("\t")
            self.messages.append((time.strip(), text.strip()))
        elif code not in _NO_DATA:
            self.others += 1
        return b""


def sniff(head: Head) -> Verdict:
    """Judge the file by its codes."""
    codes = [line.split("\t", 1)[0].strip() for line in head.lines]
    named = next((line for line, code in zip(head.lines, codes, strict=True) if code == "6"), "")
    if {"ATT", "ALX", "ALY"} <= set(named.split("\t")) and "3" in codes:
        return Verdict(Level.CERTAIN, "lines of ViewPoint codes: 3, 6 with ATT, ALX, ALY")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a log.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        No line of column codes, a damaged row or cell, or a message without a time.
    """
    log = _Log()
    table_head = rewritten(head, log.start)
    header, table = _table(table_head, log)
    time = table.number("t") * 1e3
    timed = timed_rows(table_head, header, time)
    screen, notes = _screen(head), list[str]()
    binocular = "b_x" in table.found
    if binocular:
        notes.append("eye A taken for the right eye, eye B for the left")
    elif "pupil" in table.found:
        notes.append("which eye it was is not in the file: its pupil stands as the right one's")
    eyes = {"right": "", "left": "b_"} if binocular else {"both": ""}
    gaze = {
        eye: [values[timed.rows] for values in _eye(table, prefix, screen)]
        for eye, prefix in eyes.items()
    }
    events = [_messages(head, log.messages, table, time)]
    timers = {eye: table.number(f"{prefix}timer")[timed.rows] for eye, prefix in eyes.items()}
    events += [_fixations(eye, timers[eye], time[timed.rows], *gaze[eye][:2]) for eye in eyes]
    if any(len(part) for part in events[1:]):
        notes.append("fixations are the times over which ViewPoint's own fixation timer grows")
    others = {"lines of other codes": log.others} if log.others else {}
    columns = {"recording": head.stem, "t_ms": timed.t_ms, **gaze_columns(_named(gaze))}
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_joined(head.stem, events, timed.origin_ms),
        eyes="binocular" if binocular else "combined",
        origin_ms=timed.origin_ms,
        tracker="ViewPoint",
        rows_in=table.n_rows + len(log.messages) + log.others,
        dropped=others | timed.dropped,
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(screen, "screen")


def _table(head: Head, log: _Log) -> tuple[Header, Columns]:
    if not log.layouts:
        hint = "save the data again with the column headers"
        raise ParseError("no line of column codes (6)", path=head.path, hint=hint)
    header = needed_header(head)
    numbers = {
        key: code
        for key, code in (_CODES | _CODES_B).items()
        if code in header.names or key in ("t", "x", "y")
    }
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(code, head.path), "float64") for key, code in numbers.items()
    }
    wanted |= {
        key: (header.index(code, head.path), "text")
        for key, code in _TEXTS.items()
        if code in header.names
    }
    table = read_columns(head, header, wanted)
    if len(set(log.layouts)) > 1:
        hint = "cut the file where the columns change into two"
        raise ParseError(
            "the columns change within the file (lines of code 6)", path=head.path, hint=hint
        )
    return header, table


def _screen(head: Head) -> Screen:
    """Return a screen of a usual width, with the stated lengths and their proportions where they are usable."""
    size = next((match for match in map(_SIZE.fullmatch, head.lines) if match), None)
    far = next((match for match in map(_DISTANCE.fullmatch, head.lines) if match), None)
    try:
        width, height = float(size[1]), float(size[2])  # type: ignore[index]
        screen = Screen(_NOMINAL.width_px, round(_NOMINAL.width_px * height / width), width, height)
        return replace(screen, distance_mm=float(far[1])) if far and float(far[1]) else screen
    except (TypeError, ValueError, ZeroDivisionError, ConfigError):
        return _NOMINAL


def _named(gaze: Mapping[str, list[Floats]]) -> dict[str, Floats]:
    """Return positions and pupils by column; of one eye the position is the combined one."""
    if "both" in gaze:
        x, y, pupil = gaze["both"]
        return {"x": x, "y": y, "right_pupil": pupil}
    return {
        f"{eye}_{name}": v
        for eye in gaze
        for name, v in zip(("x", "y", "pupil"), gaze[eye], strict=True)
    }


def _eye(table: Columns, prefix: str, screen: Screen) -> list[Floats]:
    lost = table.number(f"{prefix}quality", 0.0) > _WORST_QUALITY
    scales = {"x": screen.width_px, "y": screen.height_px, "pupil": 1.0}
    return [
        np.where(lost, np.nan, table.number(prefix + name) * scale)
        for name, scale in scales.items()
    ]


def _fixations(eye: str, timer: Floats, t: Floats, x: Floats, y: Floats) -> pd.DataFrame:
    """Return the stretches over which the timer grows: it states each one's length, even of one cut by the start."""
    grows = np.r_[False, np.diff(timer) > np.diff(t) / 2000][: timer.size]
    # The sample from which it grows on is the first of the fixation.
    of_one = grows | np.r_[grows[1:], False][: timer.size]
    runs = movements(np.where(of_one, "fixation", "").astype(object), t, x, y, begins=~grows)
    last = runs["last"].astype(np.intp)
    long = timer[last] * 1e3
    names = ("kind", "index", "x_px", "y_px")
    return pd.DataFrame({name: runs[name] for name in names}).assign(
        eye=eye, duration_ms=long, onset_ms=t[last] - long
    )


def _messages(
    head: Head, messages: list[tuple[str, str]], table: Columns, time: Floats
) -> pd.DataFrame:
    found: list[tuple[float, str]] = []
    for seconds, text in messages:
        if _SECONDS.fullmatch(seconds) is None:
            what = f"the message {quote(text, 40)!r} has no time"
            raise ParseError(what, path=head.path, hint="save it again")
        found.append((float(seconds) * 1e3, text))
    texts = [
        " ".join(filter(None, pair))
        for pair in zip(table.text("marker"), table.text("string"), strict=True)
    ]
    found += [
        (float(t), text) for t, text in zip(time, texts, strict=True) if text and np.isfinite(t)
    ]
    found.sort(key=lambda message: message[0])
    said = pd.DataFrame(
        {"onset_ms": np.array([t for t, _ in found], float), "text": [text for _, text in found]}
    )
    return said.assign(kind="message", duration_ms=0.0, index=np.arange(1, len(said) + 1))


def _joined(name: str, parts: list[pd.DataFrame], origin: float) -> pa.Table:
    parts = [part for part in parts if len(part)]
    if not parts:
        return conform({}, EVENTS)
    events = pd.concat(parts).sort_values("onset_ms", kind="stable")
    events = events.assign(
        onset_ms=events["onset_ms"] - origin, index=events["index"].astype(np.int32)
    )
    return conform(
        {column: events[column].to_numpy() for column in events} | {"recording": name}, EVENTS
    )
