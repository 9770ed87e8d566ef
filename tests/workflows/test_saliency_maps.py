"""Saliency maps from pictures, NumPy files and map files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError, SchemaError
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import map_writer
from gazetrack.measures.saliency import density, nss
from gazetrack.workflows.saliency_maps import map_sources
from tests.measures.paths import random_track

VALUES = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def test_pictures_and_numpy_files_of_a_folder(tmp_path):
    Image.fromarray(VALUES).save(tmp_path / "gray.png")
    Image.fromarray(np.stack([VALUES] * 3, axis=2)).save(tmp_path / "colour.png")
    Image.fromarray(VALUES.astype(np.uint16) * 100).save(tmp_path / "deep.png")
    np.save(tmp_path / "array.npy", VALUES / 7)
    found = map_sources(tmp_path)
    assert set(found) == {"gray", "colour", "deep", "array"}
    assert found["gray"].read().tolist() == VALUES.tolist()
    assert np.allclose(found["colour"].read(), VALUES, atol=1)
    assert found["deep"].read().tolist() == (VALUES * 100.0).tolist()
    assert found["array"].read().tolist() == (VALUES / 7).tolist()
    assert {source.size() for source in found.values()} == {(6, 4)}
    assert map_sources(tmp_path / "array.npy")["array"].size() == (6, 4)
    assert list(map_sources(tmp_path / "gray.png")) == ["gray"]


def test_arrays_by_stimulus():
    found = map_sources({"shown/cat.png": VALUES, "dog": [[1, 2], [3, 4]]})
    assert found["cat"].read().dtype == np.float64
    assert found["dog"].read().tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="two maps of one image"):
        map_sources({"cat.png": VALUES, "cat.jpg": VALUES})


def test_the_whole_track_of_a_map_file(tmp_path):
    maps = render_maps(random_track(8, 0), MapParams(levels=3), (30, 40))
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(maps)
    for path in (tmp_path, tmp_path / "maps.parquet"):
        found = map_sources(path)
        assert list(found) == ["cat"]
        assert found["cat"].is_stored
        assert found["cat"].read().tolist() == maps.as_uint8()[-1].tolist()


def test_bad_files(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        map_sources(tmp_path / "none")
    with pytest.raises(InputError, match="holds no map"):
        map_sources(tmp_path)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY nonsense")
    with pytest.raises(InputError, match="cannot be read as an array"):
        map_sources(tmp_path)["broken"].read()
    np.save(tmp_path / "objects.npy", np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as an array"):
        map_sources(tmp_path)["objects"].read()
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nonsense")
    with pytest.raises(DataError, match="two maps of 'broken'"):
        map_sources(tmp_path)
    (tmp_path / "broken.npy").unlink()
    with pytest.raises(InputError, match="cannot be read as an image"):
        map_sources(tmp_path)["broken"].read()


def test_a_volume_is_no_map(tmp_path):
    np.save(tmp_path / "volume.npy", np.zeros((3, 4, 5)))
    with pytest.raises(SchemaError, match=r"'volume' has the shape \(3, 4, 5\)"):
        map_sources(tmp_path)["volume"].read()


def test_a_huge_array_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("gazetrack.workflows.saliency_maps.MAX_IMAGE_PX", 10)
    np.save(tmp_path / "huge.npy", VALUES)
    with pytest.raises(InputError, match="has 24 pixels"):
        map_sources(tmp_path)["huge"].read()


def test_complex_maps_are_refused(tmp_path):
    np.save(tmp_path / "cat.npy", np.ones((4, 4)) * 1j)
    with pytest.raises(SchemaError, match="'cat' holds complex numbers"):
        map_sources(tmp_path)["cat"].read()


@pytest.mark.parametrize("size", [1e308, 1e-310])
def test_huge_and_tiny_maps_have_the_scores_of_others(size):
    values = np.array([[0.125, 0.25], [0.5, 1.0]])
    read = map_sources({"cat": values * size})["cat"].read()
    ordinary = map_sources({"cat": values * 1e80})["cat"].read()
    assert ordinary.max() == 1e80
    x, y = np.array([1.5]), np.array([1.5])
    assert nss(read, x, y) == pytest.approx(nss(values, x, y))
    np.testing.assert_allclose(density(read), density(values))
