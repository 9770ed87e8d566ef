"""Looks at areas of interest, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.hits import find_hits
from gazetrack.measures.looks import LOOKS, NEVER, looks_of
from gazetrack.measures.trials import trials_of
from tests.aoi_tables import area, areas, box, halves, table


def looks(fixations, aois):
    trials = trials_of(fixations, {})
    hits = find_hits(trials, aois)
    return looks_of(trials, hits), hits


def rows(found):
    return found[["aoi", "fixation", "begin_ms", "end_ms"]].to_numpy().tolist()


def test_every_fixation_has_a_row_for_each_area_or_one_outside():
    aois = areas(area("wide", box(0, 0, 60, 100)), area("left", box(0, 0, 50, 100)))
    found, _ = looks(table([10, 55, 90], [50, 50, 50]), aois)
    assert rows(found) == [
        ["wide", 0, 0, 100],
        ["left", 0, 0, 100],
        ["wide", 1, 200, 300],
        [OUTSIDE, 2, 400, 500],
    ]
    assert list(found.columns) == LOOKS
    assert set(found["trial_ms"]) == {500.0}


def test_an_area_that_was_never_looked_at_has_a_row_in_every_trial():
    trials = np.array(["1", "1", "2"], object)
    found, _ = looks(table([10, 20, 90], [50, 50, 50], trial=trials), halves())
    never = found[found["fixation"] == NEVER]
    assert never[["trial", "aoi"]].to_numpy().tolist() == [["1", "right"], ["2", "left"]]
    assert never[["begin_ms", "end_ms"]].isna().all().all()


def test_an_area_counts_while_it_is_there():
    aois = areas(
        area("late", box(0, 0, 50, 100), onset_ms=40.0),
        area("early", box(0, 0, 50, 100), offset_ms=220.0),
    )
    found, hits = looks(table([10, 10], [50, 50]), aois)
    assert rows(found) == [
        ["late", 0, 40, 100],
        ["early", 0, 0, 100],
        ["late", 1, 200, 300],
        ["early", 1, 200, 220],
    ]
    lasts = (found["end_ms"] - found["begin_ms"]).groupby(found["aoi"]).sum()
    (one,) = hits.by_stimulus
    assert lasts["late"] == pytest.approx(one.in_aoi_ms[0].sum())


def test_without_areas_there_are_no_looks():
    trials = trials_of(table([10], [50]), {})
    nothing = type(find_hits(trials, halves()))((), {}, ())
    assert list(looks_of(trials, nothing).columns) == LOOKS
