"""Gaze, fixations and blinks of one recording on one clock, and the name that tells it apart."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.workflows.joining import joined, renamed


def events(kind="fixation", onsets=(), recording="raw"):
    onset_ms = np.array(onsets, float)
    return conform(
        {
            "recording": [recording] * len(onsets),
            "kind": [kind] * len(onsets),
            "onset_ms": onset_ms,
            "duration_ms": np.full(len(onsets), 100.0),
        },
        EVENTS,
    )


def gaze(own=(), **facts):
    """One second of samples, with fixations of their own at these onsets."""
    t_ms = np.arange(0, 1000, 10.0)
    samples = conform({"recording": ["raw"] * len(t_ms), "t_ms": t_ms}, SAMPLES)
    usual = {
        "name": "raw",
        "format": "pupil_core",
        "rows_in": 100,
        "event_table": events(onsets=own),
    }
    return Recording(sample_table=samples, **(usual | facts))


def fixations(onsets, recording="fixations", **facts):
    table = conform(
        {
            "recording": [recording] * len(onsets),
            "onset_ms": np.array(onsets, float),
            "duration_ms": np.full(len(onsets), 100.0),
            "x_px": np.arange(len(onsets), dtype=float),
        },
        FIXATIONS,
    )
    usual = {"name": "fixations", "format": "pupil_core", "rows_in": len(onsets)}
    return Recording(
        sample_table=None, event_table=events(), fixation_table=table, **(usual | facts)
    )


def blinks(onsets, **facts):
    usual = {"name": "blinks", "format": "pupil_core", "rows_in": len(onsets)}
    table = events("blink", onsets, "blinks")
    return Recording(sample_table=None, event_table=table, **(usual | facts))


def told(recording):
    table = recording.event_table
    return list(zip(table["kind"].to_pylist(), table["onset_ms"].to_pylist(), strict=True))


def test_events_of_all_files_stand_in_order_of_time_under_the_name_of_the_gaze():
    whole = joined(gaze(), fixations([100, 500]), blinks([300]))
    assert told(whole) == [("fixation", 100.0), ("blink", 300.0), ("fixation", 500.0)]
    assert set(whole.event_table["recording"].to_pylist()) == {"raw"}
    assert whole.event_table["x_px"].to_pylist()[::2] == [0.0, 1.0]
    assert whole.fixation_table is None
    assert whole.sample_table.num_rows == 100


def test_those_of_a_file_take_the_place_of_the_gaze_s_own_of_the_same_kind():
    before = gaze(own=[20, 40, 60])
    assert told(joined(before, fixations([100]), None)) == [("fixation", 100.0)]
    assert told(joined(before, None, blinks([50]))) == [
        ("fixation", 20.0),
        ("fixation", 40.0),
        ("blink", 50.0),
        ("fixation", 60.0),
    ]


def test_nothing_is_joined_where_there_is_nothing():
    alone = joined(gaze(own=[20]), None, None)
    assert told(alone) == [("fixation", 20.0)]
    assert alone.notes == ()


def test_gaze_that_knows_its_fixations_medium_by_medium_keeps_them():
    before = gaze(own=[20, 40], format="gazepoint")
    whole = joined(before, fixations([100], format="gazepoint"), None)
    assert told(whole) == [("fixation", 20.0), ("fixation", 40.0)]
    assert "fixations as the gaze has them: 2, 1 in their own file" in whole.notes


def test_times_are_moved_to_the_clock_of_the_gaze():
    # The gaze begins at 5.0 s of the tracker's clock, the fixations at 5.2 s.
    whole = joined(gaze(origin_ms=5000.0), fixations([100], origin_ms=5200.0), None)
    assert told(whole) == [("fixation", 300.0)]


def test_absolute_starts_are_exact_and_win_over_the_tracker_s_clock():
    start_ns = 1_600_000_000_000_000_000
    first = gaze(start_ns=start_ns, origin_ms=7.0)
    later = fixations([100], start_ns=start_ns + 250_000_001, origin_ms=9.0)
    assert told(joined(first, later, None)) == [("fixation", 100 + 250.000001)]
    without = fixations([100], origin_ms=9.0)
    assert told(joined(first, without, None)) == [("fixation", 102.0)]


def test_rows_and_what_became_of_them_are_those_of_all_files():
    first = gaze(dropped={"no time": 2}, mended={"short": 1}, notes=("a",))
    second = fixations([100, 200], dropped={"no time": 1, "no onset": 3}, notes=("a", "b"))
    whole = joined(first, second, blinks([300], mended={"short": 2}))
    assert whole.rows_in == 100 + 2 + 1
    assert whole.dropped == {"no time": 3, "no onset": 3}
    assert whole.mended == {"short": 3}
    assert whole.notes[:2] == ("a", "b")
    assert "files of their own" in whole.notes[2]


@pytest.mark.parametrize("onsets", [[-3000, -2000], [1500, 2500]])
def test_times_that_do_not_meet_are_of_different_recordings(onsets):
    with pytest.raises(DataError, match=r"fixations lie .* not of the same recording"):
        joined(gaze(), fixations(onsets), None)
    with pytest.raises(DataError, match=r"blinks lie .* not of the same recording"):
        joined(gaze(), None, blinks(onsets))


def test_a_fixation_may_begin_before_the_first_sample():
    assert told(joined(gaze(), fixations([-400]), None)) == [("fixation", -400.0)]


def test_several_recordings_in_a_file_share_no_clock():
    table = fixations([100, 200]).fixation_table
    two = table.set_column(0, table.schema.field("recording"), conform(
        {"recording": ["a", "b"]}, FIXATIONS)["recording"])  # fmt: skip
    part = Recording(
        name="f", format="pupil_core", sample_table=None, event_table=events(), fixation_table=two
    )
    with pytest.raises(DataError, match="2 recordings in one file"):
        joined(gaze(), part, None)


def test_without_samples_there_is_nothing_to_join_to():
    with pytest.raises(DataError, match="no samples"):
        joined(fixations([100]), None, blinks([100]))


def names(recording):
    return recording.name, *sorted(set(recording.event_table["recording"].to_pylist()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("raw", "s01"),
        ("raw_2", "s01_2"),
        ("rawhide", "rawhide"),
        ("Recording1", "s01_Recording1"),
        ("the long one", "the long one"),
        ("", ""),
    ],
)
def test_a_recording_gets_the_name_that_tells_it_from_others(old, new):
    recording = gaze(name=old, event_table=events(onsets=[1], recording=old))
    assert names(renamed(recording, "raw", "s01")) == (new, new)


@pytest.mark.parametrize("format", ["generic", "gazetrack_samples"])
def test_names_that_a_user_gave_stay(format):
    recording = gaze(
        name="Recording1", format=format, event_table=events(onsets=[1], recording="Recording1")
    )
    assert names(renamed(recording, "raw", "s01")) == ("Recording1", "Recording1")


def test_every_table_and_the_participants_are_under_the_new_name():
    whole = gaze(own=[20], participants={"raw": "anna"})
    new = renamed(whole, "raw", "s01")
    assert new.participants == {"s01": "anna"}
    assert set(new.sample_table["recording"].to_pylist()) == {"s01"}
    assert set(new.event_table["recording"].to_pylist()) == {"s01"}
    assert new.fixation_table is None
    table = renamed(fixations([1], recording="raw"), "raw", "s01").fixation_table
    assert table["recording"].to_pylist() == ["s01"]
    assert new.sample_table.schema.equals(SAMPLES, check_metadata=True)


def test_a_table_without_a_new_name_is_the_very_same():
    recording = gaze()
    assert renamed(recording, "other", "s01").sample_table is recording.sample_table
