import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import arff, registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.parts import grown, same_in_parts
from tests.real_exports import read_export

REAL = "arff/sp_tool_arff_data_example.arff"

PLAIN = ("time INTEGER", "x NUMERIC", "y NUMERIC", "confidence NUMERIC")


def write(tmp_path, rows, attributes=PLAIN, before=("@RELATION gaze",)):
    path = tmp_path / "a.arff"
    lines = [*before, *(f"@ATTRIBUTE {name}" for name in attributes), "", "@DATA", *rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(*args, **kwargs):
    head = read_head(write(*args, **kwargs))
    assert registry.detect(head).name == "arff"
    return arff.read(head, ReadOptions())


def test_question_marks_are_missing_values(tmp_path):
    recording = read(tmp_path, ["0,?,5,1", "4000, ? , 6 ,1", "?,1,2,1", "8000,1,2,?"])
    np.testing.assert_array_equal(
        recording.sample_table["x_px"].to_numpy(), [np.nan, np.nan, np.nan]
    )
    assert (recording.sample_table["y_px"].to_pylist()[:2], recording.dropped) == (
        [5, 6],
        {"no time": 1},
    )


def test_low_confidence_is_missing_and_said(tmp_path):
    recording = read(tmp_path, ["0,1,2,0", "4000,1,2,0.4", "8000,1,2,0.5"])
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), [np.nan, np.nan, 1])
    assert "1 samples with a confidence below 0.5: taken as missing" in recording.notes


@pytest.mark.parametrize(
    "labels", [("FIX", "FIX", "SACCADE", "SP", "NOISE", "UNKNOWN"), ("1", "1", "2", "3", "4", "0")]
)
def test_labels_make_events(labels, tmp_path):
    rows = [f"{4000 * i},{100 + i},50,{label}" for i, label in enumerate(labels)]
    names = ("time NUMERIC", "x NUMERIC", "y NUMERIC", "handlabeller_final {x}")
    recording = read(tmp_path, rows, names)
    events = recording.event_table.to_pandas()
    assert events["kind"].tolist() == ["fixation", "saccade", "unclassified", "unclassified"]
    assert events["text"].tolist() == ["FIX", "SACCADE", "SP", "NOISE"]
    assert events["onset_ms"].tolist() == [0, 8, 12, 16]
    assert events["duration_ms"].tolist() == [8, 4, 4, 4]
    assert events["x_px"].tolist() == [100.5, 102, 103, 104]
    assert "handlabeller_final" in recording.notes[-1]


def test_names_may_be_quoted_and_of_any_case(tmp_path):
    recording = read(
        tmp_path,
        ["0,1,2"],
        ("'Time' real", '"X" real', "Y real"),
        before=("% note", "@relation 'a b'"),
    )
    assert recording.sample_table["y_px"].to_pylist() == [2]


def test_times_in_ms_are_refused(tmp_path):
    with pytest.raises(ParseError, match="cannot be µs"):
        read(tmp_path, [f"{4 * i},1,2,1" for i in range(5)])


def test_a_second_recording_is_refused_at_its_line(tmp_path):
    with pytest.raises(ParseError, match="second recording") as caught:
        read(tmp_path, ["5000000,1,2,1", "% comment", "0,1,2,1"])
    assert caught.value.line == 10


def test_a_damaged_cell_has_its_place(tmp_path):
    with pytest.raises(ParseError, match="'y'") as caught:
        read(tmp_path, ["0,1,2,1", "4000,1,2px,1"])
    assert (caught.value.line, caught.value.column) == (9, 3)


def test_the_screen_is_that_of_the_metadata(tmp_path):
    facts = {
        "width_px": 1280,
        "height_px": 720,
        "width_mm": 400.0,
        "height_mm": 0,
        "distance_mm": 450,
    }
    before = [*(f"%@METADATA {name} {value}" for name, value in facts.items()), "@RELATION gaze"]
    screen = read(tmp_path, ["0,1,2,1"], before=before).screen
    assert (screen.width_px, screen.width_mm, screen.height_mm, screen.distance_mm) == (
        1280,
        400,
        None,
        450,
    )


def test_other_relations_are_named(tmp_path):
    verdict = arff.sniff(read_head(write(tmp_path, ["1,2"], ("petal NUMERIC", "sepal NUMERIC"))))
    assert (verdict.level, "without the attributes" in verdict.reason) == (Level.NO, True)


@pytest.mark.real_data
def test_a_real_recording_states_its_screen(exports):
    recording = read_export(exports / REAL)
    screen = recording.screen
    assert (screen.width_px, screen.height_px, screen.width_mm, screen.distance_mm) == (
        1280,
        720,
        400,
        450,
    )
    assert recording.effective_rate_hz == pytest.approx(250, rel=0.01)


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("arff", tmp_path / "raw.arff"), monkeypatch)
    assert len(found.samples) > 200
    assert len(found.events) > 20


@pytest.mark.parametrize("sizes", [(0, 720), (1280, 0), (9_999_999, 720)])
def test_a_screen_that_cannot_be_is_none(sizes, tmp_path):
    width, height = sizes
    stated = [f"%@METADATA width_px {width}", f"%@METADATA height_px {height}"]
    recording = read(tmp_path, ["0,1,2,1", "4000,1,2,1"], before=("@RELATION gaze", *stated))
    assert recording.screen is None
