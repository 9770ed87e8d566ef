"""Measures against slow definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradtrack_model.evaluation.metrics import score, surface_distances

masks = arrays(np.bool_, (7, 9), elements=st.booleans())


def border(mask):
    """Pixels with a 4-neighbour outside the mask or outside the image."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inside)


@settings(deadline=None, max_examples=80)
@given(masks, masks, st.sampled_from([(1.0, 1.0), (0.5, 2.0)]))
def test_surface_distances_are_those_of_all_pairs(a, b, spacing):
    found = surface_distances(a, b, spacing)
    if not a.any() or not b.any():
        diagonal = math.hypot(7 * spacing[0], 9 * spacing[1])
        assert found == ((diagonal, diagonal) if a.any() or b.any() else (0, 0))
        return
    p, q = (border(mask) * np.array(spacing) for mask in (a, b))
    pairs = np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1))
    there, back = pairs.min(1), pairs.min(0)
    assert found[0] == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found[1] == pytest.approx(np.concatenate([there, back]).mean())
    assert surface_distances(b, a, spacing) == pytest.approx(found)


@settings(deadline=None, max_examples=80)
@given(masks, masks)
def test_shares(a, b):
    found = score(a, b)
    both = (a & b).sum()
    if a.any() and b.any():
        assert (found.precision, found.recall) == pytest.approx((both / a.sum(), both / b.sum()))
    else:
        assert found.precision == found.recall == found.dice == float(not a.any() and not b.any())
    assert 0 <= found.iou <= found.dice <= 1
