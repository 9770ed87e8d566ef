"""EyeLink ASC, the text that SR Research's ``edf2asc`` makes of an EDF recording.

Specification: "EyeLink 1000 Plus User Manual", SR Research, chapter "ASC File Format".
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.kernels.text import parse_events, parse_samples
from gazetrack.readers._eyelink_events import events_table
from gazetrack.readers._eyelink_lines import Lines
from gazetrack.readers._gaze import mean_of_eyes
from gazetrack.readers._sink import SampleSink
from gazetrack.readers.base import BLOCK_BYTES, MAX_LINE_BYTES, NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

FORMAT = Format(
    name="eyelink_asc",
    title="SR Research EyeLink ASC",
    suffixes=(".asc", ".asc.gz"),
    provides="samples and events",
    units="ms, px; pupil as exported",
    lost="velocity, resolution, head target and input columns of the samples",
    source="EyeLink 1000 Plus User Manual, ASC File Format",
)
_KEYWORD = re.compile(r"(START|END|EFIX|SFIX|ESACC|SSACC|EBLINK|SBLINK|SAMPLES|EVENTS)\s")
_SAMPLE = re.compile(r"[0-9]+(\.[0-9]+)?\s+([0-9.+-]+\s+){3,}[.CIRMA]{3,}\s*")
_COLUMNS = ("left_x_px", "left_y_px", "left_pupil", "right_x_px", "right_y_px", "right_pupil")
_STATEMENTS = ("START", "SAMPLES", "EVENTS")
_FIRST = {"left": 0, "right": 3, "binocular": 0, "": 0}


def sniff(head: Head) -> Verdict:
    """Judge the file by its keywords and sample lines."""
    if head.text.startswith("** CONVERTED FROM") and "edfapi" in head.text:
        return Verdict(Level.CERTAIN, "header of edf2asc")
    keywords = {match[1] for match in map(_KEYWORD.match, head.lines) if match}
    if len(keywords) > 1:
        return Verdict(Level.CERTAIN, f"lines of {', '.join(sorted(keywords)[:3])}")
    samples = sum(_SAMPLE.fullmatch(line) is not None for line in head.lines[:50])
    if samples and samples > len(head.lines[:50]) // 2:
        return Verdict(Level.LIKELY, "sample lines that end in flags (...)")
    return NO


def read(head: Head, options: ReadOptions, *, block_bytes: int = BLOCK_BYTES) -> Recording:  # noqa: ARG001
    """Read an ASC file block by block.

    Parameters
    ----------
    head : Head
        The first look at the file.
    options : ReadOptions
        Not used: an ASC file names everything itself.
    block_bytes : int
        Bytes read at once.

    Returns
    -------
    Recording
        Times count from the first START, or from the first sample when there is none.

    Raises
    ------
    ParseError
        A damaged line, a NUL byte, a line longer than 1 MiB, neither samples nor events, or positions not in pixels.
    """
    lines = Lines(head.path)
    samples = _Samples(head, lines)
    with head.blocks() as file:
        for block in _whole_lines(head, file, block_bytes, samples):
            samples.take(block)
    return _recording(head, lines, samples)


def _whole_lines(head: Head, file: IO[bytes], block_bytes: int, samples: _Samples) -> Iterator[bytes]:
    """Yield blocks of whole lines in an encoding that contains ASCII."""
    wide = head.encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(head.encoding)("replace") if wide else None
    rest, first = b"", True
    while True:
        raw = file.read(block_bytes)
        data = decoder.decode(raw, final=not raw).encode() if decoder else raw
        if first and data:
            first, data = False, data.removeprefix(codecs.BOM_UTF8)
        rest += data
        cut = len(rest) if not raw else _end_of_lines(rest)
        _check(head, rest, cut, samples.n_lines + 1)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        if not raw:
            return


def _end_of_lines(data: bytes) -> int:
    if end := data.rfind(b"\n") + 1:
        return end
    # Lone CR: the last one may be the first half of CR LF.
    return data.rstrip(b"\r").rfind(b"\r") + 1


def _check(head: Head, data: bytes, cut: int, line: int) -> None:
    # Only the first line of a block can be too long: the others fit into one block.
    longest = max(re.search(rb"[\r\n]|\Z", data[:cut]).start() if cut else 0, len(data) - cut)  # type: ignore[union-attr]
    if longest > MAX_LINE_BYTES:
        raise ParseError(
            f"a line of more than {MAX_LINE_BYTES} bytes",
            path=head.path,
            line=line,
            hint="not an EyeLink line; convert again",
        )
    if (at := data.find(b"\0")) >= 0:
        line += len(re.findall(rb"\r\r\n|\r\n|\r|\n", data[:at]))
        raise ParseError("a NUL byte", path=head.path, line=line, hint="the file is damaged here; copy it again")


@dataclass
class _Samples:
    """The samples so far; two kernel calls per block."""

    head: Head
    lines: Lines
    sink: SampleSink = field(default_factory=SampleSink)
    eyes: set[str] = field(default_factory=set)
    n_lines: int = 0
    count: int = 0
    origin: float = math.nan
    twins: bool = False
    backwards: int = 0
    _last: float = math.nan
    _room: int = 0

    def take(self, block: bytes) -> None:
        """Parse one block of whole lines."""
        data = np.frombuffer(block, np.uint8)
        self._reserve(int(np.count_nonzero(data == ord("\n"))) + (block.count(b"\r") if b"\r" in block else 0) + 1)
        n, n_others, n_lines = parse_samples(
            data, self._times, self._values, self._fields, self._sample_lines, self._others
        )
        self._take_lines(block, self._others[:n_others], n)
        self.count += n
        self.n_lines += n_lines

    def _take_lines(self, block: bytes, others: npt.NDArray[np.int64], n: int) -> None:
        """Take the lines that are no samples, and keep the samples between those that change their layout."""
        kinds, fields = np.empty(len(others), np.uint8), np.empty((len(others), 10))
        parse_events(np.frombuffer(block, np.uint8), others, kinds, fields)
        lines, done, first = self.lines, 0, 0
        self._segments[:n] = lines.n_segments - 1
        for o in np.flatnonzero(kinds == 0).tolist():
            before, eyes, text = int(others[o, 3]), lines.eyes, self._decode(block, others[o])
            if text.startswith(_STATEMENTS):
                self._take_movements(block, kinds[first:o], fields[first:o], others[first:o])
                first = o
            if text:
                lines.take(text, self.n_lines + int(others[o, 2]) + 1, self.count + before)
            if lines.eyes != eyes:
                self._flush(done, before, eyes)
                done = before
            self._segments[before:n] = lines.n_segments - 1
        self._take_movements(block, kinds[first:], fields[first:], others[first:])
        self._flush(done, n, lines.eyes)

    def _take_movements(
        self, block: bytes, kinds: npt.NDArray[np.uint8], fields: npt.NDArray[np.float64], others: npt.NDArray[np.int64]
    ) -> None:
        """Take the eye movements between two statements about how they are written."""
        at = np.flatnonzero((kinds > 0) & (kinds < 4))
        numbers = self.n_lines + others[at, 2] + 1
        if self.lines.pixels:
            self.lines.take_movements(kinds[at], fields[at], numbers)
            return
        for place, line in zip(others[at], numbers.tolist(), strict=True):
            self.lines.take(self._decode(block, place), line, self.count + int(place[3]))

    def _reserve(self, n_lines: int) -> None:
        if n_lines <= self._room:
            return
        self._room = n_lines
        self._times, self._values = np.empty(n_lines), np.empty((n_lines, 6), np.float32)
        self._fields, self._sample_lines = np.empty(n_lines, np.uint8), np.empty(n_lines, np.int64)
        self._others, self._segments = np.empty((n_lines, 4), np.int64), np.empty(n_lines, np.int32)

    def _decode(self, block: bytes, place: npt.NDArray[np.int64]) -> str:
        encoding = self.head.encoding
        line = block[place[0] : place[1]]
        return line.decode("utf-8" if encoding.startswith("utf") else encoding, "replace").strip()

    def _flush(self, first: int, last: int, eyes: str) -> None:
        """Keep samples first:last of the block, recorded from these eyes."""
        if first == last:
            return
        part = slice(first, last)
        values = self._values[part]
        if not eyes:
            eyes = self._guess_eyes(values)
        width = 6 if eyes == "binocular" else 3
        damaged = np.isnan(self._times[part]) | (self._fields[part] <= width)
        if damaged.any():
            line = self.n_lines + int(self._sample_lines[first + int(damaged.argmax())]) + 1
            hint = "the file is damaged here; convert the EDF again"
            raise ParseError(f"a sample without time and {width} values", path=self.head.path, line=line, hint=hint)
        self._check_clock(first, last)
        placed = np.full((6, last - first), np.nan, np.float32)
        at = _FIRST[eyes]
        placed[at : at + width] = values[:, :width].T
        for pupil in (2, 5):  # pupil 0 is how the tracker writes a lost eye
            placed[pupil - 2 : pupil + 1, placed[pupil] == 0] = np.nan
        self.eyes.add(eyes)
        columns = dict(zip(_COLUMNS, placed, strict=True))
        columns |= {"x_px": mean_of_eyes(placed[0], placed[3]), "y_px": mean_of_eyes(placed[1], placed[4])}
        segments = self._segments[part].copy()
        texts = {"recording": np.zeros_like(segments), "trial": segments, "stimulus": segments}
        self.sink.append({**texts, "t_ms": self._clocked(part), **columns})

    def _clocked(self, part: slice) -> npt.NDArray[np.float64]:
        """Return times from the origin; at 2000 Hz, the second of two samples with one whole millisecond is moved."""
        times = self._times[part]
        if np.isnan(self.origin):
            self.origin = float(times[0]) if self.lines.origin is None else self.lines.origin
        steps = np.diff(np.r_[self._last if self._last == self._last else times[0] - 1, times])
        t: npt.NDArray[np.float64] = times - self.origin
        if self.lines.rate_hz == 2000 and (steps == 0).any():
            self.twins = True
            t[steps == 0] += 0.5
        self.backwards += int((steps < 0).sum())
        self._last = float(times[-1])
        return t

    def _check_clock(self, first: int, last: int) -> None:
        previous = self._times[first] if np.isnan(self._last) else self._last
        times = np.r_[previous, self._times[first:last]]
        at = int(np.argmin(np.diff(times)))
        line = self.n_lines + int(self._sample_lines[first + at]) + 1
        self.lines.check_clock(float(times[at]), float(times[at + 1]), line)

    def _guess_eyes(self, values: npt.NDArray[np.float32]) -> str:
        if np.isfinite(values[:, 5]).any():
            self.lines.notes["no header: both eyes inferred from the number of columns"] = None
            return "binocular"
        self.lines.notes["no header: one eye inferred from the number of columns, taken for the left"] = None
        return "left"


def _recording(head: Head, lines: Lines, samples: _Samples) -> Recording:
    if not samples.count and not lines.n_events:
        raise ParseError("no samples and no events", path=head.path, hint="convert the EDF with samples and events")
    origin = lines.origin
    if origin is None:
        origin = samples.origin if samples.count else lines.first_onset()
    segments = lines.segments()
    names = {
        "recording": [head.stem],
        "trial": [segment.trial for segment in segments],
        "stimulus": [segment.stimulus for segment in segments],
    }
    table = samples.sink.table(names, samples.origin - origin) if samples.count else None
    if samples.twins:
        lines.notes["2000 Hz with whole milliseconds: every second sample moved by 0.5 ms"] = None
    if samples.backwards:
        lines.notes[f"the tracker's clock goes back {samples.backwards} times"] = None
    events = events_table(head.stem, lines, segments, origin, table)
    eyes = samples.eyes or {lines.eyes}
    placements = lines.placements()
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=table,
        events=events,
        screen=lines.screen,
        placements=placements,
        rate_hz=lines.rate_hz,
        eyes=(eyes.pop() or "combined") if len(eyes) == 1 else "binocular",
        origin_ms=origin,
        tracker=lines.tracker,
        software=lines.software,
        rows_in=samples.count + lines.n_events,
        notes=tuple(lines.notes),
    )
