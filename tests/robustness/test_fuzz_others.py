"""What reads other people's files beside the readers: seeds that are read, failures that are none.

A folder of tests/golden/fuzzed is a file that `benchmarks/fuzz.py` found; ``about.json`` says what
was wrong (``was``), which target reads it (``target``), and what the user is told (``says``; null
where it is read).
"""

import contextlib
import shutil
import sys
import warnings

import pytest

from gazetrack.errors import GazetrackError
from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _fuzz_calls
import _fuzz_others
import fuzz

CASES = fuzz.fuzzed()


@pytest.mark.parametrize("name", sorted({*_fuzz_others.OTHERS} - {"detection"}))
def test_a_target_begins_with_files_that_are_read(name, tmp_path):
    target = _fuzz_others.OTHERS[name]
    call = getattr(_fuzz_calls, name)()
    for number, seed in enumerate(target.seeds()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / target.name
        path.write_bytes(seed)
        call(path)


def test_detection_begins_with_exports_that_are_recognised(tmp_path):
    call = _fuzz_calls.detection()
    seeds = _fuzz_others.OTHERS["detection"].seeds()
    n_recognised = 0
    for seed in seeds:
        (tmp_path / "input.txt").write_bytes(seed)
        # Of some, columns have to be named, or the name says what they are.
        with contextlib.suppress(GazetrackError):
            call(tmp_path / "input.txt")
            n_recognised += 1
    assert n_recognised > 0.8 * len(seeds)


@pytest.mark.parametrize(("path", "about"), CASES, ids=[path.parent.name for path, _about in CASES])
def test_what_failed_once_is_read_or_refused_in_words(path, about, tmp_path):
    assert about["was"].endswith(".")
    copy = tmp_path / _fuzz_others.OTHERS[about["target"]].name
    shutil.copyfile(path, copy)
    call = getattr(_fuzz_calls, about["target"])()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if about["says"] is None:
            call(copy)
            return
        with pytest.raises(GazetrackError) as error:
            call(copy)
    assert about["says"] in str(error.value)


def test_every_target_has_sources():
    for target in _fuzz_others.OTHERS.values():
        assert len(fuzz.digest_of(target.modules)) == 16
