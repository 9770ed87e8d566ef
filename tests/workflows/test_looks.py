"""From stored maps back to the tables beside them, and what their metadata may not do."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import SchemaError
from gazetrack.images.folder import find_images
from gazetrack.maps.store import StoredMaps, map_writer, read_maps
from gazetrack.publish import sha256_of
from gazetrack.workflows.looks import RowLooks, tables_beside
from tests.workflows.test_prompting import folder, tables  # noqa: F401 - a fixture

ROW = {"recording": "ann", "participant": "", "trial": "", "stimulus": "p.png", "n_fixations": 7}


def stored(path, meta):
    with map_writer(path / "maps.parquet", meta) as write:
        write(StoredMaps(**ROW, values=np.zeros((1, 3, 4), np.uint8)))
    return read_maps(path)


def test_tables_are_found_beside_the_maps_or_one_folder_up(tmp_path):
    table = tmp_path / "a.fixations.parquet"
    table.write_bytes(b"any")
    named = {"sources": [{"file": table.name, "sha256": sha256_of(table)}]}
    assert tables_beside(stored(tmp_path / "maps", named)) == ((table,), "")
    assert tables_beside(stored(tmp_path, named)) == ((table,), "")
    found, why = tables_beside(stored(tmp_path / "deep" / "maps", named))
    assert found == ()
    assert why.endswith("is not beside the maps")


@pytest.mark.parametrize("sources", [None, 5, [], [3], ["a"]])
def test_maps_that_name_no_table_have_none(tmp_path, sources):
    store = stored(tmp_path, {"sources": sources})
    assert tables_beside(store) == ((), "the maps do not say which tables they were made from")


def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path):
    table = tmp_path / "secret.fixations.parquet"
    table.write_bytes(b"any")
    for name in ("../../secret.fixations.parquet", str(table)):
        store = stored(
            tmp_path / "a" / "b" / "maps",
            {"sources": [{"file": name, "sha256": sha256_of(table)}]},
        )
        assert tables_beside(store)[0] == ()


def test_looks_are_shares_of_the_image_without_what_rendering_dropped(folder):  # noqa: F811
    store = read_maps(folder / "maps")
    looks = RowLooks(store, tables(folder), find_images(folder / "images"))
    first = next(store.rows())
    found = looks.of(first)
    assert first.n_fixations == len(found.xy) == 7  # the first of eight is dropped
    np.testing.assert_allclose(found.xy[-1], [44 / 64, 18 / 48])
    np.testing.assert_allclose(found.duration_ms, np.arange(1, 8) * 10 + 100)
    assert RowLooks(store, [], {}).of(first) is None


@pytest.mark.parametrize("params", [{"drop_first": "x"}, {"min_duration_ms": [1]}])
def test_metadata_that_are_no_numbers_are_an_error_that_says_so(folder, params):  # noqa: F811
    store = stored(folder / "odd", {"params": {"kind": "tube", **params}})
    with pytest.raises(SchemaError, match="does not say in numbers"):
        RowLooks(store, tables(folder), find_images(folder / "images"))
