"""Versions against those that are supported, extras, and what cannot be imported."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError

import pytest

from gazetrack.workflows.doctor import packages
from gazetrack.workflows.doctor.packages import EXTRAS, check_packages
from tests.places import ROOT

STATED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


class Ours:
    """What the metadata of an installed gazetrack say."""

    version = "1.2.3"

    def __init__(self, requires, python=">=3.11"):
        extras = sorted(
            {line.rpartition("== ")[2].strip("'\"") for line in requires if ";" in line}
        )
        self.requires = requires
        self.metadata = Metadata({"Requires-Python": python})
        self.metadata.extras = extras


class Metadata(dict):
    def get_all(self, name):
        return self.extras if name == "Provides-Extra" else None


@pytest.fixture
def looked_at(monkeypatch):
    """Findings by name, with packages installed in versions of the test's choice."""

    def look(requires, versions, python=">=3.11", broken=()):
        def version(name):
            if name not in versions:
                raise PackageNotFoundError(name)
            return versions[name]

        def import_module(name):
            if name in broken:
                raise ImportError("numpy.core.multiarray failed to import")

        monkeypatch.setattr(packages, "distribution", lambda _name: Ours(requires, python))
        monkeypatch.setattr(packages, "version", version)
        monkeypatch.setattr(packages, "import_module", import_module)
        return {one.name: one for one in check_packages()}

    return look


def test_this_installation_is_well():
    found = {one.name: one for one in check_packages()}
    for line in STATED["dependencies"]:
        name = packages.Requirement(line).name
        assert name not in found or found[name].state == "ok", found[name]
    assert found["numpy"].facts["supported"] == ">=1.26"
    assert found["Python"].state == "ok"


def test_installed_and_supported_versions_are_told(looked_at):
    found = looked_at(["pandas>=2.2"], {"pandas": "2.3.1"})["pandas"]
    assert found.state == "ok"
    assert found.what == "2.3.1 (supported: >=2.2)"
    assert found.facts == {"version": "2.3.1", "supported": ">=2.2"}


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"pandas": "1.5.3"}, "1.5.3 is installed, and supported is >=2.2"),
        ({}, "not installed (supported: >=2.2)"),
    ],
)
def test_a_package_that_is_old_or_missing_is_a_problem(looked_at, versions, said):
    found = looked_at(["pandas>=2.2"], versions)["pandas"]
    assert (found.state, found.what) == ("problem", said)
    assert found.do == 'pip install --upgrade --force-reinstall "pandas>=2.2"'


def test_a_package_that_cannot_be_imported_is_a_problem(looked_at):
    found = looked_at(["pillow>=10"], {"pillow": "11"}, broken=["PIL"])["pillow"]
    assert found.state == "problem"
    assert "ImportError: numpy.core.multiarray failed" in found.what


def test_a_requirement_of_another_system_is_none(looked_at):
    found = looked_at(["winthing>=1; sys_platform == 'win64'"], {})
    assert "winthing" not in found


MEDICAL = ["nibabel>=5; extra == 'medical'", "pydicom>=3; extra == 'medical'"]


def test_an_extra_that_is_there_names_its_versions(looked_at):
    found = looked_at(MEDICAL, {"nibabel": "5.1", "pydicom": "3.0"})["medical"]
    assert found.state == "ok"
    assert found.what == f"{EXTRAS['medical']} (nibabel 5.1, pydicom 3.0)"


@pytest.mark.parametrize("versions", [{}, {"nibabel": "5.1"}])
def test_an_extra_that_is_not_there_says_what_it_would_give(looked_at, versions):
    found = looked_at(MEDICAL, versions)["medical"]
    assert found.state == "note"
    assert found.what == f"not installed; it gives {EXTRAS['medical']}"
    assert found.do == 'pip install "gazetrack[medical]"'


def test_an_extra_of_an_old_version_is_a_problem(looked_at):
    found = looked_at(MEDICAL, {"nibabel": "4.0"})["medical"]
    assert found.state == "problem"
    assert found.what == "nibabel: 4.0 is installed, and supported is >=5"


def test_an_old_python_is_a_problem(looked_at):
    found = looked_at([], {}, python=">=4")["Python"]
    assert found.state == "problem"
    assert ">=4" in found.do


def test_a_package_that_is_not_installed_says_so(monkeypatch):
    def missing(_name):
        raise PackageNotFoundError

    monkeypatch.setattr(packages, "distribution", missing)
    found = {one.name: one for one in check_packages()}
    assert found["gazetrack"].state == "problem"
    assert "pip install" in found["gazetrack"].do


@pytest.mark.parametrize(
    ("called", "said"),
    [(None, "is on no folder of PATH"), ("/opt/other/bin/gazetrack", "starts another one")],
)
def test_the_program_that_a_shell_would_start_is_told(looked_at, monkeypatch, called, said):
    monkeypatch.setattr(packages.shutil, "which", lambda _name: called)
    found = looked_at([], {})["gazetrack"]
    assert found.state == "note"
    assert said in found.what
    assert "python -m gazetrack" in found.do


def test_the_program_of_this_python_is_well(looked_at, monkeypatch):
    here = sys.executable.rpartition("/")[0] + "/gazetrack"
    monkeypatch.setattr(packages.shutil, "which", lambda _name: here)
    assert looked_at([], {})["gazetrack"].state == "ok"


class Point:
    value = "theirs.reader"

    def __init__(self, name, error=None):
        self.name, self.error = name, error

    def load(self):
        if self.error:
            raise self.error


def test_readers_of_others_are_tried(monkeypatch):
    points = [Point("good"), Point("bad", AttributeError("no FORMAT"))]
    monkeypatch.setattr(packages, "entry_points", lambda group: points)
    good, bad = packages.check_readers()
    assert (good.state, bad.state) == ("ok", "problem")
    assert "AttributeError: no FORMAT" in bad.what
