"""XDF, the files of Lab Recorder (Lab Streaming Layer): streams of gaze, and texts as messages.

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
from gazetrack.readers.shared.counts import counted
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
    units="s, converted to ms; px, or fractions, to px of the screen given or 1920x1080; "
    "pupil as exported",
    lost="all other streams, 3d gaze, head, eye and pupil positions, names of computers",
    source="https://github.com/sccn/xdf/wiki/Specifications",
)
T = TypeVar("T")
_NOMINAL = Screen(1920, 1080)
_NOMINAL_CAMERA = Screen(1280, 720)  # as Pupil Capture records by default
_GIVE = "give the XDF file with the stream of the eye tracker, of the type Gaze"
# Of pyxdf, which has no exception of its own for what it cannot read.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
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
        name = quote(gaze[0], 40)
        return Verdict(Level.CERTAIN, f"an XDF recording with the gaze stream {name!r}")
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
        what = f"holds no gaze: its streams are {_listed(headers)}"
        raise NoGaze(what, path=head.path, hint=_GIVE)
    notes: list[str] = []
    wanted = [stream.id for stream in headers if stream.is_gaze or stream.format == "string"]
    loaded = _loaded(pyxdf, head, wanted, notes)
    found = _gaze_streams(head, [stream for stream in loaded if _is_gaze(stream)], notes)
    if not found.parts:
        raise ParseError("a gaze stream without samples", path=head.path, hint="record it again")
    names = [head.stem]
    if len(found.parts) > 1:
        names = [f"{head.stem}_{n}" for n in range(1, len(found.parts) + 1)]
        notes.append(
            f"{len(names)} streams of gaze, or parts between steps back of their clocks: "
            "a recording each"
        )
    origin = min(float(part.t[0]) for part in found.parts)
    of_texts = [stream for stream in loaded if not _is_gaze(stream)]
    events, n_messages, lost = _messages(names[0], of_texts, origin)
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
        dropped=counted({"no time": timeless}),
        notes=tuple(notes),
    )
    units = {part.gaze.unit for part in found.parts}
    if len(units) > 1:
        what = "one stream in pixels, another in fractions"
        raise ParseError(what, path=head.path, hint="record one of them")
    if units != {FRACTIONS}:
        return recording
    if not of_camera:
        return recording.on_nominal_screen(nominal, "screen")
    from_capture = all("pupil" in name.lower() for name in found.names)
    camera = "Pupil Core" if from_capture else "unknown world camera"
    recording = replace(recording, world_camera=camera)
    return recording.on_nominal_screen(nominal, "world camera's image")


def _pyxdf(head: Head) -> Any:
    """Return the package that reads XDF; `ConfigError` says how to install it."""
    try:
        import pyxdf
    except ImportError:
        what = "XDF is read through pyxdf, which is not installed"
        hint = 'install pyxdf, with: pip install "gazetrack[xdf]"'
        raise ConfigError(what, path=head.path, hint=hint) from None
    return pyxdf


def _common(values: set[T], otherwise: T) -> T:
    """Return the value that all streams have, or another where they differ."""
    return next(iter(values)) if len(values) == 1 else otherwise


def _listed(streams: Sequence[Stream]) -> str:
    """Return the names and types of streams, in words for the user."""
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
    """Return the streams of these numbers as pyxdf gives them.

    Raises
    ------
    ParseError
        Damage that pyxdf refuses, or reads on over.
    """
    with _overheard() as records, head.blocks() as file:
        try:
            streams: list[dict[str, Any]] = pyxdf.load_xdf(file, ids)[0]
        except _DAMAGE as error:
            raise _damaged(quote(error, 80), head) from error
    for record in records:
        said = record.getMessage()
        if record.levelno >= logging.ERROR or "scanning forward" in said:
            raise _damaged(quote(said, 80), head)
        # It says this of every stream whose clock was never compared with another, too.
        if "clock-segments differ" not in said:
            notes.append(f"pyxdf: {quote(said, 100)}")
    for stream in streams:
        _check_stream(stream, head, notes)
    return streams


def _check_stream(stream: dict[str, Any], head: Head, notes: list[str]) -> None:
    """Note a clock that was reset and a footer that is missing; refuse samples that are missing."""
    name = quote(_name_of(stream), 40)
    if len(stream["info"]["clock_segments"]) > 1:
        notes.append(f"the clock of stream {name} was reset: times joined by pyxdf")
    footer = stream.get("footer")
    if not footer:
        notes.append(f"stream {name} has no footer: the recording ended early")
        return
    count = footer["info"].get("sample_count")
    stated = str(count[0]) if count else ""
    if not (stated.isdecimal() and stated.isascii()):
        return
    n = len(stream["time_stamps"])
    if int(stated[:18]) != n:  # more digits are no count of anything
        raise _damaged(f"{n} samples, the stream's footer says {quote(stated, 20)}", head)


def _name_of(stream: dict[str, Any]) -> str:
    """Return what a stream is called; pyxdf gives None for an empty name."""
    names = stream["info"].get("name") or [""]
    return str(names[0] or "")


def _damaged(what: str, head: Head) -> ParseError:
    """Return the error about a file that is not whole."""
    hint = "copy the file again; pyxdf can save what is before the damage"
    return ParseError(f"damaged XDF: {what}", path=head.path, hint=hint)


def _is_gaze(stream: dict[str, Any]) -> bool:
    """Tell a stream of gaze from one of texts: no others are loaded."""
    return str(stream["info"]["channel_format"][0]) != "string"


def _gaze_streams(head: Head, streams: list[dict[str, Any]], notes: list[str]) -> _Streams:
    """Return the gaze of all streams, cut where the clock of one steps back."""
    found = _Streams()
    for stream in streams:
        t = np.asarray(stream["time_stamps"], np.float64) * 1e3
        timed = np.isfinite(t)
        found.timeless += int((~timed).sum())
        t = t[timed]
        series = np.asarray(stream["time_series"])[timed]
        if not t.size:
            notes.append("a gaze stream without samples: left out")
            continue
        gaze = gaze_of(series, channels_of(stream["info"]), head.path, notes)
        steps_back = np.flatnonzero(np.diff(t) < 0) + 1
        bounds = [0, *steps_back.tolist(), t.size]
        for start, end in pairwise(bounds):
            found.parts.append(_Part(t[start:end], gaze, slice(start, end)))
        found.rates.add(float(stream["info"]["nominal_srate"][0] or 0))
        found.names.append(_name_of(stream))
    return found


def _samples(names: list[str], parts: list[_Part], origin: float, nominal: Screen) -> pa.Table:
    """Return all parts as one table of samples, fractions in pixels of the nominal size."""
    import pyarrow as pa

    tables = []
    for name, part in zip(names, parts, strict=True):
        gaze = {key: values[part.rows] for key, values in part.gaze.values.items()}
        if part.gaze.unit == FRACTIONS:
            gaze = {key: _in_px(key, values, nominal) for key, values in gaze.items()}
        columns = {"recording": name, "t_ms": part.t - origin, **gaze_columns(gaze)}
        tables.append(conform(columns, SAMPLES))
    return conform(pa.concat_tables(tables), SAMPLES)


def _in_px(key: str, values: npt.NDArray[np.floating], nominal: Screen) -> npt.NDArray[np.floating]:
    """Return fractions along x or y in pixels, and pupils as they are."""
    if key.endswith("x"):
        return values * nominal.width_px
    return values * nominal.height_px if key.endswith("y") else values


def _messages(name: str, streams: list[dict[str, Any]], origin: float) -> tuple[pa.Table, int, int]:
    """Return the texts of all streams as messages in the order of time.

    Returns
    -------
    messages : pyarrow.Table
        Those that have a time.
    n_messages : int
        How many these are.
    n_timeless : int
        How many have no time.
    """
    rows = []
    for stream in streams:
        for seconds, texts in zip(stream["time_stamps"], stream["time_series"], strict=True):
            onset_ms = float(seconds) * 1e3 - origin
            rows.append((onset_ms, " ".join(texts).strip()))
    timed = sorted((row for row in rows if np.isfinite(row[0])), key=lambda row: row[0])
    n_timeless = len(rows) - len(timed)
    if not timed:
        return conform({}, EVENTS), 0, n_timeless
    columns = {
        "recording": name,
        "kind": "message",
        "index": np.arange(1, len(timed) + 1, dtype=np.int32),
        "onset_ms": np.array([onset_ms for onset_ms, _ in timed]),
        "duration_ms": 0.0,
        "text": np.array([text for _, text in timed], object),
    }
    return conform(columns, EVENTS), len(timed), n_timeless
