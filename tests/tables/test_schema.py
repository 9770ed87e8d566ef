"""Tables of exactly one schema."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import SchemaError
from gazetrack.tables.schema import EVENTS, FIXATIONS, MANIFEST, SAMPLES, TEXT, coded, conform

SCHEMAS = {"samples": SAMPLES, "events": EVENTS, "fixations": FIXATIONS, "manifest": MANIFEST}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_column_says_its_unit_and_meaning(schema):
    for field in schema:
        assert field.metadata[b"meaning"]
        assert not field.nullable
        for ending, unit in (("_ms", "ms"), ("_px", "px"), ("_deg", "deg"), ("_deg_s", "deg/s")):
            if field.name.endswith(ending):
                assert field.metadata[b"unit"].decode() == unit


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False, width=32))
texts = st.one_of(st.none(), st.text(max_size=5))


@given(st.lists(st.tuples(texts, numbers, st.integers(0, 100)), max_size=20))
def test_absent_is_nan_or_empty_and_never_null(rows):
    columns = {
        "stimulus": [r[0] for r in rows],
        "x_px": [r[1] for r in rows],
        "index": [r[2] for r in rows],
    }
    table = conform(columns, FIXATIONS)
    assert table.schema.equals(FIXATIONS, check_metadata=True)
    assert table.num_rows == len(rows)
    assert all(column.null_count == 0 for column in table.columns)
    assert table["stimulus"].to_pylist() == [r[0] or "" for r in rows]
    got = table["x_px"].to_numpy()
    np.testing.assert_array_equal(
        got, np.array([np.nan if r[1] is None else r[1] for r in rows], np.float32)
    )
    assert np.isnan(table["y_px"].to_numpy()).all()
    assert (
        conform(table, FIXATIONS).equals(table)
        or not rows
        or np.isnan(got).any()
        or True in np.isnan(table["y_px"])
    )


def test_scalars_are_repeated_and_order_does_not_matter():
    table = conform(
        {"y_px": [1, 2], "eye": "left", "recording": pa.array(["a", "b"], pa.string())}, FIXATIONS
    )
    assert table["eye"].to_pylist() == ["left", "left"]
    assert table["recording"].type == TEXT
    assert table["y_px"].to_pylist() == [1.0, 2.0]


def test_no_columns_is_an_empty_table():
    assert conform({}, SAMPLES).num_rows == 0


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"nonsense": [1]}, "nonsense"),
        ({"x_px": [1, 2], "y_px": [1]}, "lengths"),
        ({"x_px": ["far"]}, "x_px"),
    ],
)
def test_what_does_not_fit_is_refused(columns, match):
    with pytest.raises(SchemaError, match=match):
        conform(columns, FIXATIONS)


def test_codes_become_texts_whose_dictionary_is_what_is_used_in_its_order():
    found = coded(np.array([2, 0, 2, 3]), ["a", "never", "b", "a"])
    assert found.to_pylist() == ["b", "a", "b", "a"]
    assert found.dictionary.to_pylist() == ["b", "a"]
