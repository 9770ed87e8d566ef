"""Names of recordings from paths: no two files alike, and the same file always the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.publish import file_stem
from gazetrack.workflows.naming import output_stem, recording_name, recording_names, stem_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/study/anna.asc", "anna"),
        ("/study/006.asc", "006"),
        ("/study/raw.samples.parquet", "raw"),
        ("/study/s01/gaze_positions.csv", "s01"),
        ("/study/s01/exports/000/gaze_positions.csv", "s01_000"),
        ("/day/000/exports/001/fixations.csv", "day_000_001"),
        ("/study/s01/fixations_on_surface_screen.csv", "s01_fixations_on_surface_screen"),
        ("/study/s01/data.csv.gz", "s01_data"),
        ("/study/result/User 1_all_gaze.csv", "study_User 1"),
        ("/study/result/anna_fixations.csv", "anna"),
        ("/study/Rec 01-All-Data.tsv", "study_Rec 01"),
        ("/gaze.csv", "gaze"),
    ],
)
def test_a_path_alone_gives_the_name(path, name):
    assert recording_name(Path(path)) == name


def test_what_meets_is_told_apart_by_what_differs():
    paths = [
        Path(p) for p in ("/d/a/x/raw.csv", "/d/b/x/raw.csv", "/d/b/x/raw.txt", "/d/c/one.csv")
    ]
    assert list(recording_names(paths).values()) == ["a_raw", "b_raw", "raw.txt", "one"]
    awkward = [Path("/d/a_b/c/raw.csv"), Path("/d/a/b_c/raw.csv")]
    names = set(recording_names(awkward).values())
    assert len(names) == 2


WORDS = st.sampled_from(
    ["a", "b", "a_b", "A", "000", "exports", "gaze", "raw", "data", "User 1_fixations"]
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_files_of_different_folders_never_share_a_name(parts):
    paths = list(dict.fromkeys(Path("/", *own[:-1], f"{own[-1]}.csv") for own in parts))
    names = recording_names(paths)
    assert recording_names(reversed(paths)) == names  # the order of inputs does not matter
    by_name = {}
    for path, name in names.items():
        by_name.setdefault(name.casefold(), set()).add(path.parent)
    assert all(len(folders) == 1 for folders in by_name.values())


def test_an_output_is_called_after_its_recording():
    assert output_stem(Path("s01/gaze_positions.csv"), "s01") == "s01"
    assert output_stem(Path("s01/data.csv"), "s01_data") == "s01_data"
    assert stem_of(Path("s01/x.tsv.gz")) == "x"


@pytest.mark.parametrize(
    "name", ["Große Studie 1", "مریم\u200c۱", "被験者 3", "a.b", "user+1", "Ωmega (2)", "x,y"]
)
def test_stems_of_files_keep_spaces_and_letters_of_any_script(name):
    assert file_stem(name) == name


HOSTILE = [
    "",
    "-rf",
    ".hidden",
    "a/b",
    "a\\b",
    "a\nb",
    "a\x1b[31m",
    "a\u202eb",
    "con",
    "x ",
    " x",
    "a:b",
    "\udce9",
    "é" * 120,
]


@pytest.mark.parametrize("name", HOSTILE, ids=map(ascii, HOSTILE))
def test_stems_that_no_system_should_see_become_safe(name):
    safe = file_stem(name)
    assert safe != name
    assert safe.isascii()
    assert not {"/", "\\", "\n", "\x1b"} & set(safe)
    assert safe[0] not in "-."
    assert len(safe) <= 100
