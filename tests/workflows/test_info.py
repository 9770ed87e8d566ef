"""What files are and hold, as facts."""

from __future__ import annotations

import json

import pytest

import gazetrack
from gazetrack.errors import ConfigError, GazetrackError, InputError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.workflows.info import formats, info, info_files
from gazetrack.workflows.read import InputOptions
from tests.pupil_files import write_core

GAZE = "x,y,t\n" + "".join(
    f"{[100, 400][i // 70 % 2] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(140)
)
BAD = "nothing that anybody knows"
# Both eyes look at once, the left one longer.
LOOKS = "x,y,t,duration,eye\n" + "".join(
    f"{100 + 10 * i},50,{300 * i},{duration},{eye}\n"
    for i in range(4)
    for eye, duration in (("left", 250), ("right", 200))
)


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text(GAZE)
    return path


def test_every_reader_has_its_format_listed():
    found = {one.name: one for one in formats()}
    assert set(found) == set(registry.names()) >= set(registry.BUILTIN)
    assert all(one.title for one in found.values())


def test_an_export_is_described_as_json_values(raw):
    facts = info(raw)
    assert facts["file"] == str(raw)
    assert (facts["format"], facts["recordings"], facts["eyes"]) == ("generic", ["raw"], "combined")
    assert (facts["samples"], facts["rows_in"], facts["loss"]) == (140, 140, 0)
    assert facts["effective_rate_hz"] == 250
    assert "fixation_eye" not in facts
    assert json.loads(json.dumps(facts)) == facts


def test_a_table_of_ours_is_described_as_well(raw):
    (outcome,) = gazetrack.convert(raw)
    path = outcome.outputs[0]["path"]
    assert info(path)["file"] == path
    assert info(path) == next(info_files([path], InputOptions()))


def test_fixations_of_an_export_are_counted_of_the_eye_that_convert_takes(tmp_path):
    path = tmp_path / "looks.csv"
    path.write_text(LOOKS)
    columns = {"x": "x", "y": "y", "t": "t", "duration": "duration", "eye": "eye"}
    for eye, n, held in (("auto", 4, "left"), ("right", 4, "right"), ("both", 8, None)):
        facts = info(path, eye, columns=columns)
        assert facts["fixations"] == n
        (outcome,) = gazetrack.convert(path, out=tmp_path / eye, eye=eye, columns=columns)
        assert outcome.rows_out == n
        if held:
            assert held in str(facts["fixation_eye"])


def test_an_eye_that_is_none_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "looks.csv"
    path.write_text(LOOKS)
    with pytest.raises(ConfigError, match="third") as caught:
        info(path, "third")
    assert caught.value.path == path


def test_what_cannot_be_described_says_why(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        info(tmp_path / "gone.csv")
    (tmp_path / "notes.txt").write_text(BAD)
    with pytest.raises(UnknownFormat):
        info(tmp_path / "notes.txt")
    with pytest.raises(UnknownFormat, match="holds no export") as caught:
        info(tmp_path)
    assert caught.value.path == tmp_path


def test_a_folder_of_gaze_fixations_and_blinks_is_one_recording(tmp_path):
    fixations = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0))
    write_core(tmp_path / "s01", fixations, blinks=((600.0, 80),))
    (facts,) = info_files([tmp_path / "s01"], InputOptions())
    assert (facts["fixations"], facts["recordings"]) == (2, ["s01"])
    assert facts["events"] == {"blink": 1, "fixation": 2}
    assert facts["read_with"] == [
        str(tmp_path / "s01" / name) for name in ("fixations.csv", "blinks.csv")
    ]


def test_a_bad_file_leaves_the_others_alone(raw, tmp_path):
    (tmp_path / "notes.txt").write_text(BAD)
    damaged = tmp_path / "x.fixations.parquet"
    damaged.write_bytes(b"PAR1 and nothing more")
    found = list(info_files([tmp_path / "notes.txt", raw], InputOptions()))
    assert isinstance(found[0], UnknownFormat)
    assert found[1]["recordings"] == ["raw"]
    first, last = info_files([raw, damaged], InputOptions())
    assert first["recordings"] == ["raw"]
    assert isinstance(last, GazetrackError)


def test_of_a_folder_exports_and_tables_are_described_and_the_rest_left_out(raw, tmp_path):
    (tmp_path / "notes.txt").write_text(BAD)
    (outcome,) = gazetrack.convert(raw)
    files = [facts["file"] for facts in info_files([tmp_path], InputOptions())]
    assert files == [str(raw), outcome.outputs[0]["path"]]
    gazetrack.convert(raw, out=tmp_path / "tables")
    (table,) = info_files([tmp_path / "tables"], InputOptions())
    assert table["file"] == str(tmp_path / "tables" / "raw.fixations.parquet")
