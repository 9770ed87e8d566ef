"""MultiMatch, beside multimatch_gaze on the same fixations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multimatch_gaze.multimatch_gaze import docomparison

from gazetrack.measures.multimatch import MultiMatch, multimatch
from tests.measures.paths import HEIGHT, WIDTH, random_track, track, tracks


def published(a, b, amplitude_px=0.0, direction_deg=0.0, duration_ms=0.0):
    fields = [("start_x", "f8"), ("start_y", "f8"), ("duration", "f8")]
    records = [
        np.array(list(zip(t.x, t.y, t.duration_ms, strict=True)), dtype=fields) for t in (a, b)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = docomparison(
            *records,
            [WIDTH, HEIGHT],
            grouping=True,
            TDir=direction_deg,
            TDur=duration_ms,
            TAmp=amplitude_px,
        )
    return [float(np.squeeze(value)) for value in values]


@given(
    tracks(),
    tracks(),
    st.sampled_from([0.0, 80.0, 200.0]),
    st.sampled_from([0.0, 45.0, 90.0]),
    st.sampled_from([0.0, 150.0, 400.0]),
)
@settings(deadline=None, max_examples=60)
def test_equals_multimatch_gaze(a, b, amplitude, direction, duration):
    limits = {"amplitude_px": amplitude, "direction_deg": direction, "duration_ms": duration}
    try:
        expected = published(a, b, **limits)
    except IndexError:  # it fails where a path becomes one short saccade
        assert np.isfinite(multimatch(a, b, **limits)).all()
        return
    assert multimatch(a, b, **limits) == pytest.approx(expected, abs=1e-9)


def test_equals_multimatch_gaze_in_whole_pixels():
    for seed in range(30):
        a, b = (
            track(np.round(np.column_stack([t.x, t.y])), t.duration_ms)
            for t in (random_track(25, seed), random_track(31, seed + 100))
        )
        assert multimatch(a, b) == pytest.approx(published(a, b), abs=1e-9)


@given(tracks(), tracks())
@settings(deadline=None, max_examples=40)
def test_similarities(a, b):
    assert multimatch(a, a) == pytest.approx((1.0,) * 5)
    found = multimatch(a, b)
    assert found == pytest.approx(multimatch(b, a))
    assert all(0 <= value <= 1 for value in found)
    moved = [track(np.column_stack([t.x + 99, t.y - 7]), t.duration_ms) for t in (a, b)]
    assert multimatch(*moved) == pytest.approx(found)


def test_what_each_similarity_minds():
    a = track([[0, 0], [100, 0], [200, 0], [300, 0]])
    turned = track([[0, 0], [0, 100], [0, 200], [0, 300]])
    found = multimatch(a, turned)
    assert found.direction == pytest.approx(0.5)  # 90 of 180 degrees
    assert found.length == 1
    assert found.duration == 1
    brief = track([[0, 0], [100, 0], [200, 0], [300, 0]], [50.0] * 4)
    assert multimatch(a, brief) == pytest.approx((1, 1, 1, 1, 0.25))
    below = track([[0, 100], [100, 100], [200, 100], [300, 100]])
    assert multimatch(a, below) == pytest.approx((1, 1, 1, 0.9, 1))


def test_two_fixations_are_too_few():
    found = multimatch(track([[0, 0], [1, 1]]), track([[0, 0], [1, 1], [2, 2]]))
    assert isinstance(found, MultiMatch)
    assert np.isnan(found).all()


def test_simplification_joins_saccades_of_one_direction():
    straight = track([[0, 0], [100, 0], [300, 0], [300, 300]], [100.0] * 4)
    corner = track([[0, 0], [300, 0], [300, 300]], [100.0] * 3)
    assert multimatch(straight, corner).shape < 1
    limits = {"direction_deg": 10.0, "duration_ms": 150.0}
    assert multimatch(straight, corner, **limits) == pytest.approx((1,) * 5)


def test_fixations_of_no_duration_are_alike():
    still = track([[0, 0], [100, 0], [200, 50]], [0.0] * 3)
    assert multimatch(still, still).duration == 1
