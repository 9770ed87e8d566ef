"""`benchmarks/_growing.py`: exports of any length are what their readers take them for."""

import sys

import pytest

import gazetrack
from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _growing import FORMATS, ROWS_A_BLOCK, XDF, write


@pytest.mark.parametrize("kind", [*FORMATS, XDF])
def test_an_export_is_read_whole_by_its_reader(kind, tmp_path):
    if kind == XDF:
        pytest.importorskip("pyxdf")
    path = tmp_path / (FORMATS[kind].name if kind != XDF else "raw.xdf")
    write(kind, path, 400_000)
    assert 400_000 <= path.stat().st_size < 1_200_000
    recording = gazetrack.read(path)
    assert recording.format == kind.split(",")[0]
    samples = recording.sample_table
    # Of two blocks at least: the times go on from one to the next.
    t = samples["t_ms"].to_numpy()
    assert len(t) > 0.9 * ROWS_A_BLOCK
    assert (t[1:] > t[:-1]).all()
    assert recording.loss < 0.1
