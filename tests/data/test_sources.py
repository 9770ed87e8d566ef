from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.images.reference import ImageRef
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import prepare, render_maps, render_points
from gazetrack.maps.store import map_writer
from gazetrack.maps.track import Track
from gradtrack_model.config import AugmentConfig
from gradtrack_model.data.augment import (
    Affine,
    Box,
    cutmix,
    draw_affine,
    draw_box,
    recolour,
    tint,
    warp,
)
from gradtrack_model.data.batches import batches, plain_batch, render_batch, training_batch
from gradtrack_model.data.image_files import open_image, read_mask
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sample import Sample
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from tests.synthetic import H, W, write_gaze

S = 64


def square(name="s"):
    pixels = torch.zeros(3, S, S, dtype=torch.uint8)
    pixels[:, 4:20, 30:50] = 255
    x, y = np.array([35.0, 45.0, 45.0, 35.0, 40.0]), np.array([8.0, 8.0, 16.0, 16.0, 12.0])
    return Sample(name, pixels, (Track("r", "1", name, x, y, np.full(5, 200.0), S, S),))


def test_a_flipped_square_flips_its_map():
    config = load_config("tiny", overrides={"image_size": S})
    flip = Affine(np.array([[-1.0, 0, S], [0, 1, 0], [0, 0, 1]]), 1.0)
    sample = square()
    plain = render_batch([sample], config, [Affine(np.eye(3), 1.0)])
    assert torch.allclose(render_batch([sample], config, [flip]), plain.flip(-1), atol=1e-4)
    pixels = sample.pixels[None].float()
    assert torch.allclose(warp(pixels, [flip]), pixels.flip(-1), atol=1e-2)


WIDE = [
    "maps.softness=0.05",
    "maps.radius=0.08",
]  # soft enough for what bilinear interpolation does to a border


def test_rendering_moved_gaze_is_moving_the_rendered_map():
    config = load_config("tiny", overrides={"image_size": S}, settings=["maps.kind=tube", *WIDE])
    rng, sample = np.random.default_rng(1), square()
    stored = render_batch([sample], config, [Affine(np.eye(3), 1.0)])
    for _ in range(5):
        affine = draw_affine(rng, AugmentConfig(scale=0.3, rotate=90, translate=0.1), S)
        inside = warp(torch.ones_like(stored), [affine]) > 0.999
        moved, warped = render_batch([sample], config, [affine]), warp(stored, [affine])
        assert ((moved - warped).abs() * inside).max() < 0.03
        from_store = Sample("s", sample.pixels, maps=(stored[0] * 255).round().to(torch.uint8))
        assert ((render_batch([from_store], config, [affine]) - warped).abs() * inside).max() < 0.01


def test_batches_depend_on_seed_and_step_alone():
    config = load_config("tiny", overrides={"image_size": S, "batch_size": 3})
    samples = [square(str(i)) for i in range(5)]
    direct = [training_batch(samples, config, step) for step in range(4)]
    threaded = batches(functools.partial(training_batch, samples, config), workers=2)
    for a in direct:
        b = next(threaded)
        assert a.ids == b.ids
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.maps, b.maps)
    threaded.close()
    seen = [i for batch in direct for i in batch.ids]
    assert sorted(seen[:5]) == sorted(seen[5:10]) == ["0", "1", "2", "3", "4"]
    other = training_batch(samples, dataclasses.replace(config, seed=1), 0)
    assert not torch.equal(other.images, direct[0].images)


def test_colour_factors_of_one_change_nothing():
    images = torch.rand(2, 3, 8, 8)
    assert torch.allclose(recolour(images, np.ones((2, 3))), images, atol=1e-6)
    gray = recolour(images, np.array([[1, 1, 0]] * 2))
    assert torch.allclose(gray[:, 0], gray[:, 1], atol=1e-6)


def test_tints():
    images = torch.rand(2, 3, 8, 8)
    assert torch.allclose(tint(images, [1.0, 1.0], [0.0, 0.0]), images)
    assert torch.allclose(tint(images, [2.0, 1.0], [0.0, 0.0])[0], images[0] ** 2)
    gray = images[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(tint(gray, [1.0, 1.0], [1.0, -2.0]), gray, atol=2e-3)
    assert torch.allclose(
        tint(images * 0.2 + 0.4, [1.0, 1.0], [2 * np.pi] * 2), images * 0.2 + 0.4, atol=1e-5
    )
    assert not torch.allclose(tint(images, [1.0, 1.0], [1.0, 1.0]), images, atol=1e-2)


def test_cutmix_moves_image_and_maps_alike():
    images, maps = torch.rand(3, 3, 16, 16), torch.rand(3, 4, 16, 16)
    boxes = [None, Box(slice(2, 5), slice(3, 9)), Box(slice(0, 16), slice(0, 16))]
    for before, after in zip((images, maps), cutmix([images, maps], boxes), strict=True):
        assert torch.equal(after[0], before[0])
        assert torch.equal(after[1, :, 2:5, 3:9], before[2, :, 2:5, 3:9])
        assert torch.equal(after[1, :, 5:], before[1, :, 5:])
        assert torch.equal(after[2], before[0])
    rng = np.random.default_rng(0)
    drawn = [draw_box(rng, AugmentConfig(cutmix=0.5), 64) for _ in range(400)]
    assert 150 < sum(box is not None for box in drawn) < 250
    assert all(
        0 <= b.rows.start <= b.rows.stop <= 64 and 0 <= b.columns.start <= b.columns.stop <= 64
        for b in drawn
        if b
    )


def test_a_new_change_leaves_the_draws_of_the_others():
    samples = [square(str(i)) for i in range(5)]

    def images(**augment):
        settings = {f"augment.{name}": value for name, value in augment.items()}
        config = load_config("tiny", overrides={"image_size": S, "batch_size": 3} | settings)
        return training_batch(samples, config, 0).images

    assert torch.equal(images(), images(cutmix=1e-12))
    assert not torch.equal(images(), images(cutmix=1.0))
    assert torch.allclose(images(), images(gamma=1e-9, hue=1e-9), atol=1e-3)
    assert not torch.allclose(images(), images(gamma=1.0), atol=1e-3)


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


def test_maps_of_several_observers_are_averaged(config):
    one, other = (
        square().tracks[0],
        dataclasses.replace(square().tracks[0], x=square().tracks[0].x - 20),
    )
    pixels = square().pixels
    both = plain_batch([Sample("s", pixels, (one, other))], config).maps
    each = [plain_batch([Sample("s", pixels, (track,))], config).maps for track in (one, other)]
    assert torch.allclose(both, (each[0] + each[1]) / 2)


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


def test_discover_says_what_it_looked_for(tmp_path):
    with pytest.raises(
        ConfigError, match=r"no images.*images/.*no gaze.*fixations\.parquet.*maps\.parquet.*demo"
    ):
        discover(tmp_path)
    with pytest.raises(InputError, match=r"m: no such file"):
        load_data(
            discover(tmp_path, images=tmp_path / "x", maps=tmp_path / "m"), load_config("tiny")
        )


def test_images_that_are_given_and_not_there(data_folder, config):
    with pytest.raises(InputError, match="no such folder"):
        load_data(discover(data_folder, images=data_folder / "x"), config)


def test_noisy_and_odd_masks(tmp_path):
    noisy = np.array([[0, 7, 120, 128, 250, 255]], np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    assert read_mask(ImageRef(tmp_path / "noisy.png")).tolist() == [
        [False, False, False, True, True, True]
    ]
    Image.fromarray(np.stack([noisy] * 3, -1)).save(tmp_path / "rgb.png")
    assert read_mask(ImageRef(tmp_path / "rgb.png")).sum() == 3
    Image.fromarray(noisy > 127).save(tmp_path / "bits.png")
    assert read_mask(ImageRef(tmp_path / "bits.png")).sum() == 3
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(DataError, match=r"values up to 1.*0 and 255"):
        read_mask(ImageRef(tmp_path / "labels.png"))


def test_unusable_images(tmp_path):
    Image.fromarray(np.array([[0, 40000]], np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="8 bits"):
        open_image(ImageRef(tmp_path / "deep.png"))
    whole = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)).save(whole)
    whole.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be read as an image"):
        open_image(ImageRef(whole))


def test_prepared_tracks_can_be_empty(data_folder, config):
    write_gaze(
        data_folder / "g.fixations.parquet",
        {"im0.png": [(-5.0, 5.0)] * 3, "im1.png": [(9.0, 9.0)] * 5},
    )
    data = load_data(discover(data_folder), config)
    assert [s.image_id for s in data.train] == ["im1"]
    assert len(prepare(data.train[0].tracks[0], MapParams(kind="tube", drop_first=0))) == 4
