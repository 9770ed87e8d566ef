"""gazetrack bids: what it prints, its exit codes, and its bad input."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.bids_sets import SCREEN_TYPED, write_samples
from tests.places import GOLDEN


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in ("anna", "ben"):
        write_samples(folder / f"{name}.samples.parquet")
    return sorted(folder.iterdir())


def test_it_says_what_it_wrote_and_how_to_check_it(run, exports, tmp_path):
    line = "gazetrack bids exports/anna.samples.parquet exports/ben.samples.parquet"
    result = run(f"{line} -o set --task look --screen {SCREEN_TYPED} --report report.jsonl")
    assert result.code == 0, result.err
    gaze = "set/sub-anna/beh/sub-anna_task-look_recording-eye1_physio.tsv.gz"
    assert f"  {gaze} (12 samples)" in result.out
    assert "to check it: bids-validator-deno set --recursive" in result.out
    assert (tmp_path / gaze).is_file()
    assert (tmp_path / "set" / "derivatives" / "gazetrack" / "sub-ben").is_dir()
    first = json.loads((tmp_path / "report.jsonl").read_text().splitlines()[0])
    assert first["outputs"][0]["path"] == gaze


def test_derivatives_may_be_left_out(run, exports, tmp_path):
    line = f"gazetrack bids {exports[0]} -o set --screen {SCREEN_TYPED} --no-derivatives -q"
    result = run(line)
    assert (result.code, result.out) == (0, "")
    assert not (tmp_path / "set" / "derivatives").exists()


def test_a_missing_screen_is_one_line_with_the_option(run, tmp_path):
    shutil.copy(GOLDEN / "eyelink_asc" / "mono_inputs" / "input.asc", tmp_path / "raw.asc")
    result = run("gazetrack bids raw.asc -o set")
    assert result.code == 4
    (line,) = result.err.splitlines()
    assert line.startswith("gazetrack: error: raw.asc: BIDS needs the screen's size and distance")
    assert "--screen" in line
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("--task 'free view'", 2, "such as freeview"),
        ("--rules no.toml", 1, "no.toml: no such file"),
        ("--participants no.tsv", 1, "no.tsv: no such file"),
        ("--participants a.tsv --participant drop", 2, "leave out --participants"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(options, code, words, run, exports, tmp_path):
    result = run(f"gazetrack bids {exports[0]} -o set --screen {SCREEN_TYPED} {options}")
    assert result.code == code, result.err
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "set").exists()


def test_a_folder_with_something_in_it_is_an_error_of_the_output(run, exports):
    result = run(f"gazetrack bids {exports[0]} -o exports --screen {SCREEN_TYPED}")
    assert result.code == 3
    assert "exports: is a folder that is not empty - choose a new folder" in result.err


def test_exports_that_fail_are_counted(run, exports, tmp_path):
    (tmp_path / "bad.asc").write_bytes(b"\0" * 64)
    result = run(f"gazetrack bids bad.asc {exports[0]} -o set --screen {SCREEN_TYPED}")
    assert result.code == 1
    assert "of 2 files: 1 written, 0 skipped, 1 with errors" in result.out
    assert (tmp_path / "set" / "sub-anna").is_dir()
