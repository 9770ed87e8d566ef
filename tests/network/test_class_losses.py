"""The loss of several classes against slow oracles, and against the loss of one."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from gradtrack_model.network.class_losses import loss_of
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.network.losses import LossConfig, gaze_loss
from gradtrack_model.network.model import Output

B, K, L, S = 2, 3, 4, 8
SOFTMAX = ClassConfig(names=("a", "b", "c"))
INDEPENDENT = ClassConfig(names=("a", "b", "c"), heads="independent")


def output_of(n=K, seed=0):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, n, S, S, generator=random)
    tracks = [torch.randn(B, n, size, size, generator=random) for size in (2, 4, 8)]
    return Output(logits, tracks, logits, (logits,), torch.zeros(n))


def maps_of(unknown=()):
    """Return maps of all classes; ``unknown`` names (image, class) that nobody looked for."""
    maps = torch.rand(B, K, L + 1, S, S, generator=torch.Generator().manual_seed(9))
    maps[:, :, -1] = 0
    for image, number in unknown:
        maps[image, number] = 0
        maps[image, number, -1] = 1
    return maps


def slow_softmax(output, maps, threshold, band):
    """Return cross-entropy and Dice, pixel by pixel."""
    losses = []
    p = torch.cat([torch.zeros(B, 1, S, S), output.logits], 1).softmax(1)
    label = torch.zeros(B, K, S, S)
    weight = torch.zeros(B, K, S, S)
    for b in range(B):
        for y in range(S):
            for x in range(S):
                known = [k for k in range(K) if maps[b, k, -1, y, x] < 0.5]
                full = {k: maps[b, k, -2, y, x].item() for k in known}
                if any(abs(value - threshold) < band for value in full.values()):
                    continue
                for k in known:
                    weight[b, k, y, x] = 1
                best = max(full, key=full.get, default=None)
                if best is not None and full[best] >= threshold:
                    label[b, best, y, x] = 1
                    losses.append(-math.log(p[b, best + 1, y, x]))
                else:
                    allowed = [0] + [k + 1 for k in range(K) if k not in known]
                    losses.append(-math.log(sum(p[b, k, y, x].item() for k in allowed)))
    dices = []
    for b in range(B):
        for k in range(K):
            mine, theirs = p[b, k + 1] * weight[b, k], label[b, k] * weight[b, k]
            both = (mine * theirs).sum().item()
            dices.append(1 - (2 * both + 1) / ((mine + theirs).sum().item() + 1))
    return sum(losses) / max(len(losses), 1), sum(dices) / len(dices)


@pytest.mark.parametrize("unknown", [(), ((0, 1),), ((0, 1), (1, 0), (1, 2))])
@pytest.mark.parametrize("band", [0.0, 0.05])
def test_the_softmax_is_the_slow_formula(unknown, band):
    output, maps = output_of(), maps_of(unknown)
    config = LossConfig(thresholds=(0.6,), ignore_band=band, track_weight=0.0)
    losses = loss_of(output, maps.flatten(1, 2), config, SOFTMAX)
    mask, dice = slow_softmax(output, maps, 0.6, band)
    assert losses.mask.item() == pytest.approx(mask, rel=1e-5)
    assert losses.dice.item() == pytest.approx(dice, rel=1e-5)
    assert losses.total.item() == pytest.approx(mask + dice, rel=1e-5)


def test_independent_heads_are_the_loss_of_one_class_each_and_their_mean():
    output, maps = output_of(), maps_of()
    config = LossConfig(dice_weight=0.7, track_weight=1.3, ignore_band=0.03, bootstrap=0.2)
    losses = loss_of(output, maps.flatten(1, 2), config, INDEPENDENT)
    each = []
    for k in range(K):
        own = Output(
            output.logits[:, k : k + 1],
            [track[:, k : k + 1] for track in output.tracks],
            output.heads[:, k : k + 1],
            output.features,
            output.empty[k : k + 1],
        )
        each.append(torch.stack(list(gaze_loss(own, maps[:, k, :-1], config))))
    torch.testing.assert_close(torch.stack(list(losses)), torch.stack(each).mean(0))


@pytest.mark.parametrize("classes", [SOFTMAX, INDEPENDENT])
def test_what_nobody_looked_for_teaches_nothing(classes):
    """Neither segmentation nor track maps of a class get a gradient where it was not looked for."""
    output = output_of()
    leaves = [output.heads, *output.tracks]
    for leaf in leaves:
        leaf.requires_grad_()
    losses = loss_of(output, maps_of(((0, 1),)).flatten(1, 2), LossConfig(), classes)
    losses.total.backward()
    for leaf in output.tracks:
        assert leaf.grad[0, 1].abs().max() == 0
        assert leaf.grad[1, 1].abs().max() > 0
        assert leaf.grad[0, 0].abs().max() > 0
    if classes is INDEPENDENT:
        assert output.heads.grad[0, 1].abs().max() == 0
    # With a softmax, it may still be told that where another class is, this one is not.
    everything = maps_of([(b, k) for b in range(B) for k in range(K)])
    nothing = loss_of(output, everything.flatten(1, 2), LossConfig(), classes)
    assert nothing.total.item() == pytest.approx(0, abs=1e-6)


def test_each_stage_learns_the_level_that_it_learns_of_one_class():
    output, maps = output_of(), maps_of()
    for full_first in (False, True):
        config = LossConfig(full_first=full_first)
        found = loss_of(output, maps.flatten(1, 2), config, SOFTMAX).tracks
        expected = 0.0
        for stage, level in enumerate((3, 1, 0) if full_first else (0, 2, 3)):
            logits = output.tracks[stage]
            target = functional.adaptive_avg_pool2d(maps[:, :, level], logits.shape[-1])
            expected += functional.binary_cross_entropy_with_logits(logits, target).item()
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_one_class_is_the_loss_of_before():
    maps = torch.rand(B, L, S, S)
    output = output_of(1)
    expected = gaze_loss(output, maps, LossConfig())
    for one, other in zip(
        loss_of(output, maps, LossConfig(), ClassConfig()), expected, strict=True
    ):
        assert torch.equal(one, other)
