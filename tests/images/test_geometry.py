"""Whether two files of masks say that their voxels lie at the same places."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.images.folder import find_images
from gazetrack.images.geometry import affine_of, check_same_geometry
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import header, read_labels
from tests.dicom_files import affine_of as dicom_affine
from tests.dicom_files import corners, normal_of, write_enhanced, write_series
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


FLIPPED = (-0.8, -0.6, 0.0, -0.36, 0.48, -0.8)  # columns run the other way


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            {"ImageOrientationPatient": list(FLIPPED)},
            "axes run rows to F, columns to R, the image's rows to F, columns to L",
        ),
        (
            {"ImagePositionPatient": [10.0, -20.0, 32.0]},
            r"first voxel lies at 10, -20, 32 mm, there at 10, -20, 30 mm",
        ),
        ({"PixelSpacing": [0.5, 0.7]}, r"pixels are 0\.5 x 0\.7 mm, the image's 0\.7 x 0\.5 mm"),
    ],
)
def test_a_dicom_mask_that_lies_elsewhere_than_its_image_is_refused(tmp_path, facts, told):
    pixels = np.zeros((1, 6, 6), np.uint8)
    (image,) = write_series(tmp_path / "images", pixels, names=["a"])
    (same,) = write_series(tmp_path / "same", pixels, names=["a"])
    check_same_geometry(first(image), first(same), "image")
    (other,) = write_series(tmp_path / "other", pixels, names=["a"], **facts)
    with pytest.raises(DataError, match=told):
        check_same_geometry(first(image), first(other), "image")


def test_frames_of_dicom_are_compared_one_by_one(tmp_path):
    frames = np.zeros((5, 6, 6), np.uint8)
    one = write_enhanced(tmp_path / "a.dcm", frames)
    checked(one, write_enhanced(tmp_path / "b.dcm", frames))
    uneven = corners(5)
    uneven[2] = uneven[2] + 0.4 * normal_of()
    with pytest.raises(DataError, match=r"corners of its slices lie up to 0\.4 mm apart"):
        checked(one, write_enhanced(tmp_path / "c.dcm", frames, places=uneven))
    with pytest.raises(DataError, match="slices to"):
        checked(one, write_enhanced(tmp_path / "d.dcm", frames, places=corners(5)[::-1]))
    nothing = write_enhanced(tmp_path / "e.dcm", frames, PerFrameFunctionalGroupsSequence=None)
    checked(one, nothing)


def test_dicom_and_nifti_of_one_place_are_alike(tmp_path):
    frames = np.zeros((5, 6, 6), np.uint8)
    # NIfTI is turned as radiologists look at it, and frames stay: only an upright one is alike.
    places = [np.array([10.0, -20, 30 + 2.5 * k]) for k in range(5)]
    upright = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    one = write_enhanced(tmp_path / "b.dcm", frames, places=places, **upright)
    affine = dicom_affine((1, 0, 0, 0, 1, 0))
    checked(one, write_nifti(tmp_path / "c.nii", frames.transpose(2, 1, 0), affine))
    affine[2, 3] += 1
    with pytest.raises(DataError, match="first voxel lies"):
        checked(one, write_nifti(tmp_path / "d.nii", frames.transpose(2, 1, 0), affine))


PLACED = {
    "ImagePositionPatient": [-123.45678, -98.76543, 33.333333],
    "ImageOrientationPatient": [0.9961947, 0.0871557, 0, -0.0871557, 0.9961947, 0],
    "PixelSpacing": [0.683594, 0.683594],
}
_TURNED = [-0.9961947, -0.0871557, 0, -0.0871557, 0.9961947, 0]
# What scanners round, and what is another place: which of it a mask may have beside its image.
_ROUNDED = [
    {"ImagePositionPatient": [-123.5, -98.8, 33.3]},
    {"PixelSpacing": [0.684, 0.684]},
    {"ImageOrientationPatient": [0.996, 0.087, 0, -0.087, 0.996, 0]},
    {"ImagePositionPatient": [-123.45678, -98.76543, 33.333333 + 0.49 * 0.683594]},
]
_ELSEWHERE = [
    {"ImagePositionPatient": [-123.45678, -98.76543, 33.333333 + 0.51 * 0.683594]},
    {"ImagePositionPatient": [-123.45678 + 0.683594, -98.76543, 33.333333]},
    {"PixelSpacing": [0.6865, 0.6865]},
    {"ImageOrientationPatient": [0.995, 0.0998, 0, -0.0998, 0.995, 0]},
    {"ImageOrientationPatient": _TURNED},
]


@pytest.mark.parametrize("facts", [*_ROUNDED, *_ELSEWHERE])
def test_half_a_pixel_is_rounding_and_more_is_another_place(tmp_path, facts):
    pixels = np.zeros((1, 512, 512), np.uint8)
    (image,) = write_series(tmp_path / "images", pixels, names=["a"], **PLACED)
    (mask,) = write_series(tmp_path / "masks", pixels, names=["a"], **{**PLACED, **facts})
    if facts in _ROUNDED:
        check_same_geometry(first(image), first(mask), "image")
        return
    with pytest.raises(DataError, match="elsewhere in space") as refused:
        check_same_geometry(first(image), first(mask), "image")
    assert "slices" not in str(refused.value)
    if "PixelSpacing" in facts:
        told = "its pixels are 0.6865 x 0.6865 mm, the image's 0.6836 x 0.6836 mm"
        assert told in str(refused.value)


def test_a_mask_that_is_flipped_or_a_pixel_off_is_refused_however_small(tmp_path):
    pixels = np.zeros((1, 2, 2), np.uint8)
    upright = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 0.5]}
    (image,) = write_series(tmp_path / "images", pixels, names=["a"], **upright)
    for number, facts in enumerate(
        (
            {"ImageOrientationPatient": [-1, 0, 0, 0, 1, 0]},
            # Flipped in place: the same four places, in another order.
            {
                "ImageOrientationPatient": [-1, 0, 0, 0, 1, 0],
                "ImagePositionPatient": [10.5, -20.0, 30.0],
            },
            {"ImagePositionPatient": [10.0, -19.5, 30.0]},
        )
    ):
        (mask,) = write_series(tmp_path / f"{number}", pixels, names=["a"], **{**upright, **facts})
        with pytest.raises(DataError, match="elsewhere in space"):
            check_same_geometry(first(image), first(mask), "image")


UPRIGHT = {
    "ImagePositionPatient": [10.0, -20.0, 30.0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [0.7, 0.5],
}


def test_frames_of_one_position_lie_as_far_apart_as_the_file_says(tmp_path):
    frames = np.zeros((5, 6, 6), np.uint8)
    stacked = write_dicom(tmp_path / "a.dcm", frames, **UPRIGHT, SpacingBetweenSlices=2.5)
    affine = dicom_affine((1, 0, 0, 0, 1, 0))
    same = write_nifti(tmp_path / "b.nii", frames.transpose(2, 1, 0), affine)
    checked(stacked, same)
    places = [np.array([10.0, -20, 30 + 2.5 * k]) for k in range(5)]
    upright = {"ImageOrientationPatient": UPRIGHT["ImageOrientationPatient"]}
    checked(stacked, write_enhanced(tmp_path / "c.dcm", frames, places=places, **upright))
    with pytest.raises(DataError, match="slices to F, rows to P, columns to L, the prediction's"):
        checked(stacked, write_enhanced(tmp_path / "d.dcm", frames, places=places[::-1], **upright))
    untold = write_dicom(tmp_path / "e.dcm", frames, **UPRIGHT)
    checked(untold, same)
    with pytest.raises(DataError, match=r"2\.5 x 0\.7 x 0\.5 mm, the prediction's nan x 0\.9"):
        checked(
            write_dicom(tmp_path / "f.dcm", frames, **{**UPRIGHT, "PixelSpacing": [0.9, 0.5]}), same
        )


def test_frames_that_tell_one_place_are_compared_all_the_same(tmp_path):
    frames = np.zeros((3, 6, 6), np.uint8)
    film = write_enhanced(tmp_path / "a.dcm", frames, places=corners(1) * 3)
    checked(film, write_enhanced(tmp_path / "b.dcm", frames, places=corners(1) * 3))
    moved = [corners(2)[1]] * 3
    with pytest.raises(DataError, match="first voxel lies"):
        checked(film, write_enhanced(tmp_path / "c.dcm", frames, places=moved))
