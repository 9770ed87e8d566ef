from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gradtrack_model.evaluation.statistics import (
    _BLOCK,
    _SEED,
    N_RESAMPLES,
    bootstrap,
    describe,
    paired,
)


def test_the_bootstrap_interval_is_scipys_of_the_same_resamples():
    values = np.random.default_rng(1).beta(8, 2, 90)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=N_RESAMPLES,
        batch=_BLOCK,
        method="percentile",
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    assert bootstrap(values) == pytest.approx([expected.low, expected.high], rel=1e-12)


def test_the_bootstrap_interval_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(100):
        low, high = bootstrap(rng.normal(0.8, 0.1, 40))
        held += low <= 0.8 <= high
    assert 88 <= held <= 99


def test_the_same_values_give_the_same_interval():
    values = [0.9, 0.2, 0.7]
    assert bootstrap(values) == bootstrap(np.array(values))
    assert bootstrap([0.5]) == [0.5, 0.5]


def test_paired_differences_all_of_one_sign():
    """Of eight differences above zero, Wilcoxon's exact p is two of 2^8 signs."""
    found = paired(np.arange(1, 9) / 100)
    assert found["n"] == 8
    assert found["difference"] == pytest.approx(0.045)
    assert found["p"] == pytest.approx(2 / 2**8)
    assert 0.01 < found["interval"][0] < 0.045 < found["interval"][1] < 0.08


def test_paired_differences_that_are_none():
    assert paired(np.zeros(5)) == {"n": 5, "difference": 0.0, "interval": [0.0, 0.0], "p": 1.0}


def test_describe():
    found = describe([0.2, 0.4, 0.9])
    assert found["mean"] == pytest.approx(0.5)
    assert found["std"] == pytest.approx(np.std([0.2, 0.4, 0.9], ddof=1))
    assert (found["median"], found["min"], found["max"]) == (0.4, 0.2, 0.9)
    assert describe([0.3])["std"] == 0.0
    assert describe([]) is None
