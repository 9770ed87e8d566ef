"""Areas of interest measured in one table: rows, and what is left out."""

from __future__ import annotations

import numpy as np

import gazetrack
from gazetrack.tables.store import write_table
from gazetrack.workflows.aoi_files import measure_files
from gazetrack.workflows.aoi_options import aoi_options
from tests.aoi_tables import NAN, halves, table


def write(path, fixations, **meta):
    write_table(path, fixations, meta)
    return path


def test_rows_in_are_rows_used_and_those_dropped_by_reason(tmp_path):
    stimuli = np.array(["cat", "dog", "cat"], object)
    path = write(tmp_path / "a.fixations.parquet", table([1, 2, NAN], [5] * 3, stimulus=stimuli))
    (outcome,) = measure_files([path], halves(), aoi_options()).outcomes
    assert outcome.rows_in == 3
    assert outcome.dropped == {"no position": 1, "no areas of interest": 1}
    from_gaze = "3 trials begin with their first fixation: when their image appeared"
    assert outcome.notes == [
        f"{from_gaze} is not in the table (--trials says it)",
        "1 stimuli have no areas of interest: dog",
    ]


def test_stated_trials_without_gaze_are_rows(tmp_path):
    path = write(tmp_path / "a.fixations.parquet", table([10, 60], [5] * 2))
    (tmp_path / "trials.csv").write_text(
        "recording,trial,stimulus,onset_ms,duration_ms\n"
        "r,1,cat.png,0,1000\nr,2,cat.png,1000,500\ns,1,cat.png,0,700\ns,1,dog.png,0,700\n"
    )
    for tables in (path, table([10, 60], [5] * 2)):
        found = gazetrack.measure_aois(tables, halves(), trials=tmp_path / "trials.csv")
        left = found[found["aoi"] == "left"]
        names = ["recording", "trial", "fixations", "trial_ms", "observed_ms"]
        assert left[names].to_numpy().tolist() == [
            ["r", "1", 1, 1000, 0],
            ["r", "2", 0, 500, 500],
            ["s", "1", 0, 700, 700],
        ]
