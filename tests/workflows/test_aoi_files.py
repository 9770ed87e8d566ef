"""Areas of interest measured in many files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import DataError, SchemaError
from gazetrack.tables.store import write_table
from gazetrack.workflows.aoi_files import measure_files
from gazetrack.workflows.aoi_options import aoi_options
from tests.aoi_tables import NAN, area, areas, box, halves, table


def write(path, fixations, **meta):
    write_table(path, fixations, meta)
    return path


def test_a_bad_table_leaves_the_others_alone(tmp_path):
    good = write(tmp_path / "good.fixations.parquet", table([10], [5]))
    other = table([10], [5], image_width_px=NAN, image_height_px=NAN)
    bad = write(tmp_path / "bad.fixations.parquet", other)
    missing = tmp_path / "none.fixations.parquet"
    report = measure_files([good, bad, missing], halves(), aoi_options())
    assert [outcome.status for outcome in report.outcomes] == ["ok", "failed", "failed"]
    assert report.outcomes[1].error.path == bad
    assert report.tables.measures.num_rows == 2
    with pytest.raises(SchemaError):
        gazetrack.measure_aois([good, bad], halves())


@pytest.mark.slow
def test_the_tables_do_not_depend_on_the_number_of_processes(tmp_path):
    paths = [
        write(tmp_path / f"{name}.fixations.parquet", table([k, 60], [5] * 2, recording=name))
        for k, name in enumerate("abc")
    ]
    one = measure_files(paths, halves(), aoi_options())
    two = measure_files(paths, halves(), aoi_options(), jobs=2)
    for name in ("measures", "transitions", "entropy"):
        here, there = (getattr(each.tables, name).to_pandas() for each in (one, two))
        pd.testing.assert_frame_equal(here, there)
    assert one.tables.measures["recording"].to_pylist() == ["a", "a", "b", "b", "c", "c"]


def test_areas_of_an_unknown_stimulus_are_told_with_the_closest_name(tmp_path):
    stimuli = np.array(["cat", "mouse1"], object)
    path = write(tmp_path / "a.fixations.parquet", table([1, 2], [5] * 2, stimulus=stimuli))
    cat = halves().stimuli[0]
    mouse = areas(area("a", box(0, 0, 9, 9)), stimulus="mouze1").stimuli[0]
    report = measure_files([path], gazetrack.AoiSet(stimuli=(cat, mouse)), aoi_options())
    assert report.notes == ("1 stimuli with areas are in no table: mouze1; did you mean 'mouse1'?",)
    with pytest.raises(DataError, match="none of its stimuli has areas of interest: 'cat'"):
        gazetrack.measure_aois(path, gazetrack.AoiSet(stimuli=(mouse,)))


def test_stated_trials_of_recordings_that_no_table_has_are_told(tmp_path):
    paths = [
        write(tmp_path / f"{name}.fixations.parquet", table([10], [5], recording=name))
        for name in ("r1", "r2")
    ]
    trials = tmp_path / "trials.csv"
    row = "{},cat,0,900\n".format
    trials.write_text("recording,stimulus,onset_ms,duration_ms\n" + row("r1") + row("r9"))
    report = measure_files(paths[:1], halves(), aoi_options(trials=trials))
    assert report.tables.measures["recording"].to_pylist() == ["r1", "r1", "r9", "r9"]
    (note,) = report.notes
    assert "1 recordings of the stated trials are in no table" in note
    assert note.endswith(": r9")
    # Where a table failed, it may be the one: nobody is said never to have looked.
    report = measure_files(paths, halves(), aoi_options(trials=trials))
    assert report.outcomes[1].error.path == paths[1]
    assert report.tables.measures["recording"].to_pylist() == ["r1", "r1"]
