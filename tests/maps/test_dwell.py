"""Dwell time along a track: an exact integral, in which every fixation counts once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.maps.dwell import blurred_levels
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.points import Points
from gazetrack.maps.render import render_points
from gazetrack.maps.track import level_members
from tests import oracles

H, W = 60, 80


def points(seed, n):
    rng = np.random.default_rng(seed)
    return rng.uniform(5, W - 5, n), rng.uniform(5, H - 5, n), rng.uniform(60, 900, n)


@pytest.mark.parametrize("max_saccade", [math.inf, 0.4])
@pytest.mark.parametrize(
    "blur", [0.15, 0.05, 0.02]
)  # the last on the grid of pixels, the others on a coarse one
@pytest.mark.parametrize("n", [1, 2, 3, 11])
def test_density_is_the_exact_integral_along_the_line(n, blur, max_saccade):
    rng = np.random.default_rng(n)
    x, y, d = rng.uniform(-10, W + 10, n), rng.uniform(-10, H + 10, n), rng.uniform(60, 900, n)
    x[-1], y[-1] = (
        W / 2,
        H / 3,
    )  # every level has one on the map, or its maximum is a tail of what lies beside it
    if n > 3:
        x[4], y[4] = x[3], y[3]  # a fixation that goes on where it was
    params = MapParams(kind="density", blur=blur, max_saccade=max_saccade)
    s = math.sqrt(H * W)
    joined = np.append(np.hypot(np.diff(x), np.diff(y)) <= max_saccade * s, False)

    def expected(chosen):
        total = oracles.dwell(x[chosen], y[chosen], d[chosen], joined[chosen], blur * s, (H, W))
        return 1 / (1 + np.exp((params.threshold - total / total.max()) / params.width))

    ours = render_points(x, y, d, (H, W), params)
    levels = [expected(chosen) for chosen in level_members(d, params.ratios)]
    np.testing.assert_allclose(ours, np.stack(levels), atol=2e-5)


def test_density_counts_every_fixation_once_wherever_its_line_goes():
    density = MapParams(kind="density", levels=1)
    d = np.array([100.0, 700, 300, 50])
    one = render_points(np.array([40.0]), np.array([30.0]), np.ones(1), (H, W), density)
    for apart in (0.0, 1e-9):
        four = render_points(40 + apart * np.arange(4), np.full(4, 30.0), d, (H, W), density)
        np.testing.assert_allclose(four, one, atol=2e-5)
    x, y, joined = (
        np.array([40.0, 25, 60, 70]),
        np.array([20.0, 30, 30, 40]),
        np.array([True, True, False, False]),
    )
    total = oracles.dwell(x, y, d, joined, 1.5, (H, W))
    assert total.sum() == pytest.approx(2 * np.pi * 1.5**2 * d.sum(), rel=1e-6)


@given(st.integers(0, 999), st.integers(1, 12), st.sampled_from([0.02, 0.05, 0.15]))
@settings(deadline=None, max_examples=40)
def test_density_backwards_is_the_same_density(seed, n, blur):
    x, y, d = points(seed, n)
    params = MapParams(kind="density", levels=1, blur=blur, max_saccade=0.7)
    forwards = render_points(x, y, d, (H, W), params)
    np.testing.assert_allclose(
        render_points(x[::-1], y[::-1], d[::-1], (H, W), params), forwards, atol=2e-5
    )


@pytest.mark.parametrize("sigma", [1.5, 4.0, 9.0])  # the first on the grid of pixels
def test_sums_are_milliseconds_also_of_what_lies_far_beside_the_map(sigma):
    # Weights make up for the distance: on the map, all of these count about as much.
    far = np.array([0.0, 2.0, 3.0, 4.0])
    duration_ms = 300 * np.exp(far**2 / 2)
    for x, y in (
        (-far, 2 * far),
        (W / sigma + far, far - far),
        (far, -far),
        (far, H / sigma + far),
    ):
        p = Points(
            x=x * sigma,
            y=y * sigma,
            duration_ms=duration_ms,
            widening=np.ones(4),
            joined=np.zeros(4, np.bool_),
            firsts=np.array([2, 0]),
            size=(H, W),
        )
        found = blurred_levels(p, sigma, p.joined)
        rows = np.arange(H)[:, None] + 0.5
        columns = np.arange(W) + 0.5
        each = [
            d * np.exp(-((columns - px) ** 2 + (rows - py) ** 2) / (2 * sigma**2))
            for px, py, d in zip(p.x, p.y, duration_ms, strict=True)
        ]
        np.testing.assert_allclose(found[0], np.sum(each[2:], axis=0), atol=0.02)
        np.testing.assert_allclose(found[1], np.sum(each, axis=0), atol=0.02)


def test_a_line_is_exact_also_where_the_blur_is_narrower_than_a_pixel():
    x, y, d = np.array([10.5, 30.0, 30.5]), np.array([20.5, 20.5, 41.0]), np.array([300.0, 200, 90])
    blur = 0.6 / math.sqrt(H * W)
    params = MapParams(kind="density", blur=blur, levels=1)
    total = oracles.dwell(x, y, d, np.array([True, True, False]), 0.6, (H, W))
    expected = 1 / (1 + np.exp((params.threshold - total / total.max()) / params.width))
    ours = render_points(x, y, d, (H, W), params)[0]
    np.testing.assert_allclose(ours, expected, atol=2e-5)
