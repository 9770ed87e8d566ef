"""Arrington Research ViewPoint text: lines whose first cell is a code for what they hold.

Specification: "ViewPoint EyeTracker Software User Guide", Arrington Research, chapter "Data Files":
10 a sample, 5 and 6 the samples' columns, 3 information, 2 a string, 12 a marker, 16 an
asynchronous string. Positions are fractions of the screen and may lie beside it; the screen's size
is in the file in mm alone. ViewPoint's fixations are a timer per eye, in s, that grows with each
sample of a fixation and falls back at a saccade.
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
from gazetrack.readers.shared.runs import RunParts
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.text_rows import TextRows
from gazetrack.readers.text.header import Header, Kind, needed_header
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from gazetrack.readers.text.table import Columns

    Floats = npt.NDArray[np.floating]
    Mask = npt.NDArray[np.bool_]

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
# In the order in which events of one time stand: lines of messages, those in the rows of samples,
# and the fixations of the first and the second eye.
_OF_LINES, _OF_ROWS, _FIXATIONS = 0, 1, 2
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
        self.messages = TextRows(("time", "text"))
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
            self.messages.add(time.strip(), text.strip())
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
    screen = _screen(head)
    notes: list[str] = []
    binocular = "b_x" in table.keys
    if binocular:
        notes.append("eye A taken for the right eye, eye B for the left")
    elif "pupil" in table.keys:
        notes.append("which eye it was is not in the file: its pupil stands as the right one's")
    timed = TimedParts(table_head, header)
    rows = _Rows(timed, screen, binocular=binocular)
    for part in table.parts():
        rows.take(part)
    timed.check()
    rows.close()
    if rows.events.count > rows.n_messages:
        notes.append("fixations are the times over which ViewPoint's own fixation timer grows")
    _add_messages(head, rows.events, log.messages)
    others = {"lines of other codes": log.others} if log.others else {}
    origin = timed.origin_ms
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=rows.samples.table({"recording": [head.stem]}),
        event_table=rows.events.table(
            lambda columns: {"onset_ms": columns["onset_ms"] - origin},
            numbers_of={"message"},
            recording=head.stem,
        ),
        eyes="binocular" if binocular else "combined",
        origin_ms=origin,
        tracker="ViewPoint",
        rows_in=table.n_rows + log.messages.count + log.others,
        dropped=others | timed.dropped,
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(screen, "screen")


def _table(head: Head, log: _Log) -> tuple[Header, StoredTable]:
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
    table = stored_table(head, header, wanted)
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


class _Rows:
    """What the parts of the table of samples add up to."""

    def __init__(self, timed: TimedParts, screen: Screen, *, binocular: bool) -> None:
        self.samples = SampleSink()
        self.events = EventParts()
        self.n_messages = 0
        self._timed = timed
        self._screen = screen
        self._eyes = {"right": "", "left": "b_"} if binocular else {"both": ""}
        self._fixations = {eye: _Fixations() for eye in self._eyes}

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        time = table.number("t") * 1e3
        rows, t_ms = self._timed.take(time)
        gaze: dict[str, Floats] = {}
        for eye, prefix in self._eyes.items():
            x, y, pupil = (values[rows] for values in _eye(table, prefix, self._screen))
            if eye == "both":
                gaze |= {"x": x, "y": y, "right_pupil": pupil}
            else:
                gaze |= {f"{eye}_x": x, f"{eye}_y": y, f"{eye}_pupil": pupil}
            timer = table.number(f"{prefix}timer")[rows]
            samples = {"timer": timer, "time": time[rows], "x": x, "y": y}
            self._add(eye, self._fixations[eye].take(samples))
        columns: dict[str, Any] = {**gaze_columns(gaze), "t_ms": t_ms}
        self.samples.append(columns)
        self._add_markers(table, time)

    def close(self) -> None:
        """Add the last fixations, when all parts are taken."""
        for eye, fixations in self._fixations.items():
            for runs in fixations.close():
                self._add(eye, runs)

    def _add(self, eye: str, runs: dict[str, npt.NDArray[Any]]) -> None:
        """Add fixations of an eye: their timer states how long each is at its end.

        So it does of one whose begin is before the first sample.
        """
        if not runs:
            return
        duration_ms = runs["last_timer"] * 1e3
        onset = runs["last_time"] - duration_ms
        columns = {
            "kind": runs["kind"],
            "index": runs["index"],
            "x_px": runs["x_px"],
            "y_px": runs["y_px"],
            "eye": eye,
            "duration_ms": duration_ms,
            "onset_ms": onset,
        }
        rank = _FIXATIONS + list(self._eyes).index(eye)
        self.events.append(onset, columns, rank=rank)

    def _add_markers(self, table: Columns, time: Floats) -> None:
        """Add the markers and strings in the rows of samples as messages."""
        codes = {key: table.texts(key) for key in _TEXTS}
        there = np.zeros(table.n_rows, np.bool_)
        for own in codes.values():
            there |= np.array([name != "" for name in own.names], np.bool_)[own.codes]
        at = np.flatnonzero(there & np.isfinite(time))
        cells = [[own.names[code] for code in own.codes[at].tolist()] for own in codes.values()]
        texts = [" ".join(filter(None, row)) for row in zip(*cells, strict=True)]
        self.n_messages += at.size
        _add_as_messages(self.events, time[at], texts, _OF_ROWS)


class _Fixations:
    """Finds the stretches over which the timer of fixations grows, part by part.

    Whether a sample is the first of one, the next sample says: the last one is held back.
    """

    def __init__(self) -> None:
        self._runs = RunParts()
        self._held: dict[str, Floats] = {}
        self._held_grows = False

    def take(self, samples: dict[str, Floats]) -> dict[str, npt.NDArray[Any]]:
        """Take the next samples, and return the runs that are over.

        Parameters
        ----------
        samples : dict of str to ndarray
            ``timer``: the timer at each sample in s; ``time`` in ms; ``x`` and ``y``, the
            positions in px, NaN where the gaze is lost.
        """
        if not samples["time"].size:
            return {}
        if self._held:
            samples = {key: np.r_[self._held[key], values] for key, values in samples.items()}
        # It grows as fast as time goes by; half of that is well between growing and standing still.
        half_step_s = np.diff(samples["time"]) / 2000
        grows = np.r_[self._held_grows, np.diff(samples["timer"]) > half_step_s]
        self._held = {key: values[-1:] for key, values in samples.items()}
        self._held_grows = bool(grows[-1])
        # The sample from which it grows on is the first of the fixation.
        known = {key: values[:-1] for key, values in samples.items()}
        return self._of(known, grows[:-1], grows[1:])

    def close(self) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """Yield the runs that no other sample follows."""
        if self._held:
            yield self._of(self._held, np.array([self._held_grows]), np.array([False]))
        yield self._runs.close()

    def _of(
        self, samples: dict[str, Floats], grows: Mask, grows_next: Mask
    ) -> dict[str, npt.NDArray[Any]]:
        kinds = np.where(grows | grows_next, "fixation", "").astype(object)
        beside = {"timer": samples["timer"], "time": samples["time"]}
        xy = (samples["x"], samples["y"])
        return self._runs.take(kinds, samples["time"], xy, ~grows, beside)


def _add_messages(head: Head, events: EventParts, messages: TextRows) -> None:
    """Add the lines of messages to the events."""
    for times, texts in messages.parts():
        for seconds, text in zip(times, texts, strict=True):
            if _SECONDS.fullmatch(seconds) is None:
                what = f"the message {quote(text, 40)!r} has no time"
                raise ParseError(what, path=head.path, hint="save it again")
        onset = np.array([float(seconds) * 1e3 for seconds in times])
        _add_as_messages(events, onset, texts, _OF_LINES)


def _add_as_messages(events: EventParts, onset: Floats, texts: list[str], rank: int) -> None:
    columns = {
        "onset_ms": onset,
        "text": np.array(texts, object),
        "kind": "message",
        "duration_ms": 0.0,
    }
    events.append(onset, columns, rank=rank)
