"""Data sets in memory, and what is said about them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError
from gazetrack.images.reference import ImageRef
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import prepare, render_maps, render_points
from gazetrack.maps.store import map_writer
from gazetrack.workflows.dataset import Item
from gradtrack_model.data.batches import plain_batch
from gradtrack_model.data.loading import labels_of, load_data, mask_of
from gradtrack_model.data.sources import discover
from tests.dicom_files import write_series
from tests.synthetic import H, W, write_gaze


def test_gaze_is_rendered_on_the_resized_image(data_folder, config):
    data = load_data(discover(data_folder), config)
    assert [s.image_id for s in data.val] == ["im5"]
    sample = data.train[0]
    assert sample.pixels.shape == (3, 64, 64)
    track = sample.tracks[0]
    assert len(track) == 10  # of 11, the first is dropped
    expected = render_points(track.x, track.y, track.duration_ms, (64, 64), MapParams(kind="tube"))
    assert np.allclose(plain_batch([sample], config).maps[0], expected, atol=1e-6)
    assert track.x.max() < 64


def test_stored_maps(data_folder, config):
    tracks = load_data(discover(data_folder), config)
    with map_writer(data_folder / "maps" / "maps.parquet", {}) as write:
        for sample in tracks.train:
            track = sample.tracks[0].scaled(W, H)
            write(render_maps(track, MapParams(kind="tube", drop_first=0)))
    (data_folder / "g.fixations.parquet").unlink()
    sources = discover(data_folder)
    assert sources.maps is not None
    data = load_data(sources, config)
    assert [s.image_id for s in data.train] == [s.image_id for s in tracks.train]
    difference = plain_batch(data.train, config).maps - plain_batch(tracks.train, config).maps
    assert (
        difference.abs().mean() < 0.03
    )  # the tube is round in the image, and in the square it is resized to
    assert not data.val[0].has_gaze


def test_images_without_gaze_are_named_and_left_out(data_folder, config):
    for name in ("im8", "im9"):
        Image.new("RGB", (W, H)).save(data_folder / "images" / f"{name}.png")
    data = load_data(discover(data_folder), config)
    assert len(data.train) == 5
    assert any(
        "2 training images without gaze are left out: im8, im9" in note for note in data.notes
    )


def test_no_training_image(data_folder, config):
    write_gaze(data_folder / "g.fixations.parquet", {"other.png": [(5.0, 5.0)] * 3})
    with pytest.raises(DataError, match=r"none of its 6 images.*g\.fixations\.parquet"):
        load_data(discover(data_folder), config)


def test_a_split_is_hashed_when_none_is_given(data_folder, config):
    (data_folder / "val.txt").unlink()
    config = dataclasses.replace(config, val_share=0.5)
    data = load_data(discover(data_folder), config)
    assert len(data.train) + len(data.val) == 6
    assert "held out by the hash of their id" in data.notes[0]


def test_a_mask_of_another_size(data_folder, config):
    Image.new("L", (W, H + 1)).save(data_folder / "masks" / "im5.png")
    with pytest.raises(DataError, match=f"im5.png: is {W} x {H + 1} pixels, its image {W} x {H}"):
        load_data(discover(data_folder), config)


def test_images_that_are_given_and_not_there(data_folder, config):
    with pytest.raises(InputError, match="no such folder"):
        load_data(discover(data_folder, images=data_folder / "x"), config)


def test_prepared_tracks_can_be_empty(data_folder, config):
    write_gaze(
        data_folder / "g.fixations.parquet",
        {"im0.png": [(-5.0, 5.0)] * 3, "im1.png": [(9.0, 9.0)] * 5},
    )
    data = load_data(discover(data_folder), config)
    assert [s.image_id for s in data.train] == ["im1"]
    assert len(prepare(data.train[0].tracks[0], MapParams(kind="tube", drop_first=0))) == 4


def test_a_mask_that_lies_elsewhere_than_its_image_is_refused(tmp_path):
    pytest.importorskip("pydicom")
    pixels = np.ones((1, 4, 4), np.uint8)
    flipped = {"ImageOrientationPatient": [-0.8, -0.6, 0.0, -0.36, 0.48, -0.8]}
    places = {"images": {}, "masks": {}, "flipped": flipped}
    image, mask, other = (
        ImageRef(write_series(tmp_path / name, pixels, names=["a"], **facts)[0])
        for name, facts in places.items()
    )
    item = Item("a", image, mask, "train", (), 4, 4, "a")
    assert mask_of(item, mask).all()
    assert labels_of(item, mask, 1).all()
    for read in (lambda: mask_of(item, other), lambda: labels_of(item, other, 1)):
        with pytest.raises(DataError, match="lies elsewhere in space than its image: axes run"):
            read()
