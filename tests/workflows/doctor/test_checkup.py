"""Everything is looked at, section by section, whatever is broken."""

import builtins
import itertools
import json
import sys
from dataclasses import asdict

from gazetrack.workflows.doctor.checkup import checkup


def test_findings_of_a_section_follow_one_another_and_are_of_json():
    found = list(checkup())
    sections = [name for name, _ in itertools.groupby(one.section for one in found)]
    known = ["program", "packages", "extras", "readers", "folders", "machine"]
    assert sections == [name for name in known if name in sections]
    assert {"program", "packages", "folders", "machine"} <= set(sections)
    assert json.loads(json.dumps([asdict(one) for one in found]))
    for one in found:
        assert bool(one.do) == (one.state != "ok"), one


def test_without_a_compiler_the_rest_is_still_looked_at(monkeypatch):
    real = builtins.__import__
    monkeypatch.delitem(sys.modules, "gazetrack.workflows.doctor.folders", raising=False)

    def broken(name, *arguments, **named):
        if name == "gazetrack.workflows.doctor.folders":
            raise ImportError("llvmlite is broken")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", broken)
    sections = {one.section for one in checkup()}
    assert "machine" in sections
    assert "folders" not in sections
