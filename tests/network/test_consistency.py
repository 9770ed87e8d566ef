"""The consistency of heads: its propagation against a slow oracle, and what agreement costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradtrack_model.network.consistency import consistency_loss, propagate


def slow_propagate(p, features):
    """Pixel by pixel."""
    h, w = p.shape[-2:]
    out = torch.zeros_like(p)
    for y, x in np.ndindex(h, w):
        there = [(y + 2 * i, x + 2 * j) for i in range(-2, 3) for j in range(-2, 3)]
        there = [(a, b) for a, b in there if 0 <= a < h and 0 <= b < w]
        score = torch.stack([features[0, :, y, x] @ features[0, :, a, b] for a, b in there])
        weight = torch.softmax(score, 0)
        out[0, :, y, x] = sum(weight[k] * p[0, :, a, b] for k, (a, b) in enumerate(there))
    return out


def test_propagation_is_the_formula():
    torch.manual_seed(0)
    p, features = (
        torch.rand(1, 2, 7, 9, dtype=torch.float64),
        torch.randn(1, 3, 7, 9, dtype=torch.float64),
    )
    assert torch.allclose(propagate(p, features), slow_propagate(p, features))


def test_heads_that_agree_cost_less():
    features = torch.zeros(1, 4, 12, 12)
    same = torch.full((1, 2, 12, 12), 9.0)
    assert consistency_loss(same, features) < 0.01
    opposite = torch.cat([same[:, :1], -same[:, :1]], dim=1)
    assert consistency_loss(opposite, features) == pytest.approx(2, abs=0.01)
    heads = torch.zeros(1, 2, 12, 12, requires_grad=True)
    consistency_loss(heads + same, features).backward()
    assert heads.grad.abs().sum() > 0
