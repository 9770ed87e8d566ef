from __future__ import annotations

import math

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.maps.neighbours import SliceSmoothing, smoothed


def test_weights_are_a_gaussian_of_three_sigmas():
    smoothing = SliceSmoothing(sigma=2.0)
    assert smoothing.weight(0) == 1
    assert smoothing.weight(-2) == smoothing.weight(2) == pytest.approx(math.exp(-0.5))
    assert smoothing.weight(6) == pytest.approx(math.exp(-4.5))
    assert smoothing.weight(6.001) == 0


def test_maps_are_averaged_by_weight():
    own, other, third = (np.full((2, 3, 4), value, np.float32) for value in (1.0, 0.5, 0.0))
    found = smoothed(own, [(0.5, other), (0.25, third)])
    np.testing.assert_allclose(found, (1 + 0.25) / 1.75, rtol=1e-6)
    assert found.dtype == np.float32
    assert own.max() == own.min() == 1  # not changed in place


def test_without_others_maps_are_as_they_were():
    own = np.ones((1, 2, 2), np.float32)
    assert smoothed(own, []) is own


@pytest.mark.parametrize("sigma", [0, -1, math.nan, math.inf])
def test_a_sigma_is_a_positive_number(sigma):
    with pytest.raises(ConfigError, match="over slices"):
        SliceSmoothing(sigma=sigma)
    with pytest.raises(ConfigError, match="inches"):
        SliceSmoothing(sigma=1, unit="inches")
