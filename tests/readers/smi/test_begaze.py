"""SMI BeGaze's raw data table."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.events.fixations import fixation_table
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.smi import begaze

HEADER = "RecordingTime [ms],Trial,Stimulus,Participant,Category Right,Index Right,"
HEADER += "Point of Regard Right X [px],Point of Regard Right Y [px]"


def file(tmp_path, rows, header=HEADER):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def rows(person, trial, start, n=40):
    return [
        f"{start + 4 * i},{trial},{trial}.png,{person},Visual Intake,{1 + i // 20},{500 + i},{400}"
        for i in range(n)
    ]


def test_trials_in_any_order_are_one_recording_and_a_second_clock_is_another(tmp_path):
    sorted_otherwise = rows("P1", "b", 5000) + rows("P1", "a", 1000) + rows("P2", "a", 1000)
    recording = gazetrack.read(file(tmp_path, sorted_otherwise))
    assert list(dict.fromkeys(recording.sample_table["recording"].to_pylist())) == ["P1", "P2"]
    assert recording.sample_table["t_ms"].to_pylist()[0] == 4000
    twice = gazetrack.read(file(tmp_path, sorted_otherwise + rows("P1", "a", 1000)))
    assert list(dict.fromkeys(twice.sample_table["recording"].to_pylist())) == ["P1", "P2", "P1_2"]
    assert any("2 clocks of 1 participants" in note for note in twice.notes)


def test_doubled_rows_have_twice_the_fixations(tmp_path):
    once = fixation_table(
        gazetrack.read(file(tmp_path, rows("P1", "a", 0) + rows("P1", "b", 160)))
    )[0]
    nameless = HEADER.replace("Participant", "Color")
    both = file(tmp_path, 2 * (rows("P1", "a", 0, 400) + rows("P1", "b", 1600, 400)), nameless)
    assert once.num_rows == 4
    found = gazetrack.read(both)
    assert found.sample_table.num_rows == 1600
    assert list(dict.fromkeys(found.sample_table["recording"].to_pylist())) == ["a", "a_2"]
    for name in ("a", "a_2"):
        t = found.sample_table["t_ms"].to_numpy()[
            np.array(found.sample_table["recording"].to_pylist()) == name
        ]
        assert (np.diff(t) > 0).all()


def test_units_are_milliseconds_and_pixels(tmp_path):
    recording = gazetrack.read(file(tmp_path, rows("P1", "a", 10_000)))
    assert recording.effective_rate_hz == pytest.approx(250)
    assert recording.eyes == "right"
    fixations, source = fixation_table(recording)
    assert source["fixation_source"] == "export"
    assert fixations["duration_ms"].to_pylist() == pytest.approx([80, 80])
    assert fixations["x_px"].to_pylist() == pytest.approx([509.5, 529.5])


def test_a_table_without_points_of_regard_or_samples_is_named(tmp_path):
    path = file(tmp_path, ["1,a"], "RecordingTime [ms],Trial")
    assert begaze.sniff(read_head(path)).level == Level.NO
    with pytest.raises(ParseError, match="no point of regard"):
        begaze.read(read_head(path), ReadOptions())
    with pytest.raises(ParseError, match="no samples"):
        gazetrack.read(file(tmp_path, ["1,a,a,P,Separator,-,-,-"]))


def test_a_damaged_cell_has_its_place(tmp_path):
    with pytest.raises(ParseError) as caught:
        gazetrack.read(file(tmp_path, [*rows("P1", "a", 0, 3), "12,a,a,P1,Saccade,1,5x,6"]))
    assert (caught.value.line, caught.value.column) == (5, 7)


EVENTS = "Trial,Stimulus,Participant,Category,Event Start Trial Time [ms],Event End Trial Time [ms]"


def test_events_of_begaze_are_fixations_from_the_start_of_their_trial_whatever_their_name(tmp_path):
    for kind in ("Fixation", "Visual Intake"):
        header = f"{EVENTS},{kind} Position X [px],{kind} Position Y [px]"
        path = file(
            tmp_path,
            [f"t1,a.png,P1,{kind},10,260,100,200", "t1,a.png,P1,Saccade,260,300,-,-"],
            header,
        )
        recording = gazetrack.read(path)
        assert recording.fixation_table["duration_ms"].to_pylist() == [250]
        assert recording.fixation_table["x_px"].to_pylist() == [100]
        assert (recording.rows_in, dict(recording.dropped)) == (2, {"Saccade, no fixation": 1})
        assert (recording.format, recording.time_origin) == ("begaze", "trial")


def test_events_without_positions_are_no_begaze_table(tmp_path):
    assert (
        begaze.sniff(read_head(file(tmp_path, ["t1,a.png,P1,Fixation,10,260"], EVENTS))).level
        == Level.NO
    )


def test_fixations_need_no_column_of_what_they_are(tmp_path):
    header = "Participant,Event Start Trial Time [ms],Event End Trial Time [ms],Index,"
    header += "Fixation Position X [px],Fixation Position Y [px]"
    rows = ["P1,0,200,1,300,400", "P1,250,400,2,310,410"]
    recording = gazetrack.read(file(tmp_path, rows, header))
    fixations, _ = fixation_table(recording)
    assert fixations["duration_ms"].to_pylist() == [200, 150]
    assert fixations["x_px"].to_pylist() == [300, 310]
    assert recording.dropped == {}
