"""EyeLink ASC: samples with a value more or less than their layout has."""

import numpy as np
import pytest

import gazetrack
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.eyelink import asc

_VALUES = {
    "": "  {x}.0\t  300.0\t 1000.0\t  {x}.5\t  310.0\t 1100.0",
    "VEL": "  {x}.0\t  300.0\t 1000.0\t  {x}.5\t  310.0\t 1100.0\t  1.0\t  2.0\t  3.0\t  4.0",
    "RES": "  {x}.0\t  300.0\t 1000.0\t  {x}.5\t  310.0\t 1100.0\t  29.0\t  37.0",
    "INPUT": "  {x}.0\t  300.0\t 1000.0\t  {x}.5\t  310.0\t 1100.0\t  127.0",
}
_EYE_COLUMNS = [f"{eye}_{name}" for eye in ("left", "right") for name in ("x_px", "y_px", "pupil")]
_DAMAGES = {
    "lost": lambda line: line.replace("\t  300.0", ""),
    "lost between blanks": lambda line: line.replace("\t  300.0", "").replace("\t", " "),
    "more": lambda line: line.replace("\t  300.0", "\t  300.0\t  7.0"),
    "split by a tab": lambda line: line.replace("300.0", "30\t0.0"),
}


def _lines(keyword="", marks="\t.....", n=9, stated="GAZE\tLEFT\tRIGHT"):
    return [
        "START\t1000 \tLEFT\tRIGHT\tSAMPLES\tEVENTS",
        f"SAMPLES\t{stated}\t{keyword}\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2",
        *(f"{1000 + 2 * i}\t" + _VALUES[keyword].format(x=500 + i) + marks for i in range(n)),
    ]


def _read(tmp_path, lines):
    path = tmp_path / "rows.asc"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return gazetrack.read(path)


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("marks", ["\t.....", ""], ids=["marks", "no marks"])
@pytest.mark.parametrize("keyword", [word for word in _VALUES if word])
def test_a_value_too_many_or_too_few_leaves_none_of_the_sample(tmp_path, keyword, marks, damage):
    lines = _lines(keyword, marks)
    whole = _read(tmp_path, lines)
    lines[5] = _DAMAGES[damage](lines[5])
    recording = _read(tmp_path, lines)
    for name in _EYE_COLUMNS:
        expected = whole.sample_table[name].to_numpy().copy()
        assert np.isfinite(expected).all()
        expected[3] = np.nan
        np.testing.assert_array_equal(recording.sample_table[name], expected)
    (note,) = set(recording.notes) - set(whole.notes)
    assert note.startswith("1 samples have more or fewer values than the others, the first in ")
    assert "line 6:" in note


def test_the_values_of_a_head_target_follow_the_marks_and_count_for_nothing(tmp_path):
    target = "\t.....\t 5069.0\t 3637.0\t  577.5 ............."
    lines = _lines(marks=target)
    lines[5] = lines[5].replace(target, "\t.....\t   .\t   .\t   . M............")
    recording = _read(tmp_path, lines)
    assert not any("more or fewer" in note for note in recording.notes)
    assert np.isfinite(recording.sample_table["right_pupil"]).all()


def test_most_samples_are_believed_against_the_line_that_states_their_values(tmp_path):
    lines = _lines("VEL")
    lines[1] = lines[1].replace("\tVEL", "")
    lines[5] = lines[5].replace("\t  300.0", "")
    recording = _read(tmp_path, lines)
    assert np.flatnonzero(np.isnan(recording.sample_table["left_x_px"])).tolist() == [3]
    words = "samples have 10 values, not the 6 of their SAMPLES line"
    assert any(note.startswith(words) for note in recording.notes)


def test_of_few_samples_the_line_that_states_their_values_is_believed(tmp_path):
    lines = _lines("INPUT", n=2)
    lines[2] = lines[2].replace("\t  127.0", "")
    recording = _read(tmp_path, lines)
    assert np.isnan(recording.sample_table["left_x_px"][0].as_py())
    assert recording.sample_table["left_x_px"][1].as_py() == 501


def test_without_a_line_that_states_it_most_samples_say_how_many_values_there_are(tmp_path):
    lines = _lines()[2:]
    lines[4] = lines[4].replace("\t  300.0", "\t  300.0\t 5.0")
    recording = _read(tmp_path, lines)
    assert np.flatnonzero(np.isnan(recording.sample_table["left_x_px"])).tolist() == [4]
    assert any("line 5:" in note for note in recording.notes)


def test_a_line_that_names_no_eye_states_no_number_of_values(tmp_path):
    lines = _lines(stated="GAZE")
    lines[5] = lines[5].replace("\t  300.0", "")
    recording = _read(tmp_path, lines)
    assert recording.eyes == "binocular"  # by START
    assert np.flatnonzero(np.isnan(recording.sample_table["left_x_px"])).tolist() == [3]
    assert not any("of their SAMPLES line" in note for note in recording.notes)


def test_the_size_of_blocks_changes_nothing(tmp_path):
    lines = _lines("INPUT", n=40)
    for row in (12, 30):
        lines[row] = lines[row].replace("\t  300.0", "")
    path = tmp_path / "rows.asc"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    head = read_head(path)
    whole, parted = (asc.read(head, ReadOptions(), block_bytes=size) for size in (1 << 20, 300))
    assert whole.sample_table.to_pandas().equals(parted.sample_table.to_pandas())
    assert whole.notes == parted.notes
    assert any(note.startswith("2 samples have more or fewer") for note in whole.notes)


@pytest.mark.parametrize("status", ["M............", ".A.CFTBLRTBLR", "............."])
def test_the_marks_of_a_head_target_alone_are_no_value(tmp_path, status):
    target = "\t 5069.0\t 3637.0\t  577.5\t............."
    lines = _lines("", target, n=12)
    lines[1] = lines[1].replace("\t\t", "\tHTARGET\t").replace("\tCR", "\tP")
    for row in (2, 5, 8):
        lines[row] = lines[row].replace("\t.............", f"\t{status}")
    recording = _read(tmp_path, lines)
    for name in _EYE_COLUMNS:
        assert np.isfinite(recording.sample_table[name]).all()
    assert not any("values" in note for note in recording.notes)


@pytest.mark.parametrize("n_without", [20, 100])
def test_a_column_of_the_input_port_that_many_samples_lack_moves_nothing(tmp_path, n_without):
    lines = _lines("INPUT", n=120)
    for row in range(2, 2 + n_without):
        lines[row] = lines[row].replace("\t  127.0", "")
    recording = _read(tmp_path, lines)
    np.testing.assert_array_equal(recording.sample_table["left_x_px"], 500 + np.arange(120))
    np.testing.assert_array_equal(recording.sample_table["right_pupil"], np.full(120, 1100))
    words = f"{min(n_without, 120 - n_without)} samples have one value more or fewer than the other"
    assert any(note.startswith(words) for note in recording.notes)


def test_a_value_that_few_samples_lack_may_be_any(tmp_path):
    lines = _lines("INPUT", n=200)
    for row in range(2, 13):
        lines[row] = lines[row].replace("\t  127.0", "")
    recording = _read(tmp_path, lines)
    found = np.isnan(recording.sample_table["left_x_px"].to_numpy())
    assert np.flatnonzero(found).tolist() == list(range(11))


@pytest.mark.parametrize("lost", ["   .\t   .\t...", "   .\t   .\t   .\t..."])
def test_lost_samples_say_nothing_of_how_many_values_the_others_have(tmp_path, lost):
    head = ["START\t1000 \tLEFT\tSAMPLES\tEVENTS", "SAMPLES\tGAZE\tLEFT\tRATE\t 500.00"]
    rows = [f"  {500 + i}.0\t  300.0\t 1000.0\t..." if i % 5 == 0 else lost for i in range(40)]
    recording = _read(tmp_path, [*head, *(f"{1000 + 2 * i}\t{row}" for i, row in enumerate(rows))])
    expected = np.where(np.arange(40) % 5 == 0, 500 + np.arange(40), np.nan)
    np.testing.assert_array_equal(recording.sample_table["x_px"], expected)
    assert not any("values" in note for note in recording.notes)
