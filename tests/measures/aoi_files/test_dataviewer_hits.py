"""Interest areas of a Data Viewer fixation report."""

from __future__ import annotations

import pytest

import gazetrack
from gazetrack.errors import DataError, InputError, ParseError
from gazetrack.measures.aoi_files.dataviewer_hits import aoi_hits_of

IA = "CURRENT_FIX_INTEREST_AREA"
NAMES = ["RECORDING_SESSION_LABEL", "TRIAL_INDEX", "image", "CURRENT_FIX_INDEX"]
NAMES += ["CURRENT_FIX_START", "CURRENT_FIX_DURATION", "CURRENT_FIX_X", "CURRENT_FIX_Y"]
AREAS = [f"{IA}_LABEL", f"{IA}_ID", f"{IA}_INDEX", f"{IA}S"]


def write(path, *rows, areas=AREAS):
    """Write a report whose fixations are said by recording, trial, image, number and areas."""
    lines = ["\t".join([*NAMES, *areas])]
    for recording, trial, image, number, *cells in rows:
        onset = 250 * (int(number) - 1)
        own = [recording, trial, image, number, str(onset), "200", "10", "20", *cells]
        lines.append("\t".join(own))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_numbers_of_fixations_begin_again_with_each_trial(tmp_path):
    path = write(
        tmp_path / "report.xls",
        ("s1", "1", "cat.png", "1", "face", "7", "1", "[ 1]"),
        ("s1", "1", "cat.png", "2", ".", ".", ".", "[]"),
        ("s1", "2", "dog.png", "1", ".", "0", "0", "."),
        ("s1", "2", "dog.png", "2", "tail", "7", "1", "[1]"),
        ("s2", "1", "cat.png", "1", "nose", "9", "2", "[1, 2]"),
    )
    found = aoi_hits_of(path)
    assert found.of("cat").names == ("face", "nose")
    assert found.of("dog.png").names == ("tail",)
    assert found.hits["s2"] == {("1", 1, "both"): {"face", "nose"}}
    gazetrack.convert(path, out=tmp_path / "tables")
    looks = gazetrack.measure_aois(tmp_path / "tables", found)
    names = ["recording", "stimulus", "aoi", "fixations", "first_fixation_number"]
    first = looks["first_fixation_number"].fillna(0).astype(int)
    rows = looks.assign(first_fixation_number=first)[names].astype(str)
    assert sorted(map(tuple, rows.to_numpy())) == [
        ("s1", "cat.png", "face", "1", "1"),
        ("s1", "cat.png", "nose", "0", "0"),
        ("s1", "dog.png", "tail", "1", "2"),
        ("s2", "cat.png", "face", "1", "1"),
        ("s2", "cat.png", "nose", "1", "1"),
    ]


def test_fixations_of_another_report_are_refused(tmp_path):
    area = ("face", "7", "1", "[1]")
    path = write(tmp_path / "report.xls", ("s", "1", "a", "1", *area), ("s", "1", "a", "2", *area))
    gazetrack.convert(path, out=tmp_path / "tables")
    found = aoi_hits_of(write(tmp_path / "report.xls", ("s", "1", "a", "1", *area)))
    with pytest.raises(DataError, match="fixation 2 of trial '1' is not in the report"):
        gazetrack.measure_aois(tmp_path / "tables", found)


def test_labels_may_hold_anything_and_be_those_of_two_areas(tmp_path):
    path = write(
        tmp_path / "report.xls",
        ("s", "1", "text", "1", "the", "1", "1", "[1]"),
        ("s", "1", "text", "2", 'say "hi", [Bob]', "2", "2", "[2]"),
        ("s", "1", "text", "3", "the", "5", "5", "[5, 2]"),
    )
    found = aoi_hits_of(path)
    assert found.of("text").names == ("the #1", 'say "hi", [Bob]', "the #5")
    assert found.hits["s"]["1", 3, "both"] == {"the #5", 'say "hi", [Bob]'}
    assert "told apart by number: 'the'" in found.notes[1]


def test_a_label_whose_number_changes_from_trial_to_trial_is_one_area(tmp_path):
    path = write(
        tmp_path / "report.xls",
        ("s", "1", "room", "1", "target", "1", "[1]"),
        ("s", "2", "room", "1", "target", "3", "[3]"),
        ("s", "2", "room", "2", "cup", "1", "[1]"),
        areas=[AREAS[0], AREAS[1], AREAS[3]],
    )
    found = aoi_hits_of(path)
    assert found.of("room").names == ("target", "cup")
    assert found.hits["s"]["2", 2, "both"] == {"cup"}


def test_without_labels_areas_are_called_by_number(tmp_path):
    path = write(tmp_path / "report.xls", ("s", "1", "a", "1", "4"), areas=[f"{IA}_ID"])
    assert aoi_hits_of(path).of("a").names == ("4",)
    path = write(tmp_path / "report.xls", ("s", "1", "a", "1", "[4, 2]"), areas=[f"{IA}S"])
    assert aoi_hits_of(path).of("a").names == ("4", "2")


def test_labels_alone_are_enough_and_without_stimuli_they_are_of_all_trials(tmp_path):
    path = write(tmp_path / "report.xls", ("s", "1", "a", "1", "x"), areas=[f"{IA}_LABEL"])
    path.write_text(path.read_text().replace("\timage\t", "\tcondition\t"))
    found = aoi_hits_of(path)
    assert found.of("").names == ("x",)
    gazetrack.convert(path, out=tmp_path / "tables")
    looks = gazetrack.measure_aois(tmp_path / "tables", found)
    assert looks[["aoi", "dwell_ms"]].to_numpy().tolist() == [["x", 200]]


def test_reports_that_cannot_be_are_refused(tmp_path):
    def report(*rows, areas=AREAS):
        return write(tmp_path / "report.xls", *rows, areas=areas)

    without = report(("s", "1", "a", "1"), areas=[])
    with pytest.raises(InputError, match="no columns of interest areas"):
        aoi_hits_of(without)
    nowhere = report(("s", "1", "a", "1", ".", ".", ".", "[]"))
    with pytest.raises(InputError, match="no fixation in an interest area"):
        aoi_hits_of(nowhere)
    good = ("s", "1", "a", "1", "x", "1", "1", "[1]")
    no_list = report(good, ("s", "1", "a", "2", "x", "1", "1", "face, nose"))
    with pytest.raises(ParseError, match=r":3: has 'face, nose' as CURRENT_FIX_INTEREST_AREAS"):
        aoi_hits_of(no_list)
    others = report(("s", "1", "a", "1", "x", "1", "2", "[3]"))
    with pytest.raises(ParseError, match="lists other numbers than those of the areas"):
        aoi_hits_of(others)
    twice = report(good, ("s", "1", "a", "1", "y", "2", "2", "[2]"))
    with pytest.raises(ParseError, match="fixation 1 of trial '1' is there twice"):
        aoi_hits_of(twice)
