"""Tables as text: every number comes back, and every text stays in its cell."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.workflows.bids import cells


@given(st.text())
def test_a_text_is_one_cell_on_one_line(text):
    cell = cells.text_cell(text)
    assert cell
    assert len(f"a\t{cell}\tb".split("\t")) == 3
    assert len(f"{cell}\n".splitlines()) == 1 or not cell.isprintable()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_short_number_is_the_very_same_again(value):
    assert np.float32(float(cells.number_cell(np.float32(value)))) == np.float32(value)
    (text,) = cells.float_cells(pa.array([value], pa.float32())).to_pylist()
    assert np.float32(float(text)) == np.float32(value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_missing(value):
    assert cells.number_cell(value) == "n/a"
    assert cells.float_cells(pa.array([value], pa.float32())).to_pylist() == ["n/a"]


def test_numbers_have_as_many_decimals_as_they_need():
    assert [cells.number_cell(x, 3) for x in (1.0, 0.5, 1.23456, -0.0001)] == [
        "1",
        "0.5",
        "1.235",
        "0",
    ]
    assert cells.number_cell(7) == "7"


@given(st.lists(st.floats(-1e11, 1e11), min_size=1, max_size=5))
def test_times_are_known_to_the_microsecond(times):
    texts = cells.time_cells(np.array(times), whole=False).to_pylist()
    np.testing.assert_allclose([float(text) for text in texts], times, rtol=0, atol=6e-4)
    assert not any("e" in text for text in texts)


def test_whole_times_have_no_decimals():
    assert cells.time_cells(np.array([1e10, 4.0]), whole=True).to_pylist() == ["10000000000", "4"]


def test_a_packed_table_has_the_same_bytes_twice(tmp_path):
    for name in ("a.tsv.gz", "b.tsv.gz"):
        cells.write_packed_rows(tmp_path / name, [["1", "é"], ["2", "x"]])
    data = (tmp_path / "a.tsv.gz").read_bytes()
    assert data == (tmp_path / "b.tsv.gz").read_bytes()
    assert gzip.decompress(data).decode() == "1\té\n2\tx\n"


def test_rows_stand_below_their_header(tmp_path):
    cells.write_rows(tmp_path / "a.tsv", ["a", "b"], [["1", "2"]])
    assert (tmp_path / "a.tsv").read_bytes() == b"a\tb\n1\t2\n"
