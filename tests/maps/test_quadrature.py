"""Gauss-Legendre quadrature along a line, against integrals that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazetrack.maps.quadrature import LONGEST, pieces_and_nodes, unit_rules


def test_two_nodes_are_gauss_own():
    places, weights = unit_rules()
    off = math.sqrt(1 / 3) / 2
    assert places[2, :2] == pytest.approx([0.5 - off, 0.5 + off])
    assert weights[2, :2] == pytest.approx([0.5, 0.5])


def test_a_rule_lies_within_the_line_and_is_padded_with_zeros():
    places, weights = unit_rules()
    for count in range(1, len(places)):
        own = places[count, :count]
        assert ((own > 0) & (own < 1)).all()
        assert (np.diff(own) > 0).all()
        assert weights[count].sum() == pytest.approx(1)
        assert not places[count, count:].any()
        assert not weights[count, count:].any()


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_a_rule_is_exact_up_to_the_degree_it_promises(count):
    places, weights = (rules[count, :count] for rules in unit_rules())
    for degree in range(2 * count):
        assert (weights * places**degree).sum() == pytest.approx(1 / (degree + 1), rel=1e-12)
    beyond = (weights * places ** (2 * count)).sum()
    assert beyond != pytest.approx(1 / (2 * count + 1), rel=1e-12)


def test_lines_are_cut_where_they_get_longer_than_a_piece():
    lengths = np.array([0.0, 1.0, LONGEST, LONGEST + 0.001, 3 * LONGEST])
    pieces, nodes = pieces_and_nodes(lengths)
    assert pieces.tolist() == [1, 1, 1, 2, 3]
    # 2 nodes, and 1.3 more for each standard deviation of a piece, rounded up.
    assert nodes.tolist() == [2, 4, 34, 18, 34]


@pytest.mark.parametrize("length", [0.3, 1.0, 5.0, 23.9, 24.1, 100.0])
def test_the_integral_of_a_gaussian_is_as_exact_as_promised(length):
    (pieces,), (nodes,) = pieces_and_nodes(np.array([length]))
    places, weights = (rules[nodes, :nodes] for rules in unit_rules())
    along = (np.arange(pieces)[:, None] + places) / pieces * length
    for centre in np.linspace(-3, length + 3, 41):
        summed = (weights * np.exp(-((along - centre) ** 2) / 2)).sum() * length / pieces
        to_end = math.erf((length - centre) / math.sqrt(2))
        to_start = math.erf(-centre / math.sqrt(2))
        exact = math.sqrt(math.pi / 2) * (to_end - to_start)
        assert abs(summed - exact) < 2e-6 * math.sqrt(2 * math.pi)


def test_a_line_without_length_has_a_rule_all_the_same():
    pieces, nodes = pieces_and_nodes(np.zeros(2))
    assert pieces.dtype == nodes.dtype == np.int64
    assert (pieces == 1).all()
    assert pieces_and_nodes(np.zeros(0))[0].shape == (0,)
