"""From a file to a recording: which reader takes it, what it is called, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError, GazetrackError, InputError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import Level
from gazetrack.readers.head import read_head
from gazetrack.tables.screen import Screen
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.read import (
    InputOptions,
    has_own_fixations,
    read,
    read_files,
    read_source,
    recognise,
)
from tests.pupil_files import write_core

GAZE = "x,y,t\n" + "".join(f"{100 + i % 2},{200 + i},{4 * i}\n" for i in range(50))
LOOKS = "x,y,t,duration\n" + "".join(f"{i},5,{300 * i},200\n" for i in range(5))
FIXATIONS = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0))
BAD = "nothing that anybody knows"


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text(GAZE)
    return path


def test_a_file_becomes_a_recording_with_its_gaze(raw):
    recording = read(raw)
    assert (recording.name, recording.format, recording.rows_in) == ("raw", "generic", 50)
    samples = recording.samples
    np.testing.assert_array_equal(samples["t_ms"], 4.0 * np.arange(50))
    np.testing.assert_array_equal(samples["y_px"], 200 + np.arange(50))
    assert set(samples["recording"]) == {"raw"}
    assert len(recording.events) == 0
    assert not has_own_fixations(recording)


def test_a_file_whose_name_says_nothing_is_called_after_its_folder(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS)
    recording = read(tmp_path / "s01" / "gaze_positions.csv")
    assert recording.name == "s01"
    assert set(recording.samples["recording"]) == {"s01"}


def test_columns_and_screen_are_taken_as_told(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("a,b,c\n" + "".join(f"{i},{2 * i},{4 * i}\n" for i in range(1, 21)))
    screen = Screen(width_px=1000, height_px=600)
    recording = read(path, columns={"x": "b", "y": "a", "t": "c"}, screen=screen)
    np.testing.assert_array_equal(recording.samples["x_px"], 2 * np.arange(1, 21))
    np.testing.assert_array_equal(recording.samples["y_px"], np.arange(1, 21))
    assert (recording.screen.width_px, recording.screen.height_px) == (1000, 600)


def test_the_reader_is_the_one_named_or_that_of_the_columns_or_the_detected_one(raw):
    head = read_head(raw)
    name, verdict = recognise(head, InputOptions(format="tobii_pro"))
    assert (name, verdict.level) == ("tobii_pro", Level.CERTAIN)
    name, verdict = recognise(head, InputOptions(columns={"x": "x", "y": "y", "t": "t"}))
    assert (name, verdict.level) == ("generic", Level.CERTAIN)
    found = registry.detect(head)
    assert recognise(head, InputOptions()) == (found.name, found.verdict)
    # Settings of positions alone say nothing of whose export it is.
    assert recognise(head, InputOptions(columns={"unit": "px"})) == (found.name, found.verdict)


def test_what_cannot_be_read_says_why(raw, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "gone.csv")
    raw.write_text(BAD)
    with pytest.raises(UnknownFormat) as caught:
        read(raw)
    assert caught.value.path == raw
    raw.write_text(GAZE)
    with pytest.raises(ConfigError, match="nobody"):
        read(raw, "nobody")
    with pytest.raises(ConfigError, match="tobii_pro states its own columns") as caught:
        read(raw, "tobii_pro", columns={"x": "x"})
    assert caught.value.path == raw


@pytest.mark.parametrize(
    "raised", [KeyError("x"), ValueError("odd"), RecursionError(), MemoryError(), OverflowError()]
)
def test_what_a_reader_did_not_foresee_is_an_error_about_the_file(raw, monkeypatch, raised):
    def unforeseen(head, options):
        raise raised

    monkeypatch.setattr(registry.get("generic"), "read", unforeseen)
    with pytest.raises(ParseError, match=type(raised).__name__) as caught:
        read(raw)
    assert caught.value.path == raw
    assert caught.value.__cause__ is raised


def test_an_error_without_a_place_gets_that_of_the_file(raw, monkeypatch):
    def unplaced(head, options):
        raise ParseError("no gaze in it", hint="export again")

    monkeypatch.setattr(registry.get("generic"), "read", unplaced)
    with pytest.raises(ParseError, match="no gaze in it") as caught:
        read(raw)
    assert (caught.value.path, caught.value.hint) == (raw, "export again")


def test_of_a_folder_what_is_no_export_is_left_out_and_of_files_it_is_told(raw, tmp_path):
    (tmp_path / "notes.txt").write_text(BAD)
    (found,) = read_files([tmp_path], InputOptions())
    assert found[0] == raw
    assert found[1].sample_table.num_rows == 50
    gone = tmp_path / "gone.csv"
    told = dict(read_files([tmp_path / "notes.txt", gone, raw], InputOptions()))
    assert list(told) == [tmp_path / "notes.txt", gone, raw]
    assert isinstance(told[tmp_path / "notes.txt"], UnknownFormat)
    assert isinstance(told[gone], GazetrackError)
    assert told[raw].name == "raw"


def read_first(path, options=None, **more):
    options = options or InputOptions()
    (source,) = find_sources([path], join=options.may_join)
    head = read_head(source.path, options.reading)
    return read_source(source, options, head, "pupil_core", **more)


def test_parts_are_read_with_the_gaze(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS, blinks=((600.0, 80),))
    recording = read_first(tmp_path / "s01")
    events = recording.events
    assert events["kind"].value_counts().to_dict() == {"fixation": 2, "blink": 1}
    own = events[events["kind"] == "fixation"]
    np.testing.assert_allclose(own["onset_ms"], [250, 700], atol=1e-3)
    assert recording.name == "s01"
    assert has_own_fixations(recording)


def test_files_of_different_recordings_are_an_error_that_names_the_gaze(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS, shift_s=3600)
    with pytest.raises(GazetrackError, match="not of the same recording") as caught:
        read_first(tmp_path / "s01")
    assert caught.value.path == tmp_path / "s01" / "gaze_positions.csv"


def test_fixations_that_nobody_named_are_pointed_at_where_they_are_wanted(tmp_path):
    write_core(tmp_path / "s01", FIXATIONS)
    gaze = tmp_path / "s01" / "gaze_positions.csv"
    word = "a file beside it holds the tracker's own fixations"
    assert word in read_first(gaze).notes[0]
    assert not [note for note in read_first(gaze, wants_own_fixations=False).notes if word in note]


def test_an_export_of_fixations_has_its_own(tmp_path):
    path = tmp_path / "looks.csv"
    path.write_text(LOOKS)
    recording = read(path)
    assert recording.sample_table is None
    assert recording.fixation_table.num_rows == 5
    assert has_own_fixations(recording)


def test_files_are_joined_unless_the_user_says_how_each_is_read():
    assert InputOptions().may_join
    assert not InputOptions(format="pupil_core").may_join
    assert not InputOptions(columns={"x": "x"}).may_join
    assert InputOptions(salvage=True).reading.salvage
