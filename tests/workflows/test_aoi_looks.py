"""Looks from fixations in any form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import DataError
from gazetrack.tables.store import write_table
from gazetrack.workflows.aoi_looks import aoi_looks
from gazetrack.workflows.measures import measure_aois
from tests.aoi_tables import area, areas, box, halves, own_json, rectangle, table


def test_frames_files_and_folders_give_the_same_looks(tmp_path):
    fixations = table([10, 90, 20], [50, 50, 50])
    write_table(tmp_path / "a.fixations.parquet", fixations, {})
    own_json(tmp_path / "aois.json", rectangle("face", 0, 0, 50, 100))
    from_frame = aoi_looks(fixations.to_pandas(), tmp_path / "aois.json")
    assert from_frame["aoi"].tolist() == ["face", "(outside)", "face"]
    for tables in (tmp_path / "a.fixations.parquet", [tmp_path], fixations):
        pd.testing.assert_frame_equal(aoi_looks(tables, tmp_path / "aois.json"), from_frame)


def test_they_add_up_to_the_dwell_and_take_the_same_options():
    rng = np.random.default_rng(0)
    fixations = table(rng.uniform(0, 100, 40), rng.uniform(0, 100, 40))
    for choices in ({}, {"margin_px": 8.0}):
        looks = aoi_looks(fixations, halves(), **choices)
        lasts = (looks["end_ms"] - looks["begin_ms"]).groupby(looks["aoi"]).sum()
        measures = measure_aois(fixations, halves(), **choices).set_index("aoi")
        for name in ("left", "right"):
            assert lasts[name] == pytest.approx(measures.loc[name, "dwell_ms"])


def test_areas_of_other_stimuli_are_refused():
    with pytest.raises(DataError, match="none of its stimuli has areas"):
        aoi_looks(table([10], [50], stimulus="dog.png"), halves())


def test_every_fixation_has_the_area_that_it_is_in(tmp_path):
    fixations = table([10, 60, 20], [5] * 3)
    path = tmp_path / "a.fixations.parquet"
    write_table(path, fixations, {})
    aois = areas(area("left", box(0, 0, 50, 100)), area("eye", box(0, 0, 15, 15)))
    for tables in (fixations, path, [path]):
        found = gazetrack.label_fixations(tables, aois)
        assert found["aoi"].tolist() == ["eye", "(outside)", "left"]
        assert found["begin_ms"].tolist() == [0, 200, 400]
        assert found["stimulus"].tolist() == ["cat.png"] * 3
