"""How sure a prediction is: what is measured, and what an evaluation makes of it."""

from __future__ import annotations

import csv
import itertools
import json

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import ConfigError, InputError
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.evaluation.uncertainty import (
    SHARES,
    Counts,
    calibration,
    count,
    disagreement,
    forget_uncertainty,
    read_uncertainty,
    referral,
    spread,
    write_uncertainty,
)
from gradtrack_model.weights.checkpoint import load_model


def test_disagreement_is_that_of_all_pairs_of_masks():
    logits = torch.randn(5, 12, 14, generator=torch.Generator().manual_seed(0))
    masks = (torch.sigmoid(logits) > 0.4).numpy()
    pairs = [dice_and_iou(a, b)[0] for a, b in itertools.combinations(masks, 2)]
    assert disagreement(logits, 0.4) == pytest.approx(1 - np.mean(pairs))
    assert disagreement(logits[:1].expand(3, -1, -1), 0.4) == pytest.approx(0, abs=1e-12)
    nothing = torch.full((2, 4, 4), -9.0)
    assert disagreement(nothing, 0.5) == 0  # both see nothing
    assert disagreement(torch.stack([nothing[0], -nothing[0]]), 0.5) == 1


def test_the_spread_of_a_pixel_is_that_of_its_probabilities():
    logits = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(1))
    expected = np.std(torch.sigmoid(logits).numpy(), axis=0)
    np.testing.assert_allclose(spread(logits).numpy(), expected, atol=1e-6)
    assert spread(torch.tensor([[[-50.0]], [[50.0]]])).item() == pytest.approx(0.5)


def test_who_is_referred_and_how_good_the_rest_is():
    dice = {f"i{k}": k / 19 for k in range(20)}
    perfect = referral(dice, {name: 1 - value for name, value in dice.items()})
    assert perfect["n"] == 20
    assert [line["referred"] for line in perfect["curve"]] == list(SHARES)
    for line in perfect["curve"]:
        assert line["dice"] == line["dice_at_best"]
        kept = sorted(dice.values())[20 - line["n"] :]
        assert line["dice"] == pytest.approx(np.mean(kept))
    assert [line["n"] for line in perfect["curve"]] == list(range(20, 9, -1))
    backwards = referral(dice, dice)["curve"]
    assert backwards[-1]["dice"] < backwards[0]["dice"] < backwards[-1]["dice_at_best"]
    assert referral(dice, {"i0": 0.5}) is None
    assert referral(dice, {"other": 0.5, "another": 0.5}) is None


def test_probabilities_that_are_what_they_say_have_no_error():
    levels = np.arange(256)
    pixels = np.full(256, 255)
    honest = calibration([Counts(pixels, levels)])
    assert honest["ece"] == pytest.approx(0, abs=1e-12)
    assert (honest["images"], honest["pixels"], len(honest["bins"])) == (1, 255 * 256, 10)
    sure = np.zeros(256, int)
    sure[255], sure[0] = 100, 300
    right = np.zeros(256, int)
    right[255] = 60
    found = calibration([Counts(sure, right)])
    assert found["ece"] == pytest.approx(0.4 * 100 / 400)
    assert found["bins"] == [
        {"said": 0.0, "seen": 0.0, "pixels": 300},
        {"said": 1.0, "seen": 0.6, "pixels": 100},
    ]
    halves = [Counts(sure // 2, right // 2)] * 2
    assert calibration(halves)["bins"] == found["bins"]
    assert calibration([]) is None


def test_probabilities_of_another_prediction_do_not_count(tmp_path):
    path = tmp_path / "a.png"
    levels = np.array([[10, 200], [120, 130]], np.uint8)
    Image.fromarray(levels).save(path)
    mask = np.array([[False, True], [True, True]])
    counted = count(path, levels > 127, mask)
    assert counted.pixels[[10, 120, 130, 200]].tolist() == [1, 1, 1, 1]
    assert counted.foreground[[10, 120, 130, 200]].tolist() == [0, 1, 1, 1]
    assert count(path, levels == 120, mask) is None
    assert count(path, np.ones((3, 2), bool), np.ones((3, 2), bool)) is None
    assert count(tmp_path / "none.png", levels > 127, mask) is None


def test_a_file_of_uncertainties(tmp_path):
    assert read_uncertainty(tmp_path) == {}
    write_uncertainty(tmp_path, {"b": 0.25, "a": 0.25, "c": 0.5})
    assert (tmp_path / "uncertainty.csv").read_text().splitlines()[1:] == [
        "c,0.500000",
        "a,0.250000",
        "b,0.250000",
    ]
    assert read_uncertainty(tmp_path) == {"a": 0.25, "b": 0.25, "c": 0.5}
    forget_uncertainty(tmp_path)
    assert not (tmp_path / "uncertainty.csv").exists()
    for text in ("x,y\n1,2\n", "image,uncertainty\na,nan\n", "image,uncertainty\na,b\n"):
        (tmp_path / "uncertainty.csv").write_text(text)
        with pytest.raises(InputError, match="no file of uncertainties - predict again"):
            read_uncertainty(tmp_path)
        forget_uncertainty(tmp_path)
        assert (tmp_path / "uncertainty.csv").read_text() == text  # somebody else's


def test_from_a_prediction_to_its_evaluation(run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    options = PredictOptions(tta=True, uncertainty=True, probabilities=True)
    with pytest.raises(ConfigError, match="one network that sees an image once - give --tta"):
        list(
            predict_folder(
                run_folder / "images", network, tmp_path, PredictOptions(uncertainty=True)
            )
        )
    done = list(predict_folder(run_folder / "images", network, tmp_path / "p", options))
    assert all(len(each.outputs) == 3 for each in done)
    with (tmp_path / "p" / "uncertainty.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = [float(row["uncertainty"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert {row["image"] for row in rows} == {f"im{i}" for i in range(6)}
    assert 0 < max(values) <= 1
    picture = np.array(Image.open(tmp_path / "p" / "uncertainty" / "im0.png"))
    assert picture.shape == (64, 80)
    assert picture.any()
    summary = evaluate_folder(tmp_path / "p", run_folder / "masks", tmp_path / "e").summary()
    assert summary["referral"]["n"] == summary["calibration"]["images"] == 6
    assert summary["referral"]["curve"][0]["dice"] == pytest.approx(summary["dice"]["mean"])
    assert 0 < summary["calibration"]["ece"] < 1
    assert json.loads((tmp_path / "e" / "summary.json").read_text()) == summary
    # The same masks, whether uncertainty is asked for or not; what is old is not told any more.
    before = (tmp_path / "p" / "im0.png").read_bytes()
    list(predict_folder(run_folder / "images", network, tmp_path / "p", PredictOptions(tta=True)))
    assert (tmp_path / "p" / "im0.png").read_bytes() == before
    assert "referral" not in evaluate_folder(tmp_path / "p", run_folder / "masks", None).summary()
