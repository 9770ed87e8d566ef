"""Reading takes as much memory for a long export as for a short one.

Counted are the bytes that Python and NumPy hold at most, and those of Arrow that stay, not those of
the process, whose allocators keep what they were given. Parts are made short, so that a few
megabytes have many of them.
"""

import gc
import sys
import tracemalloc

import pyarrow as pa
import pytest

import gazetrack
from gazetrack.readers.eyelink import event_rows
from gazetrack.readers.pupil import cloud_gaze
from gazetrack.readers.shared import number_rows, steps
from gazetrack.readers.text import ahead, cells
from gazetrack.tables import spill
from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _growing import FORMATS, XDF, write

MOST_SLOPE = 0.2  # MB a MB of the export; a reader that keeps its rows is at .8 or more
SHORT_MB, LONG_MB = 3, 12
FLAT = [
    "eyelink_asc",
    "eyelink_asc, a message each 10 samples",
    "eyelink_asc, no message twice",
    "tobii_pro",
    "pupil_core",
    "eyelink_samples",
    "tobii_glasses2",
    "tobii_glasses3",
    "generic",
    "eyetribe",
    "adhawk",
    "vr_headset",
    "tobii_sdk",
    "tobii_studio",
    "imotions",
    "pupil_cloud",
    "smi",
    "begaze",
    "arff",
    "viewpoint",
    "bids",
    "gazepoint",
]


def peak_mb(path):
    """Return the most memory that reading takes, MB."""
    gc.collect()
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        recording = gazetrack.read(path)
        assert recording.sample_table.num_rows
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (peak + pa.total_allocated_bytes() - before) / 1e6


# Each takes seconds: those of the others are slow.
QUICK = ("eyelink_asc", "tobii_pro", "generic")


@pytest.mark.parametrize(
    "kind",
    [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in FLAT],
)
def test_memory_does_not_grow_with_the_export(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(ahead, "_MOST_AHEAD", 1)
    monkeypatch.setattr(spill, "SPILL_ROWS", 1 << 12)
    monkeypatch.setattr(spill, "EVENT_ROWS", 1 << 10)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 1 << 11)
    monkeypatch.setattr(event_rows, "_PART_ROWS", 1 << 9)
    monkeypatch.setattr(cells, "PART_ROWS", 1 << 11)
    monkeypatch.setattr(number_rows, "_PART_ROWS", 1 << 9)
    monkeypatch.setattr(steps, "_MOST_AT_ONCE", 1 << 12)
    monkeypatch.setattr("gazetrack.tables.rates._ENOUGH_STEPS", 1 << 12)
    monkeypatch.setattr(cloud_gaze, "_ENOUGH_NEAR_AXIS", 1 << 12)
    path = tmp_path / (FORMATS[kind].name if kind != XDF else "raw.xdf")
    write(kind, path, SHORT_MB * 1_000_000)
    gazetrack.read(path)  # imports and compiles, which takes twice as long where bytes are counted
    short = peak_mb(path)
    write(kind, path, LONG_MB * 1_000_000)
    long = peak_mb(path)
    if (long - short) / (LONG_MB - SHORT_MB) >= MOST_SLOPE:
        long = min(long, peak_mb(path))  # what threads hold at once differs from run to run
    slope = (long - short) / (LONG_MB - SHORT_MB)
    assert slope < MOST_SLOPE, f"{short:.1f} MB at {SHORT_MB} MB, {long:.1f} MB at {LONG_MB} MB"
