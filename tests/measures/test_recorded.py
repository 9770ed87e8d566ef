"""Hits that a tracker's software has recorded, for its own fixations."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError
from gazetrack.measures.dwell import aoi_measures
from gazetrack.measures.recorded import recorded_aois, recorded_hits
from gazetrack.measures.transitions import transitions
from gazetrack.measures.trials import trials_of
from tests.aoi_tables import table


def aois(hits):
    return recorded_aois({"cat": ("face", "eye")}, hits, {})


BOTH = frozenset({"face", "eye"})
ONE = {"": {1: BOTH, 2: frozenset(), 3: frozenset({"face"})}}


def test_the_fixations_that_were_hits_are_those_in_the_areas():
    trials = trials_of(table([1, 2, 3], [1, 2, 3]), {})
    hits = recorded_hits(trials, aois(ONE), {})
    (found,) = hits.by_stimulus
    assert found.in_aoi_ms.tolist() == [[100, 0, 100], [100, 0, 0]]
    looks = aoi_measures(trials, hits).to_pandas()
    assert looks["visits"].tolist() == [2, 1]
    assert looks["area_share"].isna().all()
    steps, _ = transitions(trials, hits)
    own = steps.to_pandas().query("states == 'aois+outside'")
    # Without a size, the first of areas that overlap.
    assert own["from_aoi"].tolist() == ["face", "(outside)"]


def test_recordings_are_found_by_their_names():
    names = np.array(["anna", "x_Rec 1"], object)
    trials = trials_of(table([1, 2], [1, 2], recording=names), {})
    hits = {"anna": {1: BOTH}, "Rec 1": {2: BOTH}}
    (found,) = recorded_hits(trials, aois(hits), {}).by_stimulus
    assert (found.in_aoi_ms > 0).all()
    with pytest.raises(DataError, match="recording 'x_Rec 1' is not among those"):
        recorded_hits(trials, aois({"anna": {1: BOTH}, "ben": {}}), {})


def test_hits_are_of_the_exports_own_fixations_and_of_its_stimuli():
    trials = trials_of(table([1], [1]), {})
    with pytest.raises(ConfigError, match="holds detected fixations"):
        recorded_hits(trials, aois(ONE), {"detector": {"name": "ivt"}})
    with pytest.raises(DataError, match="none of its stimuli has AOI hits"):
        recorded_hits(trials_of(table([1], [1], stimulus="dog"), {}), aois(ONE), {})
    stimuli = np.array(["cat", "dog"], object)
    found = recorded_hits(trials_of(table([1, 2], [1, 2], stimulus=stimuli), {}), aois(ONE), {})
    assert found.without == {"dog": 1}
