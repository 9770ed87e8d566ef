"""Logs of Tobii screen trackers by other software: PyGaze, E-Prime (gazedata) and MATLAB (TX300).

Sources: "PyGaze", Dalmaijer, Mathôt & Van der Stigchel 2014; "E-Prime Extensions for Tobii",
Psychology Software Tools; "Tobii Analytics SDK" (validity 0 best to 4 not found; from 2 on it is
not certain which eye it was). PyGaze begins a block anew, with a header and a clock of its own, at
every recording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock, in_no_order
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.clock import Clock
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="tobii_logs",
    title="Tobii logs of PyGaze, E-Prime (gazedata) and MATLAB (TX300)",
    suffixes=(".tsv", ".gazedata", ".txt"),
    provides="samples and messages",
    units="times to ms; px, or fractions of the screen, to px of the screen given or 1920x1080; "
    "pupil in mm",
    lost="positions and distances of the eyes, cursor, E-Prime's own columns",
    source="https://www.pygaze.org; Psychology Software Tools, E-Prime Extensions for Tobii",
)
_NOMINAL = Screen(1920, 1080)
_WORST_VALIDITY = 1.0
# A number as text is no message: it is a row that ends early.
_MESSAGE = re.compile(r"([0-9]{1,15}(?:\.[0-9]+)?)\t+(?![-+.0-9]+\t*$)([^\t]+)\t*")
_ROW = re.compile(rb"[0-9]{1,15}(\.[0-9]*)?(\t|$)")
_RESOLUTION = re.compile(
    r"(?:Recording resolution\t|display resolution: )\s*([0-9]{1,5}) ?x ?([0-9]{1,5})"
)
_SIZE = re.compile(r"display size in cm: ([0-9]{1,4}(?:\.[0-9]+)?)x([0-9]{1,4}(?:\.[0-9]+)?)")
_DISTANCE = re.compile(r"distance between participant and display: ([0-9]{1,4}(?:\.[0-9]+)?) cm")


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """The columns of a program; in the names ``{}`` stands for the eye as the program writes it."""

    software: str
    time: str
    ms: float  # in a unit of the times
    x: str
    y: str
    pupil: str
    validity: str
    eyes: tuple[str, str]
    fractions: bool
    trial: str = ""
    stimulus: str = ""


_DIALECTS = (
    _Dialect(
        software="PyGaze",
        time="TimeStamp",
        ms=1.0,
        x="GazePointX{}",
        y="GazePointY{}",
        pupil="{}Pupil",
        validity="Validity{}",
        eyes=("Left", "Right"),
        fractions=False,
    ),
    _Dialect(
        software="E-Prime",
        time="TETTime",
        ms=1.0,
        x="XGazePos{}Eye",
        y="YGazePos{}Eye",
        pupil="DiameterPupil{}Eye",
        validity="Validity{}Eye",
        eyes=("Left", "Right"),
        fractions=True,
        trial="TrialId",
        stimulus="CurrentObject",
    ),
    _Dialect(
        software="MATLAB",
        time="Time",
        ms=1e-3,
        x="{}GazePos2dx",
        y="{}GazePos2dy",
        pupil="{}PupilDm",
        validity="{}Validity",
        eyes=("L", "R"),
        fractions=True,
    ),
)


class _Blocks:
    """Makes one table of a log of several blocks, each with a preamble and a header.

    The first header stays; which block each row is of is kept beside the table, as are messages.
    """

    def __init__(self) -> None:
        self.block_of_row: list[int] = []
        self.messages: list[tuple[int, float, str]] = []  # block, time as logged, text
        self.cut_off = 0
        self.open_quote = 0  # the first line with a quotation mark that no other one closes

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on.

        The file is read twice, for its head and for its table, so each start forgets what was.
        """
        self._header = b""
        self._quoted = False
        self._block = 0
        self.block_of_row = []
        self.messages = []
        self.cut_off = 0
        self.open_quote = 0
        self._n_lines = 0
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        self._n_lines += 1
        if not self._header:
            self._quoted = line.startswith(b'"')
            line = self._plain(line)
            names = line.decode("utf-8", "replace").split("\t")
            if _dialect(tuple(names)):
                self._header = line
                self._block += 1
            return self._header
        line = self._plain(line)
        if line == self._header:
            self._block += 1
            return b""
        if line.count(b"\t") != self._header.count(b"\t"):
            if match := _MESSAGE.fullmatch(line.decode("utf-8", "replace")):
                self.messages.append((self._block, float(match[1]), match[2]))
            elif _ROW.match(line):  # other lines are the preamble of the next block
                self.cut_off += 1
            return b""
        self.block_of_row.append(self._block)
        if line.count(b'"') % 2:
            self.open_quote = self.open_quote or self._n_lines
        return line

    def _plain(self, line: bytes) -> bytes:
        """Return a line without quotes where the header has them, as spreadsheets save a log."""
        return line.replace(b'"', b"") if self._quoted else line


def sniff(head: Head) -> Verdict:
    """Judge the file by its columns, below any preamble."""
    for line in head.lines:
        cells = line.removeprefix("\ufeff").split("\t")
        dialect = _dialect(tuple(name.strip().strip('"') for name in cells))
        if dialect is not None:
            first_x = dialect.x.format(dialect.eyes[0])
            return Verdict(Level.CERTAIN, f"columns {dialect.time} and {first_x}")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a log.

    Returns
    -------
    Recording
        Times count from the first sample, or within each trial where the log's clock begins anew.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    blocks = _Blocks()
    table_head = rewritten(head, blocks.start) if _has_blocks(head) else head
    header = needed_header(table_head)
    dialect = _dialect(header.names) or _DIALECTS[0]
    table = read_columns(table_head, header, _wanted(head, header, dialect))
    time = table.number("t") * dialect.ms
    timed = np.isfinite(time)
    block = np.ones(table.n_rows, np.int64)
    if blocks.block_of_row:
        if blocks.open_quote and len(blocks.block_of_row) != table.n_rows:
            what = "a quotation mark that its line does not close takes other rows into its cell"
            hint = "remove the mark, or export the log again"
            raise ParseError(what, path=head.path, line=blocks.open_quote, hint=hint)
        block = np.array(blocks.block_of_row, np.int64)
    notes: list[str] = []
    if "trial" in table.found:
        check_clock(table_head, header, time[timed], timed, table.text("trial")[timed])
    again = _begins_again(table_head, header, time, block)
    trial = _trials(table, again, block, notes)[timed]
    # The trials of the samples and those of the messages, which know their block alone, are the
    # same where each block is a trial.
    are_blocks = bool((trial == block[timed].astype(str).astype(object)).all())
    time = time[timed]
    restarts = bool(again.any())
    origin = 0.0 if restarts or not time.size else float(time[0])
    columns = gaze_columns({key: values[timed] for key, values in _gaze(table, dialect).items()})
    columns |= {
        "recording": head.stem,
        "trial": trial,
        "stimulus": table.text("stimulus")[timed],
        "t_ms": time - origin,
    }
    dropped = {"no time": int((~timed).sum()), "row cut off": blocks.cut_off}
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_messages(head, blocks.messages, dialect.ms, origin, numbered=are_blocks),
        screen=_screen(head.text),
        eyes="binocular",
        origin_ms=origin,
        time_origin="trial" if restarts else "recording",
        tracker="Tobii",
        software=dialect.software,
        rows_in=table.n_rows + len(blocks.messages) + blocks.cut_off,
        dropped=counted(dropped),
        notes=tuple(notes),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen") if dialect.fractions else recording


def _dialect(names: tuple[str, ...]) -> _Dialect | None:
    """Return the program whose columns of times and positions are among the names, or None."""
    for dialect in _DIALECTS:
        if dialect.time not in names:  # every line of every file is asked
            continue
        needed = {axis.format(eye) for axis in (dialect.x, dialect.y) for eye in dialect.eyes}
        if needed <= set(names):
            return dialect
    return None


def _has_blocks(head: Head) -> bool:
    """Tell whether a preamble stands before the header, or the header is there again."""
    header = header_of(head)
    if header is None or _dialect(header.names) is None:
        return True
    line_of_header = head.lines[header.lines - 1]
    return head.lines.count(line_of_header) > 1


def _wanted(head: Head, header: Header, dialect: _Dialect) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(dialect.time, head.path), "float64")}
    for side, eye in zip(("left", "right"), dialect.eyes, strict=True):
        patterns = {
            "x": dialect.x,
            "y": dialect.y,
            "pupil": dialect.pupil,
            "validity": dialect.validity,
        }
        for key, pattern in patterns.items():
            name = pattern.format(eye)
            if name in header.names:
                wanted[f"{side}_{key}"] = header.index(name, head.path), "float64"
    texts = {"trial": dialect.trial, "stimulus": dialect.stimulus}
    for key, name in texts.items():
        if name in header.names:
            wanted[key] = header.index(name, head.path), "text"
    return wanted


def _begins_again(
    head: Head, header: Header, time: npt.NDArray[np.floating], blocks: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return the rows with which the clock begins anew.

    Within a block those are rows that are far before the ones above them; the first row of a block
    need only be before the one above it.
    """
    rows = np.flatnonzero(np.isfinite(time))
    clock = Clock()
    again = np.zeros(len(time), np.bool_)
    again[rows[clock.take(time[rows], blocks[rows])]] = True
    steps_back = np.diff(time[rows]) < 0
    new_block = np.diff(blocks[rows]) > 0
    again[rows[1:]] |= steps_back & new_block
    if clock.in_no_order:
        raise in_no_order(clock, head.path, line_of(head, header, int(rows[clock.first_back])))
    return again


def _trials(
    table: Columns, again: npt.NDArray[np.bool_], blocks: npt.NDArray[np.int64], notes: list[str]
) -> npt.NDArray[np.object_]:
    """Return the trial of each row: as named, else by blocks and wherever the clock begins anew."""
    if "trial" in table.found:
        return table.text("trial")
    begins = again | (np.diff(blocks, prepend=0) > 0)
    number = np.cumsum(begins)
    if not len(number) or number[-1] == 1:
        return np.full(len(number), "", object)
    notes.append(f"the clock begins anew {number[-1] - 1} times: each stretch is a trial")
    return np.asarray(pd.Series(number).astype(str), object)


def _gaze(table: Columns, dialect: _Dialect) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions in pixels, and pupils; an eye that is uncertain or at (-1, -1) is lost."""
    width = _NOMINAL.width_px if dialect.fractions else 1
    height = _NOMINAL.height_px if dialect.fractions else 1
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for side in ("left", "right"):
        x = table.number(f"{side}_x")
        y = table.number(f"{side}_y")
        pupil = table.number(f"{side}_pupil")
        uncertain = table.number(f"{side}_validity", 0.0) > _WORST_VALIDITY
        lost = uncertain | ((x == -1) & (y == -1))
        gaze[f"{side}_x"] = np.where(lost, np.nan, x * width)
        gaze[f"{side}_y"] = np.where(lost, np.nan, y * height)
        gaze[f"{side}_pupil"] = np.where(lost | ~(pupil > 0), np.nan, pupil)
    return gaze


def _messages(
    head: Head, messages: list[tuple[int, float, str]], ms: float, origin: float, *, numbered: bool
) -> pa.Table:
    """Return the messages, with the number of their block as the trial where `numbered`."""
    frame = pd.DataFrame(messages, columns=["block", "time", "text"])
    columns = {
        "recording": head.stem,
        "trial": frame["block"].astype(str).to_numpy(object) if numbered else "",
        "kind": "message",
        "index": (frame.groupby("block").cumcount() + 1).to_numpy(np.int32),
        "onset_ms": frame["time"].to_numpy(np.float64) * ms - origin,
        "duration_ms": np.zeros(len(frame)),
        "text": frame["text"].to_numpy(object),
    }
    return conform(columns if messages else {}, EVENTS)


def _screen(text: str) -> Screen | None:
    """Return the screen that a preamble states: pixels, and cm to mm where it has them."""
    pixels = _RESOLUTION.search(text)
    if pixels is None:
        return None
    size = _SIZE.search(text)
    distance = _DISTANCE.search(text)
    return Screen(
        width_px=int(pixels[1]),
        height_px=int(pixels[2]),
        width_mm=10 * float(size[1]) if size else None,
        height_mm=10 * float(size[2]) if size else None,
        distance_mm=10 * float(distance[1]) if distance else None,
    )
