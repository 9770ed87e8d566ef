"""Fixations with the areas of interest that they are in."""

from __future__ import annotations

import gazetrack
from gazetrack.tables.store import write_table
from tests.aoi_tables import area, areas, box, table


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
