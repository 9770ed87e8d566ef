"""What is covered by tests branch by branch, and what is left out of it: each with a reason."""

from __future__ import annotations

import re
import tomllib

from tests.places import ROOT

SETTINGS = (ROOT / "pyproject.toml").read_text("utf-8")
COVERAGE = tomllib.loads(SETTINGS)["tool"]["coverage"]


def covered():
    """The files that `make coverage` looks at."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (modules,) = re.findall(r"^COVERED := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    for module in modules.replace("\\", " ").split():
        path = ROOT / module.replace(".", "/")
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def test_every_branch_counts_and_less_than_all_is_an_error():
    assert COVERAGE["run"]["branch"]
    assert "--cov-fail-under=100" in (ROOT / "Makefile").read_text("utf-8")
    assert len(list(covered())) > 25


def test_what_is_left_out_is_there_and_has_a_reason():
    texts = [path.read_text("utf-8") for path in covered()]
    for pattern in COVERAGE["report"]["exclude_also"]:
        assert any(re.search(pattern, text) for text in texts), pattern
        (line,) = (one for one in SETTINGS.splitlines() if pattern in one.replace("\\\\", "\\"))
        assert re.search(r"# \w+ \w+", line), f"say why: {line}"


def test_nothing_is_left_out_where_it_is_written():
    for package in ("gazetrack", "gradtrack_model", "cli"):
        modules = list((ROOT / package).rglob("*.py"))
        assert modules, package
        for path in modules:
            assert "pragma: no" not in path.read_text("utf-8"), path
