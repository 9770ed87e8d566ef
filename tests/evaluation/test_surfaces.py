"""Distances of surfaces against slow definitions and another library's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazetrack.errors import ConfigError
from gradtrack_model.evaluation.surfaces import Surfaces, compare_surfaces

shapes = st.sampled_from([(5, 6), (3, 4, 5), (1, 4, 5)])


def surface(mask):
    """Voxels of which a neighbour along an axis is outside the mask, or outside the image."""
    found = []
    for place in np.argwhere(mask):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                other = place.copy()
                other[axis] += step
                if not (0 <= other[axis] < mask.shape[axis]) or not mask[tuple(other)]:
                    found.append(tuple(place))
    return np.array(sorted(set(found)))


def slow(a, b, spacing, tolerance):
    p, q = (surface(mask) * np.array(spacing) for mask in (a, b))
    pairs = np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1))
    there, back = pairs.min(1), pairs.min(0)
    both = [*there, *back]
    return (
        max(np.percentile(there, 95), np.percentile(back, 95)),
        sum(both) / len(both),
        # Half a unit in the last place is no disagreement.
        sum(one <= tolerance + 1e-9 for one in both) / len(both),
    )


@settings(deadline=None, max_examples=100)
@given(st.data(), shapes, st.sampled_from([0, 0.8, 2.5]))
def test_they_are_those_of_all_pairs(data, shape, tolerance):
    a, b = (data.draw(arrays(np.bool_, shape, elements=st.booleans())) for _ in "ab")
    spacing = (3.0, 0.6, 0.8)[-len(shape) :]
    found = compare_surfaces(a, b, spacing, tolerance)
    values = (found.hd95, found.asd, found.surface_dice)
    if not a.any() or not b.any():
        assert np.isnan(values).all()
        return
    assert values == pytest.approx(slow(a, b, spacing, tolerance))
    back = compare_surfaces(b, a, spacing, tolerance)
    assert (back.hd95, back.asd, back.surface_dice) == pytest.approx(values)


def two_ellipsoids():
    z, y, x = np.mgrid[:9, :24, :20]
    a = ((z - 4) / 3) ** 2 + ((y - 11) / 7) ** 2 + ((x - 9) / 5) ** 2 <= 1
    b = ((z - 5) / 3) ** 2 + ((y - 13) / 6) ** 2 + ((x - 8) / 7) ** 2 <= 1
    b[0, 2, 2] = True
    return a, b


def test_they_are_those_of_monai():
    # Of MONAI 1.6.1, by benchmarks/surface_peers.py.
    a, b = two_ellipsoids()
    found = compare_surfaces(a, b, (3, 0.5, 0.8), 1.0)
    assert (found.hd95, found.asd, found.surface_dice) == pytest.approx(
        (3.200000, 1.370460, 0.485030), abs=1e-6
    )
    flat = compare_surfaces(a[4], b[4], (0.5, 0.8), 1.0)
    assert (flat.hd95, flat.asd, flat.surface_dice) == pytest.approx(
        (2.024665, 0.946375, 0.625), abs=1e-6
    )


def test_thick_slices_are_far_apart():
    a = np.zeros((4, 5, 5), bool)
    a[1, 2, 2] = True
    one_slice_on = np.roll(a, 1, axis=0)
    found = compare_surfaces(a, one_slice_on, (3.5, 0.5, 0.5), 3)
    assert found == Surfaces(hd95=3.5, asd=3.5, surface_dice=0)
    one_column_on = compare_surfaces(a, np.roll(a, 1, axis=2), (3.5, 0.5, 0.5), 0.5)
    assert one_column_on == Surfaces(hd95=0.5, asd=0.5, surface_dice=1)


def test_what_cannot_be_compared_is_refused():
    a = np.ones((3, 4), bool)
    with pytest.raises(ValueError, match="shapes"):
        compare_surfaces(a, np.ones((4, 3), bool), (1, 1), 1)
    with pytest.raises(ValueError, match="spacing"):
        compare_surfaces(a, a, (1, 1, 1), 1)
    for tolerance in (-1, math.nan, math.inf):
        with pytest.raises(ConfigError, match="surface tolerance"):
            compare_surfaces(a, a, (1, 1), tolerance)
