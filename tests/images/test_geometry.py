"""Whether two files of masks say that their voxels lie at the same places."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.images.folder import find_images
from gazetrack.images.geometry import affine_of, check_same_geometry
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import header, read_labels
from tests.volume_files import write_dicom, write_nifti, write_nrrd

nibabel, nrrd, pydicom = (pytest.importorskip(name) for name in ("nibabel", "nrrd", "pydicom"))
AFFINE = np.array([[0.5, 0, 0, 3], [0, 0.6, 0, -2], [0, 0, 3, 1], [0, 0, 0, 1.0]])
BLOCK = np.zeros((6, 6, 4), np.uint8)


def first(path):
    return next(iter(find_images(path).values()))


def checked(one, other):
    check_same_geometry(first(one), first(other))


@pytest.mark.parametrize("turn", ["", "x", "y", "xy", "swap", "swap x", "z"])
def test_a_voxel_lies_where_its_affine_puts_it(tmp_path, turn):
    affine = AFFINE.copy()
    for axis, name in enumerate("xyz"):
        if name in turn:
            affine[:3, axis] *= -1
    if "swap" in turn:
        affine = affine[:, [1, 0, 2, 3]]
    stored = np.zeros((5, 7, 4), np.uint8)
    stored[1, 4, 2] = 1
    image = first(write_nifti(tmp_path / "a.nii", stored, affine))
    number = next(n for n in range(1, 5) if read_labels(ImageRef(image.file, n)).any())
    ((row, column),) = np.argwhere(read_labels(ImageRef(image.file, number)))
    found = affine_of(header(image.file), image) @ (number - 1, row, column, 1)
    assert found[:3] == pytest.approx((affine @ (1, 4, 2, 1))[:3] * (-1, -1, 1), abs=1e-5)


def test_the_same_place_told_by_two_formats_is_one(tmp_path):
    one = write_nifti(tmp_path / "a.nii", BLOCK, AFFINE)
    directions = ((-0.5, 0, 0), (0, -0.6, 0), (0, 0, 3))  # left-posterior-superior
    origin = {"space origin": "(-3,2,1)"}
    other = write_nrrd(tmp_path / "b.nrrd", BLOCK, directions, kind="uchar", **origin)
    checked(one, other)
    ras = {"space": "right-anterior-superior", "space origin": "(3,-2,1)"}
    directions = ((0.5, 0, 0), (0, 0.6, 0), (0, 0, 3))
    checked(one, write_nrrd(tmp_path / "c.nrrd", BLOCK, directions, kind="uchar", **ras))
    moved = {"space": "right-anterior-superior", "space origin": "(3,-2,2)"}
    with pytest.raises(DataError, match=r"first voxel lies at .*2 mm, there at .*1 mm"):
        checked(one, write_nrrd(tmp_path / "d.nrrd", BLOCK, directions, kind="uchar", **moved))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (np.diag([1, 1, -1, 1.0]), "slices to F, rows to P, columns to L, the prediction's slices"),
        (np.diag([2, 1, 1, 1.0]), "voxels are 3 x 0.6 x 1 mm, the prediction's 3 x 0.6 x 0.5 mm"),
        (np.eye(4) + np.eye(4, k=3), "first voxel"),
    ],
)
def test_what_differs_is_said(tmp_path, change, told):
    one = write_nifti(tmp_path / "a.nii", BLOCK, AFFINE)
    other = write_nifti(tmp_path / "b.nii", BLOCK, AFFINE @ change)
    with pytest.raises(DataError, match=told) as refused:
        checked(one, other)
    assert "b.nii" in str(refused.value)
    assert "resample" in str(refused.value)


def test_headers_that_round_are_alike(tmp_path):
    one = write_nifti(tmp_path / "a.nii", BLOCK, AFFINE)
    other = AFFINE.copy()
    other[:3] *= 1.002
    checked(one, write_nifti(tmp_path / "b.nii", BLOCK, other))


def test_files_that_tell_spacing_alone_are_compared_by_it(tmp_path):
    flat = {"space": None, "space directions": None, "space origin": None, "kind": "uchar"}
    one = write_nrrd(tmp_path / "a.nrrd", BLOCK, **flat, spacings="0.5 0.6 3")
    checked(one, write_nrrd(tmp_path / "b.nrrd", BLOCK, **flat, spacings="0.5 0.6 nan"))
    checked(one, write_nifti(tmp_path / "c.nii", BLOCK, AFFINE))
    with pytest.raises(DataError, match=r"3 x 0\.7 x 0\.5 mm, the prediction's 3 x 0\.6"):
        checked(one, write_nrrd(tmp_path / "d.nrrd", BLOCK, **flat, spacings="0.5 0.7 3"))
    frames = np.zeros((4, 6, 6), np.uint8)
    with pytest.raises(DataError, match=r"the prediction's 3 x 0\.6 x 0\.5"):
        checked(one, write_dicom(tmp_path / "e.dcm", frames, PixelSpacing=[0.6, 0.9]))
    checked(one, write_dicom(tmp_path / "f.dcm", frames, PixelSpacing=[0.6, 0.5]))
