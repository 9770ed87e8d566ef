"""Events of lines and of the kernel are one list, in the order of their lines."""

import math

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.readers.eyelink import event_rows
from gazetrack.readers.eyelink.event_rows import EYES, KINDS, ROWS, EventRows
from gazetrack.readers.eyelink.movements import BLINK, FIXATION, N_FIELDS, Event, Movements


def message(line, text="x", onset=None):
    onset = float(line) if onset is None else onset
    return Event("message", "", onset, onset, 0.0, 0.0, text=text, line=line)


def movements(*lines, kind=FIXATION):
    fields = np.zeros((len(lines), N_FIELDS))
    fields[:, 1] = lines  # onset
    fields[:, 6] = 900.0  # pupil
    kinds = np.full(len(lines), kind, np.uint8)
    return Movements(kinds, fields, np.array(lines, np.int64), np.full(len(lines), 4.0))


@pytest.mark.parametrize("spill_rows", [1, 1000])
@pytest.mark.parametrize("part_rows", [1, 1000])
def test_events_are_in_the_order_of_lines(monkeypatch, spill_rows, part_rows):
    monkeypatch.setattr(event_rows, "_PART_ROWS", part_rows)
    rows = EventRows(spill_rows)
    rows.add(message(3))
    rows.add(message(8, "later"))
    rows.add_movements(movements(2, 5))
    rows.end_block()
    rows.add(message(9))
    rows.end_block()
    table = pa.Table.from_batches(rows.parts(), ROWS)
    assert table["line"].to_pylist() == [2, 3, 5, 8, 9]
    kinds = [KINDS[code] for code in table["kind"].to_pylist()]
    assert kinds == ["fixation", "message", "fixation", "message", "message"]
    assert [EYES[code] for code in table["eye"].to_pylist()] == ["left", "", "left", "", ""]
    assert table["text"].to_pylist() == ["", "x", "", "later", "x"]
    assert table["pupil"].to_pylist()[0] == 900.0
    assert math.isnan(table["x"].to_pylist()[1])
    assert rows.count == 5
    assert rows.first_onset == 2.0
    assert rows.any_in_pixels


def test_no_more_events_wait_than_those_of_a_part(monkeypatch):
    monkeypatch.setattr(event_rows, "_PART_ROWS", 50)
    rows = EventRows(100)
    most = 0
    for block in range(100):
        for line in range(20):
            rows.add(message(20 * block + line))
        rows.end_block()
        most = max(most, len(rows._events))
    assert most < 50
    assert sum(part.num_rows for part in rows.parts()) == 2000


def test_blinks_and_directions_are_no_positions_in_pixels():
    rows = EventRows()
    rows.add_movements(movements(1, kind=BLINK))
    rows.add(Event("fixation", "left", 1.0, 2.0, 1.0, 1.0, in_pixels=False, line=2))
    assert not rows.any_in_pixels
    assert rows.n_angular == 1
