"""The share of an image that counts for an area: as often as positions on it lie in the area."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from gazetrack.images.folder import find_images
from gazetrack.measures.aoi_files.masks import masks_of
from gazetrack.measures.reach import reach_share
from gazetrack.measures.shapes import Ellipse, Unseen
from tests.aoi_tables import area, box, polygon

SIZE = (100.0, 80.0)
SHAPES = {
    "within": box(10, 20, 40, 50),
    "beyond the corner": box(-20, -30, 25, 10),
    "beyond all sides": box(-10, -10, 300, 300),
    "beside": box(120, 10, 130, 20),
    "round": Ellipse(x_px=50, y_px=40, radius_x_px=30, radius_y_px=12, rotation_deg=30),
    "half round": Ellipse(x_px=95, y_px=40, radius_x_px=30, radius_y_px=12, rotation_deg=-70),
    "corners": polygon((10, 10), (110, 20), (50, 70), (40, 30)),
}


def counted(aoi, margin_px):
    """The share of a fine grid of positions on the image that are in an area."""
    across = (np.arange(800) + 0.5) / 8
    x, y = (each.ravel() for each in np.meshgrid(across, across[:640]))
    (inside,) = aoi.inside(x, y, margin_px).values()
    return inside.mean()


@pytest.mark.parametrize("margin_px", [0.0, 7.5])
@pytest.mark.parametrize("name", SHAPES)
def test_the_share_is_that_of_all_positions_on_the_image(name, margin_px):
    aoi = area("a", SHAPES[name])
    assert reach_share(aoi, SIZE, margin_px) == pytest.approx(counted(aoi, margin_px), abs=1e-3)


@pytest.mark.parametrize("margin_px", [0.0, 5.0])
def test_what_two_shapes_share_counts_once(margin_px):
    aoi = area("a", box(10, 10, 40, 40), box(20, 20, 60, 60), SHAPES["half round"])
    assert reach_share(aoi, SIZE, margin_px) == pytest.approx(counted(aoi, margin_px), abs=1e-3)


@pytest.mark.parametrize("margin_px", [0.0, 3.0])
def test_the_pixels_of_a_mask(tmp_path, margin_px):
    pixels = np.zeros((80, 100), np.uint8)
    pixels[:5, 90:] = 255
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    assert find_images(tmp_path)
    aoi = masks_of(tmp_path, "mask", None).of("cat").aois[0]
    wanted = counted(aoi, margin_px)
    assert reach_share(aoi, SIZE, margin_px) == pytest.approx(wanted, abs=1e-9)
    assert (margin_px > 0) == (wanted > 50 / 8000)


def test_an_area_that_moves_is_the_mean_over_its_times():
    first = area("a", box(0, 0, 10, 10), onset_ms=0, offset_ms=9)
    second = area("a", box(90, 0, 120, 40), onset_ms=9, offset_ms=19)
    moving = type(first)(name="a", parts=first.parts + second.parts)
    assert reach_share(moving, SIZE) == pytest.approx((100 + 400) / 2 / 8000)


def test_nobody_knows_the_share_of_what_has_no_size():
    assert math.isnan(reach_share(area("a", box(0, 0, 9, 9)), (math.nan, math.nan)))
    assert math.isnan(reach_share(area("a", Unseen()), SIZE))
