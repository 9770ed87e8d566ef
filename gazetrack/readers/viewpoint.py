"""Arrington Research ViewPoint text: lines whose first cell is a code for what they hold.

Specification: "ViewPoint EyeTracker Software User Guide", Arrington Research, chapter "Data Files":
10 a sample, 5 and 6 the samples' columns, 3 information, 2 a string, 12 a marker, 16 an
asynchronous string. Positions are fractions of the screen and may lie beside it; the screen's size
is in the file in mm alone. ViewPoint's fixations are a timer per eye, in s, that grows with each
sample of a fixation and falls back at a saccade.
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
from gazetrack.readers.text.header import Header, Kind, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Makes a table of a log: the line of column codes, and the samples.

    It keeps the messages beside the table, and counts all other lines.
    """

    def __init__(self) -> None:
        self.start()

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on.

        The file is read twice, for its head and for its table, so each start forgets what was.
        """
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
    names: set[str] = set()
    informs = False
    for line in head.lines:
        code, *cells = line.split("\t")
        if code.strip() == "3":
            informs = True
        elif code.strip() == "6" and not names:
            names = set(cells)
    if informs and {"ATT", "ALX", "ALY"} <= names:
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
    t = time[timed.rows]
    screen = _screen(head)
    notes: list[str] = []
    binocular = "b_x" in table.found
    if binocular:
        notes.append("eye A taken for the right eye, eye B for the left")
    elif "pupil" in table.found:
        notes.append("which eye it was is not in the file: its pupil stands as the right one's")
    eyes = {"right": "", "left": "b_"} if binocular else {"both": ""}
    gaze: dict[str, Floats] = {}
    fixations = []
    for eye, prefix in eyes.items():
        x, y, pupil = (values[timed.rows] for values in _eye(table, prefix, screen))
        if binocular:
            gaze |= {f"{eye}_x": x, f"{eye}_y": y, f"{eye}_pupil": pupil}
        else:
            gaze |= {"x": x, "y": y, "right_pupil": pupil}
        timer = table.number(f"{prefix}timer")[timed.rows]
        fixations.append(_fixations(eye, timer, t, x, y))
    if any(len(found) for found in fixations):
        notes.append("fixations are the times over which ViewPoint's own fixation timer grows")
    events = [_messages(head, log.messages, table, time), *fixations]
    others = {"lines of other codes": log.others} if log.others else {}
    columns = {"recording": head.stem, "t_ms": timed.t_ms, **gaze_columns(gaze)}
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
    """Return the columns of the samples, whose codes must be the same in all of the file."""
    if not log.layouts:
        hint = "save the data again with the column headers"
        raise ParseError("no line of column codes (6)", path=head.path, hint=hint)
    header = needed_header(head)
    wanted: dict[str, tuple[int, Kind]] = {}
    for key, code in (_CODES | _CODES_B).items():
        if code in header.names or key in ("t", "x", "y"):
            wanted[key] = header.index(code, head.path), "float64"
    for key, code in _TEXTS.items():
        if code in header.names:
            wanted[key] = header.index(code, head.path), "text"
    table = read_columns(head, header, wanted)
    if len(set(log.layouts)) > 1:
        what = "the columns change within the file (lines of code 6)"
        hint = "cut the file where the columns change into two"
        raise ParseError(what, path=head.path, hint=hint)
    return header, table


def _screen(head: Head) -> Screen:
    """Return a screen of a usual width in pixels, as the file states its lengths in mm alone.

    With usable lengths it has these, and a height in pixels in their proportion.
    """
    size = next((match for match in map(_SIZE.fullmatch, head.lines) if match), None)
    far = next((match for match in map(_DISTANCE.fullmatch, head.lines) if match), None)
    if size is None:
        return _NOMINAL
    try:
        width_mm = float(size[1])
        height_mm = float(size[2])
        height_px = round(_NOMINAL.width_px * height_mm / width_mm)
        distance_mm = float(far[1]) if far else 0.0
        return Screen(
            width_px=_NOMINAL.width_px,
            height_px=height_px,
            width_mm=width_mm,
            height_mm=height_mm,
            distance_mm=distance_mm or None,
        )
    except (ValueError, ZeroDivisionError, ConfigError):
        return _NOMINAL


def _eye(table: Columns, prefix: str, screen: Screen) -> tuple[Floats, Floats, Floats]:
    """Return x and y in pixels and the pupil of an eye, NaN where ViewPoint calls it lost."""
    lost = table.number(f"{prefix}quality", 0.0) > _WORST_QUALITY
    x = table.number(f"{prefix}x") * screen.width_px
    y = table.number(f"{prefix}y") * screen.height_px
    pupil = table.number(f"{prefix}pupil")
    return np.where(lost, np.nan, x), np.where(lost, np.nan, y), np.where(lost, np.nan, pupil)


def _fixations(eye: str, timer: Floats, t: Floats, x: Floats, y: Floats) -> pd.DataFrame:
    """Return the stretches over which the timer of fixations grows.

    The timer states the length of each, also of one whose begin is before the first sample.

    Parameters
    ----------
    eye : str
        Whose timer it is: ``left``, ``right`` or ``both``.
    timer : ndarray, shape (n,)
        The timer at each sample in s.
    t : ndarray, shape (n,)
        The times of the samples in ms.
    x, y : ndarray, shape (n,)
        The positions at the samples in px, NaN where the gaze is lost.
    """
    # It grows as fast as time goes by; half of that is well between growing and standing still.
    half_step_s = np.diff(t) / 2000
    grows = np.r_[False, np.diff(timer) > half_step_s][: timer.size]
    # The sample from which it grows on is the first of the fixation.
    grows_next = np.r_[grows[1:], False][: timer.size]
    kinds = np.where(grows | grows_next, "fixation", "").astype(object)
    runs = movements(kinds, t, x, y, begins=~grows)
    last = runs["last"].astype(np.intp)
    duration_ms = timer[last] * 1e3
    return pd.DataFrame(
        {
            "kind": runs["kind"],
            "index": runs["index"],
            "x_px": runs["x_px"],
            "y_px": runs["y_px"],
            "eye": eye,
            "duration_ms": duration_ms,
            "onset_ms": t[last] - duration_ms,
        }
    )


def _messages(
    head: Head, messages: list[tuple[str, str]], table: Columns, time: Floats
) -> pd.DataFrame:
    """Return the lines of messages, and the markers and strings in the rows of samples."""
    found: list[tuple[float, str]] = []
    for seconds, text in messages:
        if _SECONDS.fullmatch(seconds) is None:
            what = f"the message {quote(text, 40)!r} has no time"
            raise ParseError(what, path=head.path, hint="save it again")
        found.append((float(seconds) * 1e3, text))
    for t, marker, string in zip(time, table.text("marker"), table.text("string"), strict=True):
        text = " ".join(filter(None, (marker, string)))
        if text and np.isfinite(t):
            found.append((float(t), text))
    found.sort(key=lambda message: message[0])
    return pd.DataFrame(
        {
            "onset_ms": np.array([t for t, _ in found], float),
            "text": [text for _, text in found],
            "kind": "message",
            "duration_ms": 0.0,
            "index": np.arange(1, len(found) + 1),
        }
    )


def _joined(name: str, parts: list[pd.DataFrame], origin: float) -> pa.Table:
    """Return messages and fixations in the order of time, counted from the first sample."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return conform({}, EVENTS)
    events = pd.concat(parts).sort_values("onset_ms", kind="stable")
    columns: dict[str, object] = {str(column): events[column].to_numpy() for column in events}
    columns["recording"] = name
    columns["onset_ms"] = events["onset_ms"].to_numpy() - origin
    columns["index"] = events["index"].to_numpy(np.int32)
    return conform(columns, EVENTS)
