"""EyeLink ASC, the text that SR Research's ``edf2asc`` makes of an EDF recording.

Specification: "EyeLink 1000 Plus User Manual", SR Research, chapter "ASC File Format".
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import NoGaze, ParseError, quote
from gazetrack.kernels.text import parse_events, parse_samples, place_samples, settle_samples
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.eyelink.events import events_table, lies_on_plane, on_plane, samples_disagree
from gazetrack.readers.eyelink.lines import Layout, Lines, number
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.reading import CUT_OFF
from gazetrack.readers.shared.gaze import PLANE, mean_of_eyes
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.ahead import in_threads
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.shared.sink import Columns

FORMAT = Format(
    name="eyelink_asc",
    title="SR Research EyeLink ASC",
    suffixes=(".asc", ".asc.gz"),
    provides="samples and events",
    units="ms; px; HREF to px on a plane 1 m away (1 px = 1 mm); pupil as exported",
    lost="velocity, resolution, head target and input columns of the samples",
    source="EyeLink 1000 Plus User Manual, ASC File Format",
)
_KEYWORD = re.compile(r"(START|END|EFIX|SFIX|ESACC|SSACC|EBLINK|SBLINK|SAMPLES|EVENTS)\s")
_SAMPLE = re.compile(r"[0-9]+(\.[0-9]+)?\s+([0-9.+-]+\s+){3,}[.CIRMA]{3,}\s*")
_HREF_NOTE = (
    "positions are directions of the eye (HREF), not places on the screen: on a plane 1 m before it 1 px is 1 mm, the "
    "middle is the origin of HREF, which is arbitrary"
)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]")
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


def read(head: Head, options: ReadOptions, *, block_bytes: int = MAX_LINE_BYTES) -> Recording:  # noqa: ARG001
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
        A damaged line, a NUL byte, a line longer than 1 MiB, neither samples nor events, or
        positions not in pixels.
    """
    samples = _Samples(head, Lines(head.path))
    with head.blocks() as file, in_threads(_parse, _whole_lines(head, file, block_bytes)) as blocks:
        for block in blocks:
            samples.take(block)
    return _recording(head, samples.lines, samples)


def _whole_lines(head: Head, file: IO[bytes], block_bytes: int) -> Iterator[bytes]:
    """Yield blocks of whole lines in an encoding that contains ASCII; one with a line that is too long is the last."""
    wide = head.encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(head.encoding)("replace") if wide else None
    rest, first = b"", True
    while True:
        raw = file.read(block_bytes)
        data = decoder.decode(raw, final=not raw).encode() if decoder else raw
        if first and data:
            first, data = False, data.removeprefix(codecs.BOM_UTF8)
        if rest.endswith(b"\r"):  # perhaps the first half of a line end
            rest, data = b"", rest + data
        cut = _end_of_lines(data)
        last = not raw or len(rest) + len(data) - cut > MAX_LINE_BYTES
        cut = len(data) if last else cut
        if lines := b"".join((rest, memoryview(data)[:cut])) if last or cut else b"":
            yield lines if raw else _at_the_end(head, lines)
            rest = b""
        if last:
            return
        rest += data[cut:]


def _at_the_end(head: Head, lines: bytes) -> bytes:
    """Return the last lines of a file; of one to be salvaged, without what follows the last line end."""
    end = max(lines.rfind(b"\n"), lines.rfind(b"\r")) + 1
    if not lines[end:].strip():
        return lines
    if not head.reading.salvage:
        head.reading.note(
            "the last line has no line end: the file may be cut off there (--salvage leaves it out)"
        )
        return lines
    head.reading.dropped[CUT_OFF] = 1
    return lines[:end]


def _end_of_lines(data: bytes) -> int:
    if end := data.rfind(b"\n") + 1:
        return end
    # Lone CR: the last one may be the first half of CR LF.
    return data.rstrip(b"\r").rfind(b"\r") + 1


class _Block(NamedTuple):
    """Whole lines and what the kernels make of them."""

    data: bytes
    n_lines: int
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    fields: npt.NDArray[np.uint8]
    lines: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    movements: npt.NDArray[np.float64]


def _parse(block: bytes) -> _Block:
    data = np.frombuffer(block, np.uint8)
    room = (
        int(np.count_nonzero(data == ord("\n"))) + (block.count(b"\r") if b"\r" in block else 0) + 1
    )
    times, values = np.empty(room), np.empty((room, 6), np.float32)
    fields, lines, others = (
        np.empty(room, np.uint8),
        np.empty(room, np.int64),
        np.empty((room, 4), np.int64),
    )
    n, n_others, n_lines = parse_samples(data, times, values, fields, lines, others)
    others = others[:n_others].copy()
    kinds, movements = np.empty(n_others, np.uint8), np.empty((n_others, 10))
    parse_events(data, others, kinds, movements)
    return _Block(
        block, n_lines, times[:n], values[:n], fields[:n], lines[:n], others, kinds, movements
    )


def _check(head: Head, data: bytes, line: int) -> None:
    # Only the first line of a block and its end can be too long: all others fit into what is read
    # at once.
    longest = max(re.search(rb"[\r\n]|\Z", data).start(), len(data) - _end_of_lines(data))  # type: ignore[union-attr]
    if longest > MAX_LINE_BYTES:
        raise ParseError(
            f"a line of more than {MAX_LINE_BYTES} bytes",
            path=head.path,
            line=line,
            hint="not an EyeLink line; convert again",
        )
    if (at := data.find(b"\0")) >= 0:
        line += len(re.findall(rb"\r\r\n|\r\n|\r|\n", data[:at]))
        raise ParseError(
            "a NUL byte", path=head.path, line=line, hint="the file is damaged here; copy it again"
        )


@dataclass
class _Samples:
    """The samples so far."""

    head: Head
    lines: Lines
    sink: SampleSink = field(default_factory=SampleSink)
    eyes: set[str] = field(default_factory=set)
    n_lines: int = 0
    count: int = 0
    origin: float = math.nan
    twins: bool = False
    first: float = math.nan
    has_pupil: bool = False
    unsettled: int = 0
    texts: int = 0
    first_text: str = ""
    first_text_line: int = 0
    any_position: bool = False
    _last: float = math.nan

    def take(self, block: _Block) -> None:
        """Take one block: the lines that are no samples, and the samples between those that change their layout."""
        _check(self.head, block.data, self.n_lines + 1)
        lines, n, done, first = self.lines, len(block.times), 0, 0
        segments = np.full(n, lines.n_segments - 1, np.int32)
        for o in np.flatnonzero(block.kinds == 0).tolist():
            before, layout, segment = int(block.others[o, 3]), lines.layout, lines.n_segments
            text = self._decode(block, o)
            if text.startswith(_STATEMENTS):
                self._take_movements(block, first, o)
                first = o
            if text:
                lines.take(text, self.n_lines + int(block.others[o, 2]) + 1, self.count + before)
            if lines.layout != layout:
                self._flush(block, slice(done, before), layout, segments)
                done = before
            if lines.n_segments != segment:
                segments[before:] = lines.n_segments - 1
        self._take_movements(block, first, len(block.others))
        self._flush(block, slice(done, n), lines.layout, segments)
        self.count += n
        self.n_lines += block.n_lines

    def _take_movements(self, block: _Block, first: int, last: int) -> None:
        """Take the eye movements between two statements about how they are written."""
        at = first + np.flatnonzero((block.kinds[first:last] > 0) & (block.kinds[first:last] < 4))
        numbers = self.n_lines + block.others[at, 2] + 1
        if self.lines.pixels:
            self.lines.take_movements(block.kinds[at], block.movements[at], numbers)
            return
        for o, line in zip(at.tolist(), numbers.tolist(), strict=True):
            self.lines.take(self._decode(block, o), line, self.count + int(block.others[o, 3]))

    def _decode(self, block: _Block, other: int) -> str:
        encoding = self.head.encoding
        start, end = block.others[other, :2].tolist()
        return (
            block.data[start:end]
            .decode("utf-8" if encoding.startswith("utf") else encoding, "replace")
            .strip()
        )

    def _flush(
        self, block: _Block, part: slice, layout: Layout, segments: npt.NDArray[np.int32]
    ) -> None:
        """Keep a part of the block's samples, recorded from one set of eyes at one rate."""
        times, values = block.times[part], block.values[part]
        if not len(times):
            return
        eyes = layout.eyes or self._guess_eyes(values)
        width = 6 if eyes == "binocular" else 3
        self._settle(block, part, values, width)
        placed = np.empty((8, len(times)), np.float32)
        previous = float(times[0]) - 1.0 if math.isnan(self._last) else self._last
        damaged, steepest, _, repeats = place_samples(
            times, values, block.fields[part], width, _FIRST[eyes], previous, placed
        )
        if layout.href:
            for row in _POSITION_ROWS:
                placed[row] = on_plane(placed[row])
        if damaged < len(times):
            line = self.n_lines + int(block.lines[part][damaged]) + 1
            hint = "the file is damaged here; convert the EDF again"
            raise ParseError(
                f"a sample without time and {width} values",
                path=self.head.path,
                line=line,
                hint=hint,
            )
        before = previous if steepest == 0 else float(times[steepest - 1])
        self.any_position = self.any_position or bool(np.isfinite(placed[6]).any())
        line = self.n_lines + int(block.lines[part][steepest]) + 1
        self.first = float(times[0]) if math.isnan(self.first) else self.first
        self.lines.check_clock(self.first, before, float(times[steepest]), line)
        self.eyes.add(eyes)
        segments = segments[part]
        texts = {"recording": np.zeros_like(segments), "trial": segments, "stimulus": segments}
        gaze = dict(zip(_COLUMNS, placed, strict=True))
        self.sink.append({**texts, "t_ms": self._clocked(times, repeats, layout.rate_hz), **gaze})
        self._last = float(times[-1])

    def _settle(
        self, block: _Block, part: slice, values: npt.NDArray[np.float32], width: int
    ) -> None:
        """Turn the tracker's marks of lost eyes into NaN, and count the values that are no number."""
        self.has_pupil, unsettled, texts, first = settle_samples(values, width, self.has_pupil)
        self.unsettled += unsettled
        if texts and not self.texts:
            line = int(block.lines[part][first])
            tokens = _line_of(block.data, line).split()[1 : width + 1]
            odd = next(
                token
                for token in tokens
                if token != b"." and math.isnan(number(token.decode("latin-1")))
            )
            self.first_text, self.first_text_line = (
                quote(odd.decode("latin-1")),
                self.n_lines + line + 1,
            )
        self.texts += texts

    def _clocked(
        self, times: npt.NDArray[np.float64], repeats: int, rate_hz: float | None
    ) -> npt.NDArray[np.float64]:
        """Return times from the origin; at 2000 Hz, the second of two samples with one whole millisecond is moved."""
        if math.isnan(self.origin):
            self.origin = float(times[0]) if self.lines.origin is None else self.lines.origin
        t: npt.NDArray[np.float64] = times - self.origin
        if rate_hz == 2000 and repeats:
            self.twins = True
            t[np.diff(times, prepend=self._last) == 0] += 0.5
        return t

    def _guess_eyes(self, values: npt.NDArray[np.float32]) -> str:
        if np.isfinite(values[:, 5]).any():
            self.lines.notes["no header: both eyes inferred from the number of columns"] = None
            return "binocular"
        self.lines.notes[
            "no header: one eye inferred from the number of columns, taken for the left"
        ] = None
        return "left"


def _line_of(data: bytes, line: int) -> bytes:
    """Return one line of a block, counted from 0."""
    return re.split(rb"\r\r\n|\r\n|\r|\n", data, maxsplit=line + 1)[line]


def _pupils_settled(has_pupil: bool) -> Callable[[Columns], Columns]:
    """Return what to do with pupils of 0 beside positions that came before it was known whether there are pupils."""

    def settled(columns: Columns) -> Columns:
        found = dict(columns)
        for eye in ("left", "right"):
            lost = columns[f"{eye}_pupil"] == 0
            for name in ("pupil", "x_px", "y_px") if has_pupil else ("pupil",):
                found[f"{eye}_{name}"] = np.where(
                    lost, np.float32(np.nan), columns[f"{eye}_{name}"]
                )
        for axis in ("x_px", "y_px"):
            found[axis] = mean_of_eyes(found[f"left_{axis}"], found[f"right_{axis}"])
        return found

    return settled


def _take_notes(lines: Lines, samples: _Samples) -> None:
    """Note what had to be inferred about the samples."""
    if samples.twins:
        lines.notes["2000 Hz with whole milliseconds: every second sample moved by 0.5 ms"] = None
    if samples.unsettled and not samples.has_pupil:
        lines.notes["every pupil size is 0: taken as not recorded, the positions are kept"] = None
    if samples.texts:
        first = f"the first {quote(samples.first_text, 30)!r} in line {samples.first_text_line}"
        lines.notes[f"{samples.texts} values of samples are no numbers, {first}: missing"] = None


def _check_eyes(head: Head, lines: Lines, sampled: set[str], events: pa.Table) -> None:
    """Refuse samples of one eye beside movements of the other: the SAMPLES line, which names the eye, is damaged."""
    moved = set(events["eye"].unify_dictionaries().unique().to_pylist()) & {"left", "right"}
    others = sorted(moved - sampled)
    if not lines.samples_line or not others or len(sampled) != 1 or "binocular" in sampled:
        return
    (eye,), other = sampled, others[0]
    what = f"samples of the {eye} eye alone, but eye movements of the {other} one"
    hint = "the SAMPLES line is damaged; convert the EDF again"
    raise ParseError(what, path=head.path, line=lines.samples_line, hint=hint)


def _recording(head: Head, lines: Lines, samples: _Samples) -> Recording:
    if not samples.count and not lines.n_events:
        raise NoGaze(
            "holds no gaze: no samples and no events",
            path=head.path,
            hint="convert the EDF with samples and events",
        )
    if samples.texts and not samples.any_position and _DECIMAL_COMMA.match(samples.first_text):
        what = f"numbers with a decimal comma: {quote(samples.first_text, 30)!r}"
        hint = "write decimal points, or convert the EDF again"
        raise ParseError(what, path=head.path, line=samples.first_text_line, hint=hint)
    origin = lines.origin
    if origin is None:
        origin = samples.origin if samples.count else lines.first_onset()
    segments = lines.segments()
    names = {
        "recording": [head.stem],
        "trial": [segment.trial for segment in segments],
        "stimulus": [segment.stimulus for segment in segments],
    }
    mend = _pupils_settled(samples.has_pupil) if samples.unsettled else None
    disagree = samples.count > 0 and samples_disagree(lines)
    if disagree:
        lines.drop("sample in HREF beside events in px", samples.count)
        lines.notes[
            "samples are directions (HREF) and events places on the screen: the events are kept"
        ] = None
    kept = samples.count > 0 and not disagree
    table = samples.sink.table(names, samples.origin - origin, mend) if kept else None
    _take_notes(lines, samples)
    rows_in = (samples.count if kept else 0) + lines.n_events + sum(lines.dropped.values())
    directions = lies_on_plane(lines, kept)
    if directions:
        lines.notes[_HREF_NOTE] = None
    events = events_table(head.stem, lines, segments, origin, table)
    if kept:
        _check_eyes(head, lines, samples.eyes, events)
    eyes = samples.eyes or {lines.eyes}
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=table,
        event_table=events,
        screen=PLANE if directions else lines.screen,
        placements={} if directions else lines.placements(),
        directions=directions,
        rate_hz=lines.rate_hz if len(lines.rates) < 2 else None,
        rates_hz=lines.rates_from(origin),
        pupil_measure=lines.pupil_measure,
        eyes=(eyes.pop() or "combined") if len(eyes) == 1 else "binocular",
        origin_ms=origin,
        tracker=lines.tracker,
        software=lines.software,
        rows_in=rows_in,
        dropped=lines.dropped,
        notes=tuple(lines.notes),
    )
