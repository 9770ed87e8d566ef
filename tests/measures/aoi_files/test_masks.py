"""Folders of masks as areas of interest."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import InputError
from gazetrack.measures.aoi_files.masks import masks_of


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = np.zeros((20, 30), np.uint8)
    mask[:10] = 255
    Image.fromarray(mask).save(folder / "cat.png")
    Image.fromarray(mask.T).save(folder / "dog.png")
    return folder


def test_every_mask_is_the_area_of_its_stimulus(folder):
    found = masks_of(folder, "polyp")
    assert [one.stimulus for one in found.stimuli] == ["cat", "dog"]
    assert [one.size for one in found.stimuli] == [(30, 20), (20, 30)]
    assert found.of("cat.jpg").names == ("polyp",)
    assert found.of("cat").aois[0].area_px2 == 300
    assert found.source["format"] == "masks"


def test_images_of_labels_have_an_area_for_each_that_is_named(folder):
    found = masks_of(folder, labels={255: "polyp", 7: "tool"})
    assert found.of("dog").names == ("tool", "polyp")
    assert [aoi.area_px2 for aoi in found.of("dog").aois] == [0, 300]


def test_a_folder_without_masks_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no masks"):
        masks_of(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        masks_of(tmp_path / "none")
