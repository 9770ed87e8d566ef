"""EyeLink ASC: lines of eye movements that are in the file twice."""

import pytest

import gazetrack
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.eyelink import asc
from gazetrack.readers.eyelink.repeats import REPEATED

_LINES = [
    "START\t1000 \tLEFT\tSAMPLES\tEVENTS",
    "SAMPLES\tGAZE\tLEFT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2",
    "EVENTS\tGAZE\tLEFT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2",
    "SFIX L   1000",
    "1000\t  512.0\t  384.0\t 1000.0\t...",
    "EFIX L   1000\t1008\t10\t  512.0\t  384.0\t   1000",
    "SSACC L  1010",
    "SBLINK L 1012",
    "EBLINK L 1012\t1020\t10",
    "ESACC L  1010\t1024\t16\t   .\t  384.0\t  700.0\t  384.0\t   4.31\t    200",
    "SFIX L   1026",
    "EFIX L   1026\t1050\t26\t  700.0\t  384.0\t   1000",
    "END\t1052 \tSAMPLES\tEVENTS\tRES\t  29.27\t  37.92",
]


def _read(tmp_path, lines, **options):
    path = tmp_path / "repeats.asc"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return asc.read(read_head(path), ReadOptions(), **options)


def _twice(line):
    return [*_LINES[:line], *_LINES[line - 1 :]]


@pytest.mark.parametrize("position", ["GAZE", "HREF"])
@pytest.mark.parametrize("line", [6, 9, 10, 12])
def test_a_movement_that_is_there_twice_is_one(tmp_path, line, position):
    whole, twice = (
        [text.replace("EVENTS\tGAZE", f"EVENTS\t{position}") for text in lines]
        for lines in (_LINES, _twice(line))
    )
    recording = _read(tmp_path, twice)
    expected = _read(tmp_path, whole)
    assert recording.events.equals(expected.events)
    assert recording.dropped == {REPEATED: 1}
    assert recording.rows_in == expected.rows_in + 1
    (note,) = set(recording.notes) - set(expected.notes)
    assert note.startswith("1 eye movements are there twice (EFIX, ESACC, EBLINK)")
    assert f"in line {line + 1}:" in note


@pytest.mark.parametrize("line", [4, 7, 8, 11])
def test_a_beginning_that_is_there_twice_is_one(tmp_path, line):
    recording = _read(tmp_path, _twice(line))
    assert not recording.dropped
    assert not recording.notes


@pytest.mark.parametrize("block_bytes", [40, 90, 400])
def test_repeats_reach_from_block_to_block(tmp_path, block_bytes):
    assert _read(tmp_path, _twice(6), block_bytes=block_bytes).dropped == {REPEATED: 1}


def test_movements_that_differ_in_anything_are_two(tmp_path):
    lines = _twice(6)
    lines[6] = lines[6].replace("512.0", "512.1")
    recording = _read(tmp_path, lines)
    assert REPEATED not in recording.dropped
    assert recording.event_table["kind"].to_pylist().count("fixation") == 3


def test_what_a_user_reads_says_it_once_more(tmp_path):
    path = tmp_path / "repeats.asc"
    path.write_text("\n".join(_twice(6)) + "\n", "utf-8")
    assert gazetrack.read(path).events["kind"].tolist().count("fixation") == 2
