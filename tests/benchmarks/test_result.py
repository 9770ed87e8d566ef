"""`benchmarks/result.py`: what was stopped is not taken for what is at its end."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from result import Study, check_same, finished


def test_a_run_that_was_stopped_is_not_finished(tmp_path):
    assert not finished(tmp_path, 1600)
    (tmp_path / "last.json").write_text(json.dumps({"step": 700}))
    assert not finished(tmp_path, 1600)
    (tmp_path / "last.json").write_text(json.dumps({"step": 1600}))
    assert finished(tmp_path, 1600)


def test_a_folder_is_not_gone_on_with_under_other_settings(tmp_path):
    def study(steps: int) -> Study:
        return Study(argparse.Namespace(out=tmp_path, steps=steps, settings=[], quick=False))

    check_same(study(1600))
    check_same(study(1600))
    with pytest.raises(SystemExit, match="begun with other settings"):
        check_same(study(7))
