from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.network.losses import LossConfig, dice_loss, gaze_loss, level_of_stage
from gradtrack_model.network.model import Output


def output_of(logits, tracks):
    return Output(logits, tracks, logits, (logits,), torch.zeros(logits.shape[1]))


def test_stages_and_levels():
    assert [level_of_stage(k, 4, 4) for k in range(4)] == [0, 1, 2, 3]
    assert [level_of_stage(k, 4, 1) for k in range(4)] == [0, 0, 0, 0]
    assert [level_of_stage(k, 4, 2) for k in range(4)] == [0, 0, 1, 1]
    assert [level_of_stage(k, 4, 8) for k in range(4)] == [0, 2, 5, 7]
    assert level_of_stage(0, 1, 3) == 2


def test_the_loss_is_the_formula():
    torch.manual_seed(0)
    maps = torch.rand(2, 4, 16, 16)
    output = output_of(torch.randn(2, 1, 16, 16), [torch.randn(2, 1, n, n) for n in (2, 4, 8, 16)])
    losses = gaze_loss(output, maps, LossConfig(dice_weight=0.5, track_weight=2.0))
    bce = functional.binary_cross_entropy_with_logits
    label = (maps[:, 3:] >= 0.5).float()
    tracks = sum(
        bce(track, functional.adaptive_avg_pool2d(maps[:, k : k + 1], track.shape[-1]))
        for k, track in enumerate(output.tracks)
    )
    assert torch.allclose(losses.mask, bce(output.logits, label), atol=1e-6)
    assert torch.allclose(losses.tracks, tracks, atol=1e-5)
    assert torch.allclose(losses.total, losses.mask + 0.5 * losses.dice + 2 * losses.tracks)
    full_first = gaze_loss(output, maps.flip(1), LossConfig(full_first=True)).tracks
    assert torch.allclose(full_first, tracks, atol=1e-5)


def test_ignored_pixels_do_not_count():
    maps = torch.full((1, 1, 4, 4), 0.55)
    maps[..., :2] = 0.9
    logits = torch.zeros(1, 1, 4, 4)
    config = LossConfig(ignore_band=0.2, track_weight=0)
    before = gaze_loss(output_of(logits, []), maps, config).total
    logits[..., 2:] = 50
    assert torch.equal(gaze_loss(output_of(logits, []), maps, config).total, before)
    nothing_left = gaze_loss(output_of(logits, []), torch.full_like(maps, 0.5), config)
    assert torch.isfinite(nothing_left.total)
    assert nothing_left.mask == 0


def test_soft_labels_and_empty_labels():
    maps = torch.full((1, 1, 4, 4), 0.3)
    output = output_of(torch.full((1, 1, 4, 4), float(np.log(0.3 / 0.7))), [])
    soft = gaze_loss(output, maps, LossConfig(soft_labels=True, track_weight=0, dice_weight=0))
    assert soft.total == pytest.approx(-(0.3 * np.log(0.3) + 0.7 * np.log(0.7)), abs=1e-5)
    empty = torch.zeros(1, 1, 4, 4)
    assert dice_loss(torch.full_like(empty, -50), empty, torch.ones_like(empty)) == pytest.approx(0)


def test_dice_and_iou():
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert dice_and_iou(a, b) == (1.0, 1.0)
    a[0] = True
    assert dice_and_iou(a, b) == (0.0, 0.0)
    b[:2] = True
    assert dice_and_iou(a, b) == (pytest.approx(2 * 4 / 12), pytest.approx(4 / 8))
    with pytest.raises(ValueError, match="shapes"):
        dice_and_iou(a, b[:2])


def test_bootstrapped_labels():
    """Where the network believes itself alone, no gradient pulls it elsewhere."""
    logits = torch.randn(1, 1, 4, 4, requires_grad=True)
    maps = torch.rand(1, 1, 4, 4)
    config = LossConfig(dice_weight=0.0, track_weight=0.0, bootstrap=1.0)
    gaze_loss(output_of(logits, []), maps, config).total.backward()
    assert logits.grad.abs().max() < 1e-6
    half = gaze_loss(output_of(logits, []), maps, dataclasses.replace(config, bootstrap=0.5)).total
    label = 0.5 * (maps >= 0.5).float() + 0.5 * torch.sigmoid(logits.detach())
    assert torch.allclose(half, functional.binary_cross_entropy_with_logits(logits, label))
