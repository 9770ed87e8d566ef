"""Folders, processes, eyes and trials."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

GOOD = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))
TOBII = (
    "Recording timestamp [ms]\tParticipant name\tRecording name\tGaze point left X\t"
    "Gaze point left Y\t"
    "Gaze point right X\tGaze point right Y\tEvent\tPresented Stimulus name\t"
    "Eye movement type\tSensor\n"
)


def tobii(participant="Ada Test", recording="Ada Test 1"):
    rows = [f"0\t{participant}\t{recording}\t\t\t\t\tstart ada.test@example.org\t\t\t\n"]
    for i in range(60):
        if i == 30:
            rows.append(f"{10 * i}\t{participant}\t{recording}\t\t\t\t\tstart two\t\t\t\n")
        image = "a.png" if i < 30 else "b.png"
        rows.append(
            f"{10 * i}\t{participant}\t{recording}\t100\t200\t140\t260\t\t{image}\t\tEye Tracker\n"
        )
    return TOBII + "".join(rows)


@pytest.fixture
def folder(tmp_path):
    for name in ("exports/a.csv", "exports/deep/b.csv", "exports/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    (tmp_path / "exports" / "readme.txt").write_text("Recorded in spring.\n")
    (tmp_path / "exports" / "damaged.csv").write_text("x,y,t\n1,2,0\n1,two,4\n")
    return tmp_path


def tables(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def test_a_folder_is_its_exports(run, folder):
    result = run("gazetrack convert exports --errors errors.jsonl")
    assert result.code == 1
    assert "of 4 files: 2 converted, 1 skipped, 1 with errors" in result.out
    assert [
        json.loads(line)["file"] for line in (folder / "errors.jsonl").read_text().splitlines()
    ] == ["exports/damaged.csv"]
    assert set(tables(folder)) == {"exports/a.fixations.parquet", "exports/c.fixations.parquet"}
    again = run("gazetrack convert exports --recursive -q")  # its own tables are no exports
    assert again.err.count("\n") == 1
    assert "exports/deep/b.fixations.parquet" in tables(folder)


def test_info_takes_folders_as_convert_does(run, folder):
    result = run("gazetrack info exports")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "damaged.csv:3" in result.err
    assert [line.split(": ")[0] for line in result.out.splitlines() if line[0] != " "] == [
        "exports/a.csv",
        "exports/c.csv",
    ]
    found = json.loads(run("gazetrack info exports/deep exports/a.csv --recursive --json").out)
    assert [facts["file"] for facts in found] == ["exports/deep/b.csv", "exports/a.csv"]
    assert run("gazetrack info exports/readme.txt").code == 1


def test_any_number_of_processes_gives_the_same_bytes(run, folder):
    run("gazetrack convert exports --recursive -q -o one --report one.jsonl")
    result = run("gazetrack convert exports --recursive -q -o two --jobs 2 --report two.jsonl")
    assert result.code == 1
    assert "damaged.csv:3" in result.err
    assert list(tables(folder / "one").values()) == list(tables(folder / "two").values())
    one, two = ((folder / f"{name}.jsonl").read_text() for name in ("one", "two"))
    assert one.replace("one/", "two/") == two


def test_an_empty_folder(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("gazetrack convert empty")
    assert result.code == 1
    assert "a folder without files" in result.err


def read(path):
    return pd.read_parquet(path)


def test_one_eye(run, tmp_path):
    (tmp_path / "a.tsv").write_text(tobii())
    for eye, x in (("auto", 120), ("left", 100), ("right", 140)):
        assert run(f"gazetrack convert a.tsv --eye {eye}").code == 0
        np.testing.assert_allclose(read(tmp_path / "a.fixations.parquet")["x_px"], x)
    (tmp_path / "b.csv").write_text(GOOD)
    result = run("gazetrack convert b.csv --eye left")
    assert result.code == 4
    assert "no samples of the left eye" in result.err


@pytest.mark.parametrize("command", ["convert", "fixations"])
def test_detected_fixations_name_who_was_recorded(run, tmp_path, command):
    both = tobii("Ada", "one") + tobii("Ben", "two").removeprefix(TOBII)
    (tmp_path / "a.tsv").write_text(both)
    assert run(f"gazetrack {command} a.tsv -o out").code == 0
    (path,) = (tmp_path / "out").iterdir()
    table = read(path)
    assert set(zip(table["recording"], table["participant"], strict=True)) == {
        ("one", "Ada"),
        ("two", "Ben"),
    }


def test_detected_fixations_name_nobody_where_nobody_is_to_be_named(run, tmp_path):
    (tmp_path / "a.tsv").write_text(tobii("Ada", "one") + tobii("Ben", "two").removeprefix(TOBII))
    assert run("gazetrack convert a.tsv -o out --participant drop").code == 0
    (path,) = (tmp_path / "out").iterdir()
    assert b"Ada" not in path.read_bytes()
    assert set(read(path)["participant"]) == {""}


def test_people_of_a_plain_table_of_samples_are_its_participants(run, tmp_path):
    rows = "".join(
        f"{who},{image},{100 + i % 3},200,{4 * i}\n"
        for who, image in (("Anna", "of Ben.png"), ("Ben", "b.png"))
        for i in range(200)
    )
    (tmp_path / "a.csv").write_text("participant,stimulus,x,y,t\n" + rows)
    run("gazetrack convert a.csv -o out")
    table = read(tmp_path / "out" / "a.fixations.parquet")
    assert set(zip(table["recording"], table["participant"], strict=True)) == {
        ("Anna", "Anna"),
        ("Ben", "Ben"),
    }
    for policy in ("hash", "drop"):
        assert run(f"gazetrack convert a.csv -o {policy} --participant {policy}").code == 0
        (path,) = (tmp_path / policy).iterdir()
        assert b"Anna" not in path.read_bytes()
        assert b"Ben" not in path.read_bytes()
        assert read(path)["recording"].nunique() == 2
        assert read(path)["participant"].nunique() == (2 if policy == "hash" else 1)


def test_dwell_of_both_eyes_is_kept_when_asked_for_and_said(run, tmp_path):
    (tmp_path / "two.csv").write_text(
        "x,y,t,duration,eye\n1,1,0,100,L\n3,3,0,300,R\n5,5,400,100,L\n7,7,400,300,R\n"
    )
    columns = "--columns x=x,y=y,t=t[ms],duration=duration[ms],eye=eye"
    result = run(f"gazetrack convert two.csv {columns}")
    assert "left out: 2 fixations, of the other eye" in result.out
    assert (
        "the table holds those of the right eye (0.6 s in all, 0.2 s of the left eye)" in result.out
    )
    assert list(read(tmp_path / "two.fixations.parquet")["x_px"]) == [3, 7]
    assert run(f"gazetrack convert two.csv {columns} --eye left").code == 0
    assert list(read(tmp_path / "two.fixations.parquet")["x_px"]) == [1, 5]
    assert (
        "a row of each eye: left and right"
        in run(f"gazetrack convert two.csv {columns} --eye both").out
    )
    assert list(read(tmp_path / "two.fixations.parquet")["x_px"]) == [1, 3, 5, 7]
    meta = json.loads(pq.read_schema(tmp_path / "two.fixations.parquet").metadata[b"gazetrack"])
    assert meta["fixation_eye"] == {
        "asked": "both",
        "held": "left and right",
        "rows": "a row per fixation and eye",
    }
    assert any("group by eye" in note for note in meta["notes"])


def test_info_says_whose_fixations_the_table_holds(run, tmp_path):
    (tmp_path / "two.csv").write_text(
        "x,y,t,duration,eye\n1,1,0,100,L\n3,3,0,300,R\n5,5,400,100,L\n"
    )
    line = "gazetrack info two.csv --columns x=x,y=y,t=t[ms],duration=duration[ms],eye=eye"
    assert "fixation eye: asked auto, held right, rows a row per fixation\n" in run(line).out
    assert "rows a row per fixation and eye\n" in run(f"{line} --eye both").out
    (facts,) = json.loads(run(f"{line} --json").out)
    assert (facts["fixations"], facts["fixation_eye"]["held"]) == (1, "right")
    assert "the eye with more fixation time" in facts["fixation_eye"]["rule"]


def test_trials_by_stimulus_and_by_message(run, tmp_path):
    (tmp_path / "a.tsv").write_text(tobii())
    run("gazetrack convert a.tsv --trial-by stimulus")
    assert list(read(tmp_path / "a.fixations.parquet")["trial"]) == ["1", "2"]
    run("gazetrack convert a.tsv --trial-by 'message=^start (two)?'")
    assert list(read(tmp_path / "a.fixations.parquet")["trial"]) == ["1", "two"]
    for rule, word in (
        ("message=nothing", "none of 2 messages matches"),
        ("noon", "trials by"),
        ("message=(", "pattern"),
    ):
        result = run(f"gazetrack convert a.tsv --trial-by '{rule}'")
        assert result.code != 0
        assert word in result.err
