"""A table that is kept comes back as it was read, part by part, as often as one likes."""

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.text import cells
from gazetrack.readers.text.header import needed_header
from gazetrack.readers.text.stored import stored_table
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables import spill

ROWS = 500


def table(tmp_path, rows=ROWS):
    path = tmp_path / "raw.csv"
    lines = [f"{n},{n / 7:.5f},img{n // 90}.png,1700000000000000{n:03d}\n" for n in range(rows)]
    path.write_text("t,x,image,ns\n" + "".join(lines))
    head = read_head(path)
    header = needed_header(head)
    wanted = {"t": (0, "float64"), "x": (1, "float32"), "image": (2, "text")}
    return head, header, wanted


@pytest.fixture
def short_parts(monkeypatch):
    monkeypatch.setattr(cells, "PART_ROWS", 64)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(spill, "SPILL_ROWS", 100)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 50)


def test_parts_make_the_table_each_time(tmp_path, short_parts):
    head, header, wanted = table(tmp_path)
    stored = stored_table(head, header, wanted)
    whole = read_columns(head, header, wanted)
    assert stored.n_rows == ROWS
    for _ in range(2):
        parts = list(stored.parts())
        assert len(parts) > 3
        for key in ("t", "x"):
            found = np.concatenate([part.number(key) for part in parts])
            np.testing.assert_array_equal(found, whole.number(key))
            assert found.dtype == whole.number(key).dtype
        texts = np.concatenate([part.text("image") for part in parts])
        np.testing.assert_array_equal(texts, whole.text("image"))
    assert stored.names("image") == whole.texts("image").names
    assert stored.names("trial") == [""]


def test_what_is_kept_may_be_made_of_the_parts(tmp_path, short_parts):
    head, header, wanted = table(tmp_path)
    stored = stored_table(
        head, header, wanted, lambda part: Columns(part.n_rows, {"sum": part.number("t") + 1})
    )
    assert stored.keys == ("sum",)
    found = np.concatenate([part.number("sum") for part in stored.parts()])
    np.testing.assert_array_equal(found, np.arange(ROWS) + 1)


def test_texts_of_a_part_need_not_be_those_of_all(tmp_path, short_parts):
    head, header, wanted = table(tmp_path)
    lengths = []

    def stamps(part):
        texts = part.texts("ns")
        lengths.append(len(texts.names))
        numbers = np.array([int(name) for name in texts.names])
        return Columns(part.n_rows, {"ns": numbers[texts.codes]})

    stored = stored_table(head, header, wanted | {"ns": (3, "own_text")}, stamps)
    found = np.concatenate([part.number("ns") for part in stored.parts()])
    np.testing.assert_array_equal(found, 1_700_000_000_000_000_000 + np.arange(ROWS))
    assert max(lengths) < ROWS / 3


def test_a_column_may_be_wanted_as_numbers_and_as_texts(tmp_path, short_parts):
    head, header, _ = table(tmp_path)
    quoted = tmp_path / "quoted.csv"
    quoted.write_text(head.path.read_text().replace("img0.png", '"img0.png"'))
    for path in (head.path, quoted):
        head = read_head(path)
        header = needed_header(head)
        both = stored_table(head, header, {"t": (0, "float64"), "text": (0, "text")})
        for part in both.parts():
            assert part.text("text").astype(float).tolist() == part.number("t").tolist()


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(ParseError, match="a header and no rows"):
        stored_table(*table(tmp_path, rows=0))
