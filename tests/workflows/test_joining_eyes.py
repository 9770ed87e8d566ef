"""The eyes of one recording, each from a file of its own, as one table."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.workflows.joining_eyes import joined_eyes


def eye(side, times, *, origin_ms=0.0, messages=()):
    """What one eye saw: x is the time, y as well; a message at each of some times."""
    times = np.array(times, float)
    prefix = "" if side == "combined" else f"{side}_"
    columns = {f"{prefix}x_px": times, f"{prefix}y_px": times, "x_px": times, "y_px": times}
    samples = conform({"recording": side, "t_ms": times, "stimulus": "a"} | columns, SAMPLES)
    onset_ms = np.array(messages, float)
    events = conform(
        {"recording": side, "kind": "message", "text": "on", "onset_ms": onset_ms}, EVENTS
    )
    return Recording(
        name=side,
        format="bids",
        sample_table=samples,
        event_table=events,
        eyes=side,
        origin_ms=origin_ms,
        rows_in=len(times),
        dropped={"no time": 1},
        notes=("a note",),
    )


def test_moments_of_both_eyes_are_one_row():
    both = joined_eyes([eye("left", [0, 4, 8]), eye("right", [0, 4, 8])])
    assert both.eyes == "binocular"
    assert both.samples["recording"].tolist() == ["left"] * 3
    assert both.samples["right_x_px"].tolist() == both.samples["x_px"].tolist() == [0, 4, 8]
    assert (both.rows_in, both.dropped) == (6, {"no time": 2})
    assert both.notes == ("each eye has a file of its own: read as one recording", "a note")


def test_eyes_that_begin_apart_meet_on_their_clock():
    both = joined_eyes(
        [eye("left", [0, 4, 8], origin_ms=104.0), eye("right", [0, 4], origin_ms=100.0)]
    )
    assert both.samples["t_ms"].tolist() == [0, 4, 8, 12]
    np.testing.assert_array_equal(both.samples["left_x_px"], [np.nan, 0, 4, 8])
    np.testing.assert_array_equal(both.samples["right_x_px"], [0, 4, np.nan, np.nan])
    np.testing.assert_array_equal(both.samples["x_px"], [0, 2, 4, 8])
    assert both.samples["stimulus"].tolist() == ["a"] * 4
    assert both.origin_ms == 100


def test_the_trackers_own_combination_comes_before_the_mean():
    own = eye("combined", [0, 4])
    both = joined_eyes([eye("left", [0, 4]), eye("right", [0, 4]), own])
    assert both.samples["x_px"].tolist() == own.samples["x_px"].tolist()


def test_a_message_that_both_files_hold_is_there_once():
    both = joined_eyes([eye("left", [0, 4], messages=[1, 3]), eye("right", [0, 4], messages=[3])])
    assert both.events["onset_ms"].tolist() == [1, 3]
    twice = joined_eyes([eye("left", [0, 4], messages=[3, 3]), eye("right", [0, 4], messages=[3])])
    assert twice.events["onset_ms"].tolist() == [3, 3]


def test_two_files_of_one_eye_are_refused():
    with pytest.raises(DataError, match="of the same eye: left"):
        joined_eyes([eye("left", [0, 4]), eye("left", [0, 4])])
