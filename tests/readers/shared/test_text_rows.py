"""Rows of texts come back in their order, from memory or from a file."""

import pytest

from gazetrack.readers.shared import text_rows
from gazetrack.readers.shared.text_rows import TextRows


@pytest.mark.parametrize("spill_rows", [3, 1000])
def test_rows_come_back_as_they_came(monkeypatch, spill_rows):
    monkeypatch.setattr(text_rows, "_PART_ROWS", 2)
    monkeypatch.setattr(text_rows, "EVENT_ROWS", spill_rows)
    rows = TextRows(("time", "text"))
    for n in range(7):
        rows.add(str(n), f"message\t{n}")
    assert rows.count == 7
    found = [row for part in rows.parts() for row in zip(*part, strict=True)]
    assert found == [(str(n), f"message\t{n}") for n in range(7)]


def test_no_rows_are_no_parts():
    rows = TextRows(("text",))
    assert rows.count == 0
    assert list(rows.parts()) == []
