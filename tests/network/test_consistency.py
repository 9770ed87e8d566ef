"""The consistency of GazeMedSeg: its propagation against a slow oracle, what agreement costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradtrack_model.network.consistency import consistency_loss, propagate, similarities


def slowly_propagated(features):
    """Features pixel by pixel: 25 neighbours, 0 beyond the border, similarities not below 0."""
    b, _, h, w = features.shape
    padded = functional.pad(features, [4] * 4)
    out = torch.zeros_like(features)
    for i, y, x in np.ndindex(b, h, w):
        near = torch.stack(
            [
                padded[i, :, y + down, x + right]
                for down in range(0, 9, 2)
                for right in range(0, 9, 2)
            ]
        )
        weights = torch.softmax((near @ features[i, :, y, x]).clamp(min=0), 0)
        out[i, :, y, x] = weights @ near
    return out


def test_what_is_propagated_are_the_features():
    torch.manual_seed(0)
    classify = torch.nn.Conv2d(3, 2, 1).double()
    features = torch.randn(2, 3, 7, 9, dtype=torch.float64, requires_grad=True)
    fast = propagate(classify(features), features, classify.bias)
    slow = classify(slowly_propagated(features))
    assert torch.allclose(fast, slow)
    toward = torch.randn_like(fast)
    (of_fast,) = torch.autograd.grad((fast * toward).sum(), features)
    (of_slow,) = torch.autograd.grad((slow * toward).sum(), features)
    assert torch.allclose(of_fast, of_slow)


def test_each_network_is_propagated_by_its_own_features():
    torch.manual_seed(0)
    classify = [torch.nn.Conv2d(3, 1, 1) for _ in range(2)]
    features = tuple(torch.randn(1, 3, 5, 6) for _ in range(2))
    heads = torch.cat([c(f) for c, f in zip(classify, features, strict=True)], 1)
    empty = torch.cat([c.bias for c in classify])
    near = [torch.sigmoid(c(slowly_propagated(f))) for c, f in zip(classify, features, strict=True)]
    p = torch.sigmoid(heads).chunk(2, 1)
    expected = sum(
        1 - (near[i] * p[1 - i] + (1 - near[i]) * (1 - p[1 - i])).mean() for i in range(2)
    )
    torch.testing.assert_close(consistency_loss(heads, features, empty), expected)


def test_segmentations_that_agree_cost_less():
    features = (torch.zeros(1, 4, 12, 12),)
    empty = torch.zeros(2)
    same = torch.full((1, 2, 12, 12), 90.0)
    inside = consistency_loss(same, features, empty)
    opposite = torch.cat([same[:, :1], -same[:, :1]], dim=1)
    assert inside < consistency_loss(opposite, features, empty)
    heads = torch.zeros(1, 2, 12, 12, requires_grad=True)
    consistency_loss(heads + same / 90, features, empty).backward()
    assert heads.grad.abs().sum() > 0


@pytest.mark.parametrize(("h", "w"), [(7, 9), (3, 12), (1, 2), (2, 5)])
def test_similarities_are_the_same_with_and_without_a_compiler(h, w, monkeypatch):
    torch.manual_seed(0)
    features = torch.randn(2, 3, h, w, dtype=torch.float64, requires_grad=True)
    toward = torch.randn(2, 25, h, w, dtype=torch.float64)
    found = {}
    for compiling in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda is_it=compiling: is_it)
        values = similarities(features)
        found[compiling] = values, *torch.autograd.grad((values * toward).sum(), features)
    for without, with_one in zip(*found.values(), strict=True):
        torch.testing.assert_close(without, with_one)
