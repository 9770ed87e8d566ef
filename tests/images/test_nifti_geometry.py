"""Labels of a NIfTI volume lie where its voxels lie: the same header, bit for bit."""

from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest

from gazetrack.images.folder import read_mask
from gazetrack.images.slices import read_slice, slices_of, write_like

SHAPE = (5, 4, 3)
TURNED = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0, 0.8, 0.6]])  # a rotation
ORIGIN = (-31.7, 12.3, 0.1)
GEOMETRY = ("pixdim", "qform_code", "sform_code", "xyzt_units", "dim_info", "slice_code")
GEOMETRY += ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
GEOMETRY += ("srow_x", "srow_y", "srow_z", "toffset")


def affine_of(axes=(0, 1, 2), flips=(1, 1, 1), turn=None):
    """Return an affine whose voxel axes are the world's in another order, flipped, or turned."""
    directions = np.zeros((3, 3))
    for voxel, world in enumerate(axes):
        directions[world, voxel] = flips[voxel] * (0.7, 1.1, 3.3)[voxel]
    affine = np.eye(4)
    affine[:3, :3] = directions if turn is None else turn @ directions
    affine[:3, 3] = ORIGIN
    return affine


CASES = {
    f"axes-{''.join(map(str, axes))}-flips-{''.join('-+'[f > 0] for f in flips)}": affine_of(
        axes, flips
    )
    for axes in itertools.permutations(range(3))
    for flips in ((1, 1, 1), (-1, 1, -1))
}
CASES |= {"oblique": affine_of(turn=TURNED), "oblique-flipped": affine_of((1, 2, 0), turn=TURNED)}


def image_of(affine, kind=nibabel.Nifti1Image, dtype=np.int16):
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    image = kind(voxels.astype(dtype), affine)
    image.header.set_xyzt_units("micron", "msec")
    image.header.set_dim_info(freq=1, phase=0, slice=2)
    return image


def labelled(image, path):
    """Save an image, label the voxels that its slices show as more than half, read that back."""
    nibabel.save(image, path)
    slices = slices_of(path)
    shown = np.stack([read_slice(one) for one in slices])
    labels = (shown > 127).astype(np.uint8)
    out = path.with_name(f"labels-{path.name}")
    write_like(path, labels, out)
    for one, label in zip(slices_of(out), labels, strict=True):
        assert np.array_equal(read_mask(one), label > 0)
    return nibabel.load(path), nibabel.load(out)


def same_place(source, written):
    assert type(written.header) is type(source.header)
    assert np.array_equal(written.affine, source.affine)  # bit for bit
    for name in GEOMETRY:
        assert np.array_equal(written.header[name], source.header[name]), name
    assert written.get_data_dtype() == np.uint8
    assert (written.dataobj.slope, written.dataobj.inter) == (1, 0)
    assert written.shape == source.shape


@pytest.mark.parametrize("name", list(CASES))
def test_labels_lie_where_the_voxels_lie(tmp_path, name):
    suffix = ".nii.gz" if "-flips" in name else ".nii"
    source, written = labelled(image_of(CASES[name]), tmp_path / f"a{suffix}")
    same_place(source, written)
    values = np.asarray(source.dataobj)
    low, high = np.percentile(values, (0.5, 99.5))
    bright = np.rint((values - low) / (high - low) * 255) > 127
    assert np.array_equal(np.asarray(written.dataobj) > 0, bright)


def qform_alone():
    image = image_of(CASES["oblique"])
    image.set_qform(CASES["oblique"], code="scanner")
    image.set_sform(None, code=0)
    return image


def forms_that_differ():
    image = image_of(CASES["oblique"])
    image.set_qform(affine_of((1, 0, 2)), code="scanner")
    image.set_sform(CASES["oblique"], code="mni")
    return image


def no_form():
    image = image_of(np.eye(4))
    image.set_qform(None, code=0)
    image.set_sform(None, code=0)
    image.header.set_zooms((0.7, 1.1, 3.3))
    return image


def scaled():
    image = image_of(CASES["oblique"])
    image.header.set_slope_inter(0.5, -3)
    return image


def second_version():
    return image_of(CASES["oblique"] + 1e-12, nibabel.Nifti2Image)


def of_floats():
    return image_of(CASES["oblique"], dtype=np.float32)


@pytest.mark.parametrize(
    "made", [qform_alone, forms_that_differ, no_form, scaled, second_version, of_floats]
)
def test_headers_of_all_kinds_are_kept(tmp_path, made):
    same_place(*labelled(made(), tmp_path / "a.nii"))


def test_texts_that_may_say_whose_it_is_are_not_kept(tmp_path):
    image = image_of(CASES["oblique"])
    image.header["descrip"] = b"Doe, Jane"
    image.header["db_name"] = b"P-17"
    image.header["aux_file"] = b"doe.txt"
    image.header["intent_name"] = b"doe"
    extension = nibabel.nifti1.Nifti1Extension("comment", b"Doe, Jane")
    image.header.extensions.append(extension)
    nibabel.save(image, tmp_path / "a.nii")
    labels = np.zeros((3, 4, 5), np.uint8)
    write_like(tmp_path / "a.nii", labels, tmp_path / "b.nii")
    data = (tmp_path / "b.nii").read_bytes()
    assert b"oe" not in data
    assert b"P-17" not in data
