"""What a conversion would do: the same as it does, with nothing done."""

from __future__ import annotations

import pytest

from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.plan import plan_conversion

GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},200,{4 * i}\n" for i in range(300))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    for name in "abc":
        (tmp_path / "exports" / f"{name}.csv").write_text(GAZE)
    (tmp_path / "exports" / "notes.txt").write_text("Monday: calibrated twice.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_planned_is_what_is_done(folder):
    options = ConvertOptions(out="tables")
    before = everything(folder)
    plan = plan_conversion(["exports"], options, "study.jsonl")
    assert everything(folder) == before
    assert [(each.action, each.why) for each in plan] == [("convert", "new")] * 3 + [("skip", "")]
    assert plan[0].format == "generic"
    outcomes = list(convert_files(["exports"], options, manifest="study.jsonl"))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok", "ok", "skipped"]


def test_what_is_done_is_not_planned_again(folder):
    options = ConvertOptions(out="tables")
    list(convert_files(["exports"], options, manifest="study.jsonl"))
    (folder / "exports" / "b.csv").write_text(GAZE + "100,200,1200\n")
    before = everything(folder)
    plan = plan_conversion(["exports"], options, "study.jsonl")
    assert [each.action for each in plan] == ["done", "convert", "done", "skip"]
    assert plan[1].why == "the recording has changed"
    other = plan_conversion(["exports"], ConvertOptions(out="tables", eye="left"), "study.jsonl")
    assert {each.why for each in other[:3]} >= {"other parameters: eye"}
    assert everything(folder) == before


def test_without_a_manifest_all_is_new(folder):
    list(convert_files(["exports"], ConvertOptions(out="tables")))
    plan = plan_conversion(["exports"], ConvertOptions(out="tables"))
    assert [each.action for each in plan] == ["convert", "convert", "convert", "skip"]


def test_what_would_fail_is_told(folder):
    plan = plan_conversion(["exports/notes.txt", "none.csv"], ConvertOptions())
    assert [each.action for each in plan] == ["fail", "fail"]
    assert "none.csv" in str(plan[1].error)


def test_files_that_are_not_to_be_named_are_not(folder):
    options = ConvertOptions(pseudonyms=Pseudonyms("drop"))
    plan = plan_conversion(["exports/a.csv", "exports/none.csv"], options)
    assert [each.file for each in plan] == ["input 1 of 2", "input 2 of 2"]
    assert "none" not in str(plan[1].error)
