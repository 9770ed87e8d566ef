"""The table of eye movements: every column of the export's own events, and more."""

from __future__ import annotations

from gazetrack.tables.movements import MOVEMENT_KINDS, MOVEMENTS
from gazetrack.tables.schema import EVENTS, conform


def test_it_holds_whatever_an_export_tells():
    assert set(EVENTS.names) < set(MOVEMENTS.names)
    for name in EVENTS.names:
        assert MOVEMENTS.field(name).type == EVENTS.field(name).type


def test_every_column_says_its_unit_and_meaning():
    for field in MOVEMENTS:
        unit = field.metadata[b"unit"].decode()
        assert field.metadata[b"meaning"]
        written = {"ms": "_ms", "px": "_px", "deg": "_deg", "deg/s": "_deg_s"}.get(unit, "")
        assert field.name.endswith(written)


def test_columns_that_are_not_given_are_empty():
    table = conform({"kind": list(MOVEMENT_KINDS), "source": "detected"}, MOVEMENTS)
    assert table.schema.equals(MOVEMENTS, check_metadata=True)
    frame = table.to_pandas()
    assert list(frame["kind"]) == list(MOVEMENT_KINDS)
    assert frame["direction_deg"].isna().all()
    assert (frame["text"] == "").all()
