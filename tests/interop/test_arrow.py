"""Tables in polars, DuckDB and narwhals: same rows, and units and origin on the way back."""

from __future__ import annotations

import json

import duckdb
import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, SchemaError
from gazetrack.interop.arrow import facts_in, to_arrow
from gazetrack.tables.schema import FIXATIONS, SAMPLES
from gazetrack.workflows.fixations import as_table


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """An export, its recording, its fixations and their file."""
    folder = tmp_path_factory.mktemp("arrow")
    example = gazetrack.write_example(folder, n_images=4, size=(48, 64))
    recording = gazetrack.read(example.exports[0])
    fixations = gazetrack.exported_fixations(recording)
    (outcome,) = gazetrack.convert(example.exports[0], out=folder)
    return recording, fixations, outcome.outputs[0]["path"]


def same(table, other):
    """The same rows, types, units and origin; a missing number is like another."""
    assert table.schema.equals(other.schema, check_metadata=True)
    pd.testing.assert_frame_equal(table.to_pandas(), other.to_pandas())


def test_a_data_frame_keeps_units_meanings_and_origin(study):
    recording, fixations, _ = study
    table = to_arrow(fixations[fixations["duration_ms"] > 100].assign(mine=1))
    assert table.schema.field("duration_ms").equals(FIXATIONS.field("duration_ms"), True)
    assert table.schema.field("x_px").metadata[b"unit"] == b"px"
    assert table["mine"].to_pylist() == [1] * table.num_rows
    facts = json.loads(table.schema.metadata[b"gazetrack"])
    assert facts["screen"] == recording.screen.facts()
    assert facts["fixation_source"] == "export"
    assert set(table.schema.metadata) == {b"gazetrack"}  # nothing of pandas


def test_a_recording_gives_its_tables_as_they_are(study):
    recording, _, _ = study
    samples = to_arrow(recording)
    assert samples.schema.equals(SAMPLES)
    assert samples.schema.field("t_ms").metadata[b"unit"] == b"ms"
    same(samples.replace_schema_metadata(None), recording.sample_table)
    assert facts_in(samples)["rate_hz"] == recording.rate_hz
    events = to_arrow(recording, "events")
    assert events.num_rows == recording.event_table.num_rows
    with pytest.raises(InputError, match="exported_fixations"):
        to_arrow(recording, "fixations")
    with pytest.raises(ConfigError, match="one of samples, events, fixations"):
        to_arrow(recording, "fixatoins")


@pytest.mark.parametrize(
    "through",
    [
        pl.from_arrow,
        lambda table: narwhals.from_native(pl.from_arrow(table)),
        lambda rows: duckdb.sql("from rows"),
        lambda table: table.to_pandas(),
        lambda table: table,
    ],
    ids=["polars", "narwhals", "duckdb", "pandas", "arrow"],
)
def test_there_and_back_is_the_same_table(study, through):
    table = to_arrow(study[1])
    assert np.isnan(table["amplitude_deg"].to_numpy()).any()  # missing numbers are in it
    back = to_arrow(through(table), like=table)
    same(back, table)


def test_polars_and_duckdb_add_up_the_same_dwell(study):
    _, fixations, path = study
    expected = fixations.groupby("stimulus", observed=True)["duration_ms"].sum().to_dict()
    table_of_arrow = to_arrow(fixations)
    by_polars = pl.from_arrow(table_of_arrow).group_by("stimulus").agg(pl.col("duration_ms").sum())
    assert dict(by_polars.iter_rows()) == pytest.approx(expected)
    query = "select stimulus, sum(duration_ms) from {} group by stimulus"
    of_table = duckdb.sql(query.format("table_of_arrow")).fetchall()
    of_file = duckdb.sql(query.format(f"'{path}'")).fetchall()
    assert dict(of_table) == pytest.approx(expected)
    assert dict(of_file) == pytest.approx(expected)


def test_missing_numbers_are_nan_in_both_and_no_null(study):
    fixations = to_arrow(study[1])
    n_missing = int(np.isnan(fixations["amplitude_deg"].to_numpy()).sum())
    frame = pl.from_arrow(fixations)
    assert frame["amplitude_deg"].is_nan().sum() == n_missing > 0
    assert frame.null_count().sum_horizontal().item() == 0
    by_duckdb = "select count(*) from fixations where isnan(amplitude_deg)"
    assert duckdb.sql(by_duckdb).fetchall() == [(n_missing,)]


def test_polars_and_duckdb_read_the_metadata_of_a_file(study):
    recording, _, path = study
    told = json.loads(pl.read_parquet_metadata(path)["gazetrack"])
    assert told["screen"]["width_px"] == recording.screen.width_px
    width = duckdb.sql(
        "select (decode(value)::json->'screen'->>'width_px')::int "
        "from parquet_kv_metadata(?) where decode(key) = 'gazetrack'",
        params=[path],
    ).fetchall()
    assert width == [(recording.screen.width_px,)]
    units = {field.name: field.metadata[b"unit"].decode() for field in to_arrow(path).schema}
    assert (units["x_px"], units["onset_ms"], units["amplitude_deg"]) == ("px", "ms", "deg")


def test_fixations_filtered_elsewhere_go_on_into_tracks(study):
    # On the pixels of the screen, whose size stands in the metadata alone.
    on_screen = study[1].assign(image_width_px=np.nan, image_height_px=np.nan)
    table = to_arrow(on_screen)
    long_ones = pl.from_arrow(table).filter(pl.col("duration_ms") > 150)
    with pytest.raises(SchemaError, match="size"):
        gazetrack.tracks(long_ones)  # polars forgets the screen
    found = gazetrack.tracks(to_arrow(long_ones, like=table))
    expected = gazetrack.tracks(on_screen[on_screen["duration_ms"] > 150])
    assert [len(track) for track in found] == [len(track) for track in expected]
    np.testing.assert_array_equal(found[0].x, expected[0].x)
    assert as_table(long_ones)[0].num_rows == len(long_ones)


def test_rows_of_another_program_alone_have_no_origin():
    frame = pl.DataFrame({"stimulus": ["a.png", None], "x_px": [1.5, None], "n": [1, 2]})
    table = to_arrow(frame)
    assert table.schema.metadata is None
    assert table["stimulus"].to_pylist() == ["a.png", ""]
    np.testing.assert_array_equal(table["x_px"].to_numpy(), np.array([1.5, np.nan], np.float32))
    foreign = to_arrow(pd.DataFrame({"a": [1]}))
    assert foreign.schema.names == ["a"]


def test_what_is_no_table_is_refused(study, tmp_path):
    with pytest.raises(ConfigError, match="the table is of type int"):
        to_arrow(3)
    with pytest.raises(InputError, match="no such file"):
        to_arrow(tmp_path / "none.parquet")
    with pytest.raises(SchemaError, match="x_px"):
        to_arrow(pl.DataFrame({"x_px": ["left"]}))
    with pytest.raises(SchemaError, match="one name"):
        to_arrow(pa.table([[1], [2]], names=["x_px", "x_px"]))
    broken = to_arrow(study[1]).replace_schema_metadata({b"gazetrack": b"[1]"})
    with pytest.raises(SchemaError, match="no JSON object"):
        to_arrow(broken)
