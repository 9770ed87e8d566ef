"""The goals of privacy: what the rows say of code is what the search finds."""

from __future__ import annotations

import sys

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import _goals_privacy as privacy


def test_no_call_of_the_packages_could_run_code_of_data():
    # That the search notices is looked at in tests/test_static.py; the tokens in tests/cli.
    assert privacy._misused() == []
