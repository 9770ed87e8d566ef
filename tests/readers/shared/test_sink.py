"""Samples collected part by part are the same in memory and in a temporary file."""

import numpy as np
import pytest

from gazetrack.errors import OutputError
from gazetrack.readers.shared import sink as _sink
from gazetrack.tables import spill as _spill
from gazetrack.tables.schema import SAMPLES
from tests.contracts import _check_table


def part(t, codes):
    n = len(t)
    texts = {name: np.array(codes, np.int32) for name in ("recording", "trial", "stimulus")}
    return {**texts, "t_ms": np.array(t, float), "x_px": np.arange(n, dtype=np.float32)}


@pytest.mark.parametrize("spill_rows", [1, 3, 1000])
@pytest.mark.parametrize("names", [["a", "b", "c"], ["a", "b", "a"], ["a", "a", "a"]])
def test_samples_in_a_file_are_those_in_memory(spill_rows, names):
    sink = _sink.SampleSink(spill_rows)
    sink.append(part([0, 1], [0, 1]))
    sink.append(part([2, 3, 4], [1, 2, 2]))
    table = sink.table(dict.fromkeys(("recording", "trial", "stimulus"), names), shift_ms=0.5)
    _check_table(table, SAMPLES)
    assert table["t_ms"].to_pylist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert table["trial"].to_pylist() == [names[i] for i in (0, 1, 1, 2, 2)]
    assert table["x_px"].to_pylist() == [0, 1, 0, 1, 2]
    assert np.isnan(table["left_x_px"].to_numpy()).all()
    assert len(table["stimulus"].chunk(0).dictionary) == len(set(names))


def test_no_room_for_samples_is_an_error_of_the_output(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_spill.tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        _sink.SampleSink(1).append(part([0], [0]))
    assert "TMPDIR" in caught.value.hint


def test_samples_are_mended_when_all_are_known():
    sink = _sink.SampleSink(2)
    sink.append(part([0, 1], [0, 0]))
    sink.append(part([2, 3], [0, 0]))
    names = {key: ["a"] for key in ("recording", "trial", "stimulus")}
    seen = []

    def doubled(columns):
        seen.append(len(columns["t_ms"]))
        return {**columns, "x_px": 2 * columns["x_px"]}

    table = sink.table(names, mend=doubled)
    assert seen == [2, 2]
    assert table["x_px"].to_pylist() == [0, 2, 0, 2]
    assert table["t_ms"].to_pylist() == [0, 1, 2, 3]
