"""Missing is NaN, never what a vendor writes for it, in all golden and all real exports."""

import json
import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.tables.plausible import MAX_POSITION_PX, checked
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from tests.places import GOLDEN

CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))
# In both coordinates of a position these mark lost gaze; in one alone they are a place at the
# border of the screen.
MARKS = (0.0, -1.0)
# The tracker's movements; a message or a button has no length.
LASTING = {"fixation", "saccade", "blink"}


def marks_in(table):
    """Yield what in a table is a mark of a missing value, in words."""
    columns = {
        name: table[name].to_numpy()
        for name in table.column_names
        if table[name].type in ("float", "double")
    }
    for name, values in columns.items():
        if name.endswith("pupil") and (values <= 0).any():
            yield f"{int((values <= 0).sum())} of {name} are not above 0"
        if name.endswith("x_px"):
            other = columns[f"{name[:-4]}y_px"]
            yield from (
                f"{n} of {name} and y at {m:g}"
                for m in MARKS
                if (n := int(((values == m) & (other == m)).sum()))
            )
        if name.endswith("_px") and (np.abs(values) > MAX_POSITION_PX).any():
            yield f"{name} beyond any screen"
    if "duration_ms" in columns:
        lasting = np.ones(table.num_rows, bool)
        if "kind" in table.column_names:
            lasting = np.isin(
                np.array(table["kind"].to_pylist(), object).astype(str), list(LASTING)
            )
        if n := int((columns["duration_ms"][lasting] <= 0).sum()):
            yield f"{n} durations are not above 0"


def assert_no_marks(recording):
    tables = {
        name: getattr(recording, name) for name in ("sample_table", "event_table", "fixation_table")
    }
    found = [
        f"{name}: {mark}"
        for name, table in tables.items()
        if table is not None
        for mark in marks_in(table)
    ]
    assert not found


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_no_golden_export_leaves_a_mark_of_a_missing_value(path):
    columns = path.parent / "columns.json"
    options = ReadOptions(columns=json.loads(columns.read_text()) if columns.exists() else {})
    assert_no_marks(checked(registry.get(path.parts[-3]).read(read_head(path), options)))


@pytest.mark.slow
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
        tables = [
            table
            for table in (recording.sample_table, recording.event_table, recording.fixation_table)
            if table is not None
        ]
        if marks := [mark for table in tables for mark in marks_in(table)]:
            found[file.name] = marks
    assert count > 60
    assert not found


NUMBER = re.compile(r"\"?-?[0-9]+([.,][0-9]+)?\"?")
PUPIL = re.compile(r"pupil|psize|dia|[LR]P(D|MM)\b", re.IGNORECASE)


def pairs_of(names):
    """Return the columns that are called the same but for an x and a y."""
    places = {name.strip().strip('"').lower(): at for at, name in enumerate(names)}
    others = {
        (name, f"{name[: m.start()]}y{name[m.end() :]}")
        for name in places
        for m in re.finditer("x", name)
    }
    return {at for x, y in others if y in places for at in (places[x], places[y])}


def spoilt(text, mark, wanted):
    """Return a table of text with a mark in every number of some columns, None without any."""
    pieces = re.split(r"(\r\r\n|\r\n|\n)", text)
    for i, line in enumerate(pieces):
        for delimiter in "\t,;":
            names = line.split(delimiter)
            if len(names) > 2 and (columns := wanted(names)):
                rows = [piece.split(delimiter) for piece in pieces[i + 1 :]]
                for row in rows:
                    for at in columns if len(row) >= len(names) else ():
                        row[at] = mark if NUMBER.fullmatch(row[at]) else row[at]
                return "".join([*pieces[: i + 1], *(delimiter.join(row) for row in rows)])
    return None


def pupils_of(names):
    return [at for at, name in enumerate(names) if PUPIL.search(name)]


WANTED = {"positions": pairs_of, "pupils": pupils_of}
SPOILT = [
    (path, what, mark)
    for path in CASES
    for what, wanted in WANTED.items()
    for mark in ("0", "-1")
    if spoilt(path.read_bytes().decode("utf-8-sig", "replace"), mark, wanted) is not None
]


@pytest.mark.parametrize(
    ("path", "what", "mark"),
    SPOILT,
    ids=[f"{path.parts[-3]}/{path.parts[-2]}/{what}/{mark}" for path, what, mark in SPOILT],
)
def test_a_mark_in_every_cell_of_any_format_is_missing(path, what, mark, tmp_path):
    """Whatever the vendor, whether its reader has a rule or the stage after all readers."""
    text = spoilt(path.read_bytes().decode("utf-8-sig", "replace"), mark, WANTED[what])
    (tmp_path / path.name).write_text(text, encoding="utf-8", newline="")
    columns = path.parent / "columns.json"
    options = ReadOptions(columns=json.loads(columns.read_text()) if columns.exists() else {})
    with suppress(GazetrackError):  # refused is right as well
        assert_no_marks(
            checked(registry.get(path.parts[-3]).read(read_head(tmp_path / path.name), options))
        )


def test_every_way_of_spoiling_is_tried():
    assert len(SPOILT) > 120


def samples_of(**columns):
    n = len(next(iter(columns.values())))
    return Recording(
        name="a",
        format="test",
        sample_table=conform(
            {"recording": ["a"] * n, "t_ms": np.arange(n, dtype=float)} | columns, SAMPLES
        ),
        event_table=conform({}, EVENTS),
    )


def test_a_mark_of_one_eye_leaves_the_other():
    eyes = {"left_x_px": [0.0, 100, -1], "left_y_px": [0.0, 50, -1], "right_x_px": [20.0, 120, 0]}
    eyes |= {"right_y_px": [30.0, 60, 0], "x_px": [10.0, 110, -0.5], "y_px": [15.0, 55, -0.5]}
    found = checked(
        samples_of(**{name: np.array(values, np.float32) for name, values in eyes.items()})
    )
    nan = np.nan
    for name, values in {
        "left_x_px": [nan, 100, nan],
        "x_px": [20, 110, nan],
        "y_px": [30, 55, nan],
    }.items():
        np.testing.assert_array_equal(found.sample_table[name].to_numpy(), np.float32(values), name)
    assert found.notes == (
        "2 samples at (0, 0) or (-1, -1), which trackers write for lost gaze: taken as missing",
    )


def test_0_is_a_size_where_sizes_are_relative_to_a_baseline():
    sizes = np.array([-0.4, 0.0, -1.0, 0.7], np.float32)
    assert (
        checked(samples_of(left_pupil=sizes)).sample_table["left_pupil"].to_pylist()
        == sizes.tolist()
    )
    assert np.isnan(
        checked(samples_of(left_pupil=np.abs(sizes) - 1 + 1))
        .sample_table["left_pupil"]
        .to_numpy()[1]
    )


def test_directions_have_no_corner():
    position = np.zeros(2, np.float32)
    recording = replace(samples_of(x_px=position, y_px=position), directions=True)
    assert checked(recording).sample_table["x_px"].to_pylist() == [0, 0]


def test_the_search_for_marks_finds_them():
    path = next(path for path in CASES if path.parts[-3] == "tobii_pro")
    samples = registry.get("tobii_pro").read(read_head(path), ReadOptions()).sample_table
    for name, value, words in (
        ("left_pupil", -1, "left_pupil"),
        ("x_px", 1e8, "x_px beyond any screen"),
    ):
        column = samples[name].to_numpy().copy()
        column[0] = value
        spoilt = samples.set_column(
            samples.schema.get_field_index(name), samples.schema.field(name), [column]
        )
        assert any(words in mark for mark in marks_in(spoilt))
