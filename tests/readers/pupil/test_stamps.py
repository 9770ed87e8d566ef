"""Times of Pupil Cloud are whole numbers until the start is taken off, part by part."""

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.pupil.stamps import TIME, StampedRows
from gazetrack.readers.text.header import needed_header
from tests.parts import shorten

START = 1_700_000_000_000_000_001


def rows_of(path, lines):
    path.write_text(f"recording id,{TIME},x\n" + "".join(lines))
    head = read_head(path)
    return StampedRows(head, needed_header(head), TIME, {"x": "x"})


def test_no_digit_is_lost(tmp_path, monkeypatch):
    shorten(monkeypatch)
    lines = [f"r{n // 50},{START + 4_000_001 * n},{n}\n" for n in range(100)]
    lines[20] = "r0,,20\n"
    rows = rows_of(tmp_path / "gaze.csv", lines)
    notes = []
    rows.check(notes)
    parts = list(rows.parts())
    assert len(parts) > 3
    t = np.concatenate([part.t_ms for part in parts])
    expected = np.r_[np.arange(50), np.arange(50)] * 4_000_001 / 1e6
    np.testing.assert_array_equal(t, np.delete(expected, 20))
    assert rows.recordings == ["r0", "r1"]
    assert rows.start_ns == START
    assert rows.n_rows == 100
    assert notes == ["2 recordings: the stated start is that of the first"]


def test_a_time_that_was_rounded_is_refused(tmp_path):
    with pytest.raises(ParseError, match="no whole number") as caught:
        rows_of(tmp_path / "gaze.csv", ["r,1.7e18,1\n"])
    assert caught.value.column == 2


def test_a_damaged_number_is_refused_first(tmp_path):
    with pytest.raises(ParseError, match="not a number"):
        rows_of(tmp_path / "gaze.csv", ["r,1.7e18,1\n", "r,17,abc\n"])
