"""Stored maps."""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import InputError, OutputError, SchemaError
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import StoredMaps, map_writer, read_maps, stored
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


def row_of(stimulus="a.png", values=None, **facts):
    values = np.full((2, 3, 4), 51, np.uint8) if values is None else values
    names = {"recording": "r", "participant": "p", "trial": "t", "n_fixations": 7}
    return StoredMaps(**({"stimulus": stimulus, "values": values} | names | facts))


def write_rows(path, *rows, **options):
    with map_writer(path, {}, **options) as write:
        for row in rows:
            write(row)
    return read_maps(path)


def test_maps_are_given_as_bytes_and_as_shares_whatever_they_were():
    steps = np.array([[[0, 51, 102, 255]]])
    for values in (steps.astype(np.uint8), (steps / 255).astype(np.float32)):
        row = row_of(values=values)
        assert row.as_uint8().dtype == np.uint8
        assert row.as_uint8().tolist() == steps.tolist()
        assert row.as_float32().dtype == np.float32
        np.testing.assert_allclose(row.as_float32(), steps / 255, atol=1e-7)


def test_a_row_says_where_it_is_from_and_files_of_others_may_say_less(tmp_path):
    path = tmp_path / "maps.parquet"
    row = row_of()
    (found,) = write_rows(path, row).rows()
    assert replace(found, values=row.values) == row
    np.testing.assert_array_equal(found.values, row.values)
    pq.write_table(
        pq.read_table(path).select(["image_id", "levels", "height", "width", "maps"]), path
    )
    (found,) = read_maps(path).rows()
    bare = row_of("a", recording="", participant="", trial="", n_fixations=0)
    assert replace(found, values=row.values) == replace(bare, values=row.values)


def test_maps_of_targets_are_averaged_within_one(tmp_path):
    values = [np.full((1, 2, 2), value, np.uint8) for value in (10, 20, 90)]
    rows = [row_of(values=v, target=t) for v, t in zip(values, "aab", strict=True)]
    store = write_rows(tmp_path / "maps.parquet", *rows, targets=True)
    assert (store.ids, store.targets, len(store)) == (("a",), ("a", "b"), 3)
    assert [row.target for row in store.rows()] == ["a", "a", "b"]
    assert store.has("a", "b")
    assert not store.has("a")
    assert (store.load("a", "a") == 15).all()
    assert (store.load("a", "b") == 90).all()
    with pytest.raises(InputError, match=r"several targets \(a, b\)"):
        store.load("a")
    plain = write_rows(tmp_path / "maps.parquet", rows[0])
    assert plain.targets == ()
    plain.refuse_targets()
    assert plain.has("a")


def test_maps_of_one_target_are_those_of_one_thing(tmp_path):
    values = [np.full((1, 2, 2), value, np.uint8) for value in (10, 20)]
    rows = [row_of(values=v, target="polyp") for v in values]
    store = write_rows(tmp_path / "maps.parquet", *rows, targets=True)
    store.refuse_targets()
    assert store.has("a")
    assert store.has("a", "polyp")
    assert not store.has("a", "ulcer")
    assert (store.load("a") == 15).all()
    assert (store.load("a", "polyp") == 15).all()
    assert store.rows_of("polyp") == 2


def test_shares_of_several_observers_are_averaged_before_they_are_rounded(tmp_path):
    shares = [np.full((1, 1, 1), k / 255, np.float32) for k in (10.4, 10.4, 12)]
    store = write_rows(tmp_path / "maps.parquet", *(row_of(values=v) for v in shares))
    assert store.load("a").item() == 11  # 10.93; of rounded ones 10.67 would be 11, too
    two = write_rows(tmp_path / "maps.parquet", row_of(values=shares[0]), row_of(values=shares[1]))
    assert two.load("a").item() == 10
    mixed = [np.full((1, 1, 1), 20, np.uint8), np.full((1, 1, 1), 40 / 255, np.float32)]
    store = write_rows(tmp_path / "maps.parquet", *(row_of(values=v) for v in mixed))
    assert store.load("a").item() == 30


def test_observers_with_maps_of_another_size_are_not_averaged(tmp_path):
    rows = [row_of(values=np.zeros((1, 2, n), np.uint8)) for n in (3, 4)]
    with pytest.raises(InputError, match="several sizes of 'a'"):
        write_rows(tmp_path / "maps.parquet", *rows).load("a")


def test_as_many_bytes_as_allowed_are_written_and_not_one_more(tmp_path, monkeypatch):
    path = tmp_path / "maps.parquet"
    assert len(write_rows(path, row_of(), row_of(), max_total_bytes=48)) == 2
    with pytest.raises(OutputError, match="larger --max-total-mb"):
        write_rows(path, row_of(), row_of(), max_total_bytes=47)
    monkeypatch.setattr("gazetrack.maps.store.MAX_ROW_BYTES", 24)
    assert len(write_rows(path, row_of())) == 1
    monkeypatch.setattr("gazetrack.maps.store.MAX_ROW_BYTES", 23)
    with pytest.raises(OutputError, match="fewer --levels"):
        write_rows(path, row_of())


def test_a_file_of_another_program_is_replaced_when_asked_alone(tmp_path):
    path = tmp_path / "maps.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(OutputError):
        write_rows(path, row_of())
    assert len(write_rows(path, row_of(), force=True)) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [("levels", 0), ("height", None), ("width", -4), ("levels", 3), ("value_type", "int8")],
)
def test_a_row_that_does_not_describe_its_maps_is_damaged(tmp_path, column, value):
    path = tmp_path / "maps.parquet"
    write_rows(path, row_of())
    table = pd.read_parquet(path)
    table[column] = pd.array([value], dtype="Int32" if column != "value_type" else "string")
    table.to_parquet(path)
    store = read_maps(path)
    with pytest.raises(InputError, match="damaged maps of 'a'"):
        store.load("a")
    with pytest.raises(InputError, match="damaged maps in row 1"):
        next(store.rows())


def test_columns_may_be_of_wider_types_but_not_of_others(tmp_path):
    path = tmp_path / "maps.parquet"
    write_rows(path, row_of())
    table = pq.read_table(path)
    wide = {
        "image_id": pa.large_string(),
        "stimulus": pa.dictionary(pa.int8(), pa.string()),
        "maps": pa.large_binary(),
        "levels": pa.int64(),
    }
    other = {
        "image_id": (pa.array([1]), "text"),
        "levels": (pa.array(["2"]), "whole numbers"),
        "maps": (pa.array(["2"]), "bytes"),
    }
    for name, kind in wide.items():
        place = table.schema.get_field_index(name)
        pq.write_table(table.set_column(place, name, table[name].cast(kind)), path)
        assert (read_maps(path).load("a") == 51).all()
        assert next(read_maps(path).rows()).stimulus == "a.png"
    for name, (column, wanted) in other.items():
        place = table.schema.get_field_index(name)
        pq.write_table(table.set_column(place, name, column), path)
        with pytest.raises(SchemaError, match=f"column {name} is not {wanted}"):
            read_maps(path)


def test_a_file_is_looked_at_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "maps.parquet"
    write_rows(path, row_of(), row_of("b.png"))
    table = pq.read_table(path)
    pq.write_table(table, path)
    with pytest.raises(SchemaError, match="one track per row group"):
        read_maps(path)
    place = table.schema.get_field_index("image_id")
    pq.write_table(
        table.set_column(place, "image_id", pa.array(["a", None])), path, row_group_size=1
    )
    with pytest.raises(SchemaError, match="without image_id"):
        read_maps(path)
    pq.write_table(table.drop_columns(["maps", "width"]), path)
    with pytest.raises(SchemaError, match="no column width, maps"):
        read_maps(path)
    write_rows(path, row_of(), row_of("b.png"))
    (size, _) = (pq.read_metadata(path).row_group(g).total_byte_size for g in (0, 1))
    for most, is_read in ((size - 2**20, True), (size - 2**20 - 1, False)):
        monkeypatch.setattr("gazetrack.maps.store.MAX_ROW_BYTES", most)
        if is_read:
            assert read_maps(path).ids == ("a", "b")
            continue
        with pytest.raises(InputError, match="row 1 unpacks to 0 MB"):
            read_maps(path)


@pytest.mark.parametrize("most", [0, 2**40])
def test_ids_are_read_whether_or_not_the_file_might_fill_the_memory(tmp_path, monkeypatch, most):
    path = tmp_path / "maps.parquet"
    monkeypatch.setattr("gazetrack.maps.store.MAX_ID_CHARS", 5)
    monkeypatch.setattr("gazetrack.maps.store.most_bytes", lambda _: most)
    store = write_rows(path, row_of("12345.png"), row_of("b.png"), row_of("c.png"))
    assert store.ids == ("12345", "b", "c")
    if most:
        return
    with pytest.raises(SchemaError, match="row 2 has an image_id of 6 characters"):
        write_rows(path, row_of("a.png"), row_of("123456.png"))


def test_what_fails_with_the_very_last_row_is_raised(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    path = tmp_path / "maps.parquet"
    with pytest.raises(OutputError, match="No space left"):
        write_rows(path, row_of())
    assert not path.exists()


def test_shares_of_nothing_and_of_all_are_maps(tmp_path):
    values = np.array([[[0.0, 1.0]]], np.float32)
    store = write_rows(tmp_path / "maps.parquet", row_of(values=values))
    np.testing.assert_array_equal(next(store.rows()).as_float32(), values)
