"""Gaze of Tobii glasses on the snapshots it was mapped to."""

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import NoGaze, ParseError
from gazetrack.readers import registry
from gazetrack.readers.base import read_head
from gazetrack.readers.tobii.mapped import _before_brackets, _of_snapshot
from gazetrack.tables.placement import Placement
from gazetrack.workflows.convert import ConvertOptions, convert_files
from tests.places import GOLDEN

EXPORT = GOLDEN / "tobii_mapped" / "two_snapshots" / "input.tsv"
COLUMNS = ["Recording timestamp [ms]", "Sensor", "Gaze point X [MCS px]", "Gaze point Y [MCS px]"]


def of(snapshot, *names):
    return [f"{name} [{snapshot}]" for name in names]


def written(tmp_path, header, *rows):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join("\t".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def test_mapped_gaze_is_preferred_and_the_scene_camera_can_be_had():
    assert registry.detect(read_head(EXPORT)).name == "tobii_mapped"
    scene = gazetrack.read(EXPORT, "tobii_pro")
    assert set(scene.sample_table["x_px"].to_pylist()) == {900.0}


def test_a_sample_counts_on_one_snapshot_and_so_do_its_fixations():
    recording = gazetrack.read(EXPORT)
    assert recording.sample_table["stimulus"].to_pylist() == ["Shelf"] * 8 + [""] + ["Sign"] * 3
    fixations = [
        event for event in recording.event_table.to_pylist() if event["kind"] == "fixation"
    ]
    assert [(f["stimulus"], f["index"]) for f in fixations] == [
        ("Shelf", 1),
        ("Shelf", 2),
        ("Sign", 2),
    ]
    assert [f["duration_ms"] for f in fixations] == [80, 60, 60]


def test_the_table_is_in_pixels_of_the_snapshots(tmp_path):
    (outcome,) = convert_files([EXPORT], ConvertOptions(out=tmp_path))
    assert outcome.error is None
    assert outcome.rows_out == 3


def test_one_snapshot_of_known_size_is_the_screen(tmp_path):
    header = [
        *COLUMNS,
        *of(
            "a b [2].png", "Mapped gaze data X", "Mapped gaze data Y", "Media width", "Media height"
        ),
    ]
    rows = [[10 * i, "Eye Tracker", 900, 500, 100 + i, 50, 640, 480] for i in range(4)]
    recording = gazetrack.read(written(tmp_path, header, *rows))
    assert recording.placements == {"a b [2].png": Placement(0, 0, 640, 480, 640, 480)}
    assert (recording.screen.width_px, recording.event_table.num_rows) == (640, 0)
    np.testing.assert_array_equal(recording.sample_table["x_px"], [100, 101, 102, 103])
    np.testing.assert_array_equal(recording.sample_table["t_ms"], [0, 10, 20, 30])


def test_without_mapped_samples_the_other_reader_is_named(tmp_path):
    header = [*COLUMNS, *of("a", "Mapped gaze data X", "Mapped gaze data Y")]
    path = written(tmp_path, header, [10, "Eye Tracker", 900, 500, "", ""])
    with pytest.raises(NoGaze, match="--format tobii_pro"):
        gazetrack.read(path)
    assert gazetrack.read(path, "tobii_pro").sample_table.num_rows == 1


def test_a_snapshot_that_is_there_twice_is_refused(tmp_path):
    header = [*COLUMNS, *of("a", "Mapped gaze data X", "Mapped gaze data X", "Mapped gaze data Y")]
    with pytest.raises(ParseError, match="are the same") as caught:
        gazetrack.read(
            written(tmp_path, header, [10, "Eye Tracker", 900, 500, 1, 1, 1]), "tobii_mapped"
        )
    assert caught.value.column == 6


def test_without_sensors_and_numbers_rows_without_an_event_are_samples(tmp_path):
    header = ["Recording timestamp [ms]", "Event"]
    header += of("a", "Mapped gaze data X", "Mapped gaze data Y", "Mapped eye movement type")
    kinds = ["Fixation"] * 3 + ["Saccade"] * 2
    rows = [[10 * i, "", 100 + i, 50, kind] for i, kind in enumerate(kinds)]
    rows.insert(2, [15, "KeyPress", "", "", ""])
    recording = gazetrack.read(written(tmp_path, header, *rows))
    assert recording.sample_table["t_ms"].to_pylist() == [0, 10, 20, 30, 40]
    assert recording.rows_in == 6
    events = [event for event in recording.event_table.to_pylist() if event["kind"] != "message"]
    assert [(event["kind"], event["onset_ms"]) for event in events] == [
        ("fixation", 0),
        ("saccade", 30),
    ]


def test_a_table_without_mapped_gaze_is_refused_where_it_is_named_so(tmp_path):
    path = written(tmp_path, COLUMNS, (0, "Eye Tracker", 1, 2))
    with pytest.raises(ParseError, match="no columns of mapped gaze") as caught:
        gazetrack.read(path, format="tobii_mapped")
    assert caught.value.line == 1


def test_rows_of_other_sensors_alone_are_no_gaze(tmp_path):
    header = [*COLUMNS, *of("Shelf", "Mapped gaze data X [MCS px]", "Mapped gaze data Y [MCS px]")]
    path = written(tmp_path, header, (0, "Gyroscope", "", "", "", ""))
    with pytest.raises(NoGaze, match="no rows of the eye tracker"):
        gazetrack.read(path, format="tobii_mapped")


@pytest.mark.parametrize(
    ("name", "of_snapshot", "plain"),
    [
        ("Mapped gaze data X [Shelf]", ("Mapped gaze data X", "Shelf"), "Mapped gaze data X"),
        ("X [a][b]", ("X", "a][b"), "X"),
        ("X []", ("X", ""), "X"),
        ("Recording timestamp (ms)", ("Recording timestamp (ms)", ""), "Recording timestamp"),
        ("X", ("X", ""), "X"),
    ],
)
def test_what_stands_in_brackets_is_no_part_of_a_name(name, of_snapshot, plain):
    assert (_of_snapshot(name), _before_brackets(name)) == (of_snapshot, plain)
