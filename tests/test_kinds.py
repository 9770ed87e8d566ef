"""Kinds of map with an independent way to the same result, and presets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from gazetrack.errors import ConfigError
from gazetrack.maps import KINDS, PRESETS, MapParams, map_params, render_points

H, W = 60, 80


def points(seed, n):
    rng = np.random.default_rng(seed)
    return rng.uniform(5, W - 5, n), rng.uniform(5, H - 5, n), rng.uniform(60, 900, n)


@given(st.integers(0, 999), st.integers(4, 30))
@settings(deadline=None, max_examples=25)
def test_the_hull_is_scipys_widened(seed, n):
    x, y, d = points(seed, n)
    s = math.sqrt(H * W)
    ours = render_points(x, y, d, H, W, MapParams(kind="hull", levels=1, radius=3 / s, softness=2 / s))[0]
    corners = np.column_stack([x, y])
    hull = ConvexHull(corners)
    at = np.stack(np.mgrid[:H, :W][::-1], -1) + 0.5
    distance = np.full((H, W), np.inf)
    for a, b in corners[hull.simplices]:
        along = np.clip((at - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.minimum(distance, np.linalg.norm(at - a - along[..., None] * (b - a), axis=-1))
    inside = (at @ hull.equations[:, :2].T + hull.equations[:, 2] <= 0).all(-1)
    expected = 1 / (1 + np.exp((np.where(inside, -distance, distance) - 3) / 2))
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize(
    "corners",
    [
        [(20, 20)],
        [(20, 20), (20, 20)],
        [(10, 10), (30, 30), (20, 20)],
        [(4, 4), (1, 1), (0.73841573, 0.73841573 + 1e-15)],
    ],
)
def test_a_hull_without_area_is_its_line(corners):
    x, y = np.array(corners, float).T
    d = np.full(len(x), 300.0)
    hull, tube = (render_points(x, y, d, H, W, MapParams(kind=kind, levels=1)) for kind in ("hull", "tube"))
    np.testing.assert_allclose(hull, tube, atol=1e-5)


@given(st.integers(0, 999), st.integers(1, 30))
@settings(deadline=None, max_examples=10)
def test_gazemedseg_is_a_blurred_image_of_impulses(seed, n):
    x, y, d = points(seed, n)
    canvas = np.zeros((768, 768))
    for at_x, at_y, weight in zip(x / W, y / H, d, strict=True):
        canvas[round(at_y * 768) - 1, round(at_x * 768) - 1] += weight
    canvas = gaussian_filter(canvas, 70)
    canvas = (canvas - canvas.min()) / np.ptp(canvas)
    same_size = render_points(x * 768 / W, y * 768 / H, d, 768, 768, PRESETS["gazemedseg"])[0]
    np.testing.assert_allclose(same_size, canvas, atol=1e-5)
    small = render_points(x, y, d, 96, 96, PRESETS["gazemedseg"])[0]
    assert small.shape == (96, 96)


def test_presets_take_changes_and_leave_out_what_is_none():
    assert map_params() == MapParams()
    assert map_params("prostate", levels=2, blur=None) == MapParams(kind="hull", radius=0.024, levels=2)
    assert map_params(ratios=(0.5, 1.0)).levels == 2
    with pytest.raises(ConfigError, match="ratios"):
        map_params(levels=3, ratios=(0.5, 1.0))
    with pytest.raises(ConfigError, match="preset 'brain'"):
        map_params("brain")
    assert all(params.kind in KINDS for params in PRESETS.values())
