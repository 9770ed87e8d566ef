"""EyeLink ASC: eye movements without the line of their beginning, or that of their end."""

import pytest

import gazetrack

_ENDLESS = "1 eye movements begin (SFIX, SSACC, SBLINK) and no line ends them"
_LINES = [
    "START\t1000 \tLEFT\tRIGHT\tSAMPLES\tEVENTS",
    "SAMPLES\tGAZE\tLEFT\tRIGHT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2",
    "EVENTS\tGAZE\tLEFT\tRIGHT\tRATE\t 500.00\tTRACKING\tCR\tFILTER\t2",
    "SFIX L   1000",
    "SFIX R   1000",
    "1000\t  512.0\t  384.0\t 1000.0\t  512.5\t  384.5\t 1100.0\t.....",
    "EFIX L   1000\t1008\t10\t  512.0\t  384.0\t   1000",
    "SSACC L  1010",
    "SBLINK L 1012",
    "EFIX R   1000\t1020\t22\t  512.0\t  384.0\t   1000",
    "EBLINK L 1012\t1020\t10",
    "ESACC L  1010\t1024\t16\t  512.0\t  384.0\t  700.0\t  384.0\t   4.31\t    200",
    "SFIX L   1026",
    "EFIX L   1026\t1050\t26\t  700.0\t  384.0\t   1000",
    "END\t1052 \tSAMPLES\tEVENTS\tRES\t  29.27\t  37.92",
]


def _read(tmp_path, lines):
    path = tmp_path / "pairs.asc"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return gazetrack.read(path)


def _without(*numbers):
    return [line for number, line in enumerate(_LINES, 1) if number not in numbers]


def test_whole_pairs_are_nothing_to_say(tmp_path):
    recording = _read(tmp_path, _LINES)
    assert not recording.dropped
    assert not recording.notes
    assert recording.events["kind"].tolist().count("fixation") == 3


@pytest.mark.parametrize("end", [7, 10, 11, 12, 14])
def test_a_movement_that_never_ends_is_told_once_with_its_line(tmp_path, end):
    whole = _read(tmp_path, _LINES)
    recording = _read(tmp_path, _without(end))
    assert not recording.dropped
    assert recording.rows_in == whole.rows_in - 1
    assert len(recording.events) == len(whole.events) - 1
    begin = {7: 4, 10: 5, 11: 9, 12: 8, 14: 13}[end]
    line = begin - (end < begin)
    (note,) = recording.notes
    assert note.startswith(_ENDLESS)
    assert f"the first in line {line}:" in note


@pytest.mark.parametrize("begin", [4, 5, 8, 9, 13])
def test_a_movement_that_never_begins_is_used_and_noted_with_its_line(tmp_path, begin):
    whole = _read(tmp_path, _LINES)
    recording = _read(tmp_path, _without(begin))
    assert not recording.dropped
    assert recording.events.equals(whole.events)
    line = {4: 7, 5: 10, 8: 12, 9: 11, 13: 14}[begin] - 1
    (note,) = recording.notes
    assert note.startswith("1 eye movements end and no line begins them")
    assert f"line {line}:" in note


def test_a_stretch_that_lost_an_end_and_the_next_beginning_makes_no_pair(tmp_path):
    recording = _read(tmp_path, _without(7, 13))
    endless, sudden = recording.notes
    assert endless.startswith(_ENDLESS)
    assert sudden.startswith("1 eye movements end and no line begins them")


def test_a_file_without_any_beginnings_is_as_whole_as_any(tmp_path):
    recording = _read(tmp_path, _without(4, 5, 8, 9, 13))
    assert not recording.notes
    assert not recording.dropped


def test_ends_of_unknown_time_are_counted_once(tmp_path):
    lines = [line.replace("L   1026\t1050", "L   4294967295\t1050") for line in _LINES]
    recording = _read(tmp_path, lines)
    assert recording.dropped == {"event of unknown time": 1}
    assert not recording.notes


def test_directions_are_paired_as_places_are(tmp_path):
    lines = [line.replace("EVENTS\tGAZE", "EVENTS\tHREF") for line in _without(7)]
    (note,) = [one for one in _read(tmp_path, lines).notes if "no line ends them" in one]
    assert note.startswith(_ENDLESS)
    whole = [line.replace("EVENTS\tGAZE", "EVENTS\tHREF") for line in _LINES]
    assert not any("no line ends them" in one for one in _read(tmp_path, whole).notes)


@pytest.mark.parametrize("line", ["SFIX L", "SFIX X   1026", "SFIX L   none"])
def test_a_beginning_that_cannot_be_read_is_counted(tmp_path, line):
    lines = [line if before == "SFIX L   1026" else before for before in _LINES]
    recording = _read(tmp_path, lines)
    assert recording.dropped == {"SFIX line without an eye or a time": 1}


@pytest.mark.parametrize("block_bytes", [40, 90, 400])
def test_pairs_reach_from_block_to_block(tmp_path, block_bytes):
    from gazetrack.readers.base import ReadOptions, read_head
    from gazetrack.readers.eyelink import asc

    path = tmp_path / "pairs.asc"
    path.write_text("\n".join(_without(10)) + "\n", "utf-8")
    parted = asc.read(read_head(path), ReadOptions(), block_bytes=block_bytes)
    whole = asc.read(read_head(path), ReadOptions())
    assert (parted.dropped, parted.notes) == (whole.dropped, whole.notes)
    assert parted.rows_in == whole.rows_in
    assert parted.notes[0].startswith(_ENDLESS)
