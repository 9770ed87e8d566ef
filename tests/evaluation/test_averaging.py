from __future__ import annotations

import pytest
import torch

from gradtrack_model.evaluation.averaging import mean_of_logits, mean_of_passes
from gradtrack_model.network.classes import probabilities


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


@pytest.mark.parametrize("exclusive", [True, False])
def test_probabilities_of_classes_are_averaged(exclusive):
    passes = 3 * torch.randn(4, 2, 3, 5, 6, generator=torch.Generator().manual_seed(1))
    each = probabilities(passes.mean(1).double(), exclusive=exclusive)
    found = probabilities(mean_of_passes(passes, exclusive=exclusive), exclusive=exclusive)
    torch.testing.assert_close(found.double(), each.mean(0), atol=1e-6, rtol=1e-5)
    # One network says what it says.
    own = mean_of_passes(passes[:1], exclusive=exclusive)
    assert torch.equal(own, passes[0, 0] / 2 + passes[0, 1] / 2)
    # One class, and the background that excludes it, are the binary case.
    one = passes[:, 0, :1]
    torch.testing.assert_close(mean_of_logits(one, exclusive=True), mean_of_logits(one))


def test_certainty_of_classes_stays_finite():
    sure = torch.tensor([500.0, -500.0]).reshape(2, 1, 1)
    mean = mean_of_logits(torch.stack([sure, -sure]), exclusive=True)
    assert torch.isfinite(mean).all()
    torch.testing.assert_close(
        probabilities(mean, exclusive=True), torch.tensor([0.5, 0.5]).reshape(2, 1, 1)
    )
