"""The recordings in an export: their owners, eyes, runs and events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.workflows.bids.parts import Run, events_of, parts_of, survey


def recording(**columns):
    """Two recordings of three samples each, of which only the left eye is seen."""
    made = {
        "recording": ["a"] * 3 + ["b"] * 3,
        "t_ms": [0.0, 4.0, 8.0, 1.5, 5.5, 9.5],
        "left_x_px": np.arange(6, dtype=np.float32),
        "left_y_px": np.arange(6, dtype=np.float32),
    }
    made |= {"x_px": made["left_x_px"], "y_px": made["left_y_px"]}
    samples = conform(made | columns, SAMPLES)
    events = conform({}, EVENTS)
    return Recording(name="r", format="made", sample_table=samples, event_table=events)


def test_each_recording_has_its_own_samples_and_owner():
    events = conform(
        {"recording": ["a", "b"], "participant": ["Ann", ""], "onset_ms": [8.0, 1.0]}, EVENTS
    )
    one = replace(recording(), event_table=events, participants={"b": "Ben"})
    first, second = parts_of(one)
    assert (first.participant, second.participant) == ("Ann", "Ben")
    assert [block.num_rows for block in second.blocks()] == [3]
    found = survey(second)
    assert (found.n_samples, found.first_ms, found.last_ms, found.whole) == (3, 1.5, 9.5, False)
    assert survey(first).whole
    assert [event["onset_ms"] for event in events_of(second)] == [1.0]


def test_one_recording_of_two_people_is_refused():
    events = conform({"recording": ["a", "a"], "participant": ["Ann", "Ben"]}, EVENTS)
    with pytest.raises(DataError, match="'a' is of 2 participants"):
        parts_of(replace(recording(), event_table=events))


def test_fixations_alone_are_refused():
    only = replace(recording(), sample_table=None, fixation_table=conform({}, FIXATIONS))
    with pytest.raises(DataError, match="no samples, only fixations"):
        parts_of(only)


def test_the_eyes_that_see_something_get_tables():
    one, _ = parts_of(recording())
    assert survey(one).eyes == ["left"]
    own, _ = parts_of(recording(x_px=np.full(6, 7.0)))
    assert survey(own).eyes == ["left", "cyclopean"]
    nothing = dict.fromkeys(("left_x_px", "left_y_px", "x_px", "y_px"), np.full(6, np.nan))
    blind, _ = parts_of(recording(**nothing))
    assert survey(blind).eyes == ["cyclopean"]


def test_runs_go_from_change_to_change_and_steps_back_are_counted():
    one, _ = parts_of(
        recording(stimulus=["p", "p", "q", "", "", ""], t_ms=[0.0, 4.0, 2.0, 0.0, 1.0, 2.0])
    )
    found = survey(one)
    assert found.runs == [Run("", "p", 0.0, 4.0), Run("", "q", 2.0, 2.0)]
    assert found.steps_back == 1


@pytest.mark.parametrize(("origin_ms", "written"), [(1000.0, 1000.0), (1.7e12, 0.0)])
def test_a_clock_that_tells_the_date_is_not_written(origin_ms, written):
    one, _ = parts_of(replace(recording(), origin_ms=origin_ms))
    assert one.origin_ms == written
