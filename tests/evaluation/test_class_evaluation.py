"""Evaluation of label images, class by class."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError
from gradtrack_model.evaluation.class_evaluation import classes_of_folder, evaluate_classes
from gradtrack_model.evaluation.evaluate import evaluate_folder
from tests.volume_files import write_nifti

NAMES = ("polyp", "ulcer")


@pytest.fixture
def folders(tmp_path):
    """Three images: both classes, one class missed, and one class that is in neither."""
    pairs = {
        "a": ([[1, 1, 2, 0]], [[1, 0, 2, 2]]),
        "b": ([[1, 0, 0, 0]], [[1, 2, 0, 0]]),
        "c": ([[0, 0, 2, 2]], [[0, 0, 2, 2]]),
    }
    for name, both in pairs.items():
        for folder, values in zip(("predictions", "masks"), both, strict=True):
            path = tmp_path / folder / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.array(values, np.uint8)).save(path)
    return tmp_path / "predictions", tmp_path / "masks"


def test_each_class_has_its_mean_and_there_is_one_over_classes(folders, tmp_path):
    result = evaluate_classes(*folders, tmp_path / "out", NAMES)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert result.complete
    assert summary == json.loads(json.dumps(result.summary()))
    polyp, ulcer = (summary["classes"][name] for name in NAMES)
    assert (polyp["n"], ulcer["n"]) == (2, 3)
    assert polyp["dice"]["mean"] == pytest.approx((2 / 3 + 1) / 2)
    assert ulcer["dice"]["mean"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    mean = (polyp["dice"]["mean"] + ulcer["dice"]["mean"]) / 2
    assert summary["mean_over_classes"]["dice"] == pytest.approx(mean)
    with (tmp_path / "out" / "evaluation.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["image_id"], row["class"]) for row in rows] == [
        (image, name) for image in "abc" for name in NAMES
    ]
    assert [row["dice"] for row in rows] == [
        "0.666667",
        "0.666667",
        "1.000000",
        "0.000000",
        "",
        "1.000000",
    ]
    assert [(row["predicted_px"], row["mask_px"]) for row in rows[:2]] == [("2", "1"), ("1", "2")]


def test_what_is_no_label_image_of_these_classes_is_an_error_of_its_image(folders, tmp_path):
    predictions, masks = folders
    Image.fromarray(np.array([[0, 0, 3, 0]], np.uint8)).save(masks / "b.png")
    Image.fromarray(np.zeros((1, 5), np.uint8)).save(masks / "c.png")
    result = evaluate_classes(predictions, masks, tmp_path / "out", NAMES)
    assert not result.complete
    errors = {one.image_id: str(one.error) for one in result.scores if one.error}
    assert sorted(errors) == ["b", "c"]
    assert "b.png" in errors["b"]
    assert "value 3" in errors["b"]
    assert "is 5 x 1 pixels, its prediction 4 x 1" in errors["c"]
    assert result.summary()["n"] == 1


def test_there_has_to_be_something_to_compare(folders, tmp_path):
    with pytest.raises(ConfigError, match="no classes"):
        evaluate_classes(*folders, None, ())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="3 predictions, 0 masks"):
        evaluate_classes(folders[0], tmp_path / "empty", None, NAMES)
    assert classes_of_folder(folders[0]) == ()


def record(folder, *names):
    facts = {"images": ["a", "b", "c"], "classes": list(names)}
    (folder / "network.json").write_text(json.dumps(facts), "utf-8")


def test_names_other_than_those_recorded_are_refused(folders, tmp_path):
    record(folders[0], *NAMES)
    for names in (NAMES[::-1], (*NAMES, "third"), NAMES[:1]):
        with pytest.raises(ConfigError, match="recorded as polyp, ulcer"):
            evaluate_classes(*folders, tmp_path / "out", names)
    assert not (tmp_path / "out").exists()
    assert evaluate_classes(*folders, None, NAMES).complete


def test_the_volumes_of_predictions_have_the_record_above_them(folders):
    record(folders[0], *NAMES)
    volumes = folders[0] / "volumes"
    volumes.mkdir()
    (folders[0] / "a.png").rename(volumes / "a.png")
    assert classes_of_folder(volumes) == NAMES
    with pytest.raises(DataError, match="several classes"):
        evaluate_folder(volumes, folders[1], None)


def test_files_of_another_evaluation_do_not_stay(folders, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "volumes.csv").write_text("volume\n", "utf-8")
    (out / "report.html").write_text("<html><title>Evaluation</title>", "utf-8")
    evaluate_classes(*folders, out, NAMES)
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.csv", "summary.json"]


def test_distances_are_in_mm_where_files_tell_the_size_of_a_pixel(tmp_path):
    pytest.importorskip("nibabel")
    predicted = np.zeros((8, 6, 2), np.uint8)  # stored as columns, rows, slices
    mask = predicted.copy()
    # In slice 1, class 1 is 3 columns of 0.5 mm off; class 2 is in the mask alone.
    predicted[1, 2, 0], mask[4, 2, 0], mask[6, 5, 0] = 1, 1, 2
    # In slice 2, class 2 is 2 rows of 0.75 mm off, class 1 is in neither.
    predicted[3, 1, 1], mask[3, 3, 1] = 2, 2
    affine = np.diag([-0.5, -0.75, 3, 1])
    for folder, voxels in (("predictions", predicted), ("masks", mask)):
        (tmp_path / folder).mkdir()
        write_nifti(tmp_path / folder / "case.nii.gz", voxels, affine)
    folders = tmp_path / "predictions", tmp_path / "masks"
    result = evaluate_classes(*folders, tmp_path / "out", NAMES)
    assert result.complete
    polyp, ulcer = (result.summary()["classes"][name] for name in NAMES)
    assert polyp["hd95_mm"]["mean"] == polyp["asd_mm"]["mean"] == pytest.approx(1.5)
    assert (polyp["hd95_mm"]["n"], polyp["hd95_mm"]["n_empty"]) == (1, 0)
    assert ulcer["hd95_mm"]["mean"] == ulcer["asd_mm"]["mean"] == pytest.approx(1.5)
    assert (ulcer["hd95_mm"]["n"], ulcer["hd95_mm"]["n_empty"]) == (1, 1)
    assert result.summary()["mean_over_classes"]["hd95_mm"] == pytest.approx(1.5)
    with (tmp_path / "out" / "evaluation.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["image_id"], row["class"], row["hd95_mm"]) for row in csv.DictReader(file)]
    assert rows == [
        ("case_1", "polyp", "1.500000"),
        ("case_1", "ulcer", ""),
        ("case_2", "polyp", ""),
        ("case_2", "ulcer", "1.500000"),
    ]


def test_pictures_have_no_millimetres(folders):
    result = evaluate_classes(*folders, None, NAMES)
    assert result.in_mm() == ()
    assert "hd95_mm" not in result.summary()["classes"]["polyp"]
