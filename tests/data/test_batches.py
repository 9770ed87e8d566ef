"""Batches: gaze moves with its image, and nothing but seed and step counts."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import torch

from gazetrack.maps.track import Track
from gradtrack_model.config import AugmentConfig
from gradtrack_model.data.augment import (
    Affine,
    draw_affine,
    warp,
)
from gradtrack_model.data.batches import batches, plain_batch, render_batch, training_batch
from gradtrack_model.data.sample import Sample
from gradtrack_model.settings import load_config

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


# Soft enough for what bilinear interpolation does to a border.
WIDE = ["maps.softness=0.05", "maps.radius=0.08"]


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


def test_maps_of_several_observers_are_averaged(config):
    one, other = (
        square().tracks[0],
        dataclasses.replace(square().tracks[0], x=square().tracks[0].x - 20),
    )
    pixels = square().pixels
    both = plain_batch([Sample("s", pixels, (one, other))], config).maps
    each = [plain_batch([Sample("s", pixels, (track,))], config).maps for track in (one, other)]
    assert torch.allclose(both, (each[0] + each[1]) / 2)


def test_slices_of_an_image_change_alike(config):
    """One image three times, as its own neighbours, is changed as the image alone."""
    pixels = torch.randint(0, 255, (3, 64, 64), dtype=torch.uint8)
    maps = torch.zeros(1, 64, 64, dtype=torch.uint8)
    augmented = dataclasses.replace(
        config, augment=AugmentConfig(gamma=0.5, hue=30, cutmix=0.5), batch_size=2
    )
    alone = [Sample(str(i), pixels, maps=maps) for i in range(4)]
    around = [Sample(str(i), pixels.repeat(3, 1, 1), maps=maps) for i in range(4)]
    for step in range(3):
        one = training_batch(alone, augmented, step).images
        three = training_batch(around, augmented, step).images
        assert three.shape[1] == 9
        for first in (0, 3, 6):
            assert torch.allclose(three[:, first : first + 3], one, atol=1e-5)
