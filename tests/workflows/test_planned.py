"""What a recording's first bytes say of what would become of it."""

from __future__ import annotations

import pytest

from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.pairs import find_pairs
from gazetrack.workflows.planned import Planned, planned
from gazetrack.workflows.read import InputOptions

OPTIONS = InputOptions()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "a.csv").write_text("x,y,t\n1,2,3\n")
    (tmp_path / "exports" / "a.tsv").write_text("x\ty\tt\n1\t2\t3\n")
    (tmp_path / "exports" / "notes.txt").write_text("Monday: calibrated twice.")
    monkeypatch.chdir(tmp_path)


def of(path, why="new", action="measure"):
    sources = find_sources(["exports"] if path is None else [path])
    return [planned(source, why, OPTIONS, action=action) for source in sources]


def test_what_is_known_is_done_and_what_is_unknown_is_skipped_in_a_folder_alone():
    a, b, notes = of(None)
    assert (a.action, a.why, a.format) == ("measure", "new", "generic")
    assert (b.action, notes.action) == ("measure", "skip")
    (named,) = of("exports/notes.txt")
    assert named.action == "fail"
    assert "notes.txt" in str(named.error)


def test_what_is_done_is_not_looked_into():
    (one,) = of("exports/none.csv", why="")
    assert one == Planned("exports/none.csv", "done")


def test_two_for_one_place_may_be_measured_and_not_converted():
    assert [one.action for one in of(None, action="convert")] == ["convert", "fail", "skip"]


def test_what_is_not_to_be_named_is_not():
    ((source, files),) = find_pairs(["exports/none.csv"], OPTIONS, out=None, names_files=False)
    one = planned(source, "new", OPTIONS, action="convert", unnamed=files[0])
    assert (one.file, one.action) == ("input 1 of 1", "fail")
    assert "none" not in str(one.error)
