"""Images of a folder: which there are, how large, and as what they are read."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.images import folder as module
from gazetrack.images.folder import decode, find_images, image_size, is_gray, read_image, read_mask
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slice_size
from tests.volume_files import write_dicom, write_nifti, write_nrrd

BLOCK = np.arange(4 * 3 * 2, dtype=np.int16).reshape(4, 3, 2)  # stored [I, J, K]
RED = np.full((3, 5, 3), (200, 0, 0), np.uint8)


def saved(path, pixels):
    Image.fromarray(pixels).save(path)
    return ImageRef(path)


def test_pictures_stand_under_their_stems_and_nothing_else_is_one(tmp_path):
    for name in ("b.PNG", "a.jpg", "c.tiff", "d.bmp"):
        saved(tmp_path / name, RED)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "folder.png").mkdir()
    assert list(find_images(tmp_path)) == ["a", "b", "c", "d"]
    assert find_images(tmp_path / "b.PNG") == {"b": ImageRef(tmp_path / "b.PNG")}


def test_two_pictures_of_one_name_and_no_folder_are_refused(tmp_path):
    for name in ("a.jpg", "a.png"):
        saved(tmp_path / name, RED)
    with pytest.raises(DataError, match=r"two images of one name: a\.jpg and a\.png"):
        find_images(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_images(tmp_path / "gone")


def test_a_volume_is_its_slices(tmp_path):
    pytest.importorskip("nrrd")
    pytest.importorskip("pydicom")
    write_nrrd(tmp_path / "case.nrrd", BLOCK)
    write_dicom(tmp_path / "one_3.dcm", np.zeros((5, 6), np.uint16))
    write_dicom(tmp_path / "many.dcm", np.zeros((3, 5, 6), np.uint16))
    found = find_images(tmp_path)
    assert list(found) == ["case_1", "case_2", "many_1", "many_2", "many_3", "one_3"]
    assert found["case_2"] == ImageRef(tmp_path / "case.nrrd", 2)
    assert found["one_3"] == ImageRef(tmp_path / "one_3.dcm")
    assert (found["case_2"].volume, found["one_3"].volume) == (tmp_path / "case.nrrd", None)
    assert image_size(found["case_2"]) == (4, 3)
    assert slice_size(found["many_3"]) == (6, 5)
    write_nrrd(tmp_path / "case_2.nrrd", BLOCK[:, :, 0])
    with pytest.raises(DataError, match=r"case\.nrrd/2 and case_2\.nrrd"):
        find_images(tmp_path)


def test_a_picture_in_a_folder_called_like_a_volume_is_a_picture(tmp_path):
    """Its path looks like that of a slice."""
    folder = tmp_path / "case.nrrd"
    folder.mkdir()
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(folder / "7.png")
    (image,) = find_images(folder).values()
    assert image == ImageRef(folder / "7.png")
    assert is_gray(image)
    assert decode(image).size == (8, 8)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    pytest.importorskip("nibabel")
    write_nifti(tmp_path / "a.nii", BLOCK)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(ConfigError, match=r"a\.nii needs nibabel.*gazetrack\[medical\]"):
        find_images(tmp_path)


def test_labels_are_above_zero(tmp_path):
    pytest.importorskip("nrrd")
    labels = np.array([[0, 1], [2, 0]], np.int16)
    assert read_mask(ImageRef(write_nrrd(tmp_path / "a.nrrd", labels))).tolist() == [
        [False, True],
        [True, False],
    ]


def test_noisy_and_odd_masks(tmp_path):
    noisy = np.array([[0, 7, 120, 128, 250, 255]], np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    assert read_mask(ImageRef(tmp_path / "noisy.png")).tolist() == [
        [False, False, False, True, True, True]
    ]
    Image.fromarray(np.stack([noisy] * 3, -1)).save(tmp_path / "rgb.png")
    assert read_mask(ImageRef(tmp_path / "rgb.png")).sum() == 3
    Image.fromarray(noisy > 127).save(tmp_path / "bits.png")
    assert read_mask(ImageRef(tmp_path / "bits.png")).sum() == 3
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(DataError, match=r"values up to 1.*0 and 255"):
        read_mask(ImageRef(tmp_path / "labels.png"))


def test_low_values_are_labels_but_where_jpeg_has_smeared_them(tmp_path):
    faint = np.full((8, 8), 2, np.uint8)
    assert not read_mask(saved(tmp_path / "faint.jpg", faint)).any()
    with pytest.raises(DataError, match="values up to 2"):
        read_mask(saved(tmp_path / "faint.png", faint))
    assert not read_mask(saved(tmp_path / "none.png", np.zeros((8, 8), np.uint8))).any()


def test_the_size_is_width_and_height_and_too_many_pixels_are_refused(tmp_path, monkeypatch):
    image = saved(tmp_path / "a.png", RED)
    assert image_size(image) == (5, 3)
    monkeypatch.setattr(module, "MAX_IMAGE_PX", 15)
    assert image_size(image) == (5, 3)
    monkeypatch.setattr(module, "MAX_IMAGE_PX", 14)
    for reads in (image_size, decode, read_mask, is_gray, lambda one: read_image(one, "L")):
        with pytest.raises(InputError, match=r"a\.png: has 5 x 3 pixels"):
            reads(image)


def test_a_picture_is_read_as_gray_values_or_colours_at_any_size(tmp_path):
    image = saved(tmp_path / "a.png", RED)
    assert read_image(image, "RGB").tolist() == RED.tolist()
    # ITU-R 601: 299/1000 of red, as Pillow has it.
    assert (read_image(image, "L") == 60).all()
    assert read_image(image, "RGB", (6, 20)).shape == (6, 20, 3)
    halves = np.array([[0, 100]], np.uint8).repeat(2, 0)
    assert read_image(saved(tmp_path / "b.png", halves), "L", (1, 1)).tolist() == [[50]]


def test_only_a_picture_of_one_channel_of_bytes_is_gray(tmp_path):
    assert is_gray(saved(tmp_path / "gray.png", RED[..., 0]))
    assert not is_gray(saved(tmp_path / "red.png", RED))
    assert not is_gray(saved(tmp_path / "deep.png", np.full((3, 5), 900, np.uint16)))
    assert not is_gray(saved(tmp_path / "bits.png", RED[..., 0] > 0))


def test_a_deep_picture_is_kept_as_it_is_and_not_squeezed_into_bytes(tmp_path):
    deep = np.array([[0, 40_000]], np.uint16)
    image = saved(tmp_path / "deep.png", deep)
    assert np.array(decode(image)).tolist() == deep.tolist()
    assert read_mask(image).tolist() == [[False, True]]
    with pytest.raises(InputError, match="more than 8 bits a channel") as caught:
        read_image(image, "L")
    assert "window it" in caught.value.hint


def test_damaged_pictures_are_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)
    image = saved(tmp_path / "cut.png", noise)
    image.file.write_bytes(image.file.read_bytes()[:2000])
    assert image_size(image) == (50, 50)
    for reads in (decode, read_mask, lambda one: read_image(one, "RGB")):
        with pytest.raises(InputError, match=r"cut\.png: (cannot be read as|is a damaged)"):
            reads(image)
    text = tmp_path / "text.png"
    text.write_text("no image")
    with pytest.raises(InputError, match=r"text\.png: cannot be read as an image"):
        image_size(ImageRef(text))


def test_a_window_says_what_of_a_slice_is_black_and_white(tmp_path):
    pytest.importorskip("nrrd")
    image = ImageRef(write_nrrd(tmp_path / "a.nrrd", np.array([[0, 100, 200]], np.int16).T))
    shown = decode(image, (100.0, 100.0))  # from 50 to 150
    assert (shown.mode, shown.size) == ("L", (3, 1))
    assert np.array(shown).tolist() == [[0, 128, 255]]


def test_labels_that_would_read_as_an_empty_mask_are_refused(tmp_path):
    labels = np.array([[0, 5, 2, 0]], np.uint8)
    Image.fromarray(labels).save(tmp_path / "k5.png")
    with pytest.raises(DataError, match=r"k5\.png.*values up to 5.*--classes"):
        read_mask(ImageRef(tmp_path / "k5.png"))
    red = Image.fromarray(np.array([[[255, 0, 0], [0, 0, 0]]], np.uint8))
    red.save(tmp_path / "red.png")
    with pytest.raises(DataError, match=r"values up to 76"):
        read_mask(ImageRef(tmp_path / "red.png"))
    # A faint mask of many grays is no label image: nothing of it is foreground.
    faint = np.arange(100, dtype=np.uint8)[None]
    Image.fromarray(faint).save(tmp_path / "faint.png")
    assert not read_mask(ImageRef(tmp_path / "faint.png")).any()


def test_a_palette_is_a_mask_where_it_is_black_and_white(tmp_path):
    picture = Image.fromarray(np.array([[0, 1, 1]], np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(tmp_path / "white.png")
    assert read_mask(ImageRef(tmp_path / "white.png")).tolist() == [[False, True, True]]
    for colour in ((128, 0, 0), (255, 255, 0)):
        picture.putpalette([0, 0, 0, *colour])
        picture.save(tmp_path / "colour.png")
        with pytest.raises(DataError, match=r"colour\.png.*palette of colours.*--classes"):
            read_mask(ImageRef(tmp_path / "colour.png"))
