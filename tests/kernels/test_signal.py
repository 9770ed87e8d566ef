"""windowed_speed against its oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.signal import five_point_velocity, windowed_speed
from tests import oracles

pytestmark = pytest.mark.kernel

steps = st.sampled_from([0.0, 2.0, 4.0, 8.0, 75.0, 100.0, -50.0])
known = st.floats(0, 100, width=32)
positions = st.one_of(known, known, known, known, st.just(np.nan))


@given(
    st.lists(st.tuples(steps, positions, positions), max_size=40), st.sampled_from([1.0, 5.0, 10.0])
)
@settings(deadline=None, max_examples=150)
def test_equals_the_oracle(samples, half_window):
    t = np.cumsum([step for step, _, _ in samples]) if samples else np.zeros(0)
    x = np.array([value for _, value, _ in samples], np.float32)
    y = np.array([value for _, _, value in samples], np.float32)
    fast, slow = np.empty(len(t)), np.empty(len(t))
    windowed_speed(t, x, y, half_window, 75.0, fast)
    oracles.windowed_speed(t, x, y, half_window, 75.0, slow)
    np.testing.assert_allclose(fast, slow, rtol=1e-5)


@pytest.mark.parametrize("half_window", [4.0, 8.0, 10.0])
def test_windows_of_many_samples_reach_just_to_their_edges(half_window):
    rng = np.random.default_rng(5)
    t = np.cumsum(rng.choice([0.0, 1.0, 2.0, 4.0], 200))  # whole: some lie just on the edges
    x, y = rng.uniform(0, 100, (2, 200)).astype(np.float32)
    fast, slow = np.empty(200), np.empty(200)
    windowed_speed(t, x, y, half_window, 75.0, fast)
    oracles.windowed_speed(t, x, y, half_window, 75.0, slow)
    np.testing.assert_allclose(fast, slow, rtol=1e-5)


def test_a_steady_sweep_has_its_speed():
    t = np.arange(50) * 4.0
    x = (t * 0.3).astype(np.float32)
    out = np.empty(50)
    windowed_speed(t, x, np.zeros(50, np.float32), 10.0, 75.0, out)
    np.testing.assert_allclose(out, 0.3, rtol=1e-5)


@pytest.mark.parametrize("max_gap", [2.0, 4.0, 75.0])
def test_velocities_of_samples_that_are_all_known(max_gap):
    rng = np.random.default_rng(6)
    t = np.cumsum(rng.choice([0.0, 0.0, 1.0, 2.0, 4.0], 400))  # now and then five at one time
    v = rng.uniform(0, 100, 400)
    v[::23] = np.nan
    found = five_point_velocity(t, v, max_gap)
    np.testing.assert_allclose(found, oracles.five_point_velocity(t, v, max_gap), rtol=1e-9)
    assert np.isfinite(found).sum() > 40


def test_a_line_has_its_slope_whatever_the_steps():
    t = np.cumsum(np.random.default_rng(7).choice([1.0, 2.0, 4.0], 60))
    found = five_point_velocity(t, 3.0 - 0.25 * t, 75.0)
    np.testing.assert_allclose(found[2:-2], -0.25, rtol=1e-9)
    assert np.isnan(found[[0, 1, -2, -1]]).all()
