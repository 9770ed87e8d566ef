"""The temperature of classes that exclude each other: found again where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from gazetrack.errors import DataError
from gradtrack_model.evaluation.class_temperature import MOST_VALUES, ClassLogits
from gradtrack_model.evaluation.temperature import LogitCounts, fit, measure

NAMES = ("polyp", "ulcer", "vessel")


def seen(temperature, *, seed=0, n_classes=3, size=(100, 200)):
    """Logits of a network that is too sure by a factor, and the class of each pixel."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(-0.5, 2, (n_classes, *size))
    p = softmax(np.concatenate([np.zeros((1, *size)), honest]), 0)
    labels = (rng.random(size) > p.cumsum(0)).sum(0)
    return (honest * temperature).astype(np.float32), labels.astype(np.uint8)


def kept(*pairs, names=NAMES, most=10**6):
    found = ClassLogits(names, most)
    for logits, labels in pairs:
        found.add(logits, labels)
    return found


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_it_finds_by_how_much_a_network_is_too_sure(temperature):
    assert fit(kept(seen(temperature))) == pytest.approx(temperature, rel=0.03)


def test_the_likelihood_is_that_of_the_softmax():
    logits, labels = seen(1.0, size=(5, 7))
    every = np.concatenate([np.zeros((1, 5, 7)), logits]) / 1.7
    p = np.take_along_axis(softmax(every, 0), labels[None].astype(int), 0)
    assert kept((logits, labels)).nll(1.7) == pytest.approx(-np.log(p).mean(), abs=1e-12)


def test_of_one_class_it_is_that_of_the_sigmoid():
    logits, labels = seen(2.0, n_classes=1)
    counts = LogitCounts()
    counts.add(logits[0], labels == 1)
    assert fit(kept((logits, labels), names=("polyp",))) == pytest.approx(fit(counts), rel=1e-3)


def test_afterwards_probabilities_are_what_they_say():
    halves = (kept(seen(3.0, seed=1)), kept(seen(3.0, seed=2)))
    found = measure(halves)
    assert found["nll_after"] < found["nll_before"]
    for which in ("ece", "class_ece"):
        assert found[f"{which}_after"] < 0.015 < 0.05 < found[f"{which}_before"]
    # By hand, of the most likely class and of each one.
    (said,) = [one.said(1.0) for one in [halves[0] + halves[1]]]
    logits, labels = seen(3.0, seed=1)
    p = softmax(np.concatenate([np.zeros((1, 100, 200)), logits.astype(float)]), 0)
    n = labels.size
    np.testing.assert_allclose(said.said[:n], p.max(0).ravel(), atol=1e-12)
    np.testing.assert_array_equal(said.right[:n], (p.argmax(0) == labels).ravel())
    of_ulcer = halves[0].said_of_classes(1.0)[1]
    np.testing.assert_allclose(of_ulcer.said, p[2].ravel(), atol=1e-12)
    np.testing.assert_array_equal(of_ulcer.right, (labels == 2).ravel())


def test_a_share_of_the_pixels_does_and_memory_is_bounded():
    pair = seen(2.5)
    some = kept(pair, most=5000)
    assert some.n == 5000
    assert fit(some) == pytest.approx(2.5, rel=0.08)
    many = ClassLogits.of(NAMES, 1000)
    assert many.most * 1000 * 3 <= MOST_VALUES
    assert ClassLogits.of(NAMES, 10**9).most == 1
    # Evenly: of all rows, and not of the columns that a step leads to which divides the width.
    even = ClassLogits(("a", "b"), 999)
    rows_and_columns = np.indices((100, 100))
    of_row = (np.arange(100) // 50)[:, None].repeat(100, 1)
    even.add(rows_and_columns.astype(np.float32), of_row.astype(np.uint8))
    rows, columns = even._logits[0]
    np.testing.assert_array_equal(np.unique(rows), np.arange(100))
    np.testing.assert_array_equal(np.unique(columns), np.arange(100))
    # A pixel keeps its own class, and about as many are of either half.
    np.testing.assert_array_equal(even._labels[0], rows // 50)
    assert np.bincount(even._labels[0]).tolist() == [500, 499]


def test_what_cannot_be_fitted_is_said():
    logits, labels = seen(1.0, size=(5, 5))
    for value, name in ((0, "background"), (2, "ulcer")):
        with pytest.raises(DataError, match=f"all pixels of the masks are {name}: no temperature"):
            fit(kept((logits, np.full_like(labels, value))))
