"""Exports that are fixation tables."""

import numpy as np

from gazetrack.readers.shared.fixation_rows import (
    end_to_end,
    eyes_of,
    fixation_recording,
    names_of_pairs,
    numbers_of,
    order_within,
    trials_from_onsets,
)

GROUPS = np.array([0, 0, 1, 0, 1])


def test_rows_have_a_number_in_common_where_all_of_their_texts_are_the_same():
    people, trials = np.array(["", "", "", "", "p"], object), np.array(list("aabab"), object)
    assert numbers_of(people, trials).tolist() == [0, 0, 1, 0, 2]


def test_rows_that_are_no_fixations_are_counted_by_reason():
    columns = {
        "x_px": np.array([10.0, np.nan, 30]),
        "y_px": np.array([1.0, 2, 3]),
        "onset_ms": np.array([0.0, 300, 600]),
        "duration_ms": np.array([200.0, 200, -5]),
    }
    recording = fixation_recording("p01", "generic", columns, 3, ["a note"])
    assert recording.fixation_table["x_px"].to_pylist() == [10]
    assert recording.rows_in == 3
    assert sum(recording.dropped.values()) == 2
    assert len(recording.dropped) == 2
    assert recording.notes == ("a note",)
    assert recording.time_origin == "trial"


def test_an_export_without_positions_has_fixations_without_positions():
    columns = {"onset_ms": np.array([0.0, 300]), "duration_ms": np.array([200.0, 200])}
    recording = fixation_recording("p01", "generic", columns, 2)
    assert recording.no_positions
    assert recording.dropped == {}
    assert np.isnan(recording.fixation_table["x_px"].to_numpy()).all()


def test_names_of_recordings_get_their_participant_where_two_share_one():
    assert names_of_pairs([("r1", "a"), ("r2", "a")]) == ["r1", "r2"]
    assert names_of_pairs([("r1", "a"), ("r1", "b")]) == ["a_r1", "b_r1"]
    assert names_of_pairs([("c", "a_b"), ("b_c", "a"), ("c", "d")]) == ["a_b_c", "a_b_c.2", "d_c"]


def test_fixations_without_onsets_are_laid_end_to_end_within_their_group():
    durations = np.array([100.0, 50, 70, np.nan, 30])
    assert end_to_end(GROUPS, durations).tolist() == [0, 100, 0, 150, 70]
    assert order_within(GROUPS).tolist() == [1, 2, 1, 3, 2]


def test_a_trial_begins_where_the_onsets_of_a_recording_fall_back():
    onsets = np.array([0.0, 300, 500, 100, 400])
    assert trials_from_onsets(GROUPS, onsets).tolist() == ["1", "1", "1", "2", "2"]


def test_words_for_eyes_are_known_in_any_case():
    words = np.array(["L", "Right", "0", "1", "", "both"], object)
    assert eyes_of(words).tolist() == ["left", "right", "left", "right", "both", "both"]
