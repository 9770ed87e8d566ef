"""Validation: Dice at the masks' own size, and the loss where there is gaze."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.settings import load_config
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training.learner import build_model
from gradtrack_model.training.loop import train
from gradtrack_model.training.validation import predicted_masks, validate
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import H, W

CPU = torch.device("cpu")


def test_what_there_is_nothing_for_is_missing(data_folder, config):
    (sample,) = load_data(discover(data_folder), config).val
    model = build_model(config)
    silent = dataclasses.replace(sample, tracks=())
    unmasked = dataclasses.replace(sample, mask=None)
    assert set(validate(model, [sample], config, CPU)) == {"val_dice", "val_iou", "val_loss"}
    assert set(validate(model, [silent], config, CPU)) == {"val_dice", "val_iou"}
    assert set(validate(model, [unmasked], config, CPU)) == {"val_loss"}
    assert validate(model, [], config, CPU) == {}
    assert model.training


def test_the_size_of_a_batch_and_neighbours_without_gaze_change_nothing(data_folder, config):
    data = load_data(discover(data_folder), config)
    model = build_model(config)
    samples = [*data.val, *data.train]
    samples[1] = dataclasses.replace(samples[1], tracks=())
    measured = [
        validate(model, samples, dataclasses.replace(config, batch_size=size), CPU)
        for size in (1, 2, len(samples))
    ]
    for other in measured[1:]:
        assert other["val_dice"] == pytest.approx(measured[0]["val_dice"], abs=1e-6)
    alone = [validate(model, [s], config, CPU)["val_loss"] for s in samples if s.has_gaze]
    assert measured[0]["val_loss"] == pytest.approx(np.mean(alone), rel=1e-5)
    assert len(alone) == len(samples) - 1


def test_masks_without_one_of_the_sample_have_the_networks_size(data_folder, config):
    (sample,) = load_data(discover(data_folder), config).val
    model = build_model(config).eval()
    samples = [sample, dataclasses.replace(sample, mask=None)]
    shapes = [mask.shape for _, mask in predicted_masks(model, samples, config, CPU)]
    assert shapes == [(H, W), (config.image_size, config.image_size)]


def test_validation_is_at_the_masks_own_size(data_folder, config):
    data = load_data(discover(data_folder), config)
    model = build_model(config)
    torch.nn.init.constant_(model.head.bias, 100)
    measured = validate(model, data.val, config, CPU)
    assert data.val[0].mask.shape == (H, W)
    assert measured["val_dice"] == dice_and_iou(np.ones((H, W), bool), data.val[0].mask)[0]


def _share(model, samples, config, threshold):
    config = dataclasses.replace(config.predicting(), predict_threshold=threshold)
    return np.mean([mask.mean() for _, mask in predicted_masks(model, samples, config, CPU)])


def test_validation_at_another_size(data_folder):
    settings = ["tensorboard=false", "predict_scale=1.5"]
    config = load_config(
        "tiny", None, settings, {"image_size": 64, "steps": 2, "val_every": 2, "ema": 0.5}
    )
    data = load_data(discover(data_folder), config)
    assert {sample.pixels.shape[-1] for sample in data.train} == {64}
    assert {sample.pixels.shape[-1] for sample in data.val} == {96}
    train(config, data, data_folder / "run")
    found = load_model(data_folder / "run")
    again = validate(found.model, data.val, config, CPU)
    assert found.metrics["val_dice"] == pytest.approx(again["val_dice"])
    share = {
        threshold: _share(found.model, data.val, config, threshold) for threshold in (0.1, 0.5, 0.9)
    }
    assert share[0.1] > share[0.5] > share[0.9]
    assert (
        "64 x 64, validated at 96 x 96 pixels"
        in write_run_report(data_folder / "run", data).read_text()
    )
