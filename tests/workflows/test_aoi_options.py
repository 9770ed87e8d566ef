"""What a user may choose when measuring areas."""

from __future__ import annotations

import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.workflows.aoi_options import aoi_options
from tests.aoi_tables import halves, table


def test_options_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="max_gap_ms"):
        aoi_options(max_gap_ms=-1)


def test_an_unknown_option_is_refused_with_the_nearest():
    measures = (
        gazetrack.measure_aois,
        gazetrack.aoi_transitions,
        gazetrack.aoi_looks,
        gazetrack.label_fixations,
    )
    for measure in measures:
        with pytest.raises(TypeError, match=r"argument 'margin': did you mean 'margin_px'\? known"):
            measure(table([10], [5]), halves(), margin=30)
    with pytest.raises(TypeError, match="did you mean 'eye'"):
        aoi_options(eyes="left")


def test_a_placement_is_looked_at_also_where_nobody_needs_it():
    with pytest.raises(ConfigError, match="middle"):
        gazetrack.measure_aois(table([10], [5]), halves(), placement="middle")
    assert aoi_options(placement="1,2,30,40").placement == "1,2,30,40"
