"""Parquet that anybody may have written.

What it declares is held against limits before it is unpacked.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import InputError, SchemaError
from gazetrack.maps.store import MAPS, MapStore, map_writer
from gazetrack.tables import parquet
from gazetrack.tables.parquet import read_parquet
from gazetrack.tables.store import read_fixations, read_table

POOL = pa.default_memory_pool()


def write(path, columns, times=1):
    """Write the same rows many times over.

    A column of one value takes a few bytes a million rows.
    """
    table = pa.table(columns)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(table)
    return path


def fixations(n, **more):
    numbers = dict.fromkeys(("onset_ms", "duration_ms", "x_px", "y_px"), np.ones(n))
    return {"stimulus": pa.array(["a.png"] * n), **numbers, **more}


def test_a_small_file_that_fills_the_memory_is_refused_before_it_does(tmp_path):
    bomb = write(tmp_path / "bomb.fixations.parquet", fixations(1_000_000), times=20)
    assert bomb.stat().st_size < 500_000
    before = POOL.bytes_allocated()
    with pytest.raises(
        InputError, match=r"bomb.fixations.parquet: would take \d+ MB of memory from 0.\d MB"
    ):
        read_fixations(bomb)
    assert POOL.bytes_allocated() - before < 1_000_000


def test_one_long_text_of_many_rows_is_refused(tmp_path):
    coded = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int32), ["x" * 100_000])
    path = write(tmp_path / "long.fixations.parquet", fixations(100_000, trial=coded))
    with pytest.raises(InputError, match="would take 10,00"):
        read_fixations(path)


def test_columns_that_nobody_asked_for_are_not_read(tmp_path):
    path = write(
        tmp_path / "a.fixations.parquet", fixations(1_000_000, other=np.zeros(1_000_000)), times=2
    )
    alone = write(tmp_path / "b.fixations.parquet", {"other": np.zeros(1_000_000)}, times=20)
    assert read_fixations(path)[0].num_rows == 2_000_000
    with pytest.raises(InputError, match="of memory"):
        read_table(alone)
    assert read_table(alone, ["x_px"])[0].num_columns == 0


@pytest.mark.parametrize("above", [-1, 0, 1])
def test_the_limits_are_exact(tmp_path, monkeypatch, above):
    path = write(tmp_path / "a.parquet", {"x": np.zeros(1000)})
    monkeypatch.setattr(parquet, "MAX_PARQUET_RATIO", 1)
    monkeypatch.setattr(parquet, "PARQUET_RATIO_FROM_BYTES", 8000 - above)
    if above > 0:
        with pytest.raises(InputError, match="of memory"):
            read_parquet(path, path, 1)
    else:
        assert read_parquet(path, path, 1).num_rows == 1000


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_of_any_kind_read_the_same(tmp_path, kind):
    names = pa.array(["a.png", "b.png", None, "a.png"]).cast(kind)
    table, _ = read_fixations(
        write(tmp_path / "a.fixations.parquet", fixations(4) | {"stimulus": names}, times=2)
    )
    assert table["stimulus"].to_pylist() == ["a.png", "b.png", "", "a.png"] * 2


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="two columns 'x'"):
        read_table(tmp_path / "a.parquet")


def test_lists_are_refused(tmp_path):
    path = write(tmp_path / "a.parquet", {"x_px": pa.array([[1.0, 2.0]])})
    with pytest.raises(InputError, match="lists in column 'x_px'"):
        read_table(path)


def map_row(**changes):
    row = {
        "image_id": "p",
        "recording": "r",
        "participant": "",
        "trial": "",
        "stimulus": "p.png",
        "n_fixations": 3,
        "levels": 2,
        "height": 3,
        "width": 4,
        "value_type": "uint8",
        "maps": bytes(24),
    }
    return row | changes


def write_maps(path, rows, schema=MAPS):
    with pq.ParquetWriter(path, schema) as writer:
        for row in rows:
            columns = [pa.array([row[field.name]], field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return path


def test_maps_larger_than_the_limit_are_neither_read_nor_written(tmp_path, monkeypatch):
    monkeypatch.setattr("gazetrack.maps.store.MAX_ROW_BYTES", 2**20)
    path = write_maps(tmp_path / "maps.parquet", [map_row(), map_row(maps=bytes(2**21 + 1))])
    with pytest.raises(InputError, match=r"maps.parquet: row 2 unpacks to 2 MB"):
        MapStore(path)
    from gazetrack.errors import OutputError
    from gazetrack.maps.store import StoredMaps

    large = StoredMaps(
        stimulus="p.png",
        recording="",
        participant="",
        trial="",
        n_fixations=1,
        values=np.zeros((1, 1024, 1025), np.uint8),
    )
    with (
        pytest.raises(OutputError, match="more than 1 MB"),
        map_writer(tmp_path / "new.parquet", {}) as put,
    ):
        put(large)
    assert not (tmp_path / "new.parquet").exists()


def test_many_rows_in_a_few_bytes_are_no_map_file(tmp_path):
    columns = {name: pa.array([value] * 1_000_000) for name, value in map_row(maps=b"").items()}
    with pytest.raises(SchemaError, match="one track per row group"):
        MapStore(write(tmp_path / "maps.parquet", columns))


def other(name, kind):
    return pa.schema([pa.field(name, kind) if field.name == name else field for field in MAPS])


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("image_id", pa.int32(), 5),
        ("levels", pa.string(), "2"),
        ("height", pa.float64(), 3.5),
        ("width", pa.list_(pa.int32()), [4]),
        ("maps", pa.string(), "abc"),
        ("value_type", pa.int8(), 1),
        ("n_fixations", pa.bool_(), True),
        ("trial", pa.float32(), 1.5),
    ],
)
def test_a_column_of_another_type_is_named(tmp_path, name, kind, value):
    path = write_maps(tmp_path / "maps.parquet", [map_row(**{name: value})], other(name, kind))
    with pytest.raises(SchemaError, match=rf"maps.parquet: is no map file: column {name} is not "):
        MapStore(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": -1, "height": -1},
        {"levels": 0},
        {"height": 2**31 - 1},
        {"value_type": "float64"},
        {"value_type": "float32"},
        {"maps": bytes(23)},
        {"maps": None},
        {"levels": None},
    ],
)
def test_a_row_that_is_no_maps_is_named(tmp_path, changes):
    nullable = pa.schema([pa.field(field.name, field.type) for field in MAPS])
    store = MapStore(write_maps(tmp_path / "maps.parquet", [map_row(**changes)], nullable))
    with pytest.raises(InputError, match=r"maps.parquet: damaged maps in row 1"):
        list(store.rows())
    with pytest.raises(InputError, match=r"maps.parquet: damaged maps of 'p'"):
        store.load("p")


def test_observers_of_several_sizes_are_named(tmp_path):
    store = MapStore(
        write_maps(tmp_path / "maps.parquet", [map_row(), map_row(levels=3, height=2)])
    )
    with pytest.raises(InputError, match="maps of several sizes of 'p'"):
        store.load("p")


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_map_file_is_an_error_that_names_it(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = write_maps(
        tmp_path / "maps.parquet", [map_row(), map_row(image_id="q", maps=bytes(range(24)))]
    )
    data = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 4)):
        data[rng.integers(4, len(data))] ^= 1 << rng.integers(8)
    path.write_bytes(data[: rng.integers(8, len(data)) if seed % 5 == 0 else None])
    assert error_of(path) in (None, path)


def error_of(path):
    """Return the file that the error is about, None where there is none.

    Anything but our own errors is a failure.
    """
    try:
        store = MapStore(path)
        for image_id in store.ids:
            store.load(image_id)
        list(store.rows())
    except (InputError, SchemaError) as error:
        return error.path
    return None


def test_maps_of_little_gaze_are_read_however_small_their_file(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "PARQUET_RATIO_FROM_BYTES", 1000)
    rows = [
        map_row(image_id=f"p{i}", levels=1, height=1000, width=1000, maps=bytes(1_000_000))
        for i in range(9)
    ]
    path = write_maps(tmp_path / "maps.parquet", rows)
    monkeypatch.setattr(parquet, "MAX_PARQUET_RATIO", 2)
    assert path.stat().st_size * 2 < 9_000_000
    assert MapStore(path).ids == tuple(f"p{i}" for i in range(9))
    path = write_maps(tmp_path / "maps.parquet", [*rows, map_row(image_id="q" * 5000)])
    with pytest.raises(SchemaError, match="row 10 has an image_id of 5,000 characters"):
        MapStore(path)


def test_a_table_is_read_from_an_open_file_from_its_beginning(tmp_path):
    path = write(tmp_path / "a.parquet", fixations(3))
    with path.open("rb") as file:
        assert read_parquet(file, path, path.stat().st_size).num_rows == 3
