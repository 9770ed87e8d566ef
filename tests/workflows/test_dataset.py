"""Images, masks, gaze and splits are matched by stem."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError, SchemaError
from gazetrack.images.folder import find_images, image_size, read_image
from gazetrack.images.reference import ImageRef
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.dataset import cases_of, find_items, hashed_split, read_ids
from tests.dicom_files import write_series
from tests.fixation_tables import write_fixations


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "c.1.png"):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "images" / name)
    (tmp_path / "masks").mkdir()
    Image.new("L", (40, 30)).save(tmp_path / "masks" / "a.png")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "a"),
        ("x/y\\a.b.PNG", "a.b"),
        ("case.12", "case.12"),
        ("a", "a"),
        ("C:\\img\\p_3.jpeg", "p_3"),
    ],
)
def test_stems(name, expected):
    assert stem(name) == expected


def test_gaze_is_matched_by_stem_and_scaled_to_the_image(folder):
    table = write_fixations(folder / "g.fixations.parquet", ["a.jpg", "c.1.jpg", "z.jpg"])
    found = find_items(folder / "images", masks=folder / "masks", fixations=[table])
    assert [item.image_id for item in found.items] == ["a", "b", "c.1"]
    assert found.missing_gaze == ("b",)
    assert found.missing_images == ("z",)
    assert (found.items[0].mask is not None, found.items[1].mask is None) == (True, True)
    track = found.items[0].tracks[0]
    assert (track.x.tolist(), track.width, track.height) == ([5.0], 40.0, 30.0)


def test_gaze_on_the_screen_needs_a_placement(folder):
    lost = {"image_width_px": np.nan, "image_height_px": np.nan}
    table = write_fixations(folder / "g.fixations.parquet", ["a.jpg"], **lost)
    with pytest.raises(SchemaError, match=r"g\.fixations\.parquet.*--placement"):
        find_items(folder / "images", fixations=[table])
    placed = find_items(folder / "images", fixations=[table], placement="centre")
    assert placed.items[0].tracks[0].x.tolist() == [-20.0]
    placed = find_items(folder / "images", fixations=[table], placement="stretch")
    assert placed.items[0].tracks[0].x.tolist() == [4.0]


def test_splits(folder):
    (folder / "train.txt").write_text("a\nb.jpg\n\n")
    (folder / "val.txt").write_text("c.1\n")
    found = find_items(
        folder / "images", train_ids=folder / "train.txt", val_ids=folder / "val.txt"
    )
    assert [item.split for item in found.items] == ["train", "train", "val"]


def test_a_manifest_can_name_the_splits(folder):
    (folder / "m.csv").write_text("image_id,split\na,train\nb,val\n")
    assert [i.split for i in find_items(folder / "images", manifest=folder / "m.csv").items] == [
        "train",
        "val",
        "",
    ]


def test_a_manifest_that_is_none_is_named(folder):
    (folder / "m.csv").write_text("image,split\na,train\n")
    with pytest.raises(InputError, match=r"m\.csv: has no column image_id"):
        find_items(folder / "images", manifest=folder / "m.csv")
    (folder / "m.csv").write_bytes(b"image_id\n\xff\xfe\n")
    with pytest.raises(InputError, match=r"m\.csv: cannot be read as a manifest"):
        find_items(folder / "images", manifest=folder / "m.csv")
    with pytest.raises(InputError, match=r"n\.csv: no such file"):
        find_items(folder / "images", manifest=folder / "n.csv")


@pytest.mark.parametrize(("train", "match"), [("a\nc.1\n", "both"), ("a\nq\n", "'q'")])
def test_bad_splits_are_refused(folder, train, match):
    (folder / "train.txt").write_text(train)
    (folder / "val.txt").write_text("c.1\n")
    with pytest.raises(DataError, match=match):
        find_items(folder / "images", train_ids=folder / "train.txt", val_ids=folder / "val.txt")


def test_two_images_of_one_name_are_refused(folder):
    Image.new("RGB", (4, 3)).save(folder / "images" / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg and a\.png"):
        find_images(folder / "images")


def test_what_is_no_image_is_named(folder):
    bad = folder / "images" / "bad.png"
    bad.write_text("no image")
    with pytest.raises(InputError, match=r"bad\.png"):
        image_size(ImageRef(bad))


def test_hashed_split_never_moves_an_image():
    ids = [f"image{i}" for i in range(2000)]
    split = hashed_split(ids)
    assert 0.07 < sum(s == "val" for s in split.values()) / 2000 < 0.13
    assert hashed_split(ids[:5]) == {i: split[i] for i in ids[:5]}


def test_ids_files(tmp_path):
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfa.jpg\r\n\r\n b \r\n")
    assert read_ids(tmp_path / "ids.txt") == ("a", "b")
    (tmp_path / "empty.txt").write_text("\n")
    for name in ("empty.txt", "missing.txt"):
        with pytest.raises(InputError):
            read_ids(tmp_path / name)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_of_more_than_8_bits_are_refused(tmp_path, mode):
    Image.new(mode, (8, 6), 300).save(tmp_path / "a.tiff")
    with pytest.raises(InputError, match="more than 8 bits"):
        read_image(ImageRef(tmp_path / "a.tiff"), "L")


def test_training_refuses_gaze_on_an_image_of_another_shape(folder):
    table = write_fixations(
        folder / "g.fixations.parquet", ["a.jpg"], image_width_px=200, image_height_px=60
    )
    with pytest.raises(DataError, match=r"a\.jpg.* has another shape: 200 x 60 in the table"):
        find_items(folder / "images", fixations=[table])


def test_case_is_ignored_when_gaze_is_placed_by_a_rule_as_well(folder):
    size = {"image_width_px": np.nan, "image_height_px": np.nan}
    path = write_fixations(folder / "g.fixations.parquet", ["A.png", "B.PNG"], **size)
    found = find_items(folder / "images", fixations=[path], placement="stretch")
    assert [(item.image_id, len(item.tracks)) for item in found.items] == [
        ("a", 1),
        ("b", 1),
        ("c.1", 0),
    ]
    assert found.items[0].tracks[0].x.tolist() == [4.0]


def test_a_dicom_series_is_one_case(tmp_path):
    pytest.importorskip("pydicom")
    write_series(tmp_path, np.zeros((3, 4, 6), np.int16), names=["c", "a", "b"])
    write_series(tmp_path, np.zeros((1, 4, 6), np.int16), names=["d"], SeriesInstanceUID="1.9")
    Image.new("L", (6, 4)).save(tmp_path / "e.png")
    images = find_images(tmp_path)
    assert cases_of(images, None) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}
    assert cases_of(images, ".")["c"] == "c"
