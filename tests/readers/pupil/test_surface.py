from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazetrack.readers.pupil.surface import (
    name_of_cloud_folder,
    name_of_player_file,
    reference_image,
    size_from_scaled,
)
from gazetrack.tables.recording import SURFACE
from gazetrack.tables.screen import Screen

X = np.array([0.25, 0.5, np.nan, 0.01, -0.5])
Y = np.array([0.1, 0.9, 0.5, 0.2, 0.3])


@pytest.mark.parametrize(
    ("stem", "name"),
    [("gaze_positions_on_surface_Left page", "Left page"), ("gaze_positions", SURFACE)],
)
def test_pupil_player_writes_the_surface_into_the_name_of_the_file(stem, name):
    assert name_of_player_file(stem) == name


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("MARKER-MAPPER_Shelf_csv", "Shelf"),
        ("marker_mapper_Left page", "Left page"),
        ("REFERENCE-IMAGE-MAPPER_Painting_csv", "Painting"),
        ("downloads", SURFACE),
    ],
)
def test_pupil_cloud_writes_it_into_the_name_of_the_folder(folder, name):
    assert name_of_cloud_folder(Path("/data") / folder / "gaze.csv") == name


def test_scaled_positions_tell_the_size_of_the_surface():
    assert size_from_scaled((X, Y), (X * 800, Y * 600)) == Screen(800, 600)


@pytest.mark.parametrize("size", [(1, 1), (29.7, 21.0), (0.297, 0.21)])
def test_a_size_that_was_not_given_or_is_a_real_things_is_none_in_pixels(size):
    assert size_from_scaled((X, Y), (X * size[0], Y * size[1])) is None


def test_a_size_that_changes_is_none():
    scaled = X * np.array([800, 400, 800, 800, 800])
    assert size_from_scaled((X, Y), (scaled, Y * 600)) is None


def test_positions_near_the_corner_tell_nothing():
    near = np.full(5, 0.01)
    assert size_from_scaled((near, near), (near * 800, near * 600)) is None


def test_the_reference_image_lies_beside_the_gaze(tmp_path):
    path = tmp_path / "gaze.csv"
    assert reference_image(path) == ("reference_image", None)
    Image.new("L", (300, 200)).save(tmp_path / "reference_image.png")
    assert reference_image(path) == ("reference_image.png", Screen(300, 200))
    (tmp_path / "reference_image.jpeg").write_bytes(b"no image")
    assert reference_image(path) == ("reference_image.jpeg", None)


def test_a_size_beyond_all_screens_is_none():
    assert size_from_scaled((X, Y), (X * 1e9, Y * 1e9)) is None
