from __future__ import annotations

import math
from types import SimpleNamespace

from gradtrack_model.study.surface_columns import header, known_means, texts, titles


def result(scores, volumes=None):
    return SimpleNamespace(scores={"plain": scores}, volumes={"plain": volumes or {}})


def test_means_are_over_what_has_a_value():
    one = result(
        {
            "a": {"dice": 1.0, "surface_dice_px": 0.5},
            "b": {"dice": 0.0, "surface_dice_px": math.nan},
        },
        {"v": {"dice": 0.5, "hd95_mm": 3.0}},
    )
    other = result(
        {"a": {"surface_dice_px": 0.7}, "b": {"surface_dice_px": math.nan}},
        {"v": {"dice": 0.7, "hd95_mm": math.nan}},
    )
    found = known_means([one, other], "plain")
    assert found == {
        "surface_dice_px": {"mean": 0.6, "n": 1, "n_empty": 1},
        "volume_dice": {"mean": 0.6, "n": 1, "n_empty": 0},
        "volume_hd95_mm": {"mean": 3.0, "n": 1, "n_empty": 0},
    }
    lines = [{"surfaces": found}, {"surfaces": {}}]
    names = header(lines)
    assert titles(names) == ["surface Dice, px", "Dice of volumes", "HD95 mm of volumes"]
    assert texts(lines[0], names) == ["0.600 (1 empty)", "0.600", "3.00"]
    assert texts(lines[1], names) == ["", "", ""]


def test_results_without_surfaces_have_no_columns():
    found = known_means([result({"a": {"dice": 1.0}})], "plain")
    assert found == {}
    assert header([{"surfaces": found}]) == []
