"""What lies beside an export belongs to it."""

from __future__ import annotations

import pytest

from gazetrack.workflows.study.reads import files_of_exports

PHYSIO = "sub-01_task-look_recording-eye1_physio"


@pytest.fixture
def exports(tmp_path):
    for name in (f"{PHYSIO}.tsv.gz", f"{PHYSIO}.json", "raw.csv", "other.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "deep.csv").write_text("x")
    return tmp_path


def names(paths, **how):
    return sorted(path.name for path in files_of_exports(paths, **how))


def test_an_export_comes_with_its_sidecar_alone(exports):
    gaze = exports / f"{PHYSIO}.tsv.gz"
    # BIDS looks into the folders above as well, whatever lies there.
    found = [path.name for path in files_of_exports([gaze]) if path.parent == exports]
    assert sorted(found) == [f"{PHYSIO}.json", gaze.name]
    assert names([exports / "raw.csv"]) == ["raw.csv"]


def test_a_folder_is_all_of_its_files(exports):
    assert "other.csv" in names([exports])
    assert "deep.csv" not in names([exports])
    assert "deep.csv" in names([exports], recursive=True)


def test_what_is_not_there_or_empty_is_for_who_reads_it_to_say(exports):
    (exports / "empty").mkdir()
    assert names([exports / "empty"]) == []
    assert names([exports / "gone.csv"]) == []
