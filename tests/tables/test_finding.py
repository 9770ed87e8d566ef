"""Which tables of a folder are taken: one of each recording, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ConfigError
from gazetrack.tables.finding import choose_tables, find_tables, tables_among
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table

EXPORT = {"source": {"file": "r.asc", "sha256": "1"}}
DETECTED = EXPORT | {"detector": {"name": "auto"}}


def write(path, meta=None, **names):
    """Write a table of one fixation; `names` are its recording, participant and stimulus."""
    named = {"recording": "r", "stimulus": "p.png"} | names
    columns = {name: np.array([value], object) for name, value in named.items()}
    table = conform(columns | {"onset_ms": np.zeros(1), "duration_ms": np.ones(1)}, FIXATIONS)
    path.parent.mkdir(exist_ok=True)
    write_table(path, table, meta or {})
    return path


def test_exported_fixations_come_before_those_of_convert_before_those_beside_them(tmp_path):
    beside = write(tmp_path / "r.auto.fixations.parquet", DETECTED)
    assert find_tables(tmp_path).paths == (beside,)
    detected = write(tmp_path / "s.fixations.parquet", DETECTED)
    found = find_tables(tmp_path)
    assert found.paths == (detected,)
    note = (
        "took s.fixations.parquet (fixations detected by auto) and left out "
        "r.auto.fixations.parquet (fixations detected by auto): they hold the same recording; "
        "name tables to choose others"
    )
    assert found.notes == (note,)
    exported = write(tmp_path / "z.fixations.parquet", EXPORT)
    found = find_tables(tmp_path)
    assert found.paths == (exported,)
    assert len(found.notes) == 2


@pytest.mark.parametrize("name", ["recording", "participant", "stimulus"])
def test_tables_of_other_gaze_are_all_taken(tmp_path, name):
    paths = tuple(
        write(tmp_path / f"{value}.fixations.parquet", EXPORT, **{name: value}) for value in "ab"
    )
    found = find_tables(tmp_path)
    assert (found.paths, found.notes) == (paths, ())


def test_neither_of_two_alike_is_chosen(tmp_path):
    for detector in ("auto", "idt"):
        meta = EXPORT | {"detector": {"name": detector}}
        write(tmp_path / f"r.{detector}.fixations.parquet", meta)
    with pytest.raises(ConfigError, match="hold the same recording, r") as caught:
        find_tables(tmp_path)
    assert "name the tables" in caught.value.hint


def test_a_folder_without_tables_is_refused_and_those_in_it_are_not_looked_through(tmp_path):
    write(tmp_path / "inner" / "r.fixations.parquet")
    (tmp_path / "r.samples.parquet").write_text("")
    with pytest.raises(ConfigError, match=r"no \*\.fixations\.parquet in") as caught:
        find_tables(tmp_path)
    assert "gazetrack convert" in caught.value.hint


def test_named_tables_are_taken_whatever_they_hold_and_folders_are_looked_through(tmp_path):
    exported = write(tmp_path / "a" / "r.fixations.parquet", EXPORT)
    detected = write(tmp_path / "a" / "r.auto.fixations.parquet", DETECTED)
    assert tables_among([detected, exported]).paths == (detected, exported)
    found = tables_among([tmp_path / "a", detected])
    assert found.paths == (exported, detected)
    assert "left out r.auto.fixations.parquet" in found.notes[0]


def test_a_table_named_twice_is_refused_and_once_with_its_folder_it_is_one(tmp_path):
    path = write(tmp_path / "r.fixations.parquet", EXPORT)
    assert tables_among([tmp_path, tmp_path]).paths == (path,)
    with pytest.raises(ConfigError, match="named twice"):
        tables_among([path, str(path)])


def test_two_files_with_one_name_of_a_recording_are_two(tmp_path):
    one, two = (
        write(tmp_path / f"{name}.fixations.parquet", {"source": {"file": name, "sha256": name}})
        for name in ("one", "two")
    )
    found = find_tables(tmp_path)
    assert found.paths == (one, two)
    assert found.notes == (
        (
            "one.fixations.parquet and two.fixations.parquet both name a recording "
            "r: taken as two, of two files"
        ),
    )


def test_tables_of_other_programs_are_never_taken_for_the_same(tmp_path):
    for name in ("one", "two"):
        pd.DataFrame({"stimulus": ["p"], "x": [1.0]}).to_parquet(
            tmp_path / f"{name}.fixations.parquet"
        )
    (tmp_path / "three.fixations.parquet").write_text("no table")
    found = find_tables(tmp_path)
    assert (len(found.paths), found.notes) == (3, ())


def test_nothing_is_chosen_of_nothing():
    assert choose_tables([]).paths == ()
