"""Tables on disk."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import ConfigError, InputError, OutputError, SchemaError
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import (
    ROW_GROUP_ROWS,
    check_suffix,
    conform_fixations,
    first_source,
    origin_of,
    read_fixations,
    read_table,
    refuse_doubled,
    refuse_other_origin,
    write_by_suffix,
    write_table,
)

TABLE = conform(
    {"recording": ["r", "r"], "stimulus": ["ä.png", ""], "x_px": [1.5, np.nan], "y_px": [2.0, 3.0]},
    FIXATIONS,
)


def test_pandas_reads_it_and_it_explains_itself(tmp_path):
    path = tmp_path / "a.fixations.parquet"
    write_table(path, TABLE, {"reader": "x", "rate_hz": np.float32(500.0)})
    frame = pd.read_parquet(path)
    assert frame["stimulus"].tolist() == ["ä.png", ""]
    assert np.isnan(frame["x_px"][1])
    schema = pq.read_schema(path)
    meta = json.loads(schema.metadata[b"gazetrack"])
    assert (meta["reader"], meta["rate_hz"], meta["schema_version"]) == ("x", 500.0, 1)
    assert schema.field("onset_ms").metadata[b"unit"] == b"ms"


def test_the_round_trip_is_exact_and_the_bytes_are_the_same_every_time(tmp_path):
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    for path in (first, second):
        write_table(path, TABLE, {"b": 1, "a": 2})
    assert first.read_bytes() == second.read_bytes()
    table, meta = read_fixations(first)
    pd.testing.assert_frame_equal(table.to_pandas(), TABLE.to_pandas())
    assert table.schema == FIXATIONS
    assert meta["a"] == 2


def test_only_own_files_are_replaced(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, TABLE, {})
    write_table(path, TABLE, {})
    foreign = tmp_path / "b.parquet"
    foreign.write_text("precious")
    with pytest.raises(OutputError, match="not written by gazetrack"):
        write_table(foreign, TABLE, {})
    assert foreign.read_text() == "precious"
    write_table(foreign, TABLE, {}, force=True)


def test_anybodys_parquet_with_the_columns_will_do(tmp_path):
    path = tmp_path / "own.parquet"
    columns = {
        "stimulus": ["a"],
        "onset_ms": [1],
        "duration_ms": [2],
        "x_px": [3.0],
        "y_px": [4.0],
        "mine": [0],
    }
    pd.DataFrame(columns).to_parquet(path)
    table, meta = read_fixations(path)
    assert table.schema.names == FIXATIONS.names
    assert table["onset_ms"].to_pylist() == [1.0]
    assert meta == {}


def test_missing_columns_are_named(tmp_path):
    path = tmp_path / "own.parquet"
    pd.DataFrame({"stimulus": ["a"], "x_px": [1.0]}).to_parquet(path)
    with pytest.raises(SchemaError, match="onset_ms, duration_ms, y_px"):
        read_fixations(path)


@pytest.mark.parametrize("content", [b"", b"junk", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path, content):
    path = tmp_path / "a.fixations.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_fixations(path)


def test_a_damaged_table_is_an_error_not_a_crash(tmp_path):
    path = tmp_path / "a.fixations.parquet"
    write_table(path, TABLE, {})
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            table, _ = read_fixations(path)
        except (InputError, SchemaError):
            continue
        assert isinstance(table, pa.Table)


def test_every_reader_of_parquet_counts_and_filters_alike(tmp_path):
    """Statistics of columns with NaN let DuckDB skip row groups that it should have looked into."""
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    n = 3 * ROW_GROUP_ROWS // 2  # two row groups
    x, pupil = rng.uniform(0, 1920, n).astype(np.float32), np.full(n, np.nan, np.float32)
    x[::7], pupil[-1] = np.nan, 3.5
    columns = {
        "recording": ["r"] * n,
        "x_px": x,
        "pupil": pupil,
        "onset_ms": np.arange(n) * 2.0,
        "index": np.arange(n),
    }
    path = tmp_path / "a.fixations.parquet"
    write_table(path, conform(columns, FIXATIONS), {})

    def asked(what, where="true"):
        query = " ".join(["select", what, "from", f"'{path}'", "where", where])
        return duckdb.connect().execute(query).fetchone()[0]

    questions = {
        "rows": ("count(*)", polars.len(), None),
        "lost": (
            "count(*) filter (where isnan(x_px))",
            polars.col("x_px").is_nan().sum(),
            np.isnan(x).sum(),
        ),
        "seen": (
            "count(*) filter (where not isnan(x_px))",
            (~polars.col("x_px").is_nan()).sum(),
            (~np.isnan(x)).sum(),
        ),
        "left": (
            "count(*) filter (where x_px < 960)",
            (polars.col("x_px") < 960).sum(),
            (x < 960).sum(),
        ),
        "pupils": (
            "count(*) filter (where not isnan(pupil))",
            (~polars.col("pupil").is_nan()).sum(),
            1,
        ),
    }
    frame, lazy = pd.read_parquet(path), polars.scan_parquet(path)
    assert len(frame) == n
    for name, (sql, expression, expected) in questions.items():
        expected = n if expected is None else int(expected)
        assert asked(sql) == expected, name
        assert lazy.select(expression).collect().item() == expected, name
    # A filter that is pushed down to the file meets its statistics; the one of an aggregate above
    # may not.
    for where, expression, expected in (
        ("isnan(x_px)", polars.col("x_px").is_nan(), int(np.isnan(x).sum())),
        ("not isnan(pupil)", ~polars.col("pupil").is_nan(), 1),
        ("x_px < 960", polars.col("x_px") < 960, int((x < 960).sum())),
        (
            "x_px between 960 and 1e6",
            polars.col("x_px").is_between(960, 1e6),
            int((x >= 960).sum()),
        ),
        ("onset_ms < 100", polars.col("onset_ms") < 100, 50),
        ('"index" >= 1000', polars.col("index") >= 1000, n - 1000),
    ):
        assert asked("count(*)", where) == expected, where
        assert lazy.filter(expression).select(polars.len()).collect().item() == expected, where
    mean = float(np.nanmean(x.astype(float)))
    assert frame["x_px"].astype(float).mean() == pytest.approx(mean)
    assert asked("avg(x_px)", "not isnan(x_px)") == pytest.approx(mean)
    known = lazy.filter(~polars.col("x_px").is_nan()).select(
        polars.col("x_px").cast(polars.Float64).mean()
    )
    assert known.collect().item() == pytest.approx(mean)


def test_columns_of_numbers_with_nan_have_no_statistics_and_others_have(tmp_path):
    path = tmp_path / "a.fixations.parquet"
    write_table(path, TABLE, {})
    group = pq.read_metadata(path).row_group(0)
    for at, field in enumerate(TABLE.schema):
        found = group.column(at).statistics
        known = found is not None and found.has_min_max
        assert known == (not pa.types.is_floating(field.type)), field.name


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_a_text_table_has_empty_cells_for_what_is_missing_and_no_formula(
    tmp_path, suffix, delimiter
):
    path = tmp_path / f"a{suffix}"
    table = pa.table({"name": ["=1+2", "plain", "a\n@b"], "n": [1.5, np.nan, 2.0], "k": [1, 2, 3]})
    write_by_suffix(path, table, {"not": "in texts"})
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    assert rows == [
        ["name", "n", "k"],
        ["'=1+2", "1.5", "1"],
        ["plain", "", "2"],
        ["'a\n@b", "2.0", "3"],
    ]


def test_a_parquet_file_is_written_by_its_suffix_with_its_metadata(tmp_path):
    write_by_suffix(tmp_path / "a.PARQUET", TABLE, {"reader": "x"})
    assert read_table(tmp_path / "a.PARQUET")[1]["reader"] == "x"


def test_a_suffix_of_no_table_is_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot tell the format of .*a\.xlsx"):
        check_suffix(tmp_path / "a.xlsx", TABLE.schema, force=True)


def test_a_text_that_is_no_such_table_is_replaced_with_force_alone(tmp_path):
    path, table = tmp_path / "a.csv", pa.table({"n": [1]})
    write_by_suffix(path, table, {})
    write_by_suffix(path, table, {})  # the same columns: a table like it
    path.write_text("precious\n1\n")
    with pytest.raises(OutputError, match="is no such table"):
        write_by_suffix(path, table, {})
    assert path.read_text() == "precious\n1\n"
    write_by_suffix(path, table, {}, force=True)
    assert path.read_text() == "n\n1\n"


def test_a_damaged_table_and_none_at_all_are_told(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(InputError, match="no such file"):
        read_table(path)
    write_table(path, TABLE, {})
    data = path.read_bytes()
    # The end, which says what is in it, is whole.
    path.write_bytes(data[:4] + bytes(60) + data[64:])
    with pytest.raises(InputError, match="damaged Parquet file"):
        read_table(path)
    path.write_bytes(data[:-50])
    with pytest.raises(InputError, match="is no Parquet table"):
        read_table(path)


def test_metadata_that_are_no_object_are_none(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": [1]}).replace_schema_metadata({b"gazetrack": b"[1]"}), path)
    assert read_table(path)[1] == {}


def meta_of(sha256="1" * 64, file="a.tsv", **more):
    return {"source": {"file": file, "sha256": sha256}, **more}


def test_a_table_of_another_origin_is_replaced_with_force_alone(tmp_path):
    path = tmp_path / "a.fixations.parquet"
    refuse_other_origin(path, meta_of(), force=False, same_bytes=True)  # nothing is there
    write_table(path, TABLE, meta_of())
    refuse_other_origin(path, meta_of(), force=False, same_bytes=True)
    changed = meta_of("2" * 64)
    refuse_other_origin(path, changed, force=False, same_bytes=False)
    with pytest.raises(OutputError, match=r"holds another recording, of 'a\.tsv'|of a\.tsv"):
        refuse_other_origin(path, changed, force=False, same_bytes=True)
    refuse_other_origin(path, changed, force=True, same_bytes=True)
    detected = meta_of(detector={"name": "idt"})
    with pytest.raises(
        OutputError, match=r"holds the export's own fixations .* fixations detected by idt"
    ):
        refuse_other_origin(path, detected, force=False, same_bytes=True)


def test_where_fixations_come_from_is_said_in_words():
    assert origin_of({"movements": {}}) == "eye movements of gazetrack events"
    assert origin_of({"detector": {}}) == "fixations detected by a detector"
    assert origin_of({}) == "the export's own fixations"
    between = {"source": {"file": "b", "made_of": {"file": "a.tsv", "sha256": "1"}}}
    assert first_source(between) == {"file": "a.tsv", "sha256": "1"}
    assert first_source({"source": "nothing"}) == {"file": "", "sha256": ""}


def test_metadata_hold_json_values_alone(tmp_path):
    with pytest.raises(TypeError, match="set is no JSON value"):
        write_table(tmp_path / "a.parquet", TABLE, {"a": {1}})
    assert list(tmp_path.iterdir()) == []


def test_columns_of_another_type_or_twice_are_refused(tmp_path):
    columns = {"stimulus": ["a"], "onset_ms": ["soon"], "duration_ms": [1.0], "x_px": [1.0]}
    table = pa.table(columns | {"y_px": [1.0]})
    with pytest.raises(SchemaError, match=r"a\.parquet: .*onset_ms"):
        conform_fixations(table, tmp_path / "a.parquet")
    with pytest.raises(SchemaError, match="has several columns called x_px"):
        refuse_doubled(["x_px", "y_px", "x_px"])
    refuse_doubled(["x_px", "y_px"])
