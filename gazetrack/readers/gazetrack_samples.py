"""Our own tables of samples, ``*.samples.parquet``, and anybody's Parquet with the same columns.

So that whatever takes an export takes them as well: detecting fixations anew needs no second
reading of the export.
"""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gazetrack.errors import ConfigError, ParseError, SchemaError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.counts import counted
from gazetrack.tables.parquet import read_parquet
from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT = Format(
    name="gazetrack_samples",
    title="gazetrack's own samples (Parquet)",
    suffixes=(".samples.parquet",),
    provides="samples",
    units="ms, px: as they are",
    lost="participants and events, which stand in the other tables; columns of other names",
    source="docs/tables.md",
)
_MAGIC = b"PAR1"
_NOTE_CHARS = 300
_HINT = "write it again: gazetrack convert EXPORT --samples"
# What reading it, and the JSON of its metadata, ends in where it is damaged.
_UNREADABLE = (
    *(pa.ArrowException, OSError, ValueError, TypeError, AttributeError),
    RecursionError,
)
_NEEDED = {"t_ms", "x_px", "y_px"}
# What the metadata may state, with the types that it can have.
_STATED: dict[str, Any] = {
    "rate_hz": (int, float),
    "eyes": str,
    "origin_ms": (int, float),
    "start_ns": int,
    "time_origin": str,
    "tracker": str,
    "software": str,
    "fractions_of": str,
    "world_camera": str,
}
_POSSIBLE: dict[str, Callable[[Any], bool]] = {
    "rate_hz": lambda rate: rate > 0,
    "eyes": lambda eyes: eyes in ("left", "right", "binocular", "combined"),
    "time_origin": lambda origin: origin in ("recording", "trial"),
}


def sniff(head: Head) -> Verdict:
    """Judge the file by the names of its columns, which Parquet keeps at its end."""
    if not head.data.startswith(_MAGIC):
        return NO
    try:
        names = set(pq.read_schema(_file(head)).names)
    except (pa.ArrowException, OSError):
        return Verdict(Level.NO, "a damaged Parquet file", _HINT)
    if names >= _NEEDED:
        return Verdict(Level.CERTAIN, "a Parquet table with t_ms, x_px and y_px")
    if "duration_ms" in names:
        instead = "give the export, or its *.samples.parquet"
        return Verdict(Level.NO, "a table of fixations or events", instead)
    hint = "call its columns t_ms (milliseconds), x_px and y_px, see docs/tables.md"
    return Verdict(Level.NO, "a Parquet table without t_ms, x_px and y_px", hint)


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a table.

    Returns
    -------
    Recording
        What the metadata state of screen, rate and placements; samples without a time are left out.

    Raises
    ------
    ParseError
        A damaged file, or columns of other types.
    """
    try:
        table = read_parquet(_file(head), head.path, head.path.stat().st_size, SAMPLES.names)
        meta = json.loads((table.schema.metadata or {}).get(b"gazetrack", b"{}"))
        stated = {
            name: _stated(name, meta[name], kind)
            for name, kind in _STATED.items()
            if meta.get(name) is not None
        }
        written = [_stated("notes", note, str) for note in meta.get("notes") or ()]
        notes = tuple(quote(note, _NOTE_CHARS) for note in written)
        screen = Screen(**meta["screen"]) if meta.get("screen") else None
        placed = meta.get("placement") or {}
        placements = {name: Placement(**values) for name, values in placed.items()}
    except ConfigError as error:
        what = f"is a damaged table of samples: {error.what}"
        raise ParseError(what, path=head.path, hint=_HINT) from error
    except _UNREADABLE as error:
        what = f"is a damaged table of samples: {quote(error, 150)}"
        raise ParseError(what, path=head.path, hint=_HINT) from error
    samples = _samples(table, head.path, head.stem)
    known = np.isfinite(samples["t_ms"].to_numpy())
    kept = samples.filter(pa.array(known))
    untimed = samples.num_rows - kept.num_rows
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=kept,
        event_table=conform({}, EVENTS),
        marks_known=True,  # by the reader of the export
        screen=screen,
        placements=placements,
        rows_in=samples.num_rows,
        dropped=counted({"no time": untimed}),
        notes=notes,
        **stated,
    )


def _stated(name: str, value: Any, kind: Any) -> Any:
    """Return a value of the metadata, which anybody may have written."""
    possible = isinstance(value, kind) and not isinstance(value, bool)
    if isinstance(value, float) and not math.isfinite(value):
        possible = False
    if possible and name in _POSSIBLE:
        possible = _POSSIBLE[name](value)
    if not possible:
        raise ValueError(f"{name} cannot be {quote(repr(value))}")
    return value


def _samples(table: pa.Table, path: Path, stem: str) -> pa.Table:
    """Return a table in our schema; infinite numbers, which mean nothing here, are missing."""
    columns: dict[str, Any] = {
        name: table[name] for name in table.column_names if name in SAMPLES.names
    }
    try:
        samples = conform({"recording": stem} | columns, SAMPLES)
    except SchemaError as error:
        raise ParseError(error.what, path=path, hint="see docs/tables.md for the types") from error
    for at, field in enumerate(SAMPLES):
        if not pa.types.is_floating(field.type):
            continue
        values = samples[field.name].to_numpy()
        infinite = np.isinf(values)
        if infinite.any():
            known = np.where(infinite, np.nan, values)
            samples = samples.set_column(at, field, pa.array(known))
    return samples


def _file(head: Head) -> Any:
    """Return what Arrow opens: the file itself, or its unpacked bytes."""
    with head.blocks() as file:
        if not hasattr(file, "mtime"):  # a plain file, not gzip
            return head.path
        return io.BytesIO(file.read(-1))
