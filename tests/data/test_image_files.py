"""Images and masks that can be trained on, and those that cannot."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError
from gazetrack.images.reference import ImageRef
from gradtrack_model.data.image_files import open_image, open_slices, read_image
from tests.dicom_files import write_series


def test_unusable_images(tmp_path):
    Image.fromarray(np.array([[0, 40000]], np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="8 bits"):
        open_image(ImageRef(tmp_path / "deep.png"))
    whole = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)).save(whole)
    whole.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be read as an image"):
        open_image(ImageRef(whole))


def test_the_slices_around_one_of_a_dicom_series_are_those_in_space(tmp_path):
    pytest.importorskip("pydicom")
    voxels = np.full((4, 5, 6), 10, np.uint8) * np.arange(1, 5, dtype=np.uint8)[:, None, None]
    paths = write_series(tmp_path, voxels, names=["d", "a", "c", "b"])
    seen = [np.asarray(one)[0, 0, 0] for one in open_slices(ImageRef(paths[1]), context=2)]
    assert seen == [10, 10, 20, 30, 40]
    channels = read_image(ImageRef(paths[3]), 8, context=1)
    assert channels[:, 0, 0].tolist() == [30] * 3 + [40] * 6
