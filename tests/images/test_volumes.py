"""Slices find their volume and their neighbours, in one file or in a DICOM series of many."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from gazetrack.errors import DataError, InputError
from gazetrack.images.folder import find_images
from gazetrack.images.reference import ImageRef
from gazetrack.images.volumes import neighbours, volume_file, volume_of
from tests.dicom_files import SPACING, STEP, corners, write_enhanced, write_series
from tests.volume_files import write_dicom, write_nrrd

pytest.importorskip("nrrd")
pydicom = pytest.importorskip("pydicom")
VOXELS = np.arange(5 * 4 * 6, dtype=np.int16).reshape(5, 4, 6)


def test_neighbours_are_in_order_and_the_ends_stand_again(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", np.zeros((4, 3, 5), np.int16))

    def numbers(of, context):
        return [image.slice for image in neighbours(ImageRef(path, of), context)]

    assert numbers(3, 1) == [2, 3, 4]
    assert numbers(1, 2) == [1, 1, 1, 2, 3]
    assert numbers(5, 2) == [3, 4, 5, 5, 5]
    assert numbers(2, 0) == [2]
    with pytest.raises(InputError, match="no slice 6"):
        neighbours(ImageRef(path, 6), 1)


def test_what_is_no_slice_has_no_neighbours(tmp_path):
    picture = ImageRef(tmp_path / "a.png")
    assert neighbours(picture, 0) == [picture]
    with pytest.raises(DataError, match=r"a\.png.*no slices before and after.*context=0"):
        neighbours(picture, 1)
    flat = write_nrrd(tmp_path / "a.nrrd", np.zeros((4, 3, 1), np.int16))
    (only,) = find_images(flat).values()
    with pytest.raises(DataError, match="no slices before"):
        neighbours(only, 1)


def names_around(images, of, context):
    return [image.file.name for image in neighbours(images[of], context)]


def test_a_series_is_in_the_order_of_space_whatever_its_names(tmp_path):
    paths = write_series(tmp_path, VOXELS, names=["d", "a", "e", "b", "c"])
    images = find_images(tmp_path)
    for number, path in enumerate(paths, 1):
        volume = volume_of(ImageRef(path))
        assert [image.file for image in volume.slices] == paths
        assert volume.number(ImageRef(path)) == number
        assert volume.file == volume_file(ImageRef(path)) == tmp_path / "a.dcm"
    assert volume.spacing == pytest.approx((STEP, *SPACING))
    assert names_around(images, "a", 1) == ["d.dcm", "a.dcm", "e.dcm"]
    assert names_around(images, "d", 2) == ["d.dcm", "d.dcm", "d.dcm", "a.dcm", "e.dcm"]
    assert names_around(images, "c", 1) == ["b.dcm", "c.dcm", "c.dcm"]


def test_a_series_is_the_volume_that_one_file_of_its_frames_is(tmp_path):
    write_series(tmp_path, VOXELS)
    write_enhanced(tmp_path / "frames.dcm", VOXELS)
    series = volume_of(ImageRef(next(tmp_path.glob("im*.dcm"))))
    frames = volume_of(ImageRef(tmp_path / "frames.dcm", 2))
    assert (len(series.slices), len(frames.slices)) == (5, 5)
    assert series.spacing == pytest.approx(frames.spacing)


def test_series_of_one_folder_are_told_apart(tmp_path):
    write_series(tmp_path, VOXELS[:3], names=["a", "d", "b"])
    other = {"SeriesInstanceUID": "1.9", "FrameOfReferenceUID": "1.8"}
    write_series(tmp_path, VOXELS[:2], names=["e", "c"], **other)
    images = find_images(tmp_path)
    assert names_around(images, "d", 1) == ["a.dcm", "d.dcm", "b.dcm"]
    assert names_around(images, "e", 1) == ["e.dcm", "e.dcm", "c.dcm"]
    assert [volume_file(images[name]).stem for name in "abcde"] == ["a", "a", "c", "a", "c"]


def test_what_lies_nowhere_stands_alone(tmp_path):
    # One examination, of pictures of two sizes.
    nowhere = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    write_series(tmp_path, VOXELS[:2], names=["a", "b"], **nowhere)
    write_series(tmp_path, VOXELS[:1, :3], names=["c"], **nowhere)
    # A single slice in space, and one that lacks the frame of reference.
    write_series(tmp_path, VOXELS[:1], names=["d"], SeriesInstanceUID="1.9")
    write_series(
        tmp_path, VOXELS[:2], names=["e", "f"], SeriesInstanceUID="1.8", FrameOfReferenceUID=None
    )
    images = find_images(tmp_path)
    assert [volume_of(image) for image in images.values()] == [None] * 6
    with pytest.raises(DataError, match="no slices before and after it"):
        neighbours(images["a"], 1)
    assert [volume_file(images[name]) for name in "abcd"] == [None] * 4


def test_a_series_with_a_gap_is_refused_when_it_is_asked_for(tmp_path):
    places = corners(6)
    write_series(tmp_path, VOXELS, places=[*places[:3], *places[4:]])
    images = find_images(tmp_path)
    for image in images.values():  # each of them says so, not the first alone
        with pytest.raises(DataError, match="slices are missing or unevenly spaced"):
            volume_of(image)
        # As a case they belong together all the same.
        assert volume_file(image) == min(one.file for one in images.values())


def test_headers_of_a_series_are_read_once(tmp_path, monkeypatch):
    write_series(tmp_path, VOXELS)
    write_dicom(tmp_path / "other.dcm", VOXELS[0])
    images = find_images(tmp_path)
    n_read = []
    plain = pydicom.dcmread

    def counted(path, *args, **kwargs):
        n_read.append(path)
        return plain(path, *args, **kwargs)

    monkeypatch.setattr(pydicom, "dcmread", counted)
    for image in images.values():
        volume_of(image)
        volume_file(image)
    assert sorted(n_read) == sorted(tmp_path.glob("im*.dcm"))


def test_a_file_that_comes_or_goes_is_seen(tmp_path):
    paths = write_series(tmp_path / "mr", VOXELS)
    shutil.move(paths[4], tmp_path / "last.dcm")
    assert len(volume_of(ImageRef(paths[0])).slices) == 4
    shutil.move(tmp_path / "last.dcm", paths[4])
    assert len(volume_of(ImageRef(paths[0])).slices) == 5


def test_damaged_files_beside_a_series_do_no_harm(tmp_path):
    paths = write_series(tmp_path, VOXELS)
    (tmp_path / "damaged.dcm").write_bytes(b"no DICOM")
    assert len(volume_of(ImageRef(paths[0])).slices) == 5
    damaged = ImageRef(tmp_path / "damaged.dcm")
    assert volume_file(damaged) is None
    gone = ImageRef(tmp_path / "nowhere" / "gone.dcm")
    assert volume_file(gone) is None
    with pytest.raises(InputError, match="no such file"):
        volume_of(gone)
    with pytest.raises(InputError, match="cannot be read"):
        volume_of(damaged)


def test_a_volume_of_one_file_keeps_its_order_and_name(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", np.zeros((4, 3, 5), np.int16))
    volume = volume_of(ImageRef(path, 3))
    assert (volume.file, volume.number(ImageRef(path, 3)), len(volume.slices)) == (path, 3, 5)
    assert volume.spacing[0] == 3
    assert volume_of(ImageRef(tmp_path / "a.png")) is None
    assert not any(math.isnan(value) for value in volume.spacing)
