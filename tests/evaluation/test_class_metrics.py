"""Measures of several classes against an oracle that counts pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradtrack_model.evaluation.class_metrics import (
    class_distances,
    class_means,
    class_overlaps,
    class_scores,
)

K = 3


def slow(predicted, labels, number):
    """Return Dice and IoU of one class, or None of one that is in neither."""
    both = mine = theirs = 0
    for a, b in zip(predicted.ravel().tolist(), labels.ravel().tolist(), strict=True):
        mine += a == number
        theirs += b == number
        both += a == number and b == number
    if mine + theirs == 0:
        return None
    return 2 * both / (mine + theirs), both / (mine + theirs - both)


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_what_the_oracle_counts(seed):
    rng = np.random.default_rng(seed)
    predicted, labels = rng.integers(0, 1 + seed % K + 1, (2, 9, 11)).astype(np.uint8)
    overlaps = class_overlaps(predicted, labels, K)
    scores = class_scores(predicted, labels, K)
    for number, (overlap, scored) in enumerate(zip(overlaps, scores, strict=True), 1):
        expected = slow(predicted, labels, number)
        if expected is None:
            assert all(map(math.isnan, overlap))
            assert scored is None
        else:
            assert overlap == pytest.approx(expected)
            assert (scored.dice, scored.iou) == pytest.approx(expected)


def test_images_without_a_class_do_not_count_for_it():
    nan = math.nan
    values = [1.0, nan, nan, 0.5, 0.25, nan]
    assert class_means(values, ("a", "b", "c")) == {"a": 0.75, "b": 0.25}
    assert class_means([], ("a", "b")) == {}


def test_a_class_that_is_seen_where_there_is_none_counts_0():
    labels = np.zeros((2, 2), np.uint8)
    predicted = np.array([[2, 0], [0, 0]], np.uint8)
    assert class_overlaps(predicted, labels, 2)[1] == (0.0, 0.0)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
@pytest.mark.parametrize("seed", range(3))
def test_distances_of_classes_are_those_of_monai(seed):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    rng = np.random.default_rng(seed)
    made = [np.kron(rng.integers(0, 3, (4, 4)), np.ones((4, 5))).astype(np.uint8) for _ in range(2)]
    found = class_distances(*made, 2, (0.7, 1.3))
    one_hot = [
        torch.from_numpy(np.stack([labels == k for k in (1, 2)])[None].astype(np.float32))
        for labels in made
    ]
    both = metrics.compute_average_surface_distance(
        *one_hot, include_background=True, symmetric=True, spacing=(0.7, 1.3)
    )
    assert [asd for _, asd in found] == pytest.approx(both[0].tolist(), rel=1e-5)


def test_distances_of_a_class_that_is_not_in_both():
    one, none = np.array([[1, 0]], np.uint8), np.zeros((1, 2), np.uint8)
    (first, second) = class_distances(one, none, 2, (1.0, 1.0))
    assert np.isnan(first).all()
    assert second is None
