"""Images of labels and masks, read as they are on the disk now."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError
from gazetrack.images.reference import ImageRef
from gazetrack.measures.label_images import grown, read_labels, read_pixels


def write(path, values, mode=None):
    Image.fromarray(np.asarray(values, np.uint8), mode).save(path)
    return ImageRef(path)


def test_labels_are_the_values_of_the_pixels_or_the_indices_of_a_palette(tmp_path):
    assert read_labels(write(tmp_path / "a.png", [[0, 7], [2, 0]])).tolist() == [[0, 7], [2, 0]]
    picture = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8)).convert("P")
    picture.putdata([0, 1, 2, 0])
    picture.save(tmp_path / "p.png")
    assert read_labels(ImageRef(tmp_path / "p.png")).tolist() == [[0, 1], [2, 0]]
    deep = Image.fromarray(np.array([[0, 60000]], np.uint16))
    deep.save(tmp_path / "deep.png")
    assert read_labels(ImageRef(tmp_path / "deep.png")).tolist() == [[0, 60000]]


def test_colours_are_refused_and_labels_as_a_mask(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "c.png")
    with pytest.raises(InputError, match="is in colours"):
        read_labels(ImageRef(tmp_path / "c.png"))
    with pytest.raises(DataError, match="values up to 1") as caught:
        read_pixels(write(tmp_path / "one.png", [[0, 1]]))
    assert "--labels" in caught.value.hint


def test_a_file_that_was_written_again_is_read_again(tmp_path):
    first = read_pixels(write(tmp_path / "a.png", [[0, 255]]))
    second = read_pixels(write(tmp_path / "a.png", [[255, 255], [255, 255]]))
    assert (first.sum(), second.sum()) == (1, 4)


def test_a_margin_is_a_distance_between_the_centres_of_pixels():
    pixels = np.zeros((1, 1), np.bool_)
    assert grown(pixels, 1.5).shape == (5, 5)
    assert not grown(pixels, 1.5).any()
    pixels[0, 0] = True
    assert grown(pixels, 1).sum() == 5
    assert grown(pixels, 1.5).sum() == 9
