"""The contracts of the plug-in kinds, as functions that any plug-in's tests can call."""

import gzip
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES


def check_reader(reader, path, options=None):
    """Assert that a reader keeps its contract on one file, and return the recording.

    Parameters
    ----------
    reader : module or object
        With FORMAT, sniff and read.
    path : path-like
        A file of its format.
    options : ReadOptions, optional
        With columns, for readers that need them; such a file need not be recognised.
    """
    path, recognised = Path(path), options is None
    options = options or ReadOptions()
    recording = reader.read(read_head(path), options)
    check_recording(recording, reader.FORMAT.name, read_head(path).stem)
    _check_equal(recording, reader.read(read_head(path), options))
    with tempfile.TemporaryDirectory() as folder:
        stem = read_head(path).stem
        renamed, packed = Path(folder, f"{stem}.txt"), Path(folder, f"{stem}.bin.gz")
        plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shutil.copy(path, renamed)
        packed.write_bytes(gzip.compress(plain))
        for copy in (path, renamed, packed):
            if recognised:
                _check_recognised(reader, copy)
            _check_equal(recording, reader.read(read_head(copy), options))
    return recording


def _check_recognised(reader, path):
    head = read_head(path)
    verdict = reader.sniff(head)
    assert verdict.level in {Level.LIKELY, Level.CERTAIN}
    assert verdict.reason
    if reader.FORMAT.name in registry.names():
        assert registry.detect(head).name == reader.FORMAT.name


def check_recording(recording, name, stem):
    """Assert that a reader keeps its contract in what it gave of one file."""
    assert (recording.format, recording.name) == (name, stem)
    assert (
        recording.sample_table is not None
        or recording.fixation_table is not None
        or recording.event_table.num_rows
    )
    _check_table(recording.event_table, EVENTS)
    used = 0
    if recording.sample_table is not None:
        _check_table(recording.sample_table, SAMPLES)
        used = recording.sample_table.num_rows
    if recording.fixation_table is not None:
        _check_table(recording.fixation_table, FIXATIONS)
        used = recording.fixation_table.num_rows
        assert recording.fixation_table["onset_ms"].to_numpy().size == used
    kept = recording.rows_in - sum(recording.dropped.values())
    assert used <= kept <= used + recording.event_table.num_rows
    assert all(count > 0 for count in recording.dropped.values())
    assert recording.eyes in {"left", "right", "binocular", "combined"}
    assert all(isinstance(note, str) for note in recording.notes)


def _check_table(table, schema):
    assert table.schema.equals(schema, check_metadata=True)
    table.validate(full=True)
    for field, column in zip(schema, table.columns, strict=True):
        assert column.null_count == 0, field.name
        if pa.types.is_floating(field.type):
            values = column.to_numpy()
            assert not np.isinf(values).any(), field.name
            if field.name in {"t_ms", "onset_ms", "duration_ms"}:
                assert np.isfinite(values).all(), field.name
    if "duration_ms" in table.column_names and table.num_rows:
        assert table["duration_ms"].to_numpy().min() >= 0


def _check_equal(one, other):
    for name in ("sample_table", "event_table", "fixation_table"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        if a is not None:
            # Arrow calls NaN unequal to itself, pandas does not.
            assert a.to_pandas().equals(b.to_pandas()), name
    for name in (
        "screen",
        "placements",
        "rate_hz",
        "eyes",
        "origin_ms",
        "rows_in",
        "dropped",
        "notes",
        "tracker",
    ):
        assert getattr(one, name) == getattr(other, name), name
