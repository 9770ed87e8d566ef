"""EyeLink ASC: the samples, between lines that change how they are recorded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError, quote
from gazetrack.kernels.text import place_samples, settle_samples
from gazetrack.readers.eyelink.asc_blocks import LINE, SAMPLES_BEFORE, check
from gazetrack.readers.eyelink.declarations import steps_back_too_far
from gazetrack.readers.eyelink.movements import BLINK
from gazetrack.readers.eyelink.plane import on_plane
from gazetrack.readers.eyelink.sample_rows import SampleRows
from gazetrack.readers.eyelink.tokens import DAMAGED, Line, number
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.tables.eyes import EYES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.eyelink.asc_blocks import Block
    from gazetrack.readers.eyelink.declarations import Layout
    from gazetrack.readers.eyelink.lines import Lines
    from gazetrack.readers.eyelink.trials import Segment
    from gazetrack.readers.head import Head
    from gazetrack.readers.shared.sink import Columns

# The rows that `place_samples` fills.
_COLUMNS = (
    "left_x_px",
    "left_y_px",
    "left_pupil",
    "right_x_px",
    "right_y_px",
    "right_pupil",
    "x_px",
    "y_px",
)
_POSITION_ROWS = [row for row, name in enumerate(_COLUMNS) if name.endswith("_px")]
_X_ROW = _COLUMNS.index("x_px")
# Where the values of a sample with these eyes go; those of an unknown one to the left.
_FIRST_ROW = {"left": 0, "right": 3, "binocular": 0}
# Lines after which samples may be recorded, and eye movements written, otherwise.
_STATEMENTS = ("START", "SAMPLES", "EVENTS")
_TWICE_A_MS_HZ = 2000


class Samples:
    """Collects the samples block by block, and gives the other lines to `Lines`.

    Parameters
    ----------
    head : Head
        The first look at the file.
    lines : Lines
        Takes the lines that are not samples.

    Attributes
    ----------
    count : int
        The number of samples so far.
    eyes : set of str
        Which eyes they are of: left, right, binocular.
    origin : float
        The tracker's time of t = 0 in the table, ms; NaN before the first sample.
    any_position : bool
        Whether any of them has a position.
    first_text, first_text_line : str and int
        The first value of a sample that is no number, and its line; empty and 0 without any.
    """

    def __init__(self, head: Head, lines: Lines) -> None:
        self.count = 0
        self.eyes: set[str] = set()
        self.origin = math.nan
        self.any_position = False
        self.first_text = ""
        self.first_text_line = 0
        self._head = head
        self._lines = lines
        self._sink = SampleSink()
        self._rows = SampleRows()
        # Lines of UTF-16 and UTF-32 are UTF-8 by now.
        self._encoding = "utf-8" if head.encoding.startswith("utf") else head.encoding
        self._n_lines = 0  # of the blocks so far
        self._first = math.nan  # time of the first sample
        self._last = math.nan  # and of the last one so far
        self._any_twins = False
        self._has_pupil = False
        self._n_unsettled = 0  # pupils of 0 beside a position
        self._n_texts = 0  # values that are no number

    def take(self, block: Block) -> None:
        """Take one block: its samples, and between them the lines that change their layout."""
        check(self._head, block, self._n_lines)
        lines = self._lines
        n_kept = 0  # samples of the block that are in the sink
        n_taken = 0  # other lines of the block up to which eye movements are taken
        segments = np.full(len(block.times), lines.trials.n_segments - 1, np.int32)
        for place in np.flatnonzero(block.kinds == 0).tolist():
            line = self._line(block, place)
            if not line.text:
                continue
            before = int(block.others[place, SAMPLES_BEFORE])
            n_segments = lines.trials.n_segments
            if line.text.startswith(_STATEMENTS):
                self._take_movements(block, n_taken, place)
                n_taken = place
                layout = lines.declared.layout
                lines.take(line)
                if lines.declared.layout != layout:
                    self._keep(block, slice(n_kept, before), layout, segments)
                    n_kept = before
            else:
                lines.take(line)
            if lines.trials.n_segments != n_segments:
                segments[before:] = lines.trials.n_segments - 1
        self._take_movements(block, n_taken, len(block.others))
        self._keep(block, slice(n_kept, len(block.times)), lines.declared.layout, segments)
        self.count += len(block.times)
        begins = np.flatnonzero(block.kinds > BLINK)
        numbers = self._n_lines + block.others[begins, LINE] + 1
        lines.pairs.add(block.kinds[begins], block.movements[begins], numbers)
        lines.end_block()
        self._n_lines += block.n_lines

    def _line(self, block: Block, place: int) -> Line:
        """Return one of the block's lines that are no samples."""
        text = block.other(place).decode(self._encoding, "replace").strip()
        return Line(self._head.path, self._number(int(block.others[place, LINE])), text)

    def _number(self, line: int) -> int:
        """Return the number in the file, from 1, of a line counted from 0 within the block."""
        return self._n_lines + line + 1

    def _take_movements(self, block: Block, first: int, last: int) -> None:
        """Take the eye movements between two statements about how they are written."""
        kinds = block.kinds[first:last]
        at = first + np.flatnonzero((kinds > 0) & (kinds <= BLINK))
        if self._lines.declared.events_in_pixels:
            numbers = self._n_lines + block.others[at, LINE] + 1
            self._lines.take_movements(block.kinds[at], block.movements[at], numbers)
            return
        for place in at.tolist():
            self._lines.take(self._line(block, place))

    def _keep(
        self, block: Block, part: slice, layout: Layout, segments: npt.NDArray[np.int32]
    ) -> None:
        """Keep a part of the block's samples, recorded from one set of eyes at one rate.

        Parameters
        ----------
        block : Block
            The block they are of.
        part : slice
            Which of its samples to keep.
        layout : Layout
            How these samples were recorded.
        segments : ndarray of int32, shape (S,)
            The segment of each of the block's samples.
        """
        times = block.times[part]
        if not len(times):
            return
        eyes = layout.eyes or self._guess_eyes(block.values[part])
        width = 6 if eyes == "binocular" else 3
        self._rows.clear(block, part, layout, self._n_lines)
        self._settle(block, part, width)
        placed = np.empty((len(_COLUMNS), len(times)), np.float32)
        if math.isnan(self._first):
            self._first = float(times[0])
        # Before the first sample of all there is none: any earlier time does.
        previous = self._first - 1.0 if math.isnan(self._last) else self._last
        damaged, steepest, _, n_repeats = place_samples(
            times,
            block.values[part],
            fields=block.fields[part],
            width=width,
            first=_FIRST_ROW[eyes],
            previous=previous,
            placed=placed,
        )
        if damaged < len(times):
            raise self._damaged(block, part.start + damaged, width)
        before = previous if steepest == 0 else float(times[steepest - 1])
        self._check_clock(block, part.start + steepest, before)
        if layout.href:
            for row in _POSITION_ROWS:
                placed[row] = on_plane(placed[row])

        self.eyes.add(eyes)
        self.any_position = self.any_position or bool(np.isfinite(placed[_X_ROW]).any())
        codes = segments[part]
        columns: dict[str, npt.NDArray[Any]] = dict(zip(_COLUMNS, placed, strict=True))
        columns |= {"recording": np.zeros_like(codes), "trial": codes, "stimulus": codes}
        columns["t_ms"] = self._since_origin(times, n_repeats, layout.rate_hz)
        self._sink.append(columns)
        self._last = float(times[-1])

    def _damaged(self, block: Block, sample: int, width: int) -> ParseError:
        line = self._number(int(block.lines[sample]))
        what = f"a sample without time and {width} values"
        return ParseError(what, path=self._head.path, line=line, hint=DAMAGED)

    def _check_clock(self, block: Block, sample: int, before: float) -> None:
        """Refuse the sample that steps back furthest, if that is too far.

        Parameters
        ----------
        block : Block
            The block it is of.
        sample : int
            Which of its samples that is.
        before : float
            The time of the one before it, ms of the tracker's clock.
        """
        time = float(block.times[sample])
        if steps_back_too_far(self._first, before, time):
            line = Line(self._head.path, self._number(int(block.lines[sample])), "")
            raise line.second_recording(f"a sample at {time:g} after one at {before:g}")

    def _settle(self, block: Block, part: slice, width: int) -> None:
        """Turn the tracker's marks of lost eyes into NaN, and count values that are no number."""
        self._has_pupil, n_unsettled, n_texts, first = settle_samples(
            block.values[part], width, self._has_pupil
        )
        self._n_unsettled += n_unsettled
        if n_texts and not self._n_texts:
            line = int(block.lines[part][first])
            self.first_text = _first_odd(block.line(line), width)
            self.first_text_line = self._number(line)
        self._n_texts += n_texts

    def _since_origin(
        self, times: npt.NDArray[np.float64], n_repeats: int, rate_hz: float | None
    ) -> npt.NDArray[np.float64]:
        """Return times from the origin.

        At 2000 Hz two samples may have one whole millisecond: the second one is moved.
        """
        if math.isnan(self.origin):
            start = self._lines.declared.origin
            self.origin = float(times[0]) if start is None else start
        t: npt.NDArray[np.float64] = times - self.origin
        if rate_hz == _TWICE_A_MS_HZ and n_repeats:
            self._any_twins = True
            t[np.diff(times, prepend=self._last) == 0] += 0.5
        return t

    def _guess_eyes(self, values: npt.NDArray[np.float32]) -> str:
        findings = self._lines.findings
        if np.isfinite(values[:, 5]).any():
            findings.note("no header: both eyes inferred from the number of columns")
            return "binocular"
        findings.note("no header: one eye inferred from the number of columns, taken for the left")
        return "left"

    def table(self, recording: str, segments: Sequence[Segment], origin: float) -> pa.Table:
        """Return the samples as a table.

        Parameters
        ----------
        recording : str
            The name of the recording.
        segments : sequence of Segment
            All trials and stimuli of the file.
        origin : float
            The tracker's time of t = 0, ms.
        """
        names = {
            "recording": [recording],
            "trial": [segment.trial for segment in segments],
            "stimulus": [segment.stimulus for segment in segments],
        }
        mend = self._pupils_settled if self._n_unsettled else None
        return self._sink.table(names, self.origin - origin, mend)

    def _pupils_settled(self, columns: Columns) -> Columns:
        """Return samples without pupils of 0 beside positions.

        They were left while it was not known whether the recording has pupil sizes. If it has, such
        an eye was lost; if it has none, its positions are gaze.
        """
        found = dict(columns)
        for eye in EYES:
            lost = columns[f"{eye}_pupil"] == 0
            for name in ("pupil", "x_px", "y_px") if self._has_pupil else ("pupil",):
                values = columns[f"{eye}_{name}"]
                found[f"{eye}_{name}"] = np.where(lost, np.float32(np.nan), values)
        for axis in ("x_px", "y_px"):
            found[axis] = mean_of_eyes(found[f"left_{axis}"], found[f"right_{axis}"])
        return found

    def note_inferred(self) -> None:
        """Note what had to be inferred about the samples."""
        findings = self._lines.findings
        self._rows.note(findings)
        if self._any_twins:
            findings.note("2000 Hz with whole milliseconds: every second sample moved by 0.5 ms")
        if self._n_unsettled and not self._has_pupil:
            findings.note("every pupil size is 0: taken as not recorded, the positions are kept")
        if self._n_texts:
            first = f"the first {quote(self.first_text, 30)!r} in line {self.first_text_line}"
            findings.note(f"{self._n_texts} values of samples are no numbers, {first}: missing")


def _first_odd(line: bytes, width: int) -> str:
    """Return the first value that is neither a number nor the tracker's mark of a missing one.

    Parameters
    ----------
    line : bytes
        The line of a sample. Between two of its tabs there may be no word at all: it is empty then.
    width : int
        How many values follow the time.
    """
    cells = line.split(b"\t") if b"\t" in line else line.split()
    words = [cell.decode("latin-1").strip() for cell in cells[1 : width + 1]]
    odd = (word for word in words if word != "." and math.isnan(number(word)))
    return quote(next(odd, line.decode("latin-1").strip()))
