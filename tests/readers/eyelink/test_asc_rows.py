"""EyeLink ASC: rows that lost a value, or their beginning."""

import numpy as np
import pytest

import gazetrack

_NO_NUMBER = "values of samples are no numbers"
_OTHERS = "1 samples have more or fewer values than the others"


def _damaged(tmp_path, damage, more=()):
    """Return the samples of one eye, of which the third is damaged."""
    lines = [
        "** CONVERTED FROM a.edf",
        "MSG\t900 DISPLAY_COORDS 0 0 1919 1079",
        "START\t1000 \tLEFT\tSAMPLES\tEVENTS",
        "SAMPLES\tGAZE\tLEFT\tRATE\t 50.00",
        *(f"{1000 + 20 * i}\t  {500 + i}.0\t  {300 + i}.0\t 1000.0\t..." for i in range(6)),
    ]
    lines[6] = damage(lines[6])
    path = tmp_path / "damaged.asc"
    path.write_text("\n".join([*lines, *more]) + "\n", "utf-8")
    return gazetrack.read(path)


def _by_blanks(line):
    return line.replace("\t", " ")


@pytest.mark.parametrize(
    ("damage", "pupil", "words"),
    [
        (lambda line: line.replace("  502.0", ""), 1000, _NO_NUMBER),
        (lambda line: line.replace("502.0", "50 2.0"), 1000, _NO_NUMBER),
        (lambda line: line.replace("\t  502.0", ""), np.nan, _OTHERS),
        (lambda line: line.replace("502.0", "50\t2.0"), np.nan, _OTHERS),
        (lambda line: _by_blanks(line.replace("\t  502.0", "")), np.nan, _OTHERS),
        (lambda line: _by_blanks(line.replace("502.0", "5o2.0")), np.nan, _NO_NUMBER),
    ],
)
def test_a_lost_value_never_moves_the_others(tmp_path, damage, pupil, words):
    recording = _damaged(tmp_path, damage)
    samples = recording.sample_table
    np.testing.assert_array_equal(samples["x_px"], [500, 501, np.nan, 503, 504, 505])
    np.testing.assert_array_equal(samples["y_px"], [300, 301, np.nan, 303, 304, 305])
    np.testing.assert_array_equal(samples["left_pupil"], [1000, 1000, pupil, 1000, 1000, 1000])
    assert words in recording.notes[0]
    assert "in line 7" in recording.notes[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: " " + line,
        lambda line: "\t" + line,
        lambda line: f'"{line}"',
        lambda line: "\ufeff" + line,
        lambda line: line[4:],
    ],
)
def test_a_sample_that_is_not_read_is_counted(tmp_path, damage):
    recording = _damaged(tmp_path, damage)
    assert recording.sample_table.num_rows == 5
    assert recording.dropped == {"sample that does not begin with its time": 1}


@pytest.mark.parametrize("line", ["  1040\t  502.0", '"', "  and so on"])
def test_a_line_that_looks_like_nothing_is_passed_over(tmp_path, line):
    recording = _damaged(tmp_path, str, [line])
    assert (recording.sample_table.num_rows, recording.dropped) == (6, {})


def test_numbers_outside_of_a_block_are_no_samples(tmp_path):
    more = ["END\t1120 \tSAMPLES\tEVENTS\tRES\t 30.00\t 30.00", "  0.1  0.2  0.3"]
    recording = _damaged(tmp_path, str, more)
    assert (recording.sample_table.num_rows, recording.dropped) == (6, {})


def test_an_eye_movement_in_small_letters_is_counted(tmp_path):
    more = ["efix L   1000\t1080\t80\t  529.5\t  314.8\t   1000"]
    assert _damaged(tmp_path, str, more).dropped == {"eye movement written as efix": 1}


def test_a_start_that_is_there_twice_is_noted(tmp_path):
    lines = ["START\t1000 \tLEFT\tSAMPLES\tEVENTS"] * 2
    lines += [f"{1000 + 2 * i}\t  500.0\t  300.0\t 1000.0\t..." for i in range(4)]
    path = tmp_path / "twice.asc"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    note = "START 1000 is there twice, again in line 2: taken as the start of another block"
    assert note in gazetrack.read(path).notes
    path.write_text("\n".join(lines[1:]) + "\n", "utf-8")
    assert not any("is there twice" in words for words in gazetrack.read(path).notes)
