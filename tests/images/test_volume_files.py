"""Files of volumes: headers, voxels, how slices are turned, and labels that are written."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import InputError
from gazetrack.images.volume_files import (
    Layout,
    encode_like,
    is_writable,
    layout_of,
    read_header,
    read_volume,
    suffix_of,
)
from tests.volume_files import AFFINE, write_dicom, write_nifti, write_nrrd

nibabel, nrrd, pydicom = (pytest.importorskip(name) for name in ("nibabel", "nrrd", "pydicom"))
BLOCK = np.arange(4 * 3 * 2, dtype=np.int16).reshape(4, 3, 2)  # stored [I, J, K]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.dcm", ".dcm"),
        ("A.NRRD", ".nrrd"),
        ("a.nii", ".nii"),
        ("a.b.NII.gz", ".nii.gz"),
        ("a.gz", ""),
        ("a.png", ""),
    ],
)
def test_the_suffix_is_that_of_a_volume_or_none(name, suffix):
    assert suffix_of(Path("folder.nrrd") / name) == suffix


def test_a_layout_swaps_first_and_flips_then():
    stored = np.arange(6).reshape(3, 2, 1)  # columns are the first axis where nothing is swapped
    assert Layout().slices(stored).tolist() == [[[0, 2, 4], [1, 3, 5]]]
    assert Layout(swap=True).slices(stored).tolist() == [[[0, 1], [2, 3], [4, 5]]]
    assert Layout(flip_rows=True).slices(stored).tolist() == [[[1, 3, 5], [0, 2, 4]]]
    swapped = Layout(swap=True, flip_columns=True)
    assert swapped.slices(stored).tolist() == [[[1, 0], [3, 2], [5, 4]]]
    assert np.shares_memory(swapped.slices(stored), stored)


@pytest.mark.parametrize(
    ("first", "second", "layout"),
    [
        ((1, 0, 0), (0, 1, 0), Layout()),
        ((-1, 0, 0), (0, 1, 0), Layout(flip_columns=True)),
        ((1, 0, 0), (0, -1, 0), Layout(flip_rows=True)),
        ((0, 1, 0), (1, 0, 0), Layout(swap=True)),
        # Towards the head is up in a picture, and so rows that run there are flipped.
        ((0, 1, 0), (0, 0, 1), Layout(flip_rows=True)),
        ((0, 0, -1), (1, 0, 0), Layout(swap=True)),
    ],
)
def test_slices_are_turned_as_radiologists_look_at_them(first, second, layout):
    third = np.cross(first, second)
    assert layout_of(np.array([first, second, third], float)) == layout


@given(st.lists(st.floats(-2, 2), min_size=9, max_size=9), st.data())
def test_a_layout_can_be_undone(numbers, data):
    layout = layout_of(np.array(numbers).reshape(3, 3))
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    stored = np.arange(np.prod(shape)).reshape(shape)
    assert np.array_equal(layout.stored(layout.slices(stored)), stored)
    assert len(layout.slices(stored)) == shape[2]


def test_oblique_and_unknown_directions_keep_the_stored_order():
    assert layout_of(np.full((3, 3), np.nan)) == layout_of(np.zeros((3, 3))) == Layout()
    assert layout_of(np.array([[1, 0.5, 0], [1, 0.4, 0], [0, 0, 1.0]])) == Layout()


def test_what_is_written(tmp_path):
    found = {
        name: is_writable(tmp_path / name)
        for name in ("a.dcm", "a.nrrd", "a.nii", "a.nii.gz", "a.png")
    }
    assert found == {
        "a.dcm": False,
        "a.nrrd": True,
        "a.nii": True,
        "a.nii.gz": True,
        "a.png": False,
    }


def test_a_header_is_known_before_the_voxels(tmp_path):
    frames = np.zeros((2, 3, 4), np.uint16)
    files = [
        write_dicom(tmp_path / "a.dcm", frames),
        write_nrrd(tmp_path / "a.nrrd", BLOCK),
        write_nifti(tmp_path / "a.nii.gz", BLOCK),
    ]
    for path in files:
        found, bytes_a_voxel = read_header(path)
        assert (found.n, found.height, found.width) == (2, 3, 4), path.name
        assert bytes_a_voxel == 2, path.name
    colours = np.zeros((3, 4, 3), np.uint8)
    facts = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    found, bytes_a_pixel = read_header(write_dicom(tmp_path / "b.dcm", colours, **facts))
    assert (found.n, found.height, found.width, bytes_a_pixel) == (1, 3, 4, 3)


def test_a_swapped_header_has_rows_and_columns_of_the_picture(tmp_path):
    swapped = ((0, 1, 0), (1, 0, 0), (0, 0, 3))
    found, _ = read_header(write_nrrd(tmp_path / "a.nrrd", BLOCK, swapped))
    assert found.layout == Layout(swap=True)
    assert (found.n, found.height, found.width) == (2, 4, 3)
    volume = read_volume(tmp_path / "a.nrrd", found)
    assert volume.values.tolist() == BLOCK.transpose(2, 0, 1).tolist()


def test_a_volume_says_what_its_values_mean(tmp_path):
    pixels = np.array([[0, 50], [100, 200]], np.uint16)
    facts = {
        "RescaleSlope": 2,
        "RescaleIntercept": -100,
        "PhotometricInterpretation": "MONOCHROME1",
    }
    path = write_dicom(tmp_path / "a.dcm", pixels, **facts)
    volume = read_volume(path, read_header(path)[0])
    assert (volume.slope, volume.intercept, volume.inverted) == (2.0, -100.0, True)
    assert volume.values.tolist() == [pixels.tolist()]
    # The percentiles 0.5 and 99.5 of -100, 0, 100 and 300, between which lie three steps.
    assert volume.limits == pytest.approx((-100 + 100 * 0.015, 300 - 200 * 0.015))
    path = write_nifti(tmp_path / "a.nii", BLOCK, slope=(2.0, -10.0))
    volume = read_volume(path, read_header(path)[0])
    assert (volume.slope, volume.intercept, volume.inverted) == (2.0, -10.0, False)
    assert sorted(volume.values.ravel()) == BLOCK.ravel().tolist()


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("endian", ["little", "big"])
def test_voxels_of_an_nrrd_are_read_in_the_order_of_its_bytes(tmp_path, encoding, endian):
    kind = "<i2" if endian == "little" else ">i2"
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK.astype(kind), encoding=encoding, endian=endian)
    if encoding == "raw":
        head, _, packed = path.read_bytes().partition(b"\n\n")
        path.write_bytes(head + b"\n\n" + gzip.decompress(packed))
    volume = read_volume(path, read_header(path)[0])
    assert volume.values.tolist() == BLOCK.transpose(2, 1, 0).tolist()


def test_labels_are_written_in_the_geometry_of_their_volume(tmp_path):
    labels = (np.arange(24).reshape(2, 3, 4) % 3).astype(np.uint8)  # [N, H, W]
    path = write_nrrd(tmp_path / "a.nrrd", BLOCK, content="name of a patient")
    data = encode_like(path, read_header(path)[0], labels, packed=True)
    (tmp_path / "b.nrrd").write_bytes(data)
    stored, header = nrrd.read(str(tmp_path / "b.nrrd"))
    assert stored.tolist() == labels.transpose(2, 1, 0).tolist()
    assert header["type"] == "uchar"
    assert header["space origin"].tolist() == [1.25, -2, 3]
    assert b"patient" not in data
    path = write_nifti(tmp_path / "a.nii", BLOCK)
    found = read_header(path)[0]
    plain = encode_like(path, found, labels, packed=False)
    assert gzip.decompress(encode_like(path, found, labels, packed=True)) == plain
    image = nibabel.Nifti1Image.from_bytes(plain)
    assert np.allclose(image.affine, AFFINE)
    assert found.layout.slices(np.asanyarray(image.dataobj)).tolist() == labels.tolist()


def test_colours_of_more_than_eight_bits_are_refused(tmp_path):
    facts = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    path = write_dicom(tmp_path / "a.dcm", np.zeros((3, 4, 3), np.uint16), **facts)
    with pytest.raises(InputError, match="colours of more than 8 bits") as caught:
        read_volume(path, read_header(path)[0])
    assert caught.value.hint
