"""Data quality of a recording at hand and of many files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import gazetrack
from gazetrack.data_quality.targets import Target
from gazetrack.errors import ConfigError, GazetrackError, UnknownFormat
from gazetrack.tables.schema import QUALITY
from gazetrack.workflows.quality import plan_quality, quality, quality_files
from gazetrack.workflows.read import InputOptions, read_one

# At 250 Hz the eye moves by a pixel to and fro.
AT_REST = "x,y,t\n" + "".join(f"{100 + i % 2},200,{4 * i}\n" for i in range(100))
BAD = "nothing that anybody knows"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "raw.csv").write_text(AT_REST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_figures_by_hand():
    (row,) = quality("raw.csv").itertuples()
    assert (row.recording, row.eye, row.n_samples, row.duration_ms) == ("raw", "both", 100, 400)
    assert (row.rate_hz, row.loss, row.n_gaps) == (250, 0, 0)
    assert row.rms_s2s_px == pytest.approx(1)
    assert row.std_px == pytest.approx(0.5)
    assert pd.isna(row.rms_s2s_deg)
    assert pd.isna(row.accuracy_px)


def test_lost_samples_are_the_loss(folder):
    (folder / "raw.csv").write_text(AT_REST + "".join(f",,{400 + 4 * i}\n" for i in range(25)))
    (row,) = quality("raw.csv").itertuples()
    assert row.loss == pytest.approx(25 / 125)
    assert (row.n_samples, row.n_gaps, row.longest_gap_ms) == (125, 1, 100)


def test_a_recording_and_its_file_have_the_same_quality():
    recording = gazetrack.read("raw.csv")
    frame = quality(recording)
    assert list(frame) == QUALITY.names
    pd.testing.assert_frame_equal(frame, quality("raw.csv"), check_categorical=False)
    pd.testing.assert_frame_equal(frame, quality(["raw.csv"]), check_categorical=False)


def test_windows_follow_one_another():
    for by_window in (
        quality("raw.csv", "window", window_ms=100),
        quality(gazetrack.read("raw.csv"), "window", window_ms=100),
    ):
        assert list(by_window["onset_ms"]) == [0, 100, 200, 300]
        assert set(by_window["n_samples"]) == {25}


def test_a_row_a_target_tells_how_far_gaze_is_from_it():
    targets = [Target("near", 100, 200, 0, 200), Target("far", 103.5, 204, 200, 200)]
    frame = quality("raw.csv", targets=targets).set_index("target")
    assert frame["accuracy_px"].to_dict() == pytest.approx({"near": 0.5, "far": 5.0})
    assert frame["onset_ms"].to_dict() == {"near": 0, "far": 200}


def test_a_screen_makes_degrees():
    screen = gazetrack.Screen(width_px=1000, height_px=600, width_mm=500, distance_mm=600)
    (row,) = quality("raw.csv", screen=screen).itertuples()
    # A pixel is half a millimetre wide, seen a little from the side.
    assert 0.03 < row.rms_s2s_deg < 0.0478


def test_a_file_that_cannot_be_read_is_raised(folder):
    (folder / "bad.csv").write_text(BAD)
    with pytest.raises(UnknownFormat, match=r"bad\.csv"):
        quality(["raw.csv", "bad.csv"])
    with pytest.raises(ConfigError):
        quality("raw.csv", by="moon")


def test_a_bad_file_leaves_the_others_alone_and_is_told(folder):
    (folder / "bad.csv").write_text(BAD)
    told = []
    report = quality_files(["bad.csv", "raw.csv"], InputOptions(), tell=told.append)
    assert report.table["recording"].to_pylist() == ["raw"]
    assert report.n_inputs == 2
    assert report.errors == tuple(told)
    assert [error.path for error in told] == [Path("bad.csv")]
    assert report.notes
    assert all(note.startswith("raw.csv: ") for note in report.notes)


def test_an_export_without_samples_is_an_error_that_names_it(folder):
    text = "x,y,t,duration\n" + "".join(f"{i},5,{300 * i},200\n" for i in range(5))
    (folder / "looks.csv").write_text(text)
    report = quality_files(["looks.csv", "raw.csv"], InputOptions())
    assert [error.path for error in report.errors] == [Path("looks.csv")]
    assert report.table.num_rows == 1
    with pytest.raises(GazetrackError, match=r"looks\.csv"):
        quality("looks.csv")


def test_recordings_of_one_name_are_named_by_their_files(folder):
    header = "Recording timestamp [ms]\tRecording name\tGaze point X\tGaze point Y\tSensor\n"
    for file, names in (("one.tsv", "A"), ("two.tsv", "AB"), ("three.tsv", "C")):
        rows = "".join(
            f"{10 * i}\t{name * 4}\t{100 + i % 2}\t200\tEye Tracker\n"
            for name in names
            for i in range(20)
        )
        (folder / file).write_text(header + rows)
    report = quality_files(["one.tsv", "two.tsv", "three.tsv"], InputOptions())
    assert report.errors == ()
    assert report.table["recording"].to_pylist() == [
        "one.tsv",
        "two.tsv/AAAA",
        "two.tsv/BBBB",
        "CCCC",
    ]
    assert report.table.schema.field("recording") == QUALITY.field("recording")


@pytest.mark.slow
def test_the_report_does_not_depend_on_who_measures(folder):
    for name in "abc":
        (folder / f"{name}.csv").write_text(AT_REST.replace(",200,", f",20{ord(name) % 10},"))
    (folder / "bad.csv").write_bytes(b"x,y,t\n1,2,oops\n")
    (folder / "notes.txt").write_text(BAD)
    reports, told, counts = [], [], []
    for jobs in (1, 2):
        tell = lambda error: told.append(str(error))  # noqa: E731
        reports.append(quality_files(["."], InputOptions(), jobs=jobs, tell=tell))
    here, there = reports
    pd.testing.assert_frame_equal(here.table.to_pandas(), there.table.to_pandas())
    assert set(here.table["recording"].to_pylist()) == {"a", "b", "c", "raw"}
    assert here.notes == there.notes
    assert [str(error) for error in here.errors] == [str(error) for error in there.errors]
    assert told == [str(here.errors[0])] * 2
    assert here.n_inputs == there.n_inputs == 5
    quality_files(["."], InputOptions(), jobs=2, progress=lambda *n: counts.append(n))
    assert counts == [(done, 6) for done in range(7)]


@pytest.fixture
def measured(monkeypatch):
    """Names of the recordings that are read from here on."""
    names = []

    def listening(source, options):
        names.append(source.name)
        return read_one(source, options)

    monkeypatch.setattr("gazetrack.workflows.quality.read_one", listening)
    return names


def check_same(table, other):
    assert table.schema.equals(other.schema, check_metadata=True)
    pd.testing.assert_frame_equal(table.to_pandas(), other.to_pandas())


def test_a_report_goes_on_from_what_its_manifest_keeps(folder, measured):
    (folder / "b.csv").write_text(AT_REST.replace(",200,", ",210,"))
    (folder / "bad.csv").write_bytes(b"x,y,t\n1,2,oops\n")
    (folder / "notes.txt").write_text(BAD)
    everything = {"manifest": "study.jsonl"}
    first = quality_files(["."], InputOptions(), **everything)
    assert measured == ["b", "bad", "notes", "raw"]
    measured.clear()
    second = quality_files(["."], InputOptions(), **everything)
    assert measured == ["bad"]  # what failed is tried again
    check_same(second.table, first.table)
    assert (second.notes, second.n_inputs) == (first.notes, first.n_inputs)
    assert [str(error) for error in second.errors] == [str(error) for error in first.errors]
    check_same(quality_files(["."], InputOptions()).table, first.table)
    (folder / "b.csv").write_text(AT_REST.replace(",200,", ",2100,"))
    measured.clear()
    third = quality_files(["."], InputOptions(), **everything)
    assert measured == ["b", "bad"]
    assert third.table["n_samples"].to_pylist() == [100, 100]
    measured.clear()
    quality_files(["."], InputOptions(), "window", **everything)
    assert len(measured) == 4
    quality_files(["."], InputOptions(), "window", window_ms=100, **everything)
    assert len(measured) == 8


def test_a_report_of_which_half_was_made_is_made_of_both_halves(folder, measured):
    for name in "abc":
        (folder / f"{name}.csv").write_text(AT_REST.replace(",200,", f",20{ord(name) % 10},"))
    whole = quality_files(["."], InputOptions()).table
    measured.clear()

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quality_files(["."], InputOptions(), progress=stop, manifest="study.jsonl")
    n_done = len(measured)
    measured.clear()
    table = quality_files(["."], InputOptions(), manifest="study.jsonl").table
    assert n_done + len(measured) == 4
    check_same(table, whole)
    other = quality_files(["."], InputOptions(), manifest="several.jsonl", jobs=2).table
    check_same(other, whole)
    measured.clear()
    quality_files(["."], InputOptions(), manifest="several.jsonl")
    assert measured == []


def test_what_would_be_measured_is_told(folder):
    (folder / "notes.txt").write_text(BAD)
    plan = plan_quality(["."], InputOptions(), manifest="study.jsonl")
    assert [(one.file, one.action, one.why) for one in plan] == [
        ("notes.txt", "skip", ""),
        ("raw.csv", "measure", "new"),
    ]
    assert not (folder / "study.jsonl").exists()
    quality_files(["."], InputOptions(), manifest="study.jsonl")
    plan = plan_quality(["."], InputOptions(), manifest="study.jsonl")
    assert [one.action for one in plan] == ["done", "done"]
    targets = [Target("near", 100, 200, 0, 200)]
    plan = plan_quality(["raw.csv"], InputOptions(), targets=targets, manifest="study.jsonl")
    assert [one.why for one in plan] == ["other parameters: targets"]
