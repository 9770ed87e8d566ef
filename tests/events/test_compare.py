"""Two tables of fixations compared."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.events.compare import compare_fixations, left_out, overall
from gazetrack.tables.schema import FIXATIONS, conform


def table(onsets, durations, recording="r", eye="both", **columns):
    given = {"recording": recording, "eye": eye, "onset_ms": onsets, "duration_ms": durations}
    return conform(
        given | {name: np.array(values, object) for name, values in columns.items()}, FIXATIONS
    )


def test_a_table_agrees_with_itself():
    a = table([0.0, 500.0], [300.0, 200.0])
    (row,) = compare_fixations(a, a)
    assert (row["matched"], row["f1"], row["f1_iou"], row["kappa"]) == (2, 1, 1, 1)
    assert (row["onset_error_ms"], row["offset_error_ms"]) == (0, 0)


def test_figures_by_hand():
    a = table([0.0, 500.0, 900.0], [300.0, 200.0, 100.0])
    b = table([20.0, 690.0], [300.0, 110.0])
    (row,) = compare_fixations(a, b)
    assert (row["reference"], row["other"], row["matched"], row["matched_iou"]) == (3, 2, 2, 1)
    assert row["f1"] == pytest.approx(4 / 5)
    assert row["f1_iou"] == pytest.approx(2 / 5)
    assert (row["onset_error_ms"], row["offset_error_ms"]) == (105, 60)
    agreed = 280 + 180 + 10 + 100 + 0  # both in, both out: 320-500, and 690-700, and 800-900
    assert row["kappa"] == pytest.approx(_kappa(agreed / 1000, 0.6, 0.41))


def _kappa(observed, p, q):
    chance = p * q + (1 - p) * (1 - q)
    return (observed - chance) / (1 - chance)


def test_recordings_by_name_or_the_only_one_and_eyes_with_their_like():
    a = table([0.0], [100.0], recording="a")
    assert compare_fixations(a, table([0.0], [100.0], recording="b"))[0]["f1"] == 1
    two = table([0.0, 0.0], [100.0, 100.0], recording=np.array(["b", "c"], object))
    with pytest.raises(DataError, match="no recording in common"):
        compare_fixations(a, two)
    eyes = table([0.0, 0.0], [100.0, 90.0], eye=np.array(["left", "right"], object))
    assert [row["eyes"] for row in compare_fixations(eyes, eyes)] == ["left", "right"]
    assert [row["eyes"] for row in compare_fixations(table([0.0], [90.0]), eyes)] == [
        "both, left",
        "both, right",
    ]


def test_a_trial_that_one_table_lacks_counts_against_it():
    a = table([0.0, 1000.0], [100.0, 100.0], trial=["1", "2"])
    b = table([0.0], [100.0], trial=["1"])
    rows = compare_fixations(a, b)
    assert [(row["trial"], row["f1"]) for row in rows] == [("1", 1), ("2", 0)]
    assert overall(rows)["f1"] == pytest.approx(2 / 3)
    unnamed = table([0.0, 1000.0], [100.0, 100.0])
    assert [row["f1"] for row in compare_fixations(a, unnamed)] == [1]


def test_stimuli_with_clocks_of_their_own_are_compared_apart():
    a = table(
        [0.0, 200.0, 50.0, 400.0], [150.0, 150.0, 300.0, 100.0], stimulus=["x", "x", "y", "y"]
    )
    rows = compare_fixations(a, a)
    assert [(row["stimulus"], row["reference"], row["f1"], row["kappa"]) for row in rows] == [
        ("x", 2, 1, 1),
        ("y", 2, 1, 1),
    ]
    (row,) = compare_fixations(a, table([0.0], [150.0]))  # which names none
    assert row["stimulus"] == ""


def test_of_two_fixations_with_one_onset_the_longest_counts():
    a = table([0.0, 0.0, 100.0], [80.0, 50.0, 50.0])
    (row,) = compare_fixations(a, a)
    assert (row["reference"], row["matched"], row["f1"], row["kappa"]) == (2, 2, 1, 1)
    (row,) = compare_fixations(a, table([0.0, 100.0], [80.0, 50.0]))
    assert (row["f1"], row["offset_error_ms"]) == (1, 0)


def test_recordings_of_one_table_only_are_told():
    a, b = (
        table([0.0, 0.0], [9.0, 9.0], recording=np.array(names, object))
        for names in (("p", "q"), ("q", "r"))
    )
    assert [row["recording"] for row in compare_fixations(a, b)] == ["q"]
    assert left_out(a, b) == ["p", "r"]
    assert left_out(table([0.0], [9.0]), table([0.0], [9.0], recording="s")) == []


def test_a_table_without_fixations_matches_none():
    none, some = table([], []), table([0.0, 50.0], [9.0, 9.0], trial=["1", "2"])
    for a, b in ((none, some), (some, none)):
        rows = compare_fixations(a, b)
        assert [(row["matched"], row["f1"]) for row in rows] == [(0, 0), (0, 0)]
        assert left_out(a, b) == []
    assert compare_fixations(none, none) == []
    assert overall([])["f1"] == 1


def test_kappa_is_exact_and_takes_no_longer_for_long_times():
    (row,) = compare_fixations(table([0.0, 1e12], [0.25, 0.5]), table([0.0, 1e12], [0.5, 0.25]))
    assert row["kappa"] == pytest.approx(
        _kappa(1 - 0.5 / (1e12 + 0.5), 0.75 / (1e12 + 0.5), 0.75 / (1e12 + 0.5)), rel=1e-3
    )
