"""Missing is NaN, never what a vendor writes for it: over all golden and all real exports, whatever the reader."""

import json
from pathlib import Path

import numpy as np
import pytest

from gazetrack.checks import MAX_POSITION_PX, checked
from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))
# In both coordinates of a position these mark lost gaze; in one alone they are a place at the border of the screen.
MARKS = (0.0, -1.0)
# The tracker's movements; a message or a button has no length.
LASTING = {"fixation", "saccade", "blink"}


def marks_in(table):
    """Yield what in a table is a mark of a missing value, in words."""
    columns = {name: table[name].to_numpy() for name in table.column_names if table[name].type in ("float", "double")}
    for name, values in columns.items():
        if name.endswith("pupil") and (values <= 0).any():
            yield f"{int((values <= 0).sum())} of {name} are not above 0"
        if name.endswith("x_px"):
            other = columns[f"{name[:-4]}y_px"]
            yield from (
                f"{n} of {name} and y at {m:g}" for m in MARKS if (n := int(((values == m) & (other == m)).sum()))
            )
        if name.endswith("_px") and (np.abs(values) > MAX_POSITION_PX).any():
            yield f"{name} beyond any screen"
    if "duration_ms" in columns:
        lasting = np.ones(table.num_rows, bool)
        if "kind" in table.column_names:
            lasting = np.isin(np.array(table["kind"].to_pylist(), object).astype(str), list(LASTING))
        if n := int((columns["duration_ms"][lasting] <= 0).sum()):
            yield f"{n} durations are not above 0"


def assert_no_marks(recording):
    tables = {name: getattr(recording, name) for name in ("samples", "events", "fixations")}
    found = [f"{name}: {mark}" for name, table in tables.items() if table is not None for mark in marks_in(table)]
    assert not found


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_no_golden_export_leaves_a_mark_of_a_missing_value(path):
    columns = path.parent / "columns.json"
    options = ReadOptions(json.loads(columns.read_text()) if columns.exists() else {})
    assert_no_marks(checked(registry.get(path.parts[-3]).read(read_head(path), options)))


@pytest.mark.real_data
def test_no_real_export_leaves_a_mark_of_a_missing_value(data_dir):
    count, found = 0, {}
    for file in sorted(path for path in (data_dir / "exports").rglob("*") if path.is_file()):
        try:
            head = read_head(file)
            recording = checked(registry.get(registry.detect(head).name).read(head, ReadOptions()))
        except GazetrackError:
            continue  # not gaze, or refused: other tests say which
        count += 1
        tables = [table for table in (recording.samples, recording.events, recording.fixations) if table is not None]
        if marks := [mark for table in tables for mark in marks_in(table)]:
            found[file.name] = marks
    assert count > 60
    assert not found


def test_the_search_for_marks_finds_them():
    path = next(path for path in CASES if path.parts[-3] == "tobii_pro")
    samples = registry.get("tobii_pro").read(read_head(path), ReadOptions()).samples
    for name, value, words in (("left_pupil", -1, "left_pupil"), ("x_px", 1e8, "x_px beyond any screen")):
        column = samples[name].to_numpy().copy()
        column[0] = value
        spoilt = samples.set_column(samples.schema.get_field_index(name), samples.schema.field(name), [column])
        assert any(words in mark for mark in marks_in(spoilt))
