"""EyeLink ASC, the text that SR Research's ``edf2asc`` makes of an EDF recording.

Specification: "EyeLink 1000 Plus User Manual", SR Research, chapter "ASC File Format".
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gazetrack.errors import ParseError
from gazetrack.kernels.text import parse_samples
from gazetrack.readers._eyelink_events import events_table
from gazetrack.readers._eyelink_lines import Lines, Segment
from gazetrack.readers._gaze import mean_of_eyes
from gazetrack.readers.base import BLOCK_BYTES, MAX_LINE_BYTES, NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording
from gazetrack.schema import SAMPLES, conform

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
    """The samples so far; one kernel call per block."""

    head: Head
    lines: Lines
    times: list[npt.NDArray[np.float64]] = field(default_factory=list)
    values: list[npt.NDArray[np.float32]] = field(default_factory=list)
    eyes: set[str] = field(default_factory=set)
    n_lines: int = 0
    count: int = 0
    _room: int = 0

    def take(self, block: bytes) -> None:
        """Parse one block of whole lines."""
        self._reserve(block.count(b"\n") + (block.count(b"\r") if b"\r" in block else 0) + 1)
        data = np.frombuffer(block, np.uint8)
        n, n_others, n_lines = parse_samples(
            data, self._times, self._values, self._fields, self._sample_lines, self._others
        )
        done = 0
        for start, end, line, before in self._others[:n_others].tolist():
            text = self._decode(block[start:end])
            eyes = self.lines.eyes
            if text and self.lines.take(text, self.n_lines + line + 1, self.count + before) and self.lines.eyes != eyes:
                self._flush(done, before, eyes)
                done = before
        self._flush(done, n, self.lines.eyes)
        self.count += n
        self.n_lines += n_lines

    def _reserve(self, n_lines: int) -> None:
        if n_lines <= self._room:
            return
        self._room = n_lines
        self._times = np.empty(n_lines, np.float64)
        self._values = np.empty((n_lines, 6), np.float32)
        self._fields = np.empty(n_lines, np.uint8)
        self._sample_lines = np.empty(n_lines, np.int64)
        self._others = np.empty((n_lines, 4), np.int64)

    def _decode(self, line: bytes) -> str:
        encoding = self.head.encoding
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
        placed = np.full((last - first, 6), np.nan, np.float32)
        at = _FIRST[eyes]
        placed[:, at : at + width] = values[:, :width]
        for pupil in (2, 5):  # pupil 0 is how the tracker writes a lost eye
            placed[placed[:, pupil] == 0, pupil - 2 : pupil + 1] = np.nan
        self.eyes.add(eyes)
        self.times.append(self._times[part].copy())
        self.values.append(placed)

    def _check_clock(self, first: int, last: int) -> None:
        previous = self.times[-1][-1:] if self.times else self._times[first : first + 1]
        times = np.concatenate([previous, self._times[first:last]])
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
    if not samples.count and not lines.events:
        raise ParseError("no samples and no events", path=head.path, hint="convert the EDF with samples and events")
    t = np.concatenate(samples.times) if samples.count else np.empty(0)
    values = np.concatenate(samples.values) if samples.count else np.empty((0, 6), np.float32)
    samples.times.clear()
    samples.values.clear()
    origin = lines.origin
    if origin is None:
        origin = float(t[0]) if t.size else min(event.onset for event in lines.events)
    t -= origin
    _spread_twins(t, lines)
    segments = lines.segments()
    events = events_table(head.stem, lines, segments, origin, t, values)
    eyes = samples.eyes or {lines.eyes}
    placements = lines.placements()
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=_samples_table(head.stem, t, values, segments) if samples.count else None,
        events=events,
        screen=lines.screen,
        placements=placements,
        rate_hz=lines.rate_hz,
        eyes=(eyes.pop() or "combined") if len(eyes) == 1 else "binocular",
        origin_ms=origin,
        tracker=lines.tracker,
        software=lines.software,
        rows_in=samples.count + len(lines.events),
        notes=tuple(lines.notes),
    )


def _spread_twins(t: npt.NDArray[np.float64], lines: Lines) -> None:
    """Give the second of two samples with one whole millisecond its half; note a clock that goes back."""
    step = np.diff(t)
    if lines.rate_hz == 2000 and (twins := step == 0).any():
        t[1:][twins] += 0.5
        lines.notes["2000 Hz with whole milliseconds: every second sample moved by 0.5 ms"] = None
    if backwards := int((step < 0).sum()):
        lines.notes[f"the tracker's clock goes back {backwards} times"] = None


def _samples_table(
    name: str, t: npt.NDArray[np.float64], values: npt.NDArray[np.float32], segments: list[Segment]
) -> pa.Table:
    ends = [segment.sample for segment in segments[1:]] + [len(t)]
    counts = np.diff([0, *np.minimum(ends, len(t))])
    columns: dict[str, object] = {"recording": name, "t_ms": t}
    columns["trial"] = _repeat([segment.trial for segment in segments], counts)
    columns["stimulus"] = _repeat([segment.stimulus for segment in segments], counts)
    columns |= {column: values[:, i] for i, column in enumerate(_COLUMNS)}
    columns |= {"x_px": mean_of_eyes(values[:, 0], values[:, 3]), "y_px": mean_of_eyes(values[:, 1], values[:, 4])}
    return conform(columns, SAMPLES)


def _repeat(texts: list[str], counts: npt.NDArray[np.int64]) -> pa.DictionaryArray:
    names = sorted(set(texts))
    codes = np.array([names.index(text) for text in texts], np.int32)
    return pa.DictionaryArray.from_arrays(np.repeat(codes, counts), pa.array(names, pa.string()))
