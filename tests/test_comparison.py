"""Two tables of fixations compared."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.comparison import compare_fixations, overall
from gazetrack.errors import DataError
from gazetrack.schema import FIXATIONS, conform


def table(onsets, durations, recording="r", eye="both", trial=""):
    return conform(
        {"recording": recording, "eye": eye, "trial": trial, "onset_ms": onsets, "duration_ms": durations}, FIXATIONS
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
    assert [row["eyes"] for row in compare_fixations(table([0.0], [90.0]), eyes)] == ["both, left", "both, right"]


def test_a_trial_that_one_table_lacks_counts_against_it():
    a = table([0.0, 1000.0], [100.0, 100.0], trial=np.array(["1", "2"], object))
    b = table([0.0], [100.0], trial=np.array(["1"], object))
    rows = compare_fixations(a, b)
    assert [(row["trial"], row["f1"]) for row in rows] == [("1", 1), ("2", 0)]
    assert overall(rows)["f1"] == pytest.approx(2 / 3)
    unnamed = table([0.0, 1000.0], [100.0, 100.0])
    assert [row["f1"] for row in compare_fixations(a, unnamed)] == [1]
