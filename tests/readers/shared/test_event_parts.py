"""Events that come in parts and in any order make the table that they would make at once."""

import numpy as np
import pandas as pd
import pytest

from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.tables.schema import EVENTS, conform

ONSETS = np.array([5.0, 1, 9, 3, 7, 11])


def columns(onsets, kind):
    return {
        "kind": kind,
        "index": np.arange(1, len(onsets) + 1),
        "onset_ms": onsets,
        "duration_ms": 2.0,
        "stimulus": np.array([f"{onset:.0f}.png" for onset in onsets], object),
        "text": np.array([f"{kind} at {onset:.0f}" for onset in onsets], object),
    }


@pytest.mark.parametrize("spill_rows", [1, 4, 1000])
@pytest.mark.parametrize("length", [1, 2, 6])
def test_events_are_put_in_order(spill_rows, length):
    events = EventParts(spill_rows)
    for first in range(0, len(ONSETS), length):
        own = ONSETS[first : first + length]
        events.append(own, columns(own, "saccade") | {"index": 1 + first + np.arange(len(own))})
    order = np.argsort(ONSETS)
    expected = conform(columns(ONSETS, "saccade"), EVENTS).take(order)
    assert events.count == len(ONSETS)
    pd.testing.assert_frame_equal(
        events.table().to_pandas(), expected.to_pandas(), check_categorical=False
    )


@pytest.mark.parametrize("spill_rows", [1, 1000])
def test_of_events_in_one_place_the_lower_rank_comes_first(spill_rows):
    events = EventParts(spill_rows)
    for onset in ONSETS:
        events.append([onset], columns([onset], "fixation"), rank=1)
    events.append(ONSETS, columns(ONSETS, "message"), rank=0)
    kinds = events.table()["kind"].to_pylist()
    assert kinds == ["message", "fixation"] * len(ONSETS)


@pytest.mark.parametrize("spill_rows", [1, 1000])
def test_numbers_and_times_may_be_known_at_the_end(spill_rows):
    events = EventParts(spill_rows)
    for onset in ONSETS:
        events.append([onset], columns([onset], "message"), rank=0)
        events.append([onset], columns([onset], "blink"), rank=1)
    found = events.table(
        lambda own: {"onset_ms": own["onset_ms"] - 1, "duration_ms": 10.0 * own["rank"]},
        numbers_of={"message"},
        recording="run",
    )
    assert found["index"].to_pylist()[::2] == [1, 2, 3, 4, 5, 6]
    assert set(found["index"].to_pylist()[1::2]) == {1}
    assert found["onset_ms"].to_pylist()[::2] == (np.sort(ONSETS) - 1).tolist()
    assert found["duration_ms"].to_pylist()[:2] == [0, 10]
    assert set(found["recording"].to_pylist()) == {"run"}


def test_no_events_are_an_empty_table():
    events = EventParts()
    events.append(np.empty(0), {})
    assert events.table().equals(conform({}, EVENTS))
