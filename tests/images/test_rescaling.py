"""Values of DICOM frames are rescaled by what the file, all frames or each of them tells."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import InputError
from gazetrack.images.volume_files import read_header, read_volume
from tests.volume_files import write_dicom

pydicom = pytest.importorskip("pydicom")


def rescaled(slope, intercept):
    from pydicom.dataset import Dataset

    inner, outer = Dataset(), Dataset()
    inner.RescaleSlope, inner.RescaleIntercept, inner.RescaleType = slope, intercept, "HU"
    outer.PixelValueTransformationSequence = [inner]
    return outer


def test_frames_of_one_scale_that_each_tell_are_read_by_it(tmp_path):
    frames = np.full((3, 2, 2), 1064, np.uint16)
    each = {"PerFrameFunctionalGroupsSequence": [rescaled(1, -1024) for _ in frames]}
    path = write_dicom(tmp_path / "ct.dcm", frames, **each)
    volume = read_volume(path, read_header(path)[0])
    assert (volume.slope, volume.intercept) == (1.0, -1024.0)
    assert volume.values.dtype == np.uint16


def test_each_frame_is_rescaled_by_its_own(tmp_path):
    from pydicom.dataset import Dataset

    frames = np.full((3, 2, 2), 10, np.uint16)
    each = [rescaled(1, 0), rescaled(2, -5), Dataset()]
    facts = {
        "PerFrameFunctionalGroupsSequence": each,
        "SharedFunctionalGroupsSequence": [rescaled(3, 1)],
    }
    path = write_dicom(tmp_path / "pet.dcm", frames, **facts)
    volume = read_volume(path, read_header(path)[0])
    real = volume.values * volume.slope + volume.intercept
    assert real[:, 0, 0].tolist() == [10, 15, 31]
    # Without the scale of all, nobody knows what the third means.
    del facts["SharedFunctionalGroupsSequence"]
    path = write_dicom(tmp_path / "gap.dcm", frames, **facts)
    with pytest.raises(InputError, match="rescaled for 2 of 3 frames"):
        read_volume(path, read_header(path)[0])
