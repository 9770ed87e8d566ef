"""Any table: columns that the user names, or whose names mean one thing only."""

import numpy as np
import pytest

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.generic import table as generic
from gazetrack.tables.screen import Screen


def read_text(tmp_path, text, columns=None, screen=None):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return generic.read(read_head(path), ReadOptions(columns=columns or {}, screen=screen))


def read(tmp_path, header, *rows, columns=None, screen=None):
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
    return read_text(tmp_path, text, columns, screen)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("x,y,t", True),
        ("Time,X,Y", True),
        ("gaze_x,gaze_y,timestamp", True),
        ("a,b,c", False),
        ("x,y", False),
    ],
)
def test_unmistakable_names_alone_are_recognised(header, known, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(header + "\n" + ",".join("1" * len(header.split(","))) + "\n")
    verdict = generic.sniff(read_head(path))
    assert (verdict.level > 0) == known
    assert known or header.replace(",", ", ") in verdict.reason


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": "nope", "y": "y_px", "t": "t"}, ("'nope'", "x_px, y_px, duration, t")),
        ({"x": "x_px", "y": "y_px"}, ("are needed",)),
        ({"x": "x_px", "y": "y_px", "t": "t[min]"}, ("'min'", "s, ms, us, ns")),
        ({"x": "x_px", "y": "y_px", "t": "t[0Hz]"}, ("'0Hz'", "120Hz")),
        ({"x": "x_px", "y": "y_px", "t": "t", "speed": "t"}, ("'speed'", "y_axis")),
    ],
)
def test_columns_that_cannot_be(columns, words, tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path, "x_px;y_px;duration;t\n0.5;0.25;200;100\n", columns)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("s", 1000.0), ("ms", 1.0), ("us", 0.001), ("ns", 0.000001), ("120Hz", 25 / 3), ("50 hz", 20)],
)
def test_times_come_in_the_unit_behind_their_column(unit, factor, tmp_path):
    recording = read_text(
        tmp_path, "T,X,Y\n10,1,1\n30,2,2\n", {"t": f"T[{unit}]", "x": "X", "y": "Y"}
    )
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 20 * factor])


@pytest.mark.parametrize(
    ("header", "rows", "hint"),
    [
        ("t,x,y", [(0.004 * i, 1, 2) for i in range(5)], "t=t[s]"),
        ("t,x,y", [(4000.0 * i, 1, 2) for i in range(5)], "t=t[us]"),
        ("t,x,y,duration", [(0.3 * i, 1, 2, 0.25) for i in range(5)], "duration=duration[s]"),
    ],
)
def test_times_that_cannot_be_milliseconds(header, rows, hint, tmp_path):
    with pytest.raises(ParseError) as caught:
        read(tmp_path, header, *rows)
    assert hint in caught.value.hint
    columns = {key: key for key in header.split(",")} | dict([hint.split("=")])
    assert read(tmp_path, header, *rows, columns=columns).rows_in == 5


@pytest.mark.parametrize("header", ["t,x,y", "t,x,y,duration"])
def test_time_that_steps_back_is_two_trials_nobody_can_tell_apart(header, tmp_path):
    with pytest.raises(ParseError, match="the time steps back") as caught:
        read(tmp_path, header, *((t, 1, 2, 90)[: len(header.split(","))] for t in (0, 20, 40, 10)))
    assert caught.value.line == 5
    assert "trial=NAME" in caught.value.hint


@pytest.mark.parametrize("name", ["subject", "Participant_ID", "sub"])
def test_participants_and_images_go_by_their_usual_names(name, tmp_path):
    rows = [(20 * i, 1, 2, who, "a.png") for who in ("p1", "p2") for i in range(3)]
    recording = read(tmp_path, f"t,x,y,{name},image", *rows)
    assert recording.sample_table["recording"].to_pylist() == ["p1"] * 3 + ["p2"] * 3
    assert set(recording.sample_table["stimulus"].to_pylist()) == {"a.png"}
    assert f"participant={name}, recording" not in recording.notes[0]
    assert f"participant={name}" in recording.notes[0]


def test_two_people_are_never_in_one_recording(tmp_path):
    people = [("ann", "rec"), ("bob", "rec"), ("ann", "b_x"), ("ann_b", "x")]
    text = "x,y,t,participant,recording\n"
    text += "".join(
        f"{i},1,{4 * k},{who},{name}\n" for i, (who, name) in enumerate(people) for k in range(3)
    )
    found = read_text(tmp_path, text)
    assert list(dict.fromkeys(found.sample_table["recording"].to_pylist())) == [
        "ann_rec",
        "bob_rec",
        "ann_b_x",
        "ann_b_x.2",
    ]
    assert found.sample_table["t_ms"].to_pylist() == [0, 4, 8] * 4
    assert any("the participant is part of it" in note for note in found.notes)
    # A name each, and a fixation table.
    alone = read_text(tmp_path, text.replace("bob,rec", "bob,cer").replace("ann_b,x", "ann_b,y"))
    assert list(dict.fromkeys(alone.sample_table["recording"].to_pylist())) == [
        "rec",
        "cer",
        "b_x",
        "y",
    ]
    rows = "".join(
        f"{i},1,{300 * k},200,{who},{name}\n"
        for i, (who, name) in enumerate(people)
        for k in range(2)
    )
    fixations = read_text(tmp_path, f"x,y,t,duration,participant,recording\n{rows}").fixation_table
    assert len(set(fixations["recording"].to_pylist())) == 4


NAMED = {"t": "t", "x": "x", "y": "y"}


def test_fractions_lie_on_the_screen_that_the_user_states(tmp_path):
    rows = [(4 * i, 0.5, 0.25) for i in range(5)]
    columns = NAMED | {"unit": "norm"}
    recording = read(tmp_path, "t,x,y", *rows, columns=columns, screen=Screen(1000, 800))
    assert recording.sample_table["x_px"].to_pylist() == [500] * 5
    assert recording.sample_table["y_px"].to_pylist() == [200] * 5


@pytest.mark.parametrize("columns", [NAMED, {}])
def test_fractions_that_nobody_calls_so_are_refused(columns, tmp_path):
    with pytest.raises(ParseError, match="fractions of the screen") as caught:
        read(tmp_path, "t,x,y", *((4 * i, 0.5, 0.25) for i in range(5)), columns=columns)
    assert "unit=norm" in caught.value.hint


def test_a_unit_may_stand_in_the_name_of_a_column(tmp_path):
    rows = [(4 * i, 0.5, 0.25) for i in range(5)]
    columns = {"t": "t[ms]", "x": "gaze_x_norm", "y": "gaze_y_norm"}
    recording = read(tmp_path, "t,gaze_x_norm,gaze_y_norm", *rows, columns=columns)
    assert "positions in norm by the names of their columns" in recording.notes
    assert recording.sample_table["x_px"].to_pylist() == [960] * 5
    assert recording.fractions_of == "screen"


def test_positions_have_one_unit(tmp_path):
    columns = {"t": "t", "x": "x[mm]", "y": "y[px]"}
    with pytest.raises(ConfigError, match="positions in mm and px"):
        read(tmp_path, "t,x,y", (0, 1, 2), (4, 1, 2), columns=columns)


def test_a_column_whose_own_name_ends_in_brackets_is_that_column(tmp_path):
    columns = {"t": "t", "x": "x [deg]", "y": "y [deg]", "unit": "px"}
    recording = read(tmp_path, "t,x [deg],y [deg]", (0, 100, 200), (4, 101, 201), columns=columns)
    assert recording.sample_table["x_px"].to_pylist() == [100, 101]


def test_what_trackers_write_for_lost_gaze_is_missing_and_counted(tmp_path):
    rows = [(0, 100, 200), (4, -1, -1), (8, 0, 0), (12, 0, 50)]
    recording = read(tmp_path, "t,x,y", *rows, columns=NAMED)
    np.testing.assert_array_equal(
        recording.sample_table["x_px"].to_numpy(), np.float32([100, np.nan, np.nan, 0])
    )
    assert any(note.startswith("2 positions at (-1, -1) or (0, 0)") for note in recording.notes)


def test_two_eyes_have_a_mean_and_one_pupil_is_of_both(tmp_path):
    header = "timestamp,left_x,left_y,right_x,right_y,pupil"
    recording = read(tmp_path, header, (0, 100, 50, 110, 60, 3), (4, "", "", 120, 60, 4))
    assert recording.eyes == "binocular"
    assert recording.sample_table["x_px"].to_pylist() == [105, 120]
    assert recording.sample_table["right_pupil"].to_pylist() == [3, 4]
    assert "one pupil column: taken for both eyes" in recording.notes


def test_fixations_as_fractions_lie_on_images_of_their_own_size(tmp_path):
    columns = {key: key for key in ("x", "y", "duration", "stimulus", "width", "height")}
    rows = [("a", 0.5, 0.5, 200, 400, 300), ("b", 0.5, 0.5, 200, 100, 80)]
    header = "stimulus,x,y,duration,width,height"
    fixations = read(tmp_path, header, *rows, columns=columns | {"unit": "norm"}).fixation_table
    assert fixations["x_px"].to_pylist() == [200, 50]
    assert fixations["y_px"].to_pylist() == [150, 40]


def test_without_times_fixations_lie_end_to_end(tmp_path):
    columns = {"x": "x", "y": "y", "duration": "duration[s]"}
    recording = read(tmp_path, "x,y,duration", (9, 9, 0.2), (10, 9, 0.3), columns=columns)
    assert recording.fixation_table["onset_ms"].to_pylist() == [0, 200]
    assert any("laid end to end" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("names", "rows", "recordings"),
    [
        ("recording", ("one", "two"), ["one", "two"]),
        ("recording,participant", ("one,p1", "two,p2"), ["one", "two"]),
        ("participant", ("p1", "p2"), ["p1", "p2"]),
    ],
)
def test_recordings_are_called_what_they_are_called(names, rows, recordings, tmp_path):
    lines = [f"{100 * i},200,{300 * i},50,{row}" for i, row in enumerate(rows)]
    recording = read_text(tmp_path, "\n".join([f"x,y,t,duration,{names}", *lines]) + "\n")
    assert recording.fixation_table["recording"].to_pylist() == recordings
