"""The factor of the tube's radius at a fixation, from how long it lasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazetrack.maps.parameters import MapParams
from gazetrack.maps.points import widening
from gazetrack.maps.render import render_points

H, W = 60, 80


@pytest.mark.parametrize(
    ("durations", "exponent", "expected"),
    [
        ([100, 200, 400], 1.0, [0.5, 1, 2]),
        ([100, 200, 400], 0.5, [0.5**0.5, 1, 2**0.5]),
        ([100, 200, 400], 0.0, [1, 1, 1]),
        ([1, 200, 200, 200, 5000], 1.0, [0.25, 1, 1, 1, 4]),
        ([0, 0, 90], 1.0, [1, 1, 1]),  # the median is no duration to compare with
        ([], 1.0, []),
    ],
)
def test_the_radius_follows_the_share_of_the_median_within_bounds(durations, exponent, expected):
    np.testing.assert_allclose(widening(np.array(durations, float), exponent), expected)


def test_a_track_of_instants_keeps_the_radius():
    x, y = np.array([10.0, 70.0]), np.array([30.0, 30.0])
    tube = MapParams(kind="tube", levels=1)
    plain = render_points(x, y, np.zeros(2), (H, W), tube)
    widened = render_points(x, y, np.zeros(2), (H, W), replace(tube, duration_exponent=1.0))
    np.testing.assert_allclose(widened, plain, atol=1e-6)
