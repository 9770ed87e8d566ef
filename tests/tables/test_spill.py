"""Rows that are spilled are the rows that came, and those in memory stay few."""

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.errors import OutputError
from gazetrack.tables import spill as _spill

TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("text", TEXT)])


def batch(first, count):
    numbers = pa.array(range(first, first + count), pa.int64())
    texts = pa.array([f"message {n}" for n in range(first, first + count)]).dictionary_encode()
    return pa.record_batch([numbers, texts.cast(TEXT)], SCHEMA)


@pytest.mark.parametrize("spill_rows", [1, 5, 7, 100])
def test_rows_come_back_in_their_order_with_their_texts(spill_rows):
    spill = _spill.Spill(SCHEMA, spill_rows)
    for first in range(0, 12, 3):
        spill.append(batch(first, 3))
    table = pa.Table.from_batches(spill.batches(), SCHEMA)
    assert spill.rows == 12
    assert table["n"].to_pylist() == list(range(12))
    assert table["text"].to_pylist() == [f"message {n}" for n in range(12)]
    assert spill.all_in_memory == (spill_rows == 100)


def test_no_more_rows_are_in_memory_than_a_batch_holds(monkeypatch):
    monkeypatch.setattr(_spill, "_BATCH_ROWS", 1000)
    spill = _spill.Spill(SCHEMA, 5000)
    before = pa.total_allocated_bytes()
    for first in range(0, 100_000, 500):
        numbers = pa.array(range(first, first + 500))
        texts = pa.DictionaryArray.from_arrays(np.zeros(500, np.int32), ["one"])
        spill.append(pa.record_batch([numbers, texts], SCHEMA))
    held = pa.total_allocated_bytes() - before
    batches = spill.batches()
    mapped = pa.total_allocated_bytes() - before
    assert sum(one.num_rows for one in batches) == 100_000
    assert held < 20_000
    assert mapped < 20_000  # 1.2 MB of rows lie in the file


def test_a_full_folder_of_temporary_files_is_an_error_of_the_output(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_spill.tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        _spill.Spill(SCHEMA, 1).append(batch(0, 1))
    assert "TMPDIR" in caught.value.hint


def test_a_disk_that_fills_at_the_end_is_an_error_of_the_output():
    class Full:
        def close(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        _spill._mapped(None, Full())
