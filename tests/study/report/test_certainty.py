"""How sure predictions are: both charts with the figures that they are of."""

from __future__ import annotations

import pytest
import torch

from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.evaluation.metrics import score
from gradtrack_model.evaluation.uncertainty import referral
from gradtrack_model.settings import load_config
from gradtrack_model.study.report.certainty import AS_IT_IS, SCALED, certainty_of, certainty_of_run
from gradtrack_model.training.validation import predicted_masks
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import TINY, write_data

BINS = [
    {"said": 0.01, "seen": 0.02, "pixels": 9000},
    {"said": 0.95, "seen": 0.6, "pixels": 1000},
]


def test_the_charts_hold_the_figures():
    dice = {f"i{k}": k / 19 for k in range(20)}
    referred = referral(dice, {name: 1 - value for name, value in dice.items()})
    page = certainty_of({AS_IT_IS: {"ece": 0.044, "bins": BINS}}, referred, ["said"])
    (reliability, words), (curve, others) = page["charts"]
    assert [line.name for line in reliability.lines] == [AS_IT_IS, "what it says is what is seen"]
    # x and y grow from the corner on the left below, to the same ends.
    assert reliability.lines[1].points == "52.0,224.0 508.0,24.0"
    assert len(reliability.lines[0].dots) == 2
    assert reliability.lines[0].dots[1] == pytest.approx(
        (52 + 0.95 * 456, 224 - 0.6 * 200), abs=0.1
    )
    assert "0.0440 as it is" in words
    assert [len(line.points.split()) for line in curve.lines] == [11, 11, 11]
    assert curve.lines[0].points == curve.lines[1].points != curve.lines[2].points
    assert "10%" in others
    assert page["notes"][0] == "said"
    assert [len(rows) for _, _, rows in page["tables"]] == [2, 11]
    # Lines differ by more than their colour.
    assert len({line.dash for line in curve.lines}) == 3


def test_nothing_is_nothing():
    assert certainty_of({}, None) is None
    alone = certainty_of({AS_IT_IS: {"ece": 0.044, "bins": BINS}}, None)
    assert len(alone["charts"]) == len(alone["tables"]) == 1


@pytest.fixture(scope="module")
def validated(run_folder, tmp_path_factory):
    """The trained network, and more validation images than it had."""
    folder = write_data(tmp_path_factory.mktemp("more"), n=8)
    (folder / "val.txt").write_text("im4\nim5\nim6\nim7\n")
    config = load_config("tiny", overrides=TINY)
    data = load_data(discover(folder), config)
    checkpoint = load_model(run_folder / "runs" / "gradtrack")
    device = torch.device("cpu")
    found = predicted_masks(checkpoint.model, data.val, config.predicting(), device)
    scores = {sample.image_id: score(mask, sample.mask) for sample, mask in found}
    return checkpoint, data.val, scores, device


def test_a_run_is_measured_before_and_after(validated):
    page = certainty_of_run(*validated)
    (reliability, _), (curve, _) = page["charts"]
    assert [line.name for line in reliability.lines][:2] == [AS_IT_IS, SCALED]
    pixels = [
        sum(int(row[2].replace(",", "")) for row in rows) for _, _, rows in page["tables"][:2]
    ]
    assert pixels == [4 * 64 * 80] * 2
    mean = sum(one.dice for one in validated[2].values()) / 4
    assert page["tables"][2][2][0][2] == f"{mean:.4f}"
    assert "gradtrack-calibrate" in " ".join(page["notes"])
    assert curve.title == "Dice of the rest"


def test_without_masks_or_images_there_is_nothing(validated):
    checkpoint, samples, scores, device = validated
    assert certainty_of_run(checkpoint, samples, {}, device) is None
    one = {name: scores[name] for name in list(scores)[:1]}
    page = certainty_of_run(checkpoint, samples, one, device)
    # Of one image there is no half, and nobody to refer.
    assert next(line.name for line in page["charts"][0][0].lines) == AS_IT_IS
    assert len(page["charts"]) == 1
