"""Several classes: their names, and what logits of them mean, pixel by pixel."""

from __future__ import annotations

import math

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.network.classes import (
    ClassConfig,
    any_class,
    label_image,
    probabilities,
    refuse_classes,
)
from gradtrack_model.network.model import foreground


def slow_probabilities(logits, exclusive):
    """Of the logits of one pixel."""
    if not exclusive:
        return [1 / (1 + math.exp(-z)) for z in logits]
    total = 1 + sum(math.exp(z) for z in logits)
    return [math.exp(z) / total for z in logits]


def slow_label(logits, threshold, exclusive):
    p = slow_probabilities(logits, exclusive)
    reached = sum(p) if exclusive else max(p)
    return 1 + p.index(max(p)) if reached > threshold else 0


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_logits_mean_what_a_slow_oracle_says(exclusive, threshold):
    logits = 3 * torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(1))
    p = probabilities(logits, exclusive=exclusive)
    labels = label_image(logits, threshold, exclusive=exclusive)
    assert labels.dtype == torch.uint8
    assert len(labels.unique()) == 4  # all classes and the background
    for row in range(5):
        for column in range(7):
            z = logits[:, row, column].double().tolist()
            expected = torch.tensor(slow_probabilities(z, exclusive))
            torch.testing.assert_close(p[:, row, column], expected, atol=1e-6, rtol=1e-5)
            assert labels[row, column] == slow_label(z, threshold, exclusive)


def test_one_class_is_the_binary_case_with_either_kind_of_heads():
    logits = torch.linspace(-4, 4, 99).view(1, 1, 9, 11)
    for exclusive in (True, False):
        p = probabilities(logits, exclusive=exclusive)
        torch.testing.assert_close(p, torch.sigmoid(logits))
        labels = label_image(logits, 0.3, exclusive=exclusive)
        assert torch.equal(labels > 0, foreground(logits, 0.3)[:, 0])


def test_the_heads_differ_where_classes_are_unsure():
    """Two classes of .4 each: together .8 of a softmax are foreground, of each alone none is."""
    shares = torch.tensor([0.4, 0.4, 0.2])
    softmax = (shares[:2] / shares[2]).log().view(2, 1, 1)
    assert probabilities(softmax, exclusive=True).flatten().tolist() == pytest.approx([0.4, 0.4])
    assert label_image(softmax, 0.5, exclusive=True).item() > 0
    independent = torch.logit(shares[:2]).view(2, 1, 1)
    assert label_image(independent, 0.5, exclusive=False).item() == 0


def test_attention_looks_at_whatever_any_class_is():
    tracks = torch.tensor([[[[1.0, -2.0]], [[-1.0, 3.0]]]])
    assert any_class(tracks).flatten().tolist() == [1.0, 3.0]
    one = tracks[:, :1]
    assert any_class(one) is one


def test_names_of_classes_are_refused_that_could_be_no_folder():
    for names in (("polyp",), ("a", "A"), ("a", "../b"), ("a", ""), tuple(map(str, range(65)))):
        with pytest.raises(ConfigError, match="names"):
            ClassConfig(names=names)
    with pytest.raises(ConfigError, match="heads"):
        ClassConfig(names=("a", "b"), heads="both")
    assert ClassConfig().n == 1
    assert ClassConfig(names=("a", "b")).n == 2


def test_what_is_for_one_class_refuses_several():
    refuse_classes(ClassConfig(), "it")
    with pytest.raises(ConfigError, match=r"it of 2 classes \(a, b\)"):
        refuse_classes(ClassConfig(names=("a", "b")), "it")
