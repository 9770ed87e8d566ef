"""Our own tables of samples: their metadata may be anybody's."""

from __future__ import annotations

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gazetrack
from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.tables.screen import Screen
from gazetrack.workflows.convert import ConvertOptions, convert_files


@pytest.mark.parametrize(
    "meta",
    [
        {"rate_hz": "fast"},
        {"rate_hz": -1},
        {"rate_hz": True},
        {"origin_ms": {"a": 1}},
        {"start_ns": 1.5},
        {"eyes": 5},
        {"time_origin": "moon"},
        {"notes": 5},
        {"notes": [5]},
        {"screen": {"width_px": 0, "height_px": 5}},
        {"screen": [1, 2]},
        {"placement": {"a": {"x_px": "1"}}},
        [1],
    ],
    ids=str,
)
def test_metadata_of_other_kinds_are_an_error_about_the_file(tmp_path, meta):
    path = _written(tmp_path, json.dumps(meta))
    with pytest.raises(ParseError, match=r"a\.samples\.parquet: is a damaged table of samples"):
        gazetrack.read(path)


@pytest.mark.parametrize("text", ['{"rate_hz": NaN}', "{", "\\"])
def test_metadata_that_are_no_json(tmp_path, text):
    with pytest.raises(ParseError, match="damaged"):
        gazetrack.read(_written(tmp_path, text))


def test_other_parquet_files_are_told_what_they_lack(tmp_path):
    path = _written(tmp_path, "{}")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnknownFormat, match="a damaged Parquet file - write it again"):
        gazetrack.read(path)
    pq.write_table(pa.table({"time": [1.0], "x": [2.0]}), path)
    with pytest.raises(UnknownFormat, match="call its columns t_ms"):
        gazetrack.read(path)


def test_notes_of_metadata_carry_no_control_characters(tmp_path):
    recording = gazetrack.read(_written(tmp_path, json.dumps({"notes": ["\x1b[2J"]})))
    assert recording.notes == (r"\x1b[2J",)


def test_metadata_may_be_null(tmp_path):
    meta = {"screen": None, "placement": None, "notes": None, "rate_hz": None}
    recording = gazetrack.read(_written(tmp_path, json.dumps(meta)))
    assert (recording.screen, recording.notes, recording.rate_hz) == (None, (), None)


def test_fractions_become_pixels_of_the_users_screen_from_the_table_as_from_the_export(tmp_path):
    rows = "".join(f"0,a,{n},{n * 0.016},0.5,0.25,{n * 0.016},0.1,1,1\n" for n in range(9))
    export = tmp_path / "raw.csv"
    header = "MEDIA_ID,MEDIA_NAME,CNT,TIME(2022/09/19 13:34:49.156),"
    header += "FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV\n"
    export.write_text(header + rows)
    (outcome,) = convert_files([export], ConvertOptions(samples=True))
    assert outcome.error is None
    screen = Screen(1280, 1024, 340.0, 270.0, 600.0)
    straight, again = (
        gazetrack.read(tmp_path / name).with_screen(screen)
        for name in ("raw.csv", "raw.samples.parquet")
    )
    assert straight.sample_table["x_px"].to_pylist() == again.sample_table["x_px"].to_pylist()
    assert again.sample_table["x_px"][0].as_py() == 640
    assert again.notes == straight.notes


def _written(folder, meta):
    numbers = pa.array([0.0, 4.0, 8.0])
    table = pa.table({"t_ms": numbers, "x_px": numbers, "y_px": numbers})
    path = folder / "a.samples.parquet"
    pq.write_table(table.replace_schema_metadata({b"gazetrack": meta.encode()}), path)
    return path


def test_a_table_of_fixations_is_told_from_one_of_samples(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"onset_ms": [0.0], "duration_ms": [200.0]}), path)
    with pytest.raises(UnknownFormat, match="a table of fixations or events") as caught:
        gazetrack.read(path)
    assert "*.samples.parquet" in str(caught.value)


def test_a_column_of_another_type_is_an_error_about_the_file(tmp_path):
    path = tmp_path / "a.samples.parquet"
    numbers = pa.array([0.0, 4.0])
    words = pa.array(["left", "right"])
    pq.write_table(pa.table({"t_ms": numbers, "x_px": words, "y_px": numbers}), path)
    with pytest.raises(ParseError, match="x_px") as caught:
        gazetrack.read(path)
    assert caught.value.path == path
    assert caught.value.hint == "see docs/tables.md for the types"


def test_infinite_numbers_are_missing(tmp_path):
    path = tmp_path / "a.samples.parquet"
    numbers = pa.array([0.0, 4.0, 8.0])
    x = pa.array([1.0, math.inf, -math.inf])
    pq.write_table(pa.table({"t_ms": numbers, "x_px": x, "y_px": numbers}), path)
    samples = gazetrack.read(path).sample_table
    assert samples["x_px"].to_pylist() == pytest.approx([1.0, math.nan, math.nan], nan_ok=True)
    assert samples["x_px"].null_count == 0
    # Half a position is none.
    assert samples["y_px"].to_pylist() == pytest.approx([0.0, math.nan, math.nan], nan_ok=True)
    assert samples["t_ms"].to_pylist() == [0.0, 4.0, 8.0]
