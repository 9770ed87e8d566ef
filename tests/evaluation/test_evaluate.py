from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError, OutputError
from gradtrack_model.evaluation.evaluate import evaluate_folder, read_scores
from tests.synthetic import H, W


def write_mask(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8) * 255).save(path)


def test_scores(tmp_path):
    a = np.zeros((H, W), bool)
    a[:4] = True
    b = np.zeros((H, W), bool)
    b[:8] = True
    for name, predicted, mask in (
        ("half", a, b),
        ("same", a, a),
        ("none", a & False, a & False),
        ("missed", a & False, a),
    ):
        write_mask(tmp_path / "p" / f"{name}.png", predicted)
        write_mask(tmp_path / "m" / f"{name}.png", mask)
    write_mask(tmp_path / "m" / "alone.png", a)
    told = []
    result = evaluate_folder(
        tmp_path / "p", tmp_path / "m", tmp_path / "out", progress=lambda *at: told.append(at)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {s.image_id: round(s.measures.dice, 4) for s in result.scores} == {
        "half": 0.6667,
        "missed": 0,
        "none": 1,
        "same": 1,
    }
    assert not result.complete
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dice"]["mean"] == pytest.approx((2 / 3 + 2) / 4)
    assert summary["iou"]["median"] == pytest.approx(0.75)
    assert (summary["n"], summary["n_wanted"], summary["without_prediction"]) == (4, 5, ["alone"])
    assert "1 with both masks empty" in summary["empty_masks"]
    with (tmp_path / "out" / "evaluation.csv").open() as file:
        first, *_, last = csv.DictReader(file)
    assert first == {
        "image_id": "half",
        "dice": "0.666667",
        "iou": "0.500000",
        "precision": "1.000000",
        "recall": "0.500000",
        "hd95_px": "4.000000",
        "asd_px": first["asd_px"],
        "predicted_px": "320",
        "mask_px": "640",
        "error": "",
        # Of 164 + 172 border pixels, 90 + 90 are at most 2 px from the other border.
        "surface_dice_px": f"{180 / 336:.6f}",
    }
    assert (last["image_id"], last["dice"], last["error"]) == ("alone", "", "no prediction")
    (tmp_path / "m" / "alone.png").unlink()
    assert evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out").complete


def test_a_mask_of_another_size_fails_alone(tmp_path):
    for name in ("a", "=b"):
        write_mask(tmp_path / "p" / f"{name}.png", np.ones((H, W)))
        write_mask(tmp_path / "m" / f"{name}.png", np.ones((H, W + (name == "=b"))))
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out")
    assert not result.complete
    bad, good = result.scores
    assert f"=b.png: is {W + 1} x {H} pixels, its prediction {W} x {H}" in str(bad.error)
    assert good.measures.dice == 1
    text = (tmp_path / "out" / "evaluation.csv").read_text()
    assert "\n'=b,,,,," in text


def test_ids_are_all_wanted(tmp_path):
    write_mask(tmp_path / "p" / "a.png", np.ones((4, 4)))
    write_mask(tmp_path / "m" / "a.png", np.ones((4, 4)))
    write_mask(tmp_path / "m" / "b.png", np.ones((4, 4)))
    (tmp_path / "ids.txt").write_text("a\nb\n")
    result = evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out", tmp_path / "ids.txt")
    assert not result.complete
    assert result.without_prediction == ("b",)
    (tmp_path / "ids.txt").write_text("z\n")
    with pytest.raises(DataError, match="no prediction has a mask"):
        evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out", tmp_path / "ids.txt")


def test_two_evaluations_are_compared_image_by_image(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(12):
        mask = np.zeros((H, W), bool)
        mask[10:30, 10:40] = True
        write_mask(tmp_path / "m" / f"{i}.png", mask)
        write_mask(tmp_path / "good" / f"{i}.png", mask & (rng.random((H, W)) < 0.95))
        write_mask(tmp_path / "poor" / f"{i}.png", mask & (rng.random((H, W)) < 0.6))
    evaluate_folder(tmp_path / "poor", tmp_path / "m", tmp_path / "a")
    result = evaluate_folder(
        tmp_path / "good", tmp_path / "m", tmp_path / "b", against=tmp_path / "a" / "evaluation.csv"
    )
    paired = result.summary()["against"]
    assert paired["n"] == 12
    assert paired["interval"][0] < paired["difference"] < paired["interval"][1]
    assert paired["interval"][0] > 0.1
    assert paired["p"] < 0.001
    low, high = result.summary()["dice"]["interval"]
    assert low <= result.summary()["dice"]["mean"] <= high
    (tmp_path / "none.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="is no evaluation"):
        evaluate_folder(
            tmp_path / "good", tmp_path / "m", tmp_path / "b", against=tmp_path / "none.csv"
        )


def test_nothing_is_written_among_the_masks(tmp_path):
    for folder in ("p", "m"):
        write_mask(tmp_path / folder / "a.png", np.ones((4, 4)))
    for folder in ("p", "m"):
        with pytest.raises(OutputError, match="is a folder of inputs"):
            evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / folder)
        assert [path.name for path in (tmp_path / folder).iterdir()] == ["a.png"]


def test_the_evaluation_that_it_is_compared_with_stays(tmp_path):
    for folder in ("p", "m"):
        write_mask(tmp_path / folder / "a.png", np.ones((4, 4)))
    evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "evaluation")
    against = tmp_path / "evaluation" / "evaluation.csv"
    before = against.read_bytes()
    with pytest.raises(OutputError, match="would be written over the input"):
        evaluate_folder(
            tmp_path / "p", tmp_path / "m", tmp_path / "p" / ".." / "evaluation", against=against
        )
    assert against.read_bytes() == before


def test_scores_are_read_as_they_were_written(tmp_path):
    """Names that a spreadsheet would take for formulas keep their name."""
    for folder in ("p", "m"):
        write_mask(tmp_path / folder / "=a.png", np.ones((4, 4)))
    write_mask(tmp_path / "m" / "alone.png", np.ones((4, 4)))
    evaluate_folder(tmp_path / "p", tmp_path / "m", tmp_path / "out")
    rows = read_scores(tmp_path / "out" / "evaluation.csv", ("dice", "hd95_px"))
    assert rows == {"=a": {"dice": 1.0, "hd95_px": 0.0}}
