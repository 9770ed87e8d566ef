"""DICOM files that belong together are put in order; what is no volume is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError, InputError
from gazetrack.images.dicom_series import READ, read_series
from gazetrack.images.folder import find_images
from tests.dicom_files import (
    OBLIQUE,
    SPACING,
    STEP,
    corners,
    normal_of,
    write_enhanced,
    write_series,
)
from tests.volume_files import write_dicom, write_nifti

VOXELS = np.arange(5 * 4 * 6, dtype=np.int16).reshape(5, 4, 6)


def series_in(path):
    return read_series(list(find_images(path).values()))


def test_slices_are_put_in_the_order_of_space(tmp_path):
    paths = write_series(tmp_path / "mr", VOXELS)
    (series,) = series_in(tmp_path / "mr")
    assert series.name == "mr"
    assert [image.file for image in series.images] == paths
    assert [int(found.InstanceNumber) for found in series.headers] == [1, 2, 3, 4, 5]
    # Nothing else is read, and so nothing else can be copied.
    assert {element.keyword for found in series.headers for element in found} <= set(READ)
    assert not {"PatientComments", "PatientAge", "InstitutionName"} & set(READ)


def test_one_slice_is_a_series(tmp_path):
    write_series(tmp_path / "mr", VOXELS[:1], names=["only"])
    (series,) = series_in(tmp_path / "mr")
    assert (series.name, len(series.images)) == ("only", 1)


def test_frames_keep_their_order(tmp_path):
    # Against the normal, as some archives store them.
    write_enhanced(tmp_path / "e.dcm", VOXELS, places=corners(5)[::-1])
    (series,) = series_in(tmp_path / "e.dcm")
    assert [image.slice for image in series.images] == [1, 2, 3, 4, 5]
    assert (series.name, len(series.headers)) == ("e", 1)


def test_images_that_lie_nowhere_stand_alone(tmp_path):
    nowhere = {"FrameOfReferenceUID": None, "ImagePositionPatient": None}
    write_series(tmp_path / "endoscope", VOXELS[:2], names=["a", "b"], **nowhere)
    one, other = series_in(tmp_path / "endoscope")
    assert (one.name, other.name) == ("a", "b")


def shifted(k, millimetres):
    places = corners(5)
    places[k] = places[k] + millimetres * normal_of()
    return places


def test_what_scanners_round_is_no_gap(tmp_path):
    write_series(tmp_path / "mr", VOXELS, places=shifted(2, 0.02 * STEP / 2))
    assert len(series_in(tmp_path / "mr")[0].images) == 5


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([*corners(6)[:3], *corners(7)[4:6]], r"missing or unevenly spaced: .* lie 5 mm apart, "),
        (shifted(4, 0.1), r"missing or unevenly spaced"),
        (shifted(3, -STEP), r"two images at one place: im33.dcm and im70.dcm"),
        ([c + np.array([0, 0, 0.4 * k]) for k, c in enumerate(corners(5))], "slices lie askew"),
    ],
)
def test_what_is_no_volume_is_refused(tmp_path, places, message):
    write_series(tmp_path / "mr", VOXELS, places=places)
    with pytest.raises(DataError, match=message):
        series_in(tmp_path / "mr")
    write_enhanced(tmp_path / "e.dcm", VOXELS, places=places)
    with pytest.raises(DataError, match=message.replace("im33.dcm and im70.dcm", "[34] and [34]")):
        series_in(tmp_path / "e.dcm")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"SeriesInstanceUID": "1.9"}, r"is of another SeriesInstanceUID than im\d+\.dcm: 1\.9"),
        ({"StudyInstanceUID": "1.9"}, "is of another StudyInstanceUID"),
        ({"FrameOfReferenceUID": "1.9"}, "is of another FrameOfReferenceUID"),
        ({"FrameOfReferenceUID": None}, "is of another FrameOfReferenceUID"),
        ({"ImagePositionPatient": None}, r"z\.dcm: tells no place in space"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "has another directions than"),
        ({"PixelSpacing": [0.7, 0.6]}, "has another pixel spacing than"),
        ({"PixelSpacing": [0, 0.6]}, "a place, directions or pixel spacing that cannot be"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "that cannot be"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "that cannot be"),
    ],
)
def test_files_of_another_series_are_refused(tmp_path, facts, message):
    write_series(tmp_path / "mr", VOXELS[:4])
    write_series(tmp_path / "mr", VOXELS[4:], places=corners(5)[4:], names=["z"], **facts)
    with pytest.raises(DataError, match=message):
        series_in(tmp_path / "mr")


def test_files_that_nothing_can_refer_to_are_refused(tmp_path):
    write_series(tmp_path / "mr", VOXELS, SeriesInstanceUID=None, StudyInstanceUID="")
    with pytest.raises(InputError, match="has no StudyInstanceUID nor SeriesInstanceUID"):
        series_in(tmp_path / "mr")
    write_nifti(tmp_path / "a.nii", VOXELS)
    with pytest.raises(InputError, match=r"is no DICOM file \(.dcm\) - give a folder of one"):
        series_in(tmp_path / "a.nii")
    write_series(tmp_path / "same", VOXELS, SOPInstanceUID="1.7")
    with pytest.raises(DataError, match="is the same image as"):
        series_in(tmp_path / "same")


def test_frames_that_are_missing_or_nowhere_are_refused(tmp_path):
    write_enhanced(tmp_path / "e.dcm", VOXELS)
    images = list(find_images(tmp_path / "e.dcm").values())
    with pytest.raises(DataError, match="has 5 frames, of which 4 are asked for"):
        read_series(images[:4])
    write_dicom(tmp_path / "cine.dcm", VOXELS, StudyInstanceUID="1.1", SeriesInstanceUID="1.2")
    with pytest.raises(DataError, match=r"cine\.dcm/1: tells no place in space"):
        series_in(tmp_path / "cine.dcm")
    write_enhanced(tmp_path / "f.dcm", VOXELS)
    with pytest.raises(DataError, match="is one of 2 files, and has several frames"):
        read_series([*images, *find_images(tmp_path / "f.dcm").values()])


@pytest.mark.parametrize(
    "directions",
    [
        (0.0, 1, 0, 0, 0, -1),  # sagittal: all corners are at one height
        (1.0, 0, 0, 0, 0, -1),  # coronal
        (1.0, 0, 0, 0, 1, 0),
        # Along the normal its corners go down.
        (1.0, 0, 0, 0, -0.6, 0.8),
        OBLIQUE,
    ],
)
@pytest.mark.parametrize("way", [1, -1])
def test_shuffled_slices_of_any_direction_are_put_in_order(tmp_path, directions, way):
    places = [np.array([3.0, 1, 2]) + way * k * STEP * normal_of(directions) for k in range(7)]
    voxels = np.repeat(VOXELS[:1], 7, 0)
    facts = {"ImageOrientationPatient": list(directions)}
    paths = write_series(tmp_path / "mr", voxels, places=places, **facts)
    (series,) = series_in(tmp_path / "mr")
    assert [image.file for image in series.images] == paths[::way]
    assert series.spacing == pytest.approx((STEP, *SPACING))
