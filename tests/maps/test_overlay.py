"""Maps drawn on images, and several observers' maps as one."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.maps.overlay import overlay
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import pool, render_maps
from gazetrack.maps.track import Track


def track(name, x, width=80.0):
    return Track(
        name,
        "",
        "a.png",
        np.array([x, x + 4]),
        np.array([20.0, 24.0]),
        np.full(2, 300.0),
        width,
        60.0,
        name,
    )


@pytest.mark.parametrize("levels", [1, 3])
def test_an_overlay_tints_inside_and_leaves_the_rest(levels):
    image = np.full((60, 80, 3), 100, np.uint8)
    maps = render_maps(track("r", 30.0), MapParams(levels=levels)).values
    drawn = overlay(image, maps)
    assert drawn.shape == image.shape
    assert (drawn[maps[-1] < 0.001] == 100).all()
    assert (drawn[maps[-1] > 0.6][:, 0] > 120).all()
    assert (drawn == 255).all(-1).any()
    assert not (overlay(image, np.zeros_like(maps)) != image).any()


def test_pooled_maps_are_the_mean_and_name_everybody():
    one, two = (render_maps(track(name, x)) for name, x in (("r", 20.0), ("s", 50.0)))
    both = pool([one, two])
    np.testing.assert_allclose(both.values, (one.values + two.values) / 2, atol=1e-6)
    assert (both.track.recording, both.track.participant, len(both.track)) == ("r, s", "r, s", 4)
    np.testing.assert_array_equal(pool([one]).values, one.values)
    with pytest.raises(ConfigError, match="several sizes"):
        pool([one, render_maps(track("t", 20.0, width=90.0))])


def test_tint_and_borders_are_drawn_pixel_by_pixel():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (7, 9, 3), np.uint8)
    maps = rng.choice([0.2, 0.5, 0.9], (3, 7, 9), p=[0.3, 0.4, 0.3]).astype(np.float32)
    maps[:, 2:5, 2:6] = 0.8
    expected = image + 0.45 * maps[2][..., None] * (np.array([255, 80, 40]) - image.astype(float))
    colours = [(255, 230, 80), (255, 242.5, 167.5), (255, 255, 255)]  # the middle one half-way
    for values, colour in zip(maps, colours, strict=True):
        inside = values >= 0.5
        for row, column in np.argwhere(inside):
            beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
            on_the_image = [(r, c) for r, c in beside if 0 <= r < 7 and 0 <= c < 9]
            if not all(inside[place] for place in on_the_image):
                expected[row, column] = colour
    np.testing.assert_array_equal(overlay(image, maps), np.rint(expected))
    only = np.where(np.arange(9) < 4, 1.0, 0.0)[None, None].repeat(7, 1).astype(np.float32)
    drawn = overlay(np.zeros((7, 9, 3), np.uint8), only)
    assert (drawn[:, 3] == 255).all()  # of a single level the border is white
    assert drawn[3, 1].tolist() == [115, 36, 18]
    assert not drawn[:, 4:].any()
