"""What says again what pyproject.toml says, or is built from it, says the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gazetrack.version import __version__
from tests.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# What conda-forge calls otherwise; its `matplotlib` would bring a toolkit for windows with it.
ON_CONDA_FORGE = {"matplotlib": "matplotlib-base"}


def read(name):
    return (ROOT / name).read_text("utf-8")


# ---- the citation ----


def test_the_citation_is_of_this_version_and_title():
    cited = yaml.safe_load(read("CITATION.cff"))
    assert cited["version"] == __version__
    assert cited["title"] == f"{PROJECT['name']}: {PROJECT['description']}"
    assert cited["license"] == PROJECT["license"]
    assert cited["keywords"] == PROJECT["keywords"]
    assert [author["name"] for author in cited["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]


def test_the_citation_is_valid():
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.citation-file-format", str(ROOT / "CITATION.cff")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the locks ----

LOCKS = (".ci/build.lock", ".ci/users.lock")


def pinned(text):
    """{name: version} of the lines `name==version`."""
    found = re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_the_pinned_versions_with_hashes_and_no_address(lock):
    text = read(lock)
    versions, pins = pinned(text), pinned(read("constraints.txt"))
    both = versions.keys() & pins.keys()
    assert {name: versions[name] for name in both} == {name: pins[name] for name in both}
    assert "://" not in text
    for package in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", package), package


def test_the_locks_have_what_is_needed():
    needed = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert needed <= pinned(read(".ci/users.lock")).keys()
    assert {"build", "setuptools"} <= pinned(read(".ci/build.lock")).keys()
    release = read(".github/workflows/release.yml")
    for lock in LOCKS:
        assert f"--require-hashes -r {lock}" in release


# ---- the recipe for conda ----

RECIPE = yaml.safe_load(read("recipe/recipe.yaml"))


def stated(lines):
    """{name: versions} of requirements, whatever the case and the hyphens of their names."""
    parts = (line.partition(" ") for line in lines)
    return {name: versions for name, _, versions in parts}


def test_the_recipe_requires_what_the_project_requires():
    needed = {}
    for line in PROJECT["dependencies"]:
        one = Requirement(line)
        name = canonicalize_name(one.name)
        needed[ON_CONDA_FORGE.get(name, name)] = str(one.specifier)
    needed["python"] = PROJECT["requires-python"]
    assert stated(RECIPE["requirements"]["run"]) == needed


def test_the_recipe_is_built_by_what_the_project_is_built_by():
    build = tomllib.loads(read("pyproject.toml"))["build-system"]["requires"]
    host = stated(RECIPE["requirements"]["host"])
    assert {name: host[name] for name in host if name not in ("python", "pip")} == {
        Requirement(line).name: str(Requirement(line).specifier) for line in build
    }
    assert host["python"] == PROJECT["requires-python"]


def test_the_recipe_has_the_programs_and_the_version():
    assert RECIPE["context"]["version"] == __version__
    programs = dict(line.split(" = ") for line in RECIPE["build"]["python"]["entry_points"])
    assert programs == PROJECT["scripts"]
    assert RECIPE["about"]["license"] == PROJECT["license"]
    assert (ROOT / "recipe" / RECIPE["source"]["path"] / RECIPE["about"]["license_file"]).exists()


# ---- containers ----


def instructions(name="Dockerfile"):
    """(word, rest) of each instruction; lines that go on are one."""
    lines = re.sub(r"\\\n", " ", read(name)).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip() and line[0] != "#"]


def test_the_image_is_of_the_python_that_is_tested_and_pinned():
    tested = re.search(r"Python (3\.\d+)", read("constraints.txt")).group(1)
    assert f"PYTHON={tested}-slim" in read("Dockerfile")
    assert f"python:{tested}-" in read(".devcontainer/devcontainer.json")
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert installs
    for line in installs:
        assert "-c constraints.txt" in line
        assert "--no-cache-dir" in line


def test_the_image_is_no_root_s_and_runs_the_program():
    found = instructions()
    last = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    stage = dict(found[last:])  # the last of each
    assert stage["USER"].isdigit()  # by number, so that a cluster can tell
    assert int(stage["USER"]) > 0
    assert json.loads(stage["ENTRYPOINT"]) == ["gazetrack"]
    assert not [rest for word, rest in found[last:] if word == "RUN" and "pip" in rest]


def test_what_the_image_copies_exists_and_is_let_through():
    let_through = {line[1:] for line in read(".dockerignore").splitlines() if line[:1] == "!"}
    copied = set()
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            copied |= set(rest.split()[:-1])
    assert copied == let_through
    for name in copied:
        assert (ROOT / name).exists()
    packages = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]
    folders = {packages["package-dir"].get(name, name) for name in packages["packages"]}
    assert {name for name in folders if "." not in name} <= copied
    assert {PROJECT["readme"], *PROJECT["license-files"]} <= copied


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: the Dockerfile is NOT linted here")
    done = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_development_container_installs_by_make():
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert container["remoteUser"] != "root"
    command = container["postCreateCommand"]
    target = command.removeprefix("make ")
    assert f"{target.replace('.venv', '$(VENV)')}:" in read("Makefile")
