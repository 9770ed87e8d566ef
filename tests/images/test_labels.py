"""Label images: their values are classes, and whatever is none is refused with file and value."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError
from gazetrack.images.labels import read_label_image
from gazetrack.images.reference import ImageRef

LABELS = np.array([[0, 1, 2], [2, 2, 0]], np.uint8)


def written(path, picture):
    picture.save(path)
    return ImageRef(path)


def test_gray_palette_and_gray_in_colour_are_read(tmp_path):
    gray = written(tmp_path / "a.png", Image.fromarray(LABELS))
    palette = Image.fromarray(LABELS, mode="P")
    palette.putpalette([0, 0, 0, 230, 159, 0, 86, 180, 233])
    colour = written(tmp_path / "c.png", Image.fromarray(np.stack([LABELS] * 3, -1)))
    deep = written(tmp_path / "d.png", Image.fromarray(LABELS.astype(np.uint16)))
    for mask in (gray, written(tmp_path / "b.png", palette), colour, deep):
        found = read_label_image(mask, 2)
        assert found.dtype == np.uint8
        assert np.array_equal(found, LABELS)


def test_a_value_that_is_no_class_is_named_with_its_file(tmp_path):
    mask = written(tmp_path / "a.png", Image.fromarray(LABELS))
    with pytest.raises(DataError, match=r"has the value 2") as caught:
        read_label_image(mask, 1)
    assert caught.value.path == mask.path
    assert "1 to 1" in caught.value.hint
    black_and_white = written(tmp_path / "b.png", Image.fromarray((LABELS > 0) * np.uint8(255)))
    with pytest.raises(DataError, match="has the value 255"):
        read_label_image(black_and_white, 2)


def test_colours_and_jpegs_are_refused(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[0, 0] = 1, 2, 0
    with pytest.raises(DataError, match="in colour"):
        read_label_image(written(tmp_path / "a.png", Image.fromarray(colours)), 2)
    with pytest.raises(DataError, match="smears"):
        read_label_image(written(tmp_path / "a.jpg", Image.fromarray(LABELS)), 2)


def test_slices_of_label_volumes_are_read(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    values = np.zeros((3, 2, 2), np.float32)
    values[..., 1] = LABELS.T
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "v.nii.gz")
    found = read_label_image(ImageRef(tmp_path / "v.nii.gz", 2), 2)
    assert sorted(found.ravel()) == sorted(LABELS.ravel())
    values[0, 0, 0] = 1.5
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "w.nii.gz")
    with pytest.raises(DataError, match=r"has the value 1\.5"):
        read_label_image(ImageRef(tmp_path / "w.nii.gz", 1), 2)
