"""Events that come part by part are sorted and numbered as those of one whole are."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.readers.shared.event_sink import EventSink
from gazetrack.tables.schema import EVENTS, conform
from tests.contracts import _check_table

NAMES = {
    "recording": ["r"],
    "kind": ["", "fixation", "message"],
    "eye": ["left", "right", ""],
    "trial": ["1", "2", "1"],  # a trial may come again
    "stimulus": ["a", "b", "c"],
}
ROW = st.tuples(
    st.integers(0, 20), st.integers(1, 2), st.integers(0, 2), st.integers(0, 2), st.text(max_size=3)
)


def part(rows):
    onset, kind, eye, segment, text = zip(*rows, strict=True)
    columns = {
        "kind": pa.array(kind, pa.int32()),
        "eye": pa.array(eye, pa.int32()),
        "trial": pa.array(segment, pa.int32()),
        "stimulus": pa.array(segment, pa.int32()),
        "onset_ms": pa.array(onset, pa.float64()),
        "text": pa.array(text, pa.string()),
    }
    for field in EVENTS:
        if pa.types.is_floating(field.type) and field.name not in columns:
            columns[field.name] = pa.array(np.zeros(len(rows)), field.type)
    return pa.record_batch(columns)


def expected(rows):
    frame = pd.DataFrame(rows, columns=["onset_ms", "kind", "eye", "trial", "text"])
    frame["stimulus"] = [NAMES["stimulus"][code] for code in frame["trial"]]
    for name in ("kind", "eye", "trial"):
        frame[name] = [NAMES[name][code] for code in frame[name]]
    frame = frame.sort_values("onset_ms", kind="stable")
    frame["index"] = frame.groupby(["kind", "eye", "trial"], sort=False).cumcount() + 1
    return frame


@given(parts=st.lists(st.lists(ROW, min_size=1, max_size=6), min_size=1, max_size=5))
@pytest.mark.parametrize("spill_rows", [1, 1000])
def test_events_in_any_order_are_sorted_and_numbered(spill_rows, parts):
    sink = EventSink(NAMES, spill_rows)
    firsts = [min(row[0] for row in rows) for rows in parts]
    later = [min(firsts[i + 1 :], default=np.inf) for i in range(len(parts))]
    sink.take(map(part, parts), later)
    table = sink.table()
    _check_table(table, EVENTS)
    wanted = expected([row for rows in parts for row in rows])
    for name in wanted.columns:
        assert table[name].to_pylist() == wanted[name].to_list(), name
    assert set(table["recording"].to_pylist()) == {"r"}
    assert set(table["participant"].to_pylist()) == {""}


def test_few_events_are_one_chunk_with_the_names_that_are_used():
    rows = [(5, 2, 2, 1, "x"), (1, 1, 0, 0, ""), (7, 2, 2, 2, "x")]
    sink = EventSink(NAMES)
    sink.take([part(rows[:1]), part(rows[1:])], [1.0, np.inf])
    table = sink.table()
    assert {column.num_chunks for column in table.columns} == {1}
    as_a_whole = conform({name: table[name].to_pylist() for name in EVENTS.names}, EVENTS)
    for name in ("kind", "eye", "trial", "stimulus", "text"):
        own = table[name].chunk(0).dictionary.to_pylist()
        assert own == as_a_whole[name].chunk(0).dictionary.to_pylist(), name
