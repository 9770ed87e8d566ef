"""Recurrence, by counting."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.measures.recurrence import Recurrence, cross_recurrence, recurrence

A, B, C, D = ([0.0, 0.0], [200.0, 0.0], [0.0, 200.0], [200.0, 200.0])


def test_a_stretch_that_comes_again():
    found = recurrence(np.array([A, B, C, A, B]))
    # Of ten pairs two are close, in one diagonal line, each three fixations later.
    assert found == Recurrence(20.0, 100.0, 0.0, 75.0)


def test_a_place_looked_at_twice_in_a_row_and_again():
    found = recurrence(np.array([A, B, C, A, A]))
    # (0, 3), (0, 4), (3, 4): a horizontal line of two, and no vertical one.
    assert found.recurrence == pytest.approx(30.0)
    assert found.determinism == 0
    assert found.laminarity == pytest.approx(100 * 2 / (2 * 3))
    assert found.corm == pytest.approx(100 * (3 + 4 + 1) / (4 * 3))


def test_the_radius_is_part_of_the_place():
    places = np.array([[0.0, 0.0], [64.0, 0.0], [128.1, 0.0]])
    assert recurrence(places).recurrence == pytest.approx(100 / 3)
    assert recurrence(places, radius_px=65.0).recurrence == pytest.approx(200 / 3)


def test_longer_lines_are_asked_for():
    places = np.array([A, B, C, A, B, D])
    assert recurrence(places, line=2).determinism == 100
    assert recurrence(places, line=3).determinism == 0


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_fixations(n):
    assert np.isnan(recurrence(np.zeros((n, 2)))).all()


def test_nothing_comes_back():
    found = recurrence(np.array([A, B, C]))
    assert found.recurrence == 0
    assert all(math.isnan(value) for value in found[1:])


def test_between_two_paths_all_pairs_count_and_the_longer_is_cut():
    one, other = np.array([A, B, C]), np.array([B, C, D, A])
    found = cross_recurrence(one, other)
    # (1, 0) and (2, 1): a diagonal line, in which the second path is ahead.
    assert found == Recurrence(pytest.approx(200 / 9), 100.0, 0.0, -50.0)
    back = cross_recurrence(other, one)
    assert back.recurrence == found.recurrence
    assert back.corm == -found.corm


def test_between_a_path_and_itself_the_main_diagonal_counts():
    places = np.array([A, B, C])
    assert cross_recurrence(places, places).determinism == 100
    assert np.isnan(cross_recurrence(places, places[:0])).all()


@pytest.mark.parametrize("wrong", [{"radius_px": -1.0}, {"radius_px": math.nan}, {"line": 0}])
def test_refused(wrong):
    with pytest.raises(ConfigError, match="recurrence within"):
        recurrence(np.zeros((3, 2)), **wrong)
