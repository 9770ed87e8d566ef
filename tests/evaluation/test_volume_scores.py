"""Whole volumes: what is put together, in which units, and what is left out."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.images.folder import read_mask
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slices_of
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.surfaces import compare_surfaces
from gradtrack_model.evaluation.volume_scores import (
    Tolerances,
    VolumeScores,
    describe_known,
    read_volumes,
    slice_surfaces,
    spacing_between,
)
from tests.dicom_files import SPACING as PIXEL_SPACING
from tests.dicom_files import STEP, corners, write_series
from tests.volume_files import write_dicom, write_nrrd

pytest.importorskip("nrrd")
SPACING = (3.0, 0.5, 0.5)
DIRECTIONS = ((0.5, 0, 0), (0, 0.5, 0), (0, 0, 3))


def ball(n=5, height=12, width=10, shift=0):
    z, y, x = np.mgrid[:n, :height, :width]
    return ((z - 2) / 2) ** 2 + ((y - 5 - shift) / 4) ** 2 + ((x - 4) / 3) ** 2 <= 1


def write_volume(path, slices, **more):
    return write_nrrd(path, slices.transpose(2, 1, 0).astype(np.uint8), kind="uchar", **more)


def write_pngs(folder, case, slices):
    folder.mkdir(exist_ok=True)
    for number, mask in enumerate(slices, 1):
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{case}_{number}.png")


@pytest.fixture
def folders(tmp_path):
    """Predictions as pictures, and masks as volumes, of which one does not tell its spacing."""
    masks = tmp_path / "masks"
    masks.mkdir()
    write_volume(masks / "a.nrrd", ball(), directions=DIRECTIONS)
    flat = {"space": None, "space directions": None, "space origin": None}
    write_volume(masks / "b.nrrd", ball(), **flat)
    for case in "ab":
        write_pngs(tmp_path / "predictions", case, ball(shift=1))
    return tmp_path / "predictions", masks


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_volumes_are_compared_in_mm_and_in_voxels_where_nothing_is_known(folders, tmp_path):
    tolerances = Tolerances(mm=0.5, px=1)
    result = evaluate_folder(*folders, tmp_path / "out", tolerances=tolerances)
    a, b = rows_of(tmp_path / "out" / "volumes.csv")
    in_mm = compare_surfaces(ball(shift=1), ball(), SPACING, 0.5)
    assert (a["volume"], a["slices"], a["spacing_mm"]) == ("a.nrrd", "5", "3 x 0.5 x 0.5")
    shown = [float(a[f"{name}_mm"]) for name in ("hd95", "asd", "surface_dice")]
    assert shown == pytest.approx([in_mm.hd95, in_mm.asd, in_mm.surface_dice], abs=1e-6)
    assert (a["hd95_voxels"], b["hd95_mm"], b["mask_ml"]) == ("", "", "")
    in_voxels = compare_surfaces(ball(shift=1), ball(), (1, 1, 1), 1)
    assert float(b["hd95_voxels"]) == pytest.approx(in_voxels.hd95, abs=1e-6)
    assert float(a["mask_ml"]) == pytest.approx(ball().sum() * 0.75 / 1000, abs=1e-6)
    both = 2 * (ball() & ball(shift=1)).sum() / (2 * ball().sum())
    assert float(a["dice"]) == pytest.approx(both, abs=1e-6)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())["volumes"]
    assert summary["n"] == 2
    assert summary["hd95_mm"]["mean"] == pytest.approx(in_mm.hd95)
    assert (summary["hd95_mm"]["n"], summary["hd95_voxels"]["n"]) == (1, 1)
    assert summary["tolerance_mm"] == 0.5
    assert [volume.is_in_mm for volume in result.volumes] == [True, False]


def test_slices_are_compared_in_mm_where_that_is_known(folders, tmp_path):
    result = evaluate_folder(*folders, tmp_path / "out")
    rows = {row["image_id"]: row for row in rows_of(tmp_path / "out" / "evaluation.csv")}
    third = compare_surfaces(ball(shift=1)[2], ball()[2], SPACING[1:], 2.0)
    assert float(rows["a_3"]["hd95_mm"]) == pytest.approx(third.hd95, abs=1e-6)
    assert float(rows["a_3"]["hd95_px"]) == pytest.approx(2 * third.hd95, abs=1e-6)
    assert rows["b_3"]["hd95_mm"] == ""
    assert float(rows["b_3"]["surface_dice_px"]) == 1
    summary = result.summary()
    assert summary["hd95_mm"]["n"] == 5
    assert summary["surface_dice_px"]["n"] == 10


def test_empty_masks_are_nan_counted_and_in_no_mean(folders, tmp_path):
    predictions, masks = folders
    write_pngs(predictions, "a", ball() & False)
    summary = evaluate_folder(predictions, masks, tmp_path / "out").summary()
    row = rows_of(tmp_path / "out" / "volumes.csv")[0]
    assert (row["dice"], row["hd95_mm"]) == ("0.000000", "nan")
    assert summary["volumes"]["hd95_mm"] == {"n": 0, "n_empty": 1}
    assert (summary["surface_dice_px"]["n"], summary["surface_dice_px"]["n_empty"]) == (5, 5)
    assert "n_empty" in summary["empty_masks_surface"]


def test_volumes_that_are_not_whole_are_named_with_what_is_missing(folders, tmp_path):
    predictions, masks = folders
    (predictions / "a_1.png").unlink()
    Image.new("L", (3, 3)).save(predictions / "b_2.png")  # of another size: an error of its own
    result = evaluate_folder(predictions, masks, tmp_path / "out")
    assert not result.volumes
    assert result.volumes_missing == {"a.nrrd": 1, "b.nrrd": 1}
    assert result.summary()["volumes"]["slices_missing"] == {"a.nrrd": 1, "b.nrrd": 1}
    assert not (tmp_path / "out" / "volumes.csv").exists()


def test_the_table_of_an_evaluation_before_does_not_stay(folders, tmp_path):
    predictions, masks = folders
    evaluate_folder(predictions, masks, tmp_path / "out")
    assert (tmp_path / "out" / "volumes.csv").exists()
    ids = tmp_path / "ids.txt"
    ids.write_text("a_1\n")
    evaluate_folder(predictions, masks, tmp_path / "out", ids)
    assert not (tmp_path / "out" / "volumes.csv").exists()


def test_pictures_alone_have_no_volumes_and_no_mm(tmp_path):
    write_pngs(tmp_path / "p", "a", ball())
    write_pngs(tmp_path / "m", "a", ball())
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out")
    assert "volumes" not in result.summary()
    header = rows_of(tmp_path / "out" / "evaluation.csv")[0]
    assert "surface_dice_px" in header
    assert not [name for name in header if name.endswith("_mm")]


def test_the_prediction_tells_the_spacing_where_the_mask_does_not(tmp_path):
    pytest.importorskip("pydicom")
    told = write_dicom(tmp_path / "a.dcm", np.zeros((4, 5), np.uint8), PixelSpacing=[0.7, 0.5])
    picture = ImageRef(tmp_path / "a.png")
    assert spacing_between(picture, ImageRef(told)) == pytest.approx((0.7, 0.5))
    assert np.isnan(spacing_between(picture, picture)).all()


def test_no_more_than_the_volumes_at_hand_are_kept(tmp_path):
    path = write_volume(tmp_path / "a.nrrd", ball(), directions=DIRECTIONS)
    refs = [ImageRef(path, number) for number in (5, 1, 3, 2, 4)]
    scores = VolumeScores([*refs, ImageRef(tmp_path / "b.png")], Tolerances())
    for ref in refs:
        scores.add(ref, ball()[ref.slice - 1], ball()[ref.slice - 1])
    scores.add(ImageRef(tmp_path / "b.png"), ball()[0], ball()[0])
    (done,) = scores.done
    assert (done.dice, done.surfaces.hd95, done.n_slices) == (1, 0, 5)
    assert scores.missing() == {}


def test_slices_of_known_and_unknown_spacing():
    a, b = ball()[2], ball(shift=1)[2]
    assert list(slice_surfaces(a, b, (math.nan, 0.5), Tolerances())) == ["surface_dice_px"]
    known = slice_surfaces(a, b, (0.5, 0.5), Tolerances(mm=1, px=1))
    assert set(known) == {"surface_dice_px", "hd95_mm", "asd_mm", "surface_dice_mm"}


def test_what_is_nan_is_counted():
    assert describe_known([math.nan]) == {"n": 0, "n_empty": 1}
    found = describe_known([1.0, math.nan, 3.0])
    assert (found["mean"], found["n"], found["n_empty"]) == (2, 2, 1)


def test_tolerances_are_distances():
    with pytest.raises(ConfigError, match="tolerance"):
        Tolerances(mm=-1)


def test_a_real_prostate_is_a_slice_away_from_itself_moved_by_one(data_dir):
    path = min((data_dir / "nci-isbi-gaze" / "masks" / "nrrd3T").glob("*.nrrd"))
    slices = slices_of(path)
    gland = np.stack([read_mask(ref) for ref in slices])
    scores = VolumeScores(slices, Tolerances(mm=0))
    for place, ref in enumerate(slices):
        scores.add(ref, gland[max(place - 1, 0)], gland[place])
    (done,) = scores.done
    between = done.spacing[0]
    assert 2 < between < 5
    assert 0 < done.surfaces.asd < done.surfaces.hd95 <= between + 1e-9
    assert 0.7 < done.dice < 1
    # Nowhere is the surface further than the slice next to it, and at the ends it is as far.
    assert done.surfaces.hd95 > 0.5
    assert 10 < done.mask_voxels * math.prod(done.spacing) / 1000 < 200  # ml, of a prostate


def test_a_table_of_volumes_is_read_back(folders, tmp_path):
    result = evaluate_folder(*folders, tmp_path / "out")
    found = read_volumes(tmp_path / "out" / "volumes.csv")
    assert set(found) == {"a.nrrd", "b.nrrd"}
    assert found["a.nrrd"]["hd95_mm"] == pytest.approx(result.volumes[0].surfaces.hd95, abs=1e-6)
    assert set(found["b.nrrd"]) == {"dice"}  # nothing is known in mm
    assert read_volumes(tmp_path / "none.csv") == {}
    (tmp_path / "other.csv").write_text("volume,x\na,1\n")
    with pytest.raises(InputError, match="no table of volumes"):
        read_volumes(tmp_path / "other.csv")


NAMES = ["d", "a", "e", "b", "c"]  # in space; by name the slices would be another object
IN_SPACE = (STEP, *PIXEL_SPACING)


def write_named(folder, slices, names=NAMES):
    folder.mkdir(exist_ok=True)
    for name, mask in zip(names, slices, strict=True):
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{name}.png")


@pytest.fixture
def series(tmp_path):
    """Predictions and masks as pictures, and the DICOM series that was segmented."""
    pytest.importorskip("pydicom")
    write_series(tmp_path / "images", ball().astype(np.int16), names=NAMES)
    write_named(tmp_path / "predictions", ball(shift=1))
    write_named(tmp_path / "masks", ball())
    return tmp_path


def test_pictures_of_a_dicom_series_are_a_volume_by_its_images(series):
    tolerances = Tolerances(mm=0.5)
    folders = (series / "predictions", series / "masks", series / "out")
    result = evaluate_folder(*folders, images=series / "images", tolerances=tolerances)
    (row,) = rows_of(series / "out" / "volumes.csv")
    assert (row["volume"], row["slices"], row["spacing_mm"]) == ("a.dcm", "5", "2.5 x 0.7 x 0.5")
    wanted = compare_surfaces(ball(shift=1), ball(), IN_SPACE, 0.5)
    shown = [float(row[f"{name}_mm"]) for name in ("hd95", "asd", "surface_dice")]
    assert shown == pytest.approx([wanted.hd95, wanted.asd, wanted.surface_dice], abs=1e-6)
    # In the order of names the same slices are another object.
    by_name = np.argsort(NAMES)
    shuffled = compare_surfaces(ball(shift=1)[by_name], ball()[by_name], IN_SPACE, 0.5)
    assert abs(shuffled.surface_dice - wanted.surface_dice) > 0.01
    third = compare_surfaces(ball(shift=1)[2], ball()[2], PIXEL_SPACING, 0.5)
    slices = {one["image_id"]: one for one in rows_of(series / "out" / "evaluation.csv")}
    assert float(slices["e"]["hd95_mm"]) == pytest.approx(third.hd95, abs=1e-6)
    assert result.complete
    plain = evaluate_folder(*folders).summary()
    assert "volumes" not in plain
    assert "hd95_mm" not in plain


def test_masks_that_are_a_dicom_series_are_a_volume(series):
    write_series(series / "labels", ball().astype(np.uint8), names=NAMES)
    result = evaluate_folder(series / "predictions", series / "labels", None)
    (volume,) = result.volumes
    assert (volume.volume, volume.n_slices) == ("a.dcm", 5)
    assert volume.spacing == pytest.approx(IN_SPACE)
    (series / "predictions" / "e.png").unlink()
    result = evaluate_folder(series / "predictions", series / "labels", None)
    assert (result.volumes, result.volumes_missing) == ((), {"a.dcm": 1})


def test_a_series_that_is_no_volume_is_named_and_its_slices_are_compared(series):
    places = corners(6)
    kept = [*places[:3], *places[4:]]
    write_series(series / "gap", ball().astype(np.int16), names=NAMES, places=kept)
    folders = (series / "predictions", series / "masks", series / "out")
    result = evaluate_folder(*folders, images=series / "gap")
    assert result.complete
    assert not result.volumes
    told = result.summary()["volumes"]
    assert list(told["refused"]) == ["a.dcm"]
    assert "missing or unevenly spaced" in told["refused"]["a.dcm"]
    assert told["n"] == 0
    assert result.summary()["hd95_mm"]["n"] == 5


def test_images_that_are_not_those_of_the_masks_are_refused(series):
    folders = (series / "predictions", series / "masks", None)
    write_named(series / "others", ball(), names=list("vwxyz"))
    with pytest.raises(DataError, match=r"no mask has an image of its name \(5 images, 5 masks\)"):
        evaluate_folder(*folders, images=series / "others")
    # Millimetres of pixels of another size would be wrong.
    write_series(series / "large", np.zeros((5, 24, 20), np.int16), names=NAMES)
    result = evaluate_folder(*folders, images=series / "large")
    assert "is 10 x 12 pixels, its image 20 x 24" in str(result.scores[0].error)
    assert not result.complete


def test_each_axis_of_a_volume_has_its_own_distance(tmp_path):
    # Two bars that lie apart along one axis at a time: the distance tells which axis was meant.
    affine = ((0.5, 0, 0), (0, 0.9, 0), (0, 0, 4))
    for axis, millimetres in enumerate((4, 0.9, 0.5)):
        mask, prediction = np.zeros((2, 6, 8, 10), bool)
        mask[2, 3, 4] = True
        prediction[tuple(np.array((2, 3, 4)) + 2 * (np.arange(3) == axis))] = True
        for side, slices in (("predictions", prediction), ("masks", mask)):
            folder = tmp_path / str(axis) / side
            folder.mkdir(parents=True)
            write_volume(folder / "a.nrrd", slices, directions=affine)
        folders = (tmp_path / str(axis) / "predictions", tmp_path / str(axis) / "masks")
        result = evaluate_folder(*folders, None)
        (volume,) = result.volumes
        assert volume.surfaces.hd95 == pytest.approx(2 * millimetres)
        if axis:
            of_slice = next(one for one in result.scores if one.image_id == "a_3").surfaces
            assert of_slice["hd95_mm"] == pytest.approx(2 * millimetres)


def test_a_mask_that_lies_elsewhere_than_its_prediction_is_refused(tmp_path):
    for side, last in (("predictions", 3), ("masks", -3)):
        (tmp_path / side).mkdir()
        directions = ((0.5, 0, 0), (0, 0.5, 0), (0, 0, last))
        write_volume(tmp_path / side / "a.nrrd", ball(), directions=directions)
    result = evaluate_folder(tmp_path / "predictions", tmp_path / "masks", tmp_path / "out")
    assert (result.complete, result.volumes) == (False, ())
    assert all("lies elsewhere in space" in str(one.error) for one in result.scores)


def test_what_leans_is_compared_in_voxels(tmp_path):
    for side, shift in (("predictions", 1), ("masks", 0)):
        (tmp_path / side).mkdir()
        directions = ((0.5, 0, 0), (0, 0.5, 0), (0, 1.5, 3))
        write_volume(tmp_path / side / "a.nrrd", ball(shift=shift), directions=directions)
    result = evaluate_folder(tmp_path / "predictions", tmp_path / "masks", tmp_path / "out")
    (row,) = rows_of(tmp_path / "out" / "volumes.csv")
    assert (row["hd95_mm"], row["mask_ml"], row["spacing_mm"]) == ("", "", "")
    assert row["hd95_voxels"] == "1.000000"
    assert "hd95_mm" in result.scores[2].surfaces  # a slice is whole in itself
