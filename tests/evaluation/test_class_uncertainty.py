"""How sure several classes are: by hand, and of one class what it is of one class."""

from __future__ import annotations

import math

import pytest
import torch

from gradtrack_model.evaluation.class_uncertainty import (
    class_disagreement,
    class_spread,
    entropy,
)
from gradtrack_model.evaluation.uncertainty import disagreement, spread

SURE = 20.0


def logits_of(*labels, n_classes=2):
    """What networks say that are sure of these labels, 0 for background: [P, K, 1, w]."""
    every = torch.tensor(labels)[:, None, None]
    numbers = torch.arange(1, n_classes + 1)[None, :, None, None]
    return torch.where(every == numbers, SURE, -SURE)


@pytest.mark.parametrize("exclusive", [True, False])
def test_of_one_class_they_are_those_of_one_class(exclusive):
    logits = torch.randn(4, 1, 6, 7, generator=torch.Generator().manual_seed(1))
    found = class_disagreement(logits, 0.4, exclusive=exclusive)
    assert found == pytest.approx(disagreement(logits[:, 0], 0.4))
    torch.testing.assert_close(class_spread(logits, exclusive=exclusive), spread(logits[:, 0]))


@pytest.mark.parametrize("exclusive", [True, False])
def test_disagreement_is_the_mean_over_classes_that_somebody_sees(exclusive):
    def of(*labels):
        return class_disagreement(logits_of(*labels, n_classes=3), 0.5, exclusive=exclusive)

    assert of([1, 1, 2, 0], [1, 1, 2, 0]) == pytest.approx(0, abs=1e-12)
    assert of([0, 0, 0, 0], [0, 0, 0, 0]) == 0
    assert of([1, 1, 0, 0], [2, 2, 0, 0]) == 1
    # The first class agrees (Dice 1), the second does on one pixel of two and one: 2 / 3.
    assert of([1, 2, 2, 0], [1, 2, 0, 0]) == pytest.approx(1 - (1 + 2 / 3) / 2)
    # The mean over three pairs, of which two are opposite.
    assert of([1, 1], [1, 1], [2, 2]) == pytest.approx(2 / 3)


def test_spread_is_half_where_two_are_opposite_and_none_where_all_agree():
    logits = logits_of([1, 1, 0, 2], [2, 0, 0, 2])
    for exclusive in (True, False):
        found = class_spread(logits, exclusive=exclusive)[0]
        torch.testing.assert_close(found, torch.tensor([0.5, 0.5, 0.0, 0.0]), atol=1e-4, rtol=0)


def test_entropy_is_that_of_all_classes_and_the_background():
    nothing = torch.zeros(3, 2, 2)
    assert entropy(nothing, exclusive=True) == pytest.approx(math.log(4))
    assert entropy(nothing, exclusive=False) == pytest.approx(3 * math.log(2))
    for exclusive in (True, False):
        assert entropy(logits_of([1, 2, 0])[0], exclusive=exclusive) == pytest.approx(0, abs=1e-6)
