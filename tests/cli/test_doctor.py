"""`gazetrack doctor` says what is wrong, and its exit code says whether anything is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gazetrack.workflows.doctor import checkup as _checkup
from gazetrack.workflows.doctor.findings import Finding
from gradtrack_model.verbs import devices

WELL = [
    Finding(section="program", name="Python", what="3.12.1"),
    Finding(section="extras", name="xdf", what="not installed", state="note", do="pip install x"),
]
ILL = Finding(
    section="folders",
    name="kernels",
    what="no folder",
    state="problem",
    do="make one",
    facts={"a": 1},
)


@pytest.fixture
def doctor(run, monkeypatch):
    def call(findings, options=""):
        monkeypatch.setattr(_checkup, "checkup", lambda: iter(findings))
        monkeypatch.setattr(devices, "check_devices", lambda: iter([]))
        return run(f"gazetrack doctor {options}")

    return call


def test_where_all_is_well_the_code_is_0(doctor):
    result = doctor(WELL)
    assert result.code == 0
    assert result.out.splitlines() == [
        "program",
        "  ok       Python: 3.12.1",
        "extras",
        "  note     xdf: not installed",
        "           → pip install x",
        "",
        "nothing is wrong",
    ]


def test_where_something_is_wrong_the_code_is_1_and_it_says_what_to_do(doctor):
    result = doctor([*WELL, ILL])
    assert result.code == 1
    assert "  PROBLEM  kernels: no folder\n           → make one\n" in result.out
    assert result.out.endswith("\n1 problems\n")


def test_quiet_prints_problems_alone(doctor):
    assert doctor(WELL, "--quiet").out == ""
    result = doctor([*WELL, ILL], "--quiet")
    assert result.out == "  PROBLEM  kernels: no folder\n           → make one\n"
    assert result.code == 1


def test_as_json(doctor):
    told = json.loads(doctor([*WELL, ILL], "--json").out)
    assert told["healthy"] is False
    assert told["findings"][2] == {
        "section": "folders",
        "name": "kernels",
        "what": "no folder",
        "state": "problem",
        "do": "make one",
        "facts": {"a": 1},
    }


def test_a_cache_that_others_may_write_is_found_in_a_process_of_its_own(tmp_path):
    shared = tmp_path / f"gazetrack-{os.getuid()}"
    shared.write_text("a file is in the way")
    code = "from gazetrack_cli.start import gazetrack; gazetrack()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "doctor", "--json"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 1, done.stderr
    wrong = [one for one in json.loads(done.stdout)["findings"] if one["state"] == "problem"]
    assert [one["name"] for one in wrong] == ["compiled kernels"]
    assert shared.read_text() == "a file is in the way"
