from __future__ import annotations

import torch

from gradtrack_model.evaluation.averaging import mean_of_logits, mean_of_passes


def test_flips_are_averaged_as_logits_and_networks_as_probabilities():
    passes = torch.randn(3, 4, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    each = passes.mean(1)
    expected = torch.logit(torch.sigmoid(each.double()).mean(0)).float()
    assert torch.allclose(mean_of_passes(passes), expected, atol=1e-5)
    assert torch.allclose(mean_of_passes(passes[:1]), each[0], atol=1e-6)


def test_certainty_stays_finite():
    sure = torch.full((2, 1, 1, 1), 1000.0)
    assert torch.isfinite(mean_of_logits(torch.cat([sure, -sure]))).all()
    assert torch.isfinite(mean_of_logits(sure)).all()
