"""Which trials there are in a table, and when they begin and end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import DataError, SchemaError
from gazetrack.measures.trials import trials_of
from gazetrack.tables.schema import FIXATIONS
from tests.aoi_tables import NAN, table

CLOCK = {"time_origin": "trial"}


def frame(found):
    return found.frame[["trial", "stimulus", "window", "start_ms", "end_ms"]].to_numpy().tolist()


def test_a_trial_begins_with_its_first_fixation_and_ends_with_its_last():
    found = trials_of(table([1, 2], [1, 2], onset=[500, 700]), {})
    assert frame(found) == [["", "cat.png", "fixations", 500, 800]]
    assert found.fixations["begin_ms"].tolist() == [0, 200]
    assert found.fixations["end_ms"].tolist() == [100, 300]


def test_where_the_clock_begins_with_the_trial_it_begins_at_zero():
    found = trials_of(table([1, 2], [1, 2], onset=[50, 300]), CLOCK)
    assert frame(found) == [["", "cat.png", "clock", 0, 400]]
    assert found.fixations["begin_ms"].tolist() == [50, 300]
    # Each image has a clock of its own, in one trial by name.
    stimuli = np.array(["cat", "cat", "dog"], object)
    found = trials_of(table([1, 2, 3], [1, 2, 3], onset=[50, 300, 20], stimulus=stimuli), CLOCK)
    assert [row[2:] for row in frame(found)] == [["clock", 0, 400], ["clock", 0, 120]]


def test_several_images_of_one_trial_share_its_clock():
    stimuli = np.array(["cat", "dog"], object)
    found = trials_of(table([1, 2], [1, 2], onset=[50, 900], stimulus=stimuli), CLOCK)
    assert [row[2:] for row in frame(found)] == [["fixations", 50, 150], ["fixations", 900, 1000]]


def test_an_image_that_comes_back_begins_another_trial():
    stimuli = np.array(["cat", "dog", "cat"], object)
    found = trials_of(table([1, 2, 3], [1, 2, 3], stimulus=stimuli, trial="t"), {})
    assert [row[:2] for row in frame(found)] == [["t", "cat"], ["t", "dog"], ["t#2", "cat"]]


def test_a_trial_of_unusable_fixations_is_there_and_has_none():
    stimuli = np.array(["cat", "dog"], object)
    found = trials_of(table([NAN, 2], [1, 2], stimulus=stimuli), {})
    assert len(found.frame) == 2
    assert np.isnan(found.frame["start_ms"][0])
    assert found.fixations["row"].tolist() == [1]
    assert found.dropped == {"no position": 1}


def test_times_out_of_order_are_sorted_and_told():
    ordered = trials_of(table([1, 2, 3], [1, 2, 3]), {})
    shuffled = trials_of(table([3, 1, 2], [3, 1, 2], onset=[400, 0, 200]), {})
    assert shuffled.fixations["x_px"].tolist() == ordered.fixations["x_px"].tolist() == [1, 2, 3]
    assert shuffled.notes == ("1 fixations were not in the order of time: sorted",)
    assert ordered.notes == ()


def test_an_empty_table_has_no_trials():
    found = trials_of(FIXATIONS.empty_table(), {})
    assert len(found.frame) == len(found.fixations) == 0


def test_no_moment_counts_for_two_eyes():
    eyes = np.array(["left", "right"], object)
    found = trials_of(table([1, 2], [1, 2], onset=[0, 0], eye=eyes), {})
    assert len(found.fixations) == 1
    assert found.dropped == {"other eye": 1}
    assert trials_of(table([1, 2], [1, 2], onset=[0, 0], eye=eyes), {}, eye="left").fixations[
        "x_px"
    ].tolist() == [1]


def test_an_image_has_one_size():
    with pytest.raises(SchemaError, match=r"'cat\.png' has several sizes"):
        trials_of(table([1, 2], [1, 2], image_width_px=np.array([100.0, 90.0])), {})
    with pytest.raises(SchemaError, match="has several sizes"):  # on the image, and on the screen
        trials_of(table([1, 2], [1, 2], image_width_px=np.array([100.0, NAN])), {})


def stated(**columns):
    return pd.DataFrame(columns)


def test_stated_trials_and_no_others_are_the_trials():
    trials = stated(
        trial=["one", "two", "three"],
        stimulus=["cat.png", "cat.png", "dog.png"],
        start_ms=[0.0, 390.0, 2000.0],
        end_ms=[390.0, 950.0, 3000.0],
    )
    names = np.array(["one", "one", "two", "two", "two"], object)
    found = trials_of(
        table([1, 2, 3, 4, 5], [1] * 5, onset=[10, 200, 380, 900, 1500], trial=names), {}, trials
    )
    assert frame(found) == [
        ["one", "cat.png", "stated", 0, 390],
        ["two", "cat.png", "stated", 390, 950],
        ["three", "dog.png", "stated", 2000, 3000],
    ]
    assert found.frame["recording"].tolist() == ["r"] * 3
    assert found.fixations["row"].tolist() == [0, 0, 1, 1]
    assert found.fixations["begin_ms"].tolist() == [10, 200, 0, 510]  # cut to the trial
    assert found.fixations["end_ms"].tolist() == [110, 300, 90, 560]
    assert found.dropped == {"in no stated trial": 1}


def test_stated_trials_of_another_clock_are_refused():
    trials = stated(stimulus=["cat"], start_ms=[1e6], end_ms=[2e6])
    with pytest.raises(DataError, match="none of its 2 fixations lies in a stated trial"):
        trials_of(table([1, 2], [1, 2]), {}, trials)


def test_stated_trials_may_have_names_where_the_table_has_none():
    trials = stated(trial=["one"], stimulus=["shown/cat.jpg"], start_ms=[0.0], end_ms=[900.0])
    found = trials_of(table([1, 2], [1, 2]), {}, trials)
    assert frame(found) == [["one", "shown/cat.jpg", "stated", 0, 900]]
    assert len(found.fixations) == 2


def test_a_fixation_on_the_border_of_two_stated_trials_is_in_one():
    trials = stated(stimulus=["cat.png"] * 2, start_ms=[0.0, 150.0], end_ms=[150.0, 400.0])
    found = trials_of(table([1, 2], [1, 2], onset=[100, 250]), {}, trials)
    assert found.fixations["row"].tolist() == [0, 1]
    assert found.fixations["end_ms"].tolist() == [150, 200]


def two_recordings():
    names = np.array(["r1", "r1", "r2", "r2"], object)
    onset = [10, 300, 0, 350]
    return table([1, 2, 3, 4], [1] * 4, onset=onset, recording=names)


def test_stated_trials_without_a_recording_hold_for_each_of_them():
    trials = stated(
        trial=["one", "two"], stimulus=["cat"] * 2, start_ms=[0, 320], end_ms=[320, 900]
    )
    found = trials_of(two_recordings(), {}, trials)
    assert found.frame[["recording", "trial"]].to_numpy().tolist() == [
        ["r1", "one"],
        ["r2", "one"],
        ["r1", "two"],
        ["r2", "two"],
    ]
    assert found.fixations["row"].tolist() == [0, 0, 1, 3]
    (note,) = found.notes
    assert "hold for each of its 2 recordings" in note
    # As in tables of their own.
    alone = trials_of(two_recordings().slice(0, 2), {}, trials)
    assert alone.frame["recording"].tolist() == ["r1", "r1"]
    assert alone.fixations["row"].tolist() == [0, 0]
    assert alone.notes == ()
    # A recording that is named is the only one.
    named = trials_of(two_recordings(), {}, trials.assign(recording=["r1", "r2"]))
    assert named.frame["recording"].tolist() == ["r1", "r2"]
    assert named.fixations["row"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("starts", [[0, 0], [0, 899], [899, 0]])
def test_stated_trials_that_overlap_are_refused(starts):
    start = np.array(starts, float)
    trials = stated(stimulus=["cat.png", "cat"], start_ms=start, end_ms=start + 900.0)
    with pytest.raises(DataError, match=r"stated trials [12] and [12] overlap: 0 to 900 ms and "):
        trials_of(table([1, 2], [1, 2]), {}, trials)
    # Of two recordings, or of trials that the table tells apart, they are at one time.
    own = trials.assign(recording=["r1", "r2"])
    assert len(trials_of(two_recordings(), {}, own).frame) == 2
    numbered = table([1, 2], [1, 2], trial=np.array(["a", "b"], object))
    assert len(trials_of(numbered, {}, trials.assign(trial=["a", "b"])).frame) == 2
    with pytest.raises(DataError, match="overlap"):  # the table has no names of trials
        trials_of(table([1, 2], [1, 2]), {}, trials.assign(trial=["a", "b"]))
    with pytest.raises(DataError, match="overlap"):  # and of recordings without gaze
        trials_of(FIXATIONS.empty_table(), {}, trials)


def test_fixations_at_one_time_are_told():
    (note,) = trials_of(table([1, 2, 3], [1, 2, 3], duration=[450, 100, 100]), {}).notes
    assert note.startswith("2 fixations begin before the one before them ends")
    assert trials_of(table([1, 2], [1, 2], duration=200), {}).notes == ()
