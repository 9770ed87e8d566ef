"""Distances of scanpaths: against the definitions, and what must hold of any of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, directed_hausdorff

from gazetrack.errors import ConfigError
from gazetrack.measures import distances
from tests.measures.paths import HEIGHT, WIDTH, random_track

OF_PLACES = {
    "dtw": lambda a, b: distances.dtw(a, b)[0],
    "frechet": distances.frechet,
    "hausdorff": distances.hausdorff,
    "eyenalysis": distances.eyenalysis,
    "mannan": lambda a, b: distances.mannan(a, b, WIDTH, HEIGHT),
    "tde": distances.time_delay_embedding,
}


def places(seed, n):
    track = random_track(n, seed)
    return np.column_stack([track.x, track.y])


paths = st.builds(places, st.integers(0, 999), st.integers(3, 12))


@pytest.mark.parametrize("name", OF_PLACES)
@given(paths, paths, st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
@settings(deadline=None, max_examples=25)
def test_a_distance_is_symmetric_and_moves_with_both_paths(name, a, b, by):
    distance = OF_PLACES[name]
    assert distance(a, a.copy()) == pytest.approx(0, abs=1e-9)
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert distance(a + by, b + by) == pytest.approx(distance(a, b), abs=1e-6)
    assert distance(a, b) >= 0


@given(paths, paths)
@settings(deadline=None, max_examples=40)
def test_each_distance_is_its_definition(a, b):
    apart = cdist(a, b)
    of_a, of_b = apart.min(axis=1), apart.min(axis=0)
    hausdorff = max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
    assert distances.hausdorff(a, b) == pytest.approx(hausdorff)
    expected = (of_a.sum() + of_b.sum()) / max(len(a), len(b))
    assert distances.eyenalysis(a, b) == pytest.approx(expected)
    n, m = len(a), len(b)
    squares = m * (of_a**2).sum() + n * (of_b**2).sum()
    expected = math.sqrt(squares / (2 * n * m * (WIDTH**2 + HEIGHT**2)))
    assert distances.mannan(a, b, WIDTH, HEIGHT) == pytest.approx(expected)
    threes = [[p[i : i + 3].ravel() for i in range(len(p) - 2)] for p in (a, b)]
    apart = cdist(*threes) / 3
    expected = (apart.min(axis=1).mean() + apart.min(axis=0).mean()) / 2
    assert distances.time_delay_embedding(a, b) == pytest.approx(expected)


def test_dtw_of_a_path_that_waits_is_zero():
    a = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 5.0]])
    assert distances.dtw(a, np.repeat(a, 3, axis=0)) == (0.0, 0.0)
    total, mean = distances.dtw(a, a + np.array([0.0, 7.0]))
    assert (total, mean) == (pytest.approx(21.0), pytest.approx(7.0))


def test_frechet_minds_the_order_that_hausdorff_does_not():
    a = np.array([[0.0, 0.0], [100.0, 0.0]])
    assert distances.hausdorff(a, a[::-1]) == 0
    assert distances.frechet(a, a[::-1]) == pytest.approx(100)


def test_one_fixation_each():
    a, b = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert distances.dtw(a, b) == (5.0, 5.0)
    assert distances.frechet(a, b) == distances.hausdorff(a, b) == 5.0
    assert distances.eyenalysis(a, b) == 10.0  # both are mapped on each other
    assert distances.mannan(a, b, 3.0, 4.0) == pytest.approx(1.0)
    assert math.isnan(distances.time_delay_embedding(a, b))
    assert distances.time_delay_embedding(a, b, length=1) == 5.0


def test_a_stretch_has_a_fixation():
    with pytest.raises(ConfigError, match="stretches of 0"):
        distances.time_delay_embedding(np.zeros((3, 2)), np.zeros((3, 2)), length=0)


def test_mannan_similarity_is_that_of_chance_for_random_paths():
    lengths = (8, 11)
    found = []
    for seed in range(60):
        a, b = places(seed, 8), places(1000 + seed, 11)
        distance = distances.mannan(a, b, WIDTH, HEIGHT)
        found.append(distances.mannan_similarity(distance, lengths, WIDTH, HEIGHT))
    assert abs(np.mean(found)) < 6
    assert distances.mannan_similarity(0.0, lengths, WIDTH, HEIGHT) == 100
    assert distances.mannan_similarity(0.1, (8, 11), 800, 600) == distances.mannan_similarity(
        0.1, (11, 8), 400, 300
    )
