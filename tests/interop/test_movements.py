"""Events in any form become one table, on the screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import SchemaError
from gazetrack.interop.movements import movements_of
from gazetrack.tables.movements import MOVEMENTS
from gazetrack.tables.placement import Placement
from gazetrack.tables.schema import FIXATIONS, conform
from tests.interop.recordings import EVENT_TABLE, plain, recording

PLACE = Placement(100, 50, 600, 400, 300, 200)


def fixations(**columns):
    known = {"recording": "anna", "stimulus": ["a.png", "b.png", "a.png"]}
    known |= {"onset_ms": [300.0, 100.0, 200.0], "duration_ms": 80.0, "eye": "left"}
    known |= {"x_px": [0.0, 10.0, 150.0], "y_px": [0.0, 10.0, 100.0]}
    return conform(known | columns, FIXATIONS)


def test_the_export_s_own_events_in_the_order_of_time():
    backwards = EVENT_TABLE.take(list(range(EVENT_TABLE.num_rows))[::-1])
    found = movements_of(replace(recording(), event_table=backwards), None)
    assert found.schema.equals(MOVEMENTS)
    assert set(found["source"].to_pylist()) == {"tracker"}
    shared = [name for name in EVENT_TABLE.column_names if name in MOVEMENTS.names]
    pd.testing.assert_frame_equal(plain(found)[shared], plain(EVENT_TABLE)[shared])


def test_an_export_of_fixations_alone_gives_them():
    own = replace(recording(), fixation_table=fixations())
    # There are fixations among the events already.
    assert movements_of(own, None).num_rows == EVENT_TABLE.num_rows
    messages = EVENT_TABLE.slice(0, 1)
    found = movements_of(replace(own, event_table=messages), None)
    assert found["kind"].to_pylist() == ["message", *["fixation"] * 3]
    assert found["onset_ms"].to_pylist() == [-7.0, 100.0, 200.0, 300.0]


def test_fixations_on_an_image_go_back_to_the_screen():
    on_image = fixations(
        image_width_px=[300.0, np.nan, 300.0], image_height_px=[200.0, np.nan, 200.0]
    )
    shown = recording(placements={"a.png": PLACE})
    found = movements_of(shown, on_image)
    # In the order of time: b.png is on the screen already, and the others are twice as large.
    assert found["x_px"].to_pylist() == [10.0, 400.0, 100.0]
    assert found["y_px"].to_pylist() == [10.0, 250.0, 50.0]
    assert set(found["source"].to_pylist()) == {"detected"}
    nowhere = movements_of(recording(), on_image)
    np.testing.assert_array_equal(nowhere["x_px"].to_numpy(), np.float32([10, np.nan, np.nan]))


def test_detected_events_are_told_from_the_trackers(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64))
    shown = gazetrack.read(example.exports[0], screen=gazetrack.Screen(1280, 1024, 380, 300, 600))
    detected = gazetrack.detect_events(shown)
    found = movements_of(shown, detected)
    assert set(found["source"].to_pylist()) == {"tracker", "detected"}
    assert found.num_rows == len(detected)


def test_what_is_no_table_of_events_is_refused():
    with pytest.raises(SchemaError, match="no column onset_ms"):
        movements_of(recording(), pd.DataFrame({"duration_ms": [1.0]}))


def test_nothing_is_found_in_nothing():
    empty = replace(recording(), event_table=EVENT_TABLE.slice(0, 0))
    assert movements_of(empty, None).num_rows == 0
    assert movements_of(empty, fixations().slice(0, 0)).num_rows == 0
