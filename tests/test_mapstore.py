"""Stored maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import InputError, OutputError, SchemaError
from gazetrack.maps import render_maps
from gazetrack.mapstore import map_writer, read_maps
from gazetrack.track import Track


def maps_of(stimulus, recording="r", x=10.0, width=40.0):
    return render_maps(
        Track(recording, "", stimulus, np.array([x, x + 5]), np.array([10.0, 20]), np.full(2, 300.0), width, 30.0)
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


def test_several_observers_are_averaged(tmp_path):
    one, two = maps_of("a.png", "r1", 5.0), maps_of("a.png", "r2", 25.0)
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(one)
        write(two)
    expected = (one.as_uint8().astype(float) + two.as_uint8()) / 2
    assert np.abs(read_maps(tmp_path).load("a") - expected).max() <= 0.5


def test_too_many_bytes_are_refused_and_nothing_is_left(tmp_path):
    path = tmp_path / "maps.parquet"
    with pytest.raises(OutputError, match="--size"), map_writer(path, {}, max_total_bytes=1000) as write:
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
