"""Where frames lie, as classic and as multi-frame DICOM tell it."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.images.dicom_frames import frames_of, of_frame
from tests.dicom_files import OBLIQUE, SPACING, corners, write_enhanced, write_series
from tests.volume_files import write_dicom

pydicom = pytest.importorskip("pydicom")
PIXELS = np.zeros((3, 4, 4), np.uint8)


def test_frames_lie_where_the_groups_or_the_file_say(tmp_path):
    data = pydicom.dcmread(write_enhanced(tmp_path / "a.dcm", PIXELS))
    frames = frames_of(data, 3)
    assert frames.corners == pytest.approx(np.array(corners(3)), abs=1e-5)
    assert frames.rows == pytest.approx(np.array([OBLIQUE[3:]] * 3) * SPACING[0])
    assert frames.columns == pytest.approx(np.array([OBLIQUE[:3]] * 3) * SPACING[1])
    (path,) = write_series(tmp_path / "series", PIXELS[:1], names=["a"])
    single = frames_of(pydicom.dcmread(path), 1)
    assert single.corners[0] == pytest.approx(corners(1)[0])
    assert single.rows[0] == pytest.approx(frames.rows[0])


def test_an_attribute_is_of_the_frame_of_all_or_not_told(tmp_path):
    data = pydicom.dcmread(write_enhanced(tmp_path / "a.dcm", PIXELS))
    of_second = of_frame(data, 1, "PlanePositionSequence", "ImagePositionPatient")
    assert list(map(float, of_second)) == pytest.approx(list(corners(2)[1]), abs=1e-5)
    assert list(of_frame(data, 1, "PixelMeasuresSequence", "PixelSpacing")) == list(SPACING)
    assert of_frame(data, 9, "PlanePositionSequence", "ImagePositionPatient") is None


@pytest.mark.parametrize(
    "facts",
    [
        {"ImagePositionPatient": None},
        {"PixelSpacing": [0, 1]},
        {"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]},
        {"ImageOrientationPatient": [1, 0, 0]},
    ],
)
def test_what_is_not_told_or_cannot_be_is_not_known(tmp_path, facts):
    (path,) = write_series(tmp_path / "series", PIXELS[:1], names=["a"], **facts)
    assert frames_of(pydicom.dcmread(path), 1) is None


@pytest.mark.parametrize("between", [2.5, -2.5, 0, None])
def test_frames_of_one_position_are_stacked_along_their_normal(tmp_path, between):
    facts = {} if between is None else {"SpacingBetweenSlices": between}
    (path,) = write_series(tmp_path / "series", PIXELS[None], names=["a"], **facts)
    data = pydicom.dcmread(path)
    assert int(data.NumberOfFrames) == 3
    frames = frames_of(data, 3)
    if not between:
        assert frames is None
        return
    assert frames.corners == pytest.approx(np.array(corners(3, step=between)), abs=1e-5)
    assert frames.rows == pytest.approx(np.array([OBLIQUE[3:]] * 3) * SPACING[0])


def test_a_place_of_a_frame_counts_before_that_of_the_file(tmp_path):
    path = write_enhanced(tmp_path / "a.dcm", PIXELS, ImagePositionPatient=[0.0, 0.0, 0.0])
    frames = frames_of(pydicom.dcmread(path), 3)
    assert frames.corners == pytest.approx(np.array(corners(3)), abs=1e-5)


def test_a_header_of_more_frames_than_any_volume_tells_no_places(tmp_path):
    path = tmp_path / "a.dcm"
    write_dicom(path, np.zeros((2, 2), np.uint8), NumberOfFrames=2_000_000_000)
    assert frames_of(pydicom.dcmread(path, stop_before_pixels=True), 2_000_000_000) is None
