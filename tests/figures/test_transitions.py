"""Matrices of transitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.transitions import plot_transitions, transition_counts

TABLE = pd.DataFrame(
    {
        "trial": ["1", "1", "2", "2"],
        "from_aoi": ["nose", "mouth", "nose", "(outside)"],
        "to_aoi": ["mouth", "nose", "mouth", "nose"],
        "transitions": [3, 1, 2, 4],
    }
)


def test_counts_are_summed_over_trials_from_row_to_column_and_outside_is_last():
    counts, names = transition_counts(TABLE)
    assert names == ["mouth", "nose", "(outside)"]
    np.testing.assert_array_equal(counts, [[0, 1, 0], [5, 0, 0], [0, 4, 0]])


def test_rows_with_outside_as_a_state_are_taken_once():
    both = pd.concat([TABLE.assign(states="aois+outside"), TABLE.head(3).assign(states="aois")])
    np.testing.assert_array_equal(transition_counts(both)[0], transition_counts(TABLE)[0])
    only = TABLE.head(3).assign(states="aois")
    assert transition_counts(only)[0].sum() == 6


def test_the_colour_is_the_share_of_the_row_and_the_digits_are_counts():
    axis = plot_transitions(TABLE, title="a.png").axes[0]
    np.testing.assert_array_equal(
        axis.images[0].get_array(), [[0, 100, 0], [100, 0, 0], [0, 100, 0]]
    )
    assert {(text.get_text(), text.get_position()) for text in axis.texts} == {
        ("1", (1, 0)),
        ("5", (0, 1)),
        ("4", (1, 2)),
    }
    assert [text.get_text() for text in axis.get_yticklabels()] == ["mouth", "nose", "(outside)"]
    assert axis.figure.axes[1].get_ylabel().endswith("(%)")


def test_nothing_too_much_and_missing_columns():
    empty = plot_transitions(TABLE.head(0)).axes[0]
    assert [text.get_text() for text in empty.texts] == ["no transitions"]
    many = pd.DataFrame({"from_aoi": range(41), "to_aoi": range(41), "transitions": 1})
    with pytest.raises(ConfigError, match="between 41 areas"):
        plot_transitions(many)
    with pytest.raises(SchemaError, match="no column to_aoi"):
        plot_transitions(TABLE.drop(columns="to_aoi"))


def test_the_row_of_an_area_that_was_never_left_is_blank():
    axis = plot_transitions(TABLE[TABLE["from_aoi"] != "mouth"]).axes[0]
    share = np.ma.filled(axis.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(share, [[np.nan] * 3, [100, 0, 0], [0, 100, 0]])
