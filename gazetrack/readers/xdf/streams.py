"""XDF, the files of Lab Recorder (Lab Streaming Layer): streams of gaze, and texts beside them as messages.

Specification: "XDF 1.0", https://github.com/sccn/xdf. Read with `pyxdf`, an optional package
(``gazetrack[xdf]``): it puts all streams on one clock and takes the jitter out of regular ones. It
loads streams as a whole; those of gaze and of texts are loaded.
"""

from __future__ import annotations

import logging
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gazetrack.errors import ConfigError, NoGaze, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.head import HEAD_BYTES
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.xdf.channels import FRACTIONS, Gaze, channels_of, gaze_of
from gazetrack.readers.xdf.chunks import MAGIC, Stream, checked_streams, first_streams
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="xdf",
    title="XDF (Lab Streaming Layer)",
    suffixes=(".xdf", ".xdfz"),
    provides="samples and messages",
    units="s, converted to ms; px, or fractions, to px of the screen given or 1920x1080; pupil as exported",
    lost="all other streams, 3d gaze, head, eye and pupil positions, names of computers",
    source="https://github.com/sccn/xdf/wiki/Specifications",
)
T = TypeVar("T")
_NOMINAL = Screen(1920, 1080)
_NOMINAL_CAMERA = Screen(1280, 720)  # as Pupil Capture records by default
_GIVE = "give the XDF file with the stream of the eye tracker, of the type Gaze"
_DAMAGE = (  # of pyxdf, which has no exception of its own for what it cannot read
    *(
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        RecursionError,
        RuntimeError,
    ),
    *(SyntaxError, TypeError, ValueError, struct.error),
)


@dataclass
class _Part:
    """The gaze of one stream between two steps back of its clock."""

    t: npt.NDArray[np.float64]
    gaze: Gaze
    rows: slice


@dataclass
class _Streams:
    """What all streams of gaze hold."""

    parts: list[_Part] = field(default_factory=list)
    rates: set[float] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    timeless: int = 0


def sniff(head: Head) -> Verdict:
    """Judge the file by its first bytes, and the headers of the streams among them."""
    if not head.data.startswith(MAGIC):
        return NO
    streams = first_streams(head.data)
    gaze = [stream.name for stream in streams if stream.is_gaze]
    if gaze:
        return Verdict(
            Level.CERTAIN, f"an XDF recording with the gaze stream {quote(gaze[0], 40)!r}"
        )
    if streams and len(head.data) < HEAD_BYTES:
        return Verdict(Level.NO, f"an XDF recording of {_listed(streams)}", _GIVE)
    return Verdict(Level.LIKELY, "an XDF recording, whose first streams are not of gaze")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the gaze of all streams of the type Gaze, and all texts as messages.

    Returns
    -------
    Recording
        Several streams, and what follows a step back of a clock, are recordings of their own. All
        times count from the first sample of the file's gaze.

    Raises
    ------
    ConfigError
        `pyxdf` is not installed.
    ParseError
        A damaged chunk, no stream of gaze, channels or a unit that cannot be understood.
    """
    pyxdf = _pyxdf(head)
    with head.blocks() as file:
        headers = checked_streams(file, head.path)
    if not any(stream.is_gaze for stream in headers):
        raise NoGaze(
            f"holds no gaze: its streams are {_listed(headers)}", path=head.path, hint=_GIVE
        )
    notes: list[str] = []
    loaded = _loaded(
        pyxdf, head, [s.id for s in headers if s.is_gaze or s.format == "string"], notes
    )
    found = _gaze_streams(head, [s for s in loaded if _is_gaze(s)], notes)
    names = (
        [head.stem]
        if len(found.parts) == 1
        else [f"{head.stem}_{n}" for n in range(1, len(found.parts) + 1)]
    )
    if len(names) > 1:
        notes.append(
            f"{len(names)} streams of gaze, or parts between steps back of their clocks: a recording each"
        )
    if not found.parts:
        raise ParseError("a gaze stream without samples", path=head.path, hint="record it again")
    origin = min(float(part.t[0]) for part in found.parts)
    events, n_messages, lost = _messages(names[0], [s for s in loaded if not _is_gaze(s)], origin)
    of_camera = all(part.gaze.of_camera for part in found.parts)
    nominal = _NOMINAL_CAMERA if of_camera else _NOMINAL
    samples = _samples(names, found.parts, origin, nominal)
    timeless = found.timeless + lost
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=events,
        rate_hz=_common(found.rates, 0.0) or None,
        eyes=_common({part.gaze.eyes for part in found.parts}, "combined"),
        origin_ms=origin,
        tracker=", ".join(found.names),
        software="Lab Streaming Layer",
        rows_in=samples.num_rows + n_messages + timeless,
        dropped={"no time": timeless} if timeless else {},
        notes=tuple(notes),
    )
    units = {part.gaze.unit for part in found.parts}
    if units == {FRACTIONS}:
        if not of_camera:
            return recording.on_nominal_screen(nominal, "screen")
        from_capture = all("pupil" in name.lower() for name in found.names)
        recording = replace(
            recording, world_camera="Pupil Core" if from_capture else "unknown world camera"
        )
        return recording.on_nominal_screen(nominal, "world camera's image")
    if len(units) > 1:
        raise ParseError(
            "one stream in pixels, another in fractions", path=head.path, hint="record one of them"
        )
    return recording


def _pyxdf(head: Head) -> Any:
    try:
        import pyxdf
    except ImportError:
        hint = 'install pyxdf, with: pip install "gazetrack[xdf]"'
        raise ConfigError(
            "XDF is read through pyxdf, which is not installed", path=head.path, hint=hint
        ) from None
    return pyxdf


def _common(values: set[T], otherwise: T) -> T:
    return next(iter(values)) if len(values) == 1 else otherwise


def _listed(streams: Sequence[Stream]) -> str:
    kinds = [f"{stream.name or 'a stream'} ({stream.kind or 'no type'})" for stream in streams]
    return quote(", ".join(kinds) or "no streams", 120)


@contextmanager
def _overheard() -> Iterator[list[logging.LogRecord]]:
    """Collect what pyxdf says, which reads on over damage with no more than a word in the log."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append  # type: ignore[method-assign,assignment]
    logger = logging.getLogger("pyxdf")
    logger.addHandler(handler)
    try:
        yield records
    finally:
        logger.removeHandler(handler)


def _loaded(pyxdf: Any, head: Head, ids: list[int], notes: list[str]) -> list[dict[str, Any]]:
    hint = "copy the file again; pyxdf can save what is before the damage"
    with _overheard() as records, head.blocks() as file:
        try:
            streams: list[dict[str, Any]] = pyxdf.load_xdf(file, ids)[0]
        except _DAMAGE as error:
            raise ParseError(
                f"damaged XDF: {quote(error, 80)}", path=head.path, hint=hint
            ) from error
    for record in records:
        if record.levelno >= logging.ERROR or "scanning forward" in record.getMessage():
            raise ParseError(
                f"damaged XDF: {quote(record.getMessage(), 80)}", path=head.path, hint=hint
            )
        # It says this of every stream whose clock was never compared with another, too.
        if "clock-segments differ" not in record.getMessage():
            notes.append(f"pyxdf: {quote(record.getMessage(), 100)}")
    for stream in streams:
        if len(stream["info"]["clock_segments"]) > 1:
            notes.append(
                f"the clock of stream {quote(stream['info']['name'][0], 40)} was reset: times joined by pyxdf"
            )
        footer = stream.get("footer")
        if not footer:
            notes.append(
                f"stream {quote(stream['info']['name'][0], 40)} has no footer: the recording ended early"
            )
        stated = (
            str(footer["info"]["sample_count"][0])
            if footer and footer["info"].get("sample_count")
            else ""
        )
        if (
            stated.isdecimal()
            and stated.isascii()
            and int(stated[:18]) != len(stream["time_stamps"])
        ):
            what = f"{len(stream['time_stamps'])} samples, the stream's footer says {quote(stated, 20)}"
            raise ParseError(f"damaged XDF: {what}", path=head.path, hint=hint)
    return streams


def _is_gaze(stream: dict[str, Any]) -> bool:
    return str(stream["info"]["channel_format"][0]) != "string"


def _gaze_streams(head: Head, streams: list[dict[str, Any]], notes: list[str]) -> _Streams:
    found = _Streams()
    for stream in streams:
        t = np.asarray(stream["time_stamps"], np.float64) * 1e3
        timed = np.isfinite(t)
        found.timeless += int((~timed).sum())
        t, series = t[timed], np.asarray(stream["time_series"])[timed]
        if not t.size:
            notes.append("a gaze stream without samples: left out")
            continue
        gaze = gaze_of(series, channels_of(stream["info"]), head.path, notes)
        bounds = [0, *(np.flatnonzero(np.diff(t) < 0) + 1).tolist(), t.size]
        for start, end in pairwise(bounds):
            found.parts.append(_Part(t[start:end], gaze, slice(start, end)))
        found.rates.add(float(stream["info"]["nominal_srate"][0] or 0))
        found.names.append(str(stream["info"]["name"][0] or ""))
    return found


def _samples(names: list[str], parts: list[_Part], origin: float, nominal: Screen) -> pa.Table:
    import pyarrow as pa

    tables = []
    for name, part in zip(names, parts, strict=True):
        sizes = (
            {"x": nominal.width_px, "y": nominal.height_px} if part.gaze.unit == FRACTIONS else {}
        )
        gaze = {
            key: values[part.rows] * sizes.get(key[-1], 1)
            for key, values in part.gaze.values.items()
        }
        columns = {"recording": name, "t_ms": part.t - origin, **gaze_columns(gaze)}
        tables.append(conform(columns, SAMPLES))
    return conform(pa.concat_tables(tables), SAMPLES)


def _messages(name: str, streams: list[dict[str, Any]], origin: float) -> tuple[pa.Table, int, int]:
    """Return the texts of all streams as messages in the order of time, their number, and how many have no time."""
    rows = [
        (float(t) * 1e3 - origin, " ".join(texts).strip())
        for stream in streams
        for t, texts in zip(stream["time_stamps"], stream["time_series"], strict=True)
    ]
    timed = sorted((row for row in rows if np.isfinite(row[0])), key=lambda row: row[0])
    columns = {
        "recording": name,
        "kind": "message",
        "index": np.arange(1, len(timed) + 1, dtype=np.int32),
        "onset_ms": np.array([t for t, _ in timed]),
        "duration_ms": 0.0,
        "text": np.array([text for _, text in timed], object),
    }
    return (
        conform(columns, EVENTS) if timed else conform({}, EVENTS),
        len(timed),
        len(rows) - len(timed),
    )
