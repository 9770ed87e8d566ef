"""Charts: round ticks, and nothing where there is nothing."""

from __future__ import annotations

import itertools

import pytest

from gradtrack_model.study.report.charts import chart, ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.745, 0.7688), (3, 3), (0, 0), (-2, 5), (1e-6, 1e6)]
)
def test_ticks_are_round_and_hold_the_values(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low
    assert found[-1] >= high
    steps = {f"{b - a:.6g}" for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
    assert steps.pop().strip("0.")[0] in "125"


def test_a_chart_of_nothing_is_none():
    assert chart("x", {"a": [], "b": [(1.0, float("nan"))]}) is None
    one = chart("x", {"a": [(1.0, 2.0)]}, mark=1.0)
    assert one.lines[0].points == "52.0,224.0"
