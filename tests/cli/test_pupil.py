"""gazetrack pupil."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.workflows.test_pupil import write_export


@pytest.fixture
def export(tmp_path):
    return write_export(tmp_path, "raw.samples.parquet").parent


def test_it_writes_two_tables_and_says_what_it_took_out(run, export):
    line = "gazetrack pupil raw.samples.parquet --baseline subtractive --baseline-ms -100 0"
    result = run(f"{line} --set lowpass_hz=0")
    assert result.code == 0, result.err
    header, row = (
        line.split() for line in result.out.splitlines() if line.startswith(("eye", "left"))
    )
    assert header[:3] == ["eye", "samples", "missing"]
    assert row[:2] == ["left", "4,000"]
    assert "2 rows of trials" in result.out
    trials = pd.read_parquet(export / "raw.pupil-trials.parquet")
    assert trials["n_baseline"].tolist()[0] == 0
    assert trials["n_baseline"].tolist()[1] == 50
    meta = json.loads(pq.read_schema(export / "raw.pupil.parquet").metadata[b"gazetrack"])
    options = meta["pupil"]["options"]
    assert options["baseline_start_ms"] == -100
    assert options["lowpass_hz"] == 0
    info = run("gazetrack info raw.pupil.parquet raw.pupil-trials.parquet")
    assert "pupil sizes of gazetrack pupil" in info.out
    assert "the pupil by trial" in info.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--set unit=inch", "unit = 'inch'"),
        ("--set speed=3", "none of unit"),
        ("--baseline-ms 0 -10", "baseline_end_ms"),
        ("--baseline percent", "percent"),
    ],
)
def test_bad_choices_are_told_and_nothing_is_written(run, export, options, told):
    result = run(f"gazetrack pupil raw.samples.parquet {options}")
    assert result.code == 2
    assert told in result.err
    assert [path.name for path in export.iterdir()] == ["raw.samples.parquet"]
