"""How far apart voxels are, as headers tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazetrack.images.folder import find_images
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import read_slice, spacing_of
from tests.dicom_files import corners, write_enhanced
from tests.volume_files import write_dicom, write_nifti, write_nrrd

nibabel, nrrd, pydicom = (pytest.importorskip(name) for name in ("nibabel", "nrrd", "pydicom"))
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402

BLOCK = np.arange(4 * 3 * 2, dtype=np.int16).reshape(4, 3, 2)  # stored [I, J, K]
FRAMES = np.zeros((3, 4, 5), np.uint8)


def spacing(path):
    (first, *_) = find_images(path).values()
    return spacing_of(first)


def test_nrrd_tells_the_length_of_its_directions(tmp_path):
    # Oblique: the columns lie 0.5 mm apart, in the direction (4, 3, 0) / 5.
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK, ((0.4, 0.3, 0), (-0.48, 0.64, 0), (0, 0, 3)))
    assert spacing(path) == pytest.approx((3, 0.8, 0.5))


def test_turned_slices_have_turned_spacing(tmp_path):
    # The first stored axis runs to the back: it becomes the rows.
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK, ((0, 0.5, 0), (0.7, 0, 0), (0, 0, 3)))
    assert read_slice(ImageRef(path, 1)).shape == (4, 3)
    assert spacing(path) == pytest.approx((3, 0.5, 0.7))
    affine = np.array([[0, 0.7, 0, 0], [0.5, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    path = write_nifti(tmp_path / "b.nii", BLOCK, affine)
    assert read_slice(ImageRef(path, 1)).shape == (4, 3)
    assert spacing(path) == pytest.approx((3, 0.5, 0.7))


@pytest.mark.parametrize(
    ("units", "factor"), [('"mm" "mm" "mm"', 1), ('"cm" "cm" "cm"', 10), ('"?" "?" "?"', math.nan)]
)
def test_nrrd_in_other_units_is_in_mm(tmp_path, units, factor):
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK, **{"space units": units})
    assert spacing(path) == pytest.approx((3 * factor, factor, factor), nan_ok=True)


def test_nrrd_without_directions_has_spacings_or_nothing(tmp_path):
    flat = {"space": None, "space directions": None, "space origin": None}
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK, **flat, spacings="0.5 0.6 nan")
    assert spacing(path) == pytest.approx((math.nan, 0.6, 0.5), nan_ok=True)
    path = write_nrrd(tmp_path / "b.nrrd", BLOCK, **flat)
    assert np.isnan(spacing(path)).all()


def test_nifti_in_metres_and_without_a_place(tmp_path):
    path = write_nifti(tmp_path / "a.nii", BLOCK)
    assert spacing(path) == pytest.approx((3, 0.6, 0.5))
    image = nibabel.load(path)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "m.nii")
    assert spacing(tmp_path / "m.nii") == pytest.approx((3000, 600, 500))
    image.header.set_xyzt_units("unknown")
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "u.nii")
    assert np.isnan(spacing(tmp_path / "u.nii")).all()
    image.header.set_xyzt_units("mm")
    image.header.set_zooms((0.5, 0.6, 3))
    nibabel.save(image, tmp_path / "z.nii")
    assert spacing(tmp_path / "z.nii") == pytest.approx((3, 0.6, 0.5))


def test_dicom_rows_come_first_and_thickness_is_no_distance(tmp_path):
    facts = {"PixelSpacing": [0.7, 0.5], "SliceThickness": 3}
    path = write_dicom(tmp_path / "a.dcm", FRAMES, **facts)
    assert spacing(path) == pytest.approx((math.nan, 0.7, 0.5), nan_ok=True)
    path = write_dicom(tmp_path / "b.dcm", FRAMES, **facts, SpacingBetweenSlices=3.6)
    assert spacing(path) == pytest.approx((3.6, 0.7, 0.5))
    assert np.isnan(spacing(write_dicom(tmp_path / "c.dcm", FRAMES, PixelSpacing=[0.5]))).all()


def enhanced(positions):
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.7, 0.5], 9
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    frames = []
    for position in positions:
        plane, frame = Dataset(), Dataset()
        plane.ImagePositionPatient = position
        frame.PlanePositionSequence = Sequence([plane])
        frames.append(frame)
    return {
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
    }


def test_enhanced_dicom_tells_by_the_positions_of_its_frames(tmp_path):
    even = enhanced([[0, 0, 0], [0, 3, 4], [0, 6, 8]])
    path = write_dicom(tmp_path / "a.dcm", FRAMES, **even)
    assert spacing(path) == pytest.approx((5, 0.7, 0.5))
    path = write_dicom(tmp_path / "b.dcm", FRAMES, **enhanced([[0, 0, 0], [0, 0, 4], [0, 0, 6]]))
    assert spacing(path) == pytest.approx((math.nan, 0.7, 0.5), nan_ok=True)


def test_pictures_tell_nothing(tmp_path):
    assert np.isnan(spacing_of(ImageRef(tmp_path / "a.png"))).all()


def test_real_masks_tell_theirs(data_dir):
    folder = data_dir / "nci-isbi-gaze" / "masks" / "nrrd3T"
    for path in sorted(folder.glob("*.nrrd"))[:3]:
        between, row, column = spacing(path)
        directions = nrrd.read_header(str(path))["space directions"]
        assert between == pytest.approx(np.linalg.norm(directions[2]))
        assert 2 < between < 5
        assert row == pytest.approx(column)
        assert 0.3 < row < 1


def test_axes_that_lean_have_no_distance_between_slices(tmp_path):
    tilted = np.array([[0.5, 0, 0, 0], [0, 0.6, 1.5, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    found = spacing(write_nifti(tmp_path / "a.nii", BLOCK, tilted))
    assert found == pytest.approx((math.nan, 0.6, 0.5), nan_ok=True)
    path = write_nrrd(tmp_path / "b.nrrd", BLOCK, ((0.5, 0, 0), (0, 0.6, 0), (0, 1.5, 3)))
    assert spacing(path) == pytest.approx((math.nan, 0.6, 0.5), nan_ok=True)


def test_frames_of_a_tilted_gantry_make_no_boxes(tmp_path):
    frames = np.zeros((3, 6, 6), np.uint8)
    upright = spacing(write_enhanced(tmp_path / "a.dcm", frames))
    assert upright == pytest.approx((2.5, 0.7, 0.5))
    tilted = [place + np.array([0, 0, 0.8 * k]) for k, place in enumerate(corners(3))]
    found = spacing(write_enhanced(tmp_path / "b.dcm", frames, places=tilted))
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx((0.7, 0.5))
