"""Rows of gaze on a scene camera's image become samples in temporal order."""

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.shared import number_rows
from gazetrack.readers.shared.number_rows import NumberRows
from gazetrack.readers.tobii.glasses import camera_samples
from gazetrack.tables import spill
from gazetrack.tables.schema import SAMPLES
from gazetrack.tables.screen import Screen
from tests.contracts import _check_table

CAMERA = Screen(100, 50)


def samples_of(tmp_path, *times):
    path = tmp_path / "gazedata"
    path.write_text("{}\n")
    rows = NumberRows(("t", "x", "y", "line"))
    for line, t in enumerate(times, 1):
        rows.add(t, 0.01 * line, 0.02 * line, float(line))
    return camera_samples(
        read_head(path),
        rows.parts(),
        CAMERA,
        to_ms=lambda seconds: seconds * 1e3,
        pupil=lambda name, batch: np.full(batch.num_rows, len(name)),
    )


@pytest.mark.parametrize("part_rows", [1, 2, 100])
def test_samples_are_in_the_order_of_time(tmp_path, monkeypatch, part_rows):
    monkeypatch.setattr(number_rows, "_PART_ROWS", part_rows)
    monkeypatch.setattr(spill, "SPILL_ROWS", 2)
    table, origin, n_timed = samples_of(tmp_path, 2.5, 2.0, float("nan"), 3.0, 3.5, 4.0)
    _check_table(table, SAMPLES)
    assert origin == 2000.0
    assert n_timed == 5
    assert table["t_ms"].to_pylist() == [0, 500, 1000, 1500, 2000]
    np.testing.assert_allclose(table["x_px"].to_numpy(), [2, 1, 4, 5, 6], rtol=1e-6)
    np.testing.assert_allclose(table["y_px"].to_numpy(), [2, 1, 4, 5, 6], rtol=1e-6)
    assert table["left_pupil"].to_pylist() == [10] * 5
    assert table["right_pupil"].to_pylist() == [11] * 5


@pytest.mark.parametrize("part_rows", [1, 2, 100])
def test_a_second_segment_is_refused_with_its_line(tmp_path, monkeypatch, part_rows):
    monkeypatch.setattr(number_rows, "_PART_ROWS", part_rows)
    with pytest.raises(ParseError, match="a second recording begins") as caught:
        samples_of(tmp_path, *range(10, 20), 10, 11)
    assert caught.value.line == 11


def test_no_time_at_all_is_no_sample(tmp_path):
    table, origin, n_timed = samples_of(tmp_path, float("nan"))
    assert (table.num_rows, origin, n_timed) == (0, 0.0, 0)
