"""Whose fixations a table holds, one eye's recording, and where trials begin."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError, DataError
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.selection import (
    RULE,
    EyeChoice,
    favoured_eye,
    gaze_of,
    has_gaze,
    one_eye,
    select_eye,
    split_trials,
)


def fixations(eyes, durations, **columns):
    given = {
        "recording": "r",
        "eye": np.array(eyes, object),
        "duration_ms": np.array(durations, float),
    }
    given |= {
        "index": np.arange(len(eyes)),
        "onset_ms": np.arange(len(eyes)) * 1000.0,
        "x_px": 1.0,
        "y_px": 1.0,
    }
    return conform(
        given | {name: np.array(values, object) for name, values in columns.items()}, FIXATIONS
    )


def kept(table, eye="auto"):
    left, choice = one_eye(table, eye)
    assert left.num_rows + choice.left_out == table.num_rows
    return left["index"].to_pylist()


def samples(**columns):
    given = {"recording": "r", "t_ms": np.arange(4) * 10.0}
    given |= {f"left_{axis}_px": np.array([1.0, 2.0, np.nan, 4.0]) for axis in "xy"}
    given |= {f"right_{axis}_px": np.full(4, np.nan) for axis in "xy"}
    return conform(given | {"x_px": np.full(4, 9.0), "y_px": np.full(4, 9.0)} | columns, SAMPLES)


def events(**columns):
    return conform({name: np.array(values, object) for name, values in columns.items()}, EVENTS)


def messages(texts, onsets):
    return conform(
        {
            "recording": "r",
            "kind": "message",
            "text": np.array(texts, object),
            "onset_ms": np.array(onsets, float),
            "duration_ms": 0.0,
        },
        EVENTS,
    )


def recording(**tables):
    given = {"event_table": conform({}, EVENTS), "eyes": "binocular"}
    return Recording(name="r", format="test", **(given | {"sample_table": None} | tables))


def trials(table):
    return table["trial"].to_pylist()


def test_dwell_is_of_the_eye_with_more_fixation_time_not_of_the_one_with_more_fixations():
    assert kept(fixations(["left", "right", "right"], [500, 200, 200])) == [0]
    assert kept(fixations(["left", "right", "right"], [399, 200, 200])) == [1, 2]


def test_dwell_of_two_equal_eyes_is_that_of_the_right_one():
    assert kept(fixations(["left", "right"], [200, 200])) == [1]
    assert kept(fixations(["right", "left"], [200, 200])) == [0]
    # Equal but for the order in which the same durations are added up.
    assert sum([0.1, 0.2, 0.3]) != sum([0.3, 0.2, 0.1])
    table = fixations(
        ["left", "left", "left", "right", "right", "right"], [0.1, 0.2, 0.3, 0.3, 0.2, 0.1]
    )
    assert kept(table) == [3, 4, 5]


def test_dwell_is_of_one_eye_for_all_of_a_recording_but_in_trials_without_it():
    eyes = ["left", "right", "left", "right", "right", "left"]
    table = fixations(eyes, [900, 100, 100, 200, 300, 50], trial=["1", "1", "2", "2", "3", "4"])
    assert kept(table) == [0, 2, 4, 5]
    assert kept(table, "right") == [
        1,
        3,
        4,
    ]  # trial 4 has none of the right eye, and the left one was not asked for


def test_dwell_of_each_recording_and_person_is_of_their_own_eye():
    who = ["a", "a", "b", "b"]
    table = fixations(["left", "right"] * 2, [300, 200, 200, 300], recording=who)
    assert kept(table) == [0, 3]
    assert "left eye in 1 recordings and of the right eye in 1" in one_eye(table)[1].note
    assert kept(fixations(["left", "right"] * 2, [300, 200, 200, 300], participant=who)) == [0, 3]


def test_dwell_of_both_eyes_together_comes_before_either():
    table = fixations(["left", "both", "right"], [300, 200, 400])
    assert kept(table) == [1]
    assert (kept(table, "left"), kept(table, "right"), kept(table, "both")) == ([0], [2], [0, 1, 2])
    assert kept(fixations(["both", "both"], [1, 1]), "left") == [0, 1]


def test_an_eye_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="eye 'third'") as caught:
        one_eye(fixations(["left"], [1]), "third")
    assert "left" in caught.value.hint


def test_rows_stay_in_their_order_and_a_table_of_one_eye_as_it_is():
    table = fixations(["right", "right"], [1, 2])
    same, choice = one_eye(table)
    assert same is table
    assert (choice.held, choice.left_out, choice.note) == (("right",), 0, "")


def test_a_choice_says_what_the_table_holds():
    choice = one_eye(fixations(["left", "right"], [1500, 400]))[1]
    assert choice.fixation_ms == {("r", ""): {"left": 1500.0, "right": 400.0}}
    assert choice.as_json() == {
        "asked": "auto",
        "held": "left",
        "rows": "a row per fixation",
        "rule": RULE,
    }
    assert "of the left eye (1.5 s in all, 0.4 s of the right eye)" in choice.note
    both = EyeChoice(asked="both", held=("left", "right"))
    assert both.a_row_per_eye
    assert both.as_json()["rows"] == "a row per fixation and eye"
    assert not EyeChoice(asked="both", held=("both", "left")).a_row_per_eye


def test_the_note_tells_of_fixations_of_both_eyes_together():
    choice = one_eye(fixations(["left", "both"], [100, 200]))[1]
    assert choice.held == ("both",)
    assert "fixations of both eyes together, not each eye's" in choice.note


def test_the_favoured_eye_is_the_right_one_when_equal():
    assert favoured_eye({"left": 0.1 + 0.2, "right": 0.3}) == "right"
    assert favoured_eye({"left": 200.0, "right": 199.9}) == "left"


def test_gaze_of_an_eye_takes_the_place_of_the_combined_gaze():
    table = samples()
    assert has_gaze(table, "left")
    assert not has_gaze(table, "right")
    left = gaze_of(table, "left")
    assert left.schema == SAMPLES
    assert left["x_px"].to_numpy() == pytest.approx([1, 2, np.nan, 4], nan_ok=True)
    np.testing.assert_array_equal(left["left_x_px"].to_numpy(), table["left_x_px"].to_numpy())


def test_one_eye_of_a_recording_is_its_gaze_and_events_without_the_other_s():
    of_eyes = events(recording=["r"] * 3, kind=["fixation"] * 3, eye=["left", "right", "both"])
    before = recording(sample_table=samples(), event_table=of_eyes)
    alone = select_eye(before, "left")
    assert alone.eyes == "left"
    assert alone.sample_table["x_px"].to_pylist()[:2] == [1.0, 2.0]
    assert alone.event_table["eye"].to_pylist() == ["left", "both"]
    assert alone.notes[-1] == "left eye alone: 1 events of the right eye left out"
    for eye in ("auto", "both"):
        assert select_eye(before, eye) is before


def test_an_eye_without_gaze_or_fixations_is_refused():
    with pytest.raises(DataError, match="no samples of the right eye") as caught:
        select_eye(recording(sample_table=samples()), "right")
    assert "it has binocular" in caught.value.hint
    with pytest.raises(DataError, match="no fixations of the right eye"):
        select_eye(recording(fixation_table=fixations(["left"], [1])), "right")


def test_without_a_rule_trials_are_the_export_s():
    own = recording(sample_table=samples(trial="7"))
    assert split_trials(own, None) is own


def test_a_trial_begins_with_another_stimulus_in_each_recording():
    table = samples(
        recording=np.array(["a", "a", "a", "b"], object),
        stimulus=np.array(["p", "q", "p", "p"], object),
    )
    split = split_trials(recording(sample_table=table), "stimulus")
    assert trials(split.sample_table) == ["1", "2", "3", "1"]
    assert split.sample_table.schema == SAMPLES
    shown = fixations(["left"] * 3, [1, 1, 1], stimulus=["p", "p", "q"])
    split = split_trials(recording(fixation_table=shown), "stimulus")
    assert trials(split.fixation_table) == ["1", "1", "2"]


def test_a_trial_begins_with_a_message_and_is_called_by_its_first_group():
    shown = messages(["TRIAL go", "noise", "TRIAL "], [10, 15, 30])
    before = recording(sample_table=samples(), event_table=shown)
    named = split_trials(before, r"message=^TRIAL (\w*)")
    assert trials(named.sample_table) == ["", "go", "go", "2"]
    assert trials(named.event_table) == ["go", "go", "2"]
    numbered = split_trials(before, "message=^TRIAL")
    assert trials(numbered.sample_table) == ["", "1", "1", "2"]


def test_messages_of_one_recording_are_not_another_s():
    table = samples(recording=np.array(["r", "r", "s", "s"], object))
    split = split_trials(
        recording(sample_table=table, event_table=messages(["go"], [0])), "message=go"
    )
    assert trials(split.sample_table) == ["1", "1", "", ""]


@pytest.mark.parametrize(
    ("rule", "error", "what"),
    [
        ("noon", ConfigError, "trials by 'noon'"),
        ("message", ConfigError, "trials by 'message'"),
        ("message=", ConfigError, "trials by 'message='"),
        ("message=(", ConfigError, r"the pattern '\('"),
        ("message=stop", DataError, "none of 1 messages matches 'stop'"),
    ],
)
def test_rules_that_say_nothing_are_refused(rule, error, what):
    with pytest.raises(error, match=what) as caught:
        split_trials(recording(event_table=messages(["go"], [0])), rule)
    assert caught.value.hint


def test_a_choice_of_an_eye_that_there_is_none_of_is_refused():
    with pytest.raises(ConfigError, match="eye 'third'"):
        select_eye(recording(), "third")


def test_a_row_per_eye_is_told():
    assert EyeChoice(asked="both", held=("left", "right")).note.startswith(
        "a row per fixation and eye"
    )


def test_the_fixations_of_the_other_eye_are_left_out_and_told():
    both = recording(fixation_table=fixations(["left", "right", "both"], [100, 200, 300]))
    found = select_eye(both, "left")
    assert found.fixation_table["eye"].to_pylist() == ["left", "both"]
    assert found.notes[-1] == "left eye alone: 1 events of the right eye left out"
