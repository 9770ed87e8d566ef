"""gazetrack run takes what is in the study now: people and files that have left it are named."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from gazetrack.simulate.study import write_study

TEXT = """
[study]
inputs = ["exports"]
images = "images"

[convert]

[[measures]]
masks = "masks"
aoi-name = "lesion"
"""


@pytest.fixture
def study(run, tmp_path):
    write_study(tmp_path, n_readers=3, n_images=2)
    (tmp_path / "study.toml").write_text(TEXT)
    assert run("gazetrack run study.toml -q").code == 0
    return tmp_path


def participants(study):
    table = pq.read_table(study / "results" / "measures.parquet")
    return sorted(set(table["recording"].to_pylist()))


def test_an_export_that_has_left_the_study_is_in_no_later_step(run, study):
    (study / "exports" / "reader-03.asc").unlink()
    result = run("gazetrack run study.toml -q")
    assert result.code == 0
    assert participants(study) == ["reader-01", "reader-02"]
    assert "1 table in results/tables is of no recording of this study as it is" in result.err
    assert "reader-03.fixations.parquet; it is not used" in result.err
    # Nothing has changed since, and the table is still named.
    again = run("gazetrack run study.toml --json")
    measures = json.loads(again.out)[-1]
    assert (measures["made"], measures["kept"], len(measures["notes"])) == (0, 2, 1)
    assert run("gazetrack run study.toml -q --only measures").code == 0
    assert participants(study) == ["reader-01", "reader-02"]


def test_a_renamed_export_and_a_table_of_somebody_else_are_not_counted(run, study):
    (study / "exports" / "reader-01.asc").rename(study / "exports" / "subject-A.asc")
    tables = study / "results" / "tables"
    (tables / "foreign.fixations.parquet").write_bytes(
        (tables / "reader-02.fixations.parquet").read_bytes()
    )
    result = run("gazetrack run study.toml -q")
    assert result.code == 0
    assert participants(study) == ["reader-02", "reader-03", "subject-A"]
    assert "foreign.fixations.parquet, reader-01.fixations.parquet" in result.err


@pytest.mark.parametrize("policy", ["drop", "hash"])
def test_another_policy_for_names_doubles_nobody(run, study, policy):
    text = TEXT.replace("[convert]", f'participant = "{policy}"\n[convert]')
    (study / "study.toml").write_text(text)
    result = run("gazetrack run study.toml -q")
    assert result.code == 0, result.err
    assert len(participants(study)) == 3
    assert not set(participants(study)) & {"reader-01", "reader-02", "reader-03"}
    assert "3 tables in results/tables are of no recording of this study" in result.err


def test_an_export_that_nobody_recognises_any_more_has_failed(run, study):
    (study / "exports" / "reader-02.asc").write_text("this is not gaze")
    (study / "exports" / "notes.txt").write_text("this never was")
    result = run("gazetrack run study.toml -q")
    assert result.code == 1
    assert "reader-02.asc: was converted before, and now no reader recognises it" in result.err
    assert "notes.txt" not in result.err
    assert participants(study) == ["reader-01", "reader-03"]


def test_maps_that_were_made_in_part_count_as_made(run, study):
    (study / "study.toml").write_text(TEXT.partition("[[measures]]")[0] + "[render]\nlevels = 1\n")
    next((study / "images").iterdir()).unlink()
    result = run("gazetrack run study.toml --json")
    assert result.code == 1
    render = json.loads(result.out)[-1]
    assert (render["recordings"], render["made"], render["failed"]) == (3, 3, 3)
    assert (study / "results" / "maps" / "maps.parquet").exists()
