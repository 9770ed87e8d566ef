"""Damaged exports that once failed: each is read, or refused, with the words that it needs.

A folder of tests/golden/regressions is an export made by hand, or by `benchmarks/robustness.py` and
`benchmarks/fuzz.py` from golden and generated ones, never from real data; ``about.json`` says what
was wrong (``was``), the format it is read as (``format``; null where it is refused), what the user
is told (``says``), and where numbers were wrong, some columns of the samples (``samples``).
``expected.json`` is all that becomes of it: the code and place of the error, or the facts of the
recording with the count and the mean of each column of numbers; ``python -m tests.golden_facts``
writes those that are not there.
"""

import json
import sys
import time

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import GazetrackError, InputError
from tests.contracts import check_recording
from tests.golden_facts import outcome
from tests.places import GOLDEN, ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _goals
import _goals_regressions

MOST_S = 8.0  # of the processor, for files of a few kilobytes; kernels may have to be compiled
CASES = sorted((GOLDEN / "regressions").iterdir())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_what_failed_once_is_read_or_refused_in_words(folder):
    about = json.loads((folder / "about.json").read_text("utf-8"))
    (path,) = folder.glob("input*")
    assert about["was"].endswith(".")
    columns = about.get("columns") or {}

    def read():
        return gazetrack.read(path, about["format"] if columns else None, columns=columns)

    if about["format"] is None:
        with pytest.raises(GazetrackError) as error:
            read()
        assert about["says"] in str(error.value)
        assert "cannot make sense" not in str(error.value)
        return
    start = time.process_time()
    recording = read()
    assert time.process_time() - start < MOST_S
    check_recording(recording, about["format"], path.stem)
    assert about["says"] in " ".join([*recording.notes, *recording.dropped])
    for name, expected in (about.get("samples") or {}).items():
        values = recording.sample_table[name].to_numpy()
        np.testing.assert_array_equal(values, np.array(expected, np.float32))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_what_becomes_of_a_damaged_export_stays_as_it_is(folder):
    assert outcome(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


def test_another_number_is_another_outcome(tmp_path):
    case = GOLDEN / "regressions" / "eyelink_asc_value_lost"
    for path in case.iterdir():
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(text.replace("  963.0", "  964.0"), "utf-8")
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    changed = outcome(tmp_path)
    assert {name for name in changed if changed[name] != expected[name]} == {
        "first_samples",
        "sample_columns",
    }


def test_the_goal_counts_those_that_fail_again(monkeypatch):
    settings = _goals.Settings(found=[])
    (row,) = _goals_regressions.rows(settings)
    assert row.met
    assert row.figure == f"{len(CASES)} exports, 0 fail again"

    def fails(*_args, **_more):
        raise InputError("another message")

    monkeypatch.setattr(gazetrack, "read", fails)
    (row,) = _goals_regressions.rows(settings)
    assert row.met is False
    assert len(settings.found) == len(CASES)
