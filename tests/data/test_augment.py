"""Random changes of images, and what they leave alone."""

from __future__ import annotations

import numpy as np
import torch

from gradtrack_model.config import AugmentConfig
from gradtrack_model.data.augment import (
    Box,
    above,
    beside,
    cutmix,
    draw_box,
    normalise,
    recolour,
    tint,
)


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


def test_slices_lie_below_each_other_and_back():
    slices = torch.rand(2, 9, 4, 5)
    below = beside(slices)
    assert below.shape == (2, 3, 12, 5)
    assert torch.equal(below[:, :, 4:8], slices[:, 3:6])  # the colours of the second slice
    assert torch.equal(above(below, 4), slices)
    alone = torch.rand(2, 3, 4, 5)
    assert beside(alone) is alone
    assert above(alone, 4) is alone


def test_slices_are_normalised_one_by_one():
    slices = torch.rand(1, 9, 4, 5)
    parts = [normalise(slices[:, first : first + 3]) for first in (0, 3, 6)]
    assert torch.equal(normalise(slices), torch.cat(parts, 1))
