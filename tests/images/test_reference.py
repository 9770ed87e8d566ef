"""References to images: a picture, a volume file of one slice, or a slice."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazetrack.images.reference import ImageRef


@pytest.mark.parametrize(
    ("image", "shown", "is_picture"),
    [
        (ImageRef(Path("a/b.PNG")), "a/b.PNG", True),
        (ImageRef(Path("a.nii.gz")), "a.nii.gz", False),
        (ImageRef(Path("a.NRRD"), 7), "a.NRRD/7", False),
    ],
)
def test_an_image_is_called_by_its_file_and_slice(image, shown, is_picture):
    assert str(image) == str(image.path) == str(Path(shown))
    assert image.is_picture == is_picture


def test_a_slice_is_of_a_volume_and_an_image_of_its_own_is_not():
    assert ImageRef(Path("a.nrrd"), 7).volume == Path("a.nrrd")
    assert ImageRef(Path("a.dcm")).volume is None
    assert ImageRef(Path("a.png")).volume is None


def test_references_to_one_image_are_one_key():
    sizes = {ImageRef(Path("a.nrrd"), 1): 10, ImageRef(Path("a.nrrd"), 2): 20}
    assert sizes[ImageRef(Path("a.nrrd"), 2)] == 20
    assert ImageRef(Path("a.nrrd")) not in sizes
