"""The kernels of single detectors against their oracles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels.clusters import change_weights, two_means
from gazetrack.kernels.dispersion import compact_runs
from gazetrack.kernels.signal import five_point_velocity
from gazetrack.kernels.viterbi import two_states
from tests import oracles

pytestmark = pytest.mark.kernel

steps = st.sampled_from([0.0, 2.0, 4.0, 4.0, 200.0])
whole = st.integers(0, 9).map(float)
seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=150)


def scattered_gaze(seed, n):
    """Three places that gaze jumps among and noise about them, so that no two points are as far."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-9, 9, (2, 1)) + rng.normal(0, rng.uniform(0, 4, (2, 1)), (2, 3))
    return places[:, rng.integers(0, 3, n)] + rng.normal(0, 0.5, (2, n))


@given(
    st.lists(st.tuples(steps, whole, whole), max_size=40),
    st.sampled_from([0.0, 6.0, 16.0]),
    st.integers(0, 9),
    st.sampled_from([4.0, 50.0]),
)
@quick
def test_compact_runs(signal, window, dispersion, max_gap):
    t = np.cumsum([s for s, _, _ in signal]).astype(float)
    x, y = (np.array([row[k] for row in signal], float) for k in (1, 2))
    for fast, slow in zip(
        compact_runs(t, x, y, dispersion, window, max_gap),
        oracles.compact_runs(t, x, y, dispersion, window, max_gap),
        strict=True,
    ):
        assert fast.tolist() == slow.tolist()


def test_compact_runs_of_a_ramp_take_linear_time():
    """A slow ramp never settles.

    An algorithm that looks at its window anew for every sample would not end.
    """
    t = np.arange(200_000) * 1.0
    assert compact_runs(t, t * 0.01, t * 0.0, 10.0, 5000.0, 50.0)[0].size == 0


@given(st.lists(whole, max_size=8), st.permutations([0.5, 3.0]))
@quick
def test_two_states_are_the_most_probable(values, deviations):
    v, means, deviations = np.array(values), np.array([1.0, 6.0]), np.array(deviations)
    stay, leave = np.log([0.9, 0.7]), np.log([0.1, 0.3])
    path = two_states(v, means, deviations, stay, leave)
    z = (v - means[path]) / deviations[path]
    score = -0.5 * z @ z - np.log(deviations[path]).sum()
    score += sum(stay[a] if a == b else leave[a] for a, b in itertools.pairwise(path))
    assert score == pytest.approx(oracles.two_states(v, means, deviations, stay, leave))


@pytest.mark.parametrize(("last", "state"), [(0.0, 0), (2.0, 1), (1.0, 0)])
def test_of_two_equally_probable_paths_the_one_that_stays_is_taken(last, state):
    v, ones = np.array([1.0, 1.0, 1.0, last]), np.ones(2)
    path = two_states(v, np.array([0.0, 2.0]), ones, -ones, -ones)
    assert path.tolist() == [state] * 4


@given(st.lists(st.tuples(steps, st.one_of(st.just(np.nan), whole)), max_size=20))
@quick
def test_five_point_velocity(signal):
    t = np.cumsum([s for s, _ in signal]).astype(float)
    v = np.array([value for _, value in signal], float)
    np.testing.assert_allclose(
        five_point_velocity(t, v, 50.0), oracles.five_point_velocity(t, v, 50.0)
    )


def test_two_means_splits_two_plateaus_and_the_change_has_the_weight():
    x = np.repeat([10.0, 50.0], 50)
    labels = np.empty(100, np.int8)
    two_means(x, x * 0, 0, 1, 100, labels)
    assert labels.tolist() == [0] * 50 + [1] * 50
    weights = change_weights(np.arange(100) * 4.0, x, x * 0, 200.0, 20.0, np.array([1, 2]))
    assert np.nanargmax(weights) in (48, 49, 50, 51)
    assert np.isfinite(weights).any()
    assert np.nan_to_num(weights[:30]).max() == 0


@given(seeds, st.integers(0, 2), st.integers(1, 3), st.integers(1, 12))
@quick
def test_two_means_are_those_of_the_oracle(seed, first, n, blocks):
    x, y = scattered_gaze(seed, first + n * blocks + 2)
    labels = np.full(14, 7, np.int8)
    two_means(x, y, first, n, blocks, labels)
    means = [v[first : first + n * blocks].reshape(blocks, n).mean(axis=1) for v in (x, y)]
    assert labels[:blocks].tolist() == oracles.two_means(np.stack(means, axis=1)).tolist()
    assert (labels[blocks:] == 7).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_two_means_go_on_where_a_cluster_is_of_one_point(mirrored):
    x = np.array([0.0, 6.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0])
    y = np.array([0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0])  # drag the other mean off both
    labels = np.empty(8, np.int8)
    two_means(-x if mirrored else x, y, 0, 1, 8, labels)
    assert labels.tolist() == [int((k > 2) != mirrored) for k in range(8)]


def test_two_means_begin_along_x_where_both_axes_are_as_wide():
    x, labels = np.array([1.0, 1.0, 5.0, 5.0]), np.empty(4, np.int8)
    two_means(x, -x, 0, 1, 4, labels)
    assert labels.tolist() == [0, 0, 1, 1]


@given(
    seeds,
    st.lists(st.sampled_from([2.0, 4.0]), min_size=12, max_size=40),
    st.lists(st.sampled_from([0, 1, 9, 20, -1]), max_size=2),
    st.sampled_from([0.0, 3.0, 8.0]),
)
@example(0, [], [], 8.0)
@quick
def test_change_weights_equal_the_oracle(seed, steps, missing, step):
    t = np.cumsum(steps)
    x, y = scattered_gaze(seed, t.size)
    for i in missing:
        x[i : i + 1 or None] = y[i : i + 1 or None] = np.nan
    arguments = (t, x, y, 30.0, step, np.array([4, 1, 2]))
    np.testing.assert_allclose(change_weights(*arguments), oracles.change_weights(*arguments))


def test_gaze_that_stays_has_no_change():
    x = np.ones(50)
    weights = change_weights(np.arange(50) * 4.0, x, x, 40.0, 8.0, np.array([1, 2]))
    assert set(weights[~np.isnan(weights)]) == {0.0}
