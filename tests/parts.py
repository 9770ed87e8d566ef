"""Reading an export in parts of few rows, which must give what it gives at once."""

import sys

import gazetrack
from gazetrack.readers.shared import number_rows, steps
from gazetrack.readers.text import cells
from gazetrack.tables import spill
from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _growing import write


def shorten(monkeypatch):
    """Make parts, and what stays in memory of them, a few rows long."""
    monkeypatch.setattr(cells, "PART_ROWS", 7)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 500)
    monkeypatch.setattr(spill, "SPILL_ROWS", 20)
    monkeypatch.setattr(spill, "EVENT_ROWS", 4)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 10)
    monkeypatch.setattr(number_rows, "_PART_ROWS", 4)
    monkeypatch.setattr(steps, "_MOST_AT_ONCE", 50)


def same_in_parts(path, monkeypatch, **options):
    """Return the recording, after a look whether it is the same when it is read in short parts."""
    whole = gazetrack.read(path, **options)
    with monkeypatch.context() as patched:
        shorten(patched)
        parts = gazetrack.read(path, **options)
    assert parts.samples.equals(whole.samples)
    assert parts.events.equals(whole.events)
    assert parts.facts() == whole.facts()
    assert dict(parts.participants) == dict(whole.participants)
    return whole


def grown(kind, path, n_bytes=40_000):
    """Write an export of a format that the benchmark of memory knows, and return its path."""
    write(kind, path, n_bytes)
    return path
