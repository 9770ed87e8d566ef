"""Layers: of the size that an image is shown at, transparent where there is nothing."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from gradtrack_model.viewer.layers import LONGEST_SIDE, MASK, outlined, plain, shown_size, tinted


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_large_images_are_shown_smaller():
    assert shown_size(640, 480) == (640, 480)
    assert shown_size(2 * LONGEST_SIDE, 100) == (LONGEST_SIDE, 50)
    assert shown_size(100_000, 1) == (LONGEST_SIDE, 1)
    picture = Image.new("RGB", (2 * LONGEST_SIDE, 200), (10, 20, 30))
    assert opened(plain(picture)).shape == (100, LONGEST_SIDE, 3)
    small = Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    np.testing.assert_array_equal(opened(plain(small)), np.asarray(small))


def test_a_tint_is_as_strong_as_it_should_be():
    strength = np.arange(200, dtype=np.uint8).reshape(10, 20)
    layer = opened(tinted(strength, (20, 10), (1, 2, 3)))
    np.testing.assert_array_equal(layer[..., 3], strength)
    assert (layer[..., :3] == (1, 2, 3)).all()
    assert opened(tinted(strength, (40, 20), (1, 2, 3))).shape == (20, 40, 4)


def test_an_outline_is_the_border_inside():
    mask = np.zeros((20, 30), bool)
    mask[5:12, 6:20] = True
    layer = opened(outlined(mask, (30, 20), MASK))
    line = layer[..., 3] > 0
    assert not (line & ~mask).any()
    assert line[5, 6:20].all()
    assert not line[7:10, 8:18].any()
    assert not opened(outlined(np.ones((4, 4), bool), (4, 4), MASK))[..., 3].any()
