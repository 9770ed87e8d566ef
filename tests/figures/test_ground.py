"""What lies under a figure."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gazetrack.errors import ConfigError, InputError
from gazetrack.figures.ground import (
    SCREEN_GRAY,
    draw_ground,
    draw_mask,
    pixels_under,
    refuse_no_track,
)
from tests.figure_cases import picture, track


def test_an_image_may_be_pixels_a_file_or_nothing(tmp_path):
    pixels, _ = picture()
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels_under(track(), tmp_path / "a.png"), pixels)
    np.testing.assert_array_equal(pixels_under(track(), str(tmp_path / "a.png")), pixels)
    assert pixels_under(track(), pixels) is pixels
    assert (pixels_under(track(), None) == np.full((150, 200), SCREEN_GRAY)).all()


def test_what_is_no_image_of_the_track_is_refused():
    with pytest.raises(ConfigError, match=r"200 x 151 .* 200 x 150.*track\.scaled"):
        pixels_under(track(), np.zeros((151, 200), np.uint8))
    with pytest.raises(ConfigError, match=r"of shape \(150, 200, 2\)"):
        pixels_under(track(), np.zeros((150, 200, 2), np.uint8))
    with pytest.raises(InputError, match="no such file"):
        pixels_under(track(), "nowhere.png")
    with pytest.raises(ConfigError, match="the track is of type str"):
        refuse_no_track("track")


def test_the_axis_is_the_image_in_pixels_with_y_down():
    pixels, mask = picture()
    for grey, dimensions in ((False, 3), (True, 2)):
        axis = Figure().subplots()
        draw_ground(axis, pixels, grey=grey)
        assert (axis.get_xlim(), axis.get_ylim()) == ((0, 200), (150, 0))
        assert axis.images[0].get_array().ndim == dimensions
    draw_mask(axis, np.zeros_like(mask))
    draw_mask(axis, None)
    assert not axis.collections
    draw_mask(axis, mask)
    (outline,) = axis.collections
    corners = outline.get_paths()[0].vertices
    assert abs(corners[:, 0].min() - 75) < 2
    assert abs(corners[:, 0].max() - 165) < 2
