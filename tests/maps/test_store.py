"""Stored maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import InputError, OutputError, SchemaError
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import map_writer, read_maps, stored
from gazetrack.maps.track import Track


def maps_of(stimulus, recording="r", x=10.0, width=40.0):
    return render_maps(
        Track(
            recording,
            "",
            stimulus,
            np.array([x, x + 5]),
            np.array([10.0, 20]),
            np.full(2, 300.0),
            width,
            30.0,
        )
    )


def test_three_lines_of_pandas_read_it(tmp_path):
    path = tmp_path / "maps.parquet"
    maps = maps_of("a.png")
    with map_writer(path, {}) as write:
        write(maps)
    row = pd.read_parquet(path).iloc[0]
    values = np.frombuffer(row.maps, np.uint8).reshape(row.levels, row.height, row.width) / 255
    np.testing.assert_allclose(values, maps.values, atol=0.5 / 255 + 1e-6)
    assert row.image_id == "a"


def test_images_of_different_sizes_load_alone(tmp_path):
    with map_writer(tmp_path / "maps.parquet", {"params": {}}) as write:
        write(maps_of("a.png"))
        write(maps_of("b.png", width=50.0))
    store = read_maps(tmp_path)
    assert store.ids == ("a", "b")
    assert store.load("b").shape == (4, 30, 50)
    with pytest.raises(InputError, match="'c'"):
        store.load("c")


def test_what_is_damaged_elsewhere_does_not_matter(tmp_path):
    path = tmp_path / "maps.parquet"
    with map_writer(path, {}) as write:
        for name in "abc":
            write(maps_of(f"{name}.png"))
    metadata = pq.read_metadata(path)
    chunk = metadata.row_group(0).column(metadata.num_columns - 1)
    data = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    data[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(data)
    store = read_maps(path)
    np.testing.assert_array_equal(store.load("c"), maps_of("c.png").as_uint8())
    with pytest.raises(InputError, match="'a'"):
        store.load("a")


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_either_type_is_read_by_its_name_and_loads_as_bytes(tmp_path, dtype):
    path, maps = tmp_path / "maps.parquet", maps_of("a.png")
    kept = stored(maps, dtype)
    with map_writer(path, {}) as write:
        write(kept)
    row = pd.read_parquet(path).iloc[0]
    values = np.frombuffer(row.maps, row.value_type).reshape(row.levels, row.height, row.width)
    np.testing.assert_array_equal(values, kept.values)
    np.testing.assert_array_equal(read_maps(path).load("a"), maps.as_uint8())
    np.testing.assert_allclose(
        next(read_maps(path).rows()).as_float32(), maps.values, atol=0.5 / 255 + 1e-6
    )


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_what_is_no_map_is_refused(tmp_path, value):
    row = stored(maps_of("a.png"), "float32")
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(replace(row, values=np.full_like(row.values, value)))
    with pytest.raises(InputError, match="damaged"):
        read_maps(tmp_path).load("a")


def test_files_without_a_type_hold_bytes(tmp_path):
    path, maps = tmp_path / "maps.parquet", maps_of("a.png")
    with map_writer(path, {}) as write:
        write(maps)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["value_type"]), path)
    np.testing.assert_array_equal(read_maps(path).load("a"), maps.as_uint8())


def test_several_observers_are_averaged(tmp_path):
    one, two = maps_of("a.png", "r1", 5.0), maps_of("a.png", "r2", 25.0)
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(one)
        write(two)
    expected = (one.as_uint8().astype(float) + two.as_uint8()) / 2
    assert np.abs(read_maps(tmp_path).load("a") - expected).max() <= 0.5


def test_too_many_bytes_are_refused_and_nothing_is_left(tmp_path):
    path = tmp_path / "maps.parquet"
    with (
        pytest.raises(OutputError, match="--size"),
        map_writer(path, {}, max_total_bytes=1000) as write,
    ):
        write(maps_of("a.png"))
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "maps.parquet"
    with map_writer(path, {}) as write:
        write(maps_of("a.png"))
    before = path.read_bytes()

    def interrupted():
        with map_writer(path, {}) as write:
            write(maps_of("b.png"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["maps.parquet"]


def test_another_table_is_no_map_file(tmp_path):
    path = tmp_path / "maps.parquet"
    pd.DataFrame({"image_id": ["a"]}).to_parquet(path)
    with pytest.raises(SchemaError, match="no map file"):
        read_maps(path)
