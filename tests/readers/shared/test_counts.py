"""Reasons are told with the rows that they took; those that took none are not."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gazetrack.readers.shared.counts import counted


def test_rows_are_counted_and_reasons_without_rows_left_out():
    timed = np.array([True, False, True, False])
    none = np.zeros(4, bool)
    reasons = {"no time": ~timed, "row cut off": 1, "no gaze": none, "other streams": 0}
    found = counted(reasons)
    assert found == {"no time": 2, "row cut off": 1}
    assert list(found) == ["no time", "row cut off"]
    assert {type(count) for count in found.values()} == {int}
    assert counted(Counter(a=2, b=0)) == {"a": 2}
    assert counted({"no time": np.zeros(0, bool)}) == {}
