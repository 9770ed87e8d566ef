"""Images and masks that can be trained on, and those that cannot."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError
from gazetrack.images.reference import ImageRef
from gradtrack_model.data.image_files import open_image, read_mask


def test_noisy_and_odd_masks(tmp_path):
    noisy = np.array([[0, 7, 120, 128, 250, 255]], np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    assert read_mask(ImageRef(tmp_path / "noisy.png")).tolist() == [
        [False, False, False, True, True, True]
    ]
    Image.fromarray(np.stack([noisy] * 3, -1)).save(tmp_path / "rgb.png")
    assert read_mask(ImageRef(tmp_path / "rgb.png")).sum() == 3
    Image.fromarray(noisy > 127).save(tmp_path / "bits.png")
    assert read_mask(ImageRef(tmp_path / "bits.png")).sum() == 3
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(DataError, match=r"values up to 1.*0 and 255"):
        read_mask(ImageRef(tmp_path / "labels.png"))


def test_unusable_images(tmp_path):
    Image.fromarray(np.array([[0, 40000]], np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="8 bits"):
        open_image(ImageRef(tmp_path / "deep.png"))
    whole = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)).save(whole)
    whole.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be read as an image"):
        open_image(ImageRef(whole))
