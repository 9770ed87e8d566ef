"""One recording in two files is refused, whatever is measured."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import DataError
from gazetrack.tables.store import write_table
from gazetrack.workflows.gaze_paths import place_on
from gazetrack.workflows.saliency import score_saliency_files
from gazetrack.workflows.scanpaths import compare_scanpath_files
from gazetrack.workflows.twins import refuse_twins
from tests.aoi_tables import halves, table


@pytest.fixture
def two(tmp_path):
    paths = [tmp_path / f"{name}.fixations.parquet" for name in "xyz"]
    for path, recording in zip(paths, "rrs", strict=True):
        write_table(path, table([10, 60], [5, 5], recording=recording, participant="p"), {})
    return paths


def test_both_files_are_named_and_others_pass():
    refuse_twins([("x", {("r", "cat")}), ("y", {("r", "dog"), ("s", "cat")})])
    with pytest.raises(DataError, match=r"^x and y both hold 'r cat'"):
        refuse_twins([("x", {("r", "cat")}), ("z", []), ("y", [("r", "cat")])])


def test_areas_scanpaths_and_maps(two, tmp_path):
    np.save(tmp_path / "cat.npy", np.arange(100 * 100.0).reshape(100, 100))
    maps = tmp_path / "cat.npy"
    measures = (
        lambda paths: gazetrack.measure_aois(paths, halves()),
        lambda paths: compare_scanpath_files(paths, place_on(None, None), ["dtw"]),
        lambda paths: score_saliency_files(maps.parent, paths),
    )
    for measure in measures:
        with pytest.raises(DataError, match=r"x\.fix.* and .*y\.fix.* both hold 'r p cat"):
            measure(two)
        measure(two[1:])
