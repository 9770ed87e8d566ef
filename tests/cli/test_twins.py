"""Files of one name by several people stay several; files of one recording become one."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import gazetrack
from tests.pupil_files import write_cloud, write_core

PEOPLE = ("s01", "s02", "s03")
GAZE = "x,y,t\n" + "".join(
    f"{[100, 400][i // 70 % 2] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(210)
)
# (onset_ms, duration_ms, x_px, y_px): the first begins after the first sample, so that clocks must
# be aligned.
FIXATIONS = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0), (1050.0, 250, 500.0, 350.0))


def onsets(n_person):
    return tuple((t + 10 * n_person, d, x + n_person, y) for t, d, x, y in FIXATIONS)


@pytest.fixture
def study(tmp_path):
    """Three people, the same file names in the folder of each, as in every Pupil Labs study."""
    for n, person in enumerate(PEOPLE):
        write_core(tmp_path / person, onsets(n), blinks=((600.0, 80),))
    return tmp_path


def read(path):
    return pd.read_parquet(path)


def check_tables(paths):
    for n, (person, path) in enumerate(zip(PEOPLE, paths, strict=True)):
        table = read(path)
        assert set(table["recording"]) == {person}
        np.testing.assert_allclose(
            table[["onset_ms", "duration_ms", "x_px", "y_px"]], onsets(n), atol=1e-3
        )


def test_people_with_files_of_one_name_are_several_recordings(run, study):
    result = run("gazetrack convert s01 s02 s03 -o out")
    assert result.code == 0, result.err
    assert sorted(p.name for p in (study / "out").iterdir()) == [
        f"{p}.fixations.parquet" for p in PEOPLE
    ]
    check_tables([study / "out" / f"{person}.fixations.parquet" for person in PEOPLE])
    assert run("gazetrack convert . --recursive --jobs 2 -q").code == 0
    check_tables([study / person / "gaze_positions.fixations.parquet" for person in PEOPLE])


def test_each_call_gives_the_names_that_one_call_gives(run, study):
    run("gazetrack convert s01 s02 s03 -o out")
    for person in PEOPLE:
        assert run(f"gazetrack convert {person} -o apart").code == 0
        table = f"{person}.fixations.parquet"
        assert (study / "out" / table).read_bytes() == (study / "apart" / table).read_bytes()


def test_every_command_gives_the_same_names(run, study):
    files = " ".join(f"{person}/gaze_positions.csv" for person in PEOPLE)
    rows = json.loads(run(f"gazetrack quality {files} --json").out)
    assert [row["recording"] for row in rows] == list(PEOPLE)
    assert [
        row["recording"] for row in json.loads(run("gazetrack quality . --recursive --json").out)
    ] == list(PEOPLE)
    facts = json.loads(run(f"gazetrack info {files} --json").out)
    assert [one["recordings"] for one in facts] == [[person] for person in PEOPLE]
    assert run(f"gazetrack fixations {files} -o out").code == 0
    for person in PEOPLE:
        assert set(read(study / "out" / f"{person}.auto.fixations.parquet")["recording"]) == {
            person
        }
    assert set(
        gazetrack.read(study / "s02" / "gaze_positions.csv").sample_table["recording"].to_pylist()
    ) == {"s02"}


def test_gaze_fixations_and_blinks_of_a_folder_are_one_recording(run, study):
    result = run("gazetrack convert s01 --samples --events --report r.jsonl")
    assert result.code == 0, result.err
    assert "s01/fixations.csv: read with s01/gaze_positions.csv, as one recording" in result.out
    assert sorted(p.name for p in (study / "s01").glob("*.parquet")) == [
        f"gaze_positions.{kind}.parquet" for kind in ("events", "fixations", "samples")
    ]
    events, samples = (
        read(study / "s01" / f"gaze_positions.{kind}.parquet") for kind in ("events", "samples")
    )
    assert events["kind"].value_counts().to_dict() == {"fixation": 3, "blink": 1}
    assert events["onset_ms"].is_monotonic_increasing
    blink = events[events["kind"] == "blink"].iloc[0]
    assert (blink["onset_ms"], blink["duration_ms"]) == pytest.approx((600, 80), abs=1e-3)
    table = read(study / "s01" / "gaze_positions.fixations.parquet")
    for row in table.itertuples():
        own = samples[
            (samples["t_ms"] >= row.onset_ms) & (samples["t_ms"] < row.onset_ms + row.duration_ms)
        ]
        assert (
            len(own) == row.n_samples > 20
        )  # the tracker's fixation and our samples are on one clock
        assert own["x_px"].mean() == pytest.approx(row.x_px, abs=0.5)
    lines = [json.loads(line) for line in (study / "r.jsonl").read_text().splitlines()]
    assert {line["file"]: line["status"] for line in lines} == {
        "s01/gaze_positions.csv": "ok", "s01/fixations.csv": "joined", "s01/blinks.csv": "joined"
    }  # fmt: skip
    assert lines[0]["rows_in"] == sum(line["rows_used"] for line in lines) == len(samples) + 3 + 1


def test_nanoseconds_of_pupil_cloud_are_aligned_exactly(run, tmp_path):
    write_cloud(tmp_path / "p", FIXATIONS, blinks=((600.5, 80),))
    assert run("gazetrack convert p --events").code == 0
    table = read(tmp_path / "p" / "gaze.fixations.parquet")
    assert list(table["onset_ms"]) == [250.0, 700.0, 1050.0]
    assert list(table["duration_ms"]) == [400, 300, 250]
    events = read(tmp_path / "p" / "gaze.events.parquet")
    assert list(events.loc[events["kind"] == "blink", "onset_ms"]) == [600.5]


def test_files_of_different_recordings_are_not_joined(run, tmp_path):
    write_core(tmp_path / "s01", FIXATIONS, shift_s=3600)
    result = run("gazetrack convert s01")
    assert result.code == 1
    assert "not of the same recording" in result.err
    assert not list((tmp_path / "s01").glob("*.parquet"))
    assert run("gazetrack convert s01/gaze_positions.csv").code == 0


def test_blinks_alone_still_name_the_gaze_to_give(run, study):
    result = run("gazetrack convert s01/blinks.csv")
    assert result.code == 1
    assert "gaze_positions.csv" in result.err


def test_other_files_of_such_names_are_read_as_what_they_are(run, tmp_path):
    (tmp_path / "s").mkdir()
    for name in ("gaze", "fixations"):
        (tmp_path / "s" / f"{name}.csv").write_text(GAZE)
    result = run("gazetrack convert s -o out")
    assert (
        result.code == 1
    )  # both are gaze of the folder's recording: the second is refused, not pooled
    assert "would be written over the output of" in result.err


def gazepoint(media_seconds=2.0):
    header = (
        "MEDIA_ID,MEDIA_NAME,CNT,TIME(2020/01/31 12:00:00.000),"
        "FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV\n"
    )
    rows, last = [], []
    for i in range(int(media_seconds * 60)):
        number, begin = 1 + i // 30, (i // 30) * 0.5
        length = i / 60 - begin
        x = f"{0.2 * number:.3f}"
        row = f"0,a.png,{i},{i / 60:.5f},{x},0.5,{begin:.5f},{length:.5f},{number},1,{x},0.5,1\n"
        rows.append(row)
        if i % 30 == 29:
            last.append(row)
    return header + "".join(rows), header + "".join(last)


def test_gazepoint_writes_one_recording_into_two_files(run, tmp_path):
    for study in ("one", "two"):
        (tmp_path / study / "result").mkdir(parents=True)
        for kind, text in zip(("all_gaze", "fixations"), gazepoint(), strict=True):
            (tmp_path / study / "result" / f"User 1_{kind}.csv").write_text(text)
    result = run("gazetrack convert . --recursive -o out")
    assert result.code == 0, result.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "one_User 1.fixations.parquet",
        "two_User 1.fixations.parquet",
    ]
    table = read(tmp_path / "out" / "one_User 1.fixations.parquet")
    assert set(table["recording"]) == {"one_User 1"}
    assert len(table) == 4


def test_stems_that_meet_in_one_call_carry_their_folders(run, tmp_path):
    for name in ("a/x/raw.csv", "b/x/raw.csv", "b/other.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GAZE)
    assert run("gazetrack convert . --recursive -o out").code == 0
    names = {path.name: set(read(path)["recording"]) for path in (tmp_path / "out").iterdir()}
    assert names == {f"{name}.fixations.parquet": {name} for name in ("a_raw", "b_raw", "other")}


def test_names_that_software_gives_to_everybody_carry_the_files(run, tmp_path):
    header = (
        "Recording timestamp [ms]\tParticipant name\tRecording name\t"
        "Gaze point X\tGaze point Y\tSensor\n"
    )
    for person in ("anna", "ben"):
        rows = "".join(
            f"{10 * i}\t{person}\tRecording1\t{100 + i % 2}\t200\tEye Tracker\n" for i in range(80)
        )
        (tmp_path / f"{person}.tsv").write_text(header + rows)
        assert run(f"gazetrack convert {person}.tsv").code == 0
    names = {
        person: set(read(tmp_path / f"{person}.fixations.parquet")["recording"])
        for person in ("anna", "ben")
    }
    assert names == {"anna": {"anna_Recording1"}, "ben": {"ben_Recording1"}}


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_folders_called_after_people_are_not_in_what_is_written(run, tmp_path, policy):
    for n, person in enumerate(("Ada Test", "Ben Test", "Cy Test")):
        write_core(tmp_path / person, onsets(n))
    result = run(f"gazetrack convert . --recursive --participant {policy} -o out")
    written = sorted((tmp_path / "out").iterdir())
    assert result.code == 0, result.err
    assert len(written) == 3
    assert len({name for path in written for name in read(path)["recording"]}) == 3
    assert "Test" not in result.out
    assert ": read with input 1 of " in result.out
    for path in written:
        assert "Test" not in path.name + str(path.read_bytes())


def test_fixations_that_were_not_named_are_pointed_at(run, study):
    word = "a file beside it holds the tracker's own fixations"
    assert word in run("gazetrack convert s01/gaze_positions.csv").out
    assert word not in run("gazetrack fixations s01/gaze_positions.csv").out
    assert word not in run("gazetrack convert s02").out
    assert word not in run("gazetrack convert s03/gaze_positions.csv s03/fixations.csv").out


def test_exports_that_name_their_recordings_alike_are_told(run, tmp_path):
    header = (
        "Recording timestamp [ms]\tParticipant name\tRecording name\t"
        "Gaze point X\tGaze point Y\tSensor\n"
    )
    for person in ("anna", "ben"):
        rows = "".join(
            f"{10 * i}\t{person}\tthe long one\t{100 + i % 2}\t200\tEye Tracker\n"
            for i in range(80)
        )
        (tmp_path / f"{person}.tsv").write_text(header + rows)
    result = run("gazetrack convert anna.tsv ben.tsv -v")
    assert "note: anna.tsv names a recording the long one as well" in result.out
    rows = json.loads(run("gazetrack quality anna.tsv ben.tsv --json").out)
    assert [row["recording"] for row in rows] == ["anna.tsv", "ben.tsv"]


def test_what_is_no_export_takes_neither_a_recordings_name_nor_its_place(run, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "anna.csv").write_text(GAZE)
    run("gazetrack convert s/anna.csv -o alone")
    (folder / "anna.bmp").write_bytes(b"BM\0\0")
    (folder / "Anna.ASC.json").write_text('{"age": 30}')
    (folder / "anna.cfg").write_text("[tracker]\nrate = 250\n")
    for target in ("out", "s"):
        result = run(f"gazetrack convert s -o {target}")
        assert result.code == 0, result.err
        assert "of 4 files: 1 converted, 3 skipped" in result.out
        table = (tmp_path / target / "anna.fixations.parquet").read_bytes()
        assert table == (tmp_path / "alone" / "anna.fixations.parquet").read_bytes()
    described = json.loads(run("gazetrack info s/anna.csv s --json").out)
    assert described[0]["recordings"] == ["anna"]


def test_events_beside_fixations_of_tobii_studio_are_skipped(run, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    fixations = (
        "RecordingDate\tTimestamp\tMappedFixationPointX\tMappedFixationPointY\t"
        "FixationIndex\tFixationDuration\n"
    )
    rows = "".join(f"\t{300 * i}\t{100 + i}\t200\t{i}\t250\n" for i in range(1, 6))
    head = "System Properties:\nOperating System:\tx\n\nRecording name:\tRec 61\n\n"
    (folder / "P61-Fixation-Data.tsv").write_text(
        head + fixations.removeprefix("RecordingDate\t") + rows.replace("\n\t", "\n")[1:]
    )
    (folder / "P61-Event-Data.tsv").write_text(
        head + "Timestamp\tEvent\tEventKey\tData1\tDescriptor\n12\tKeyPress\t1\t\ta\n"
    )
    result = run("gazetrack convert s -o out")
    assert result.code == 0, result.err
    assert len(read(tmp_path / "out" / "P61.fixations.parquet")) == 5
