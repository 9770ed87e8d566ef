"""`benchmarks/robustness.py`: a figure is one that was measured, and by whom and when stays."""

import json
import sys

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _goals
import robustness


@pytest.fixture
def module(monkeypatch):
    """A module that measures, by the name of ``made_up``."""

    def make(rows):
        monkeypatch.setitem(sys.modules, "_goals_made_up", type("M", (), {"rows": rows}))

    return make


def row(goal="G8", **changed):
    facts = {"goal": goal, "figure": "0 of 3", "met": True, "how": "by hand"}
    return _goals.Row(**facts | changed)


def test_every_goal_has_a_line_and_those_not_measured_say_so():
    table = robustness.by_goal([{"goal": "G8", "figure": "0 of 3", "met": True, "how": ""}])
    assert [line["goal"] for line in table] == [f"G{n}" for n in range(1, 22)]
    figures = {line["goal"]: line["figure"] for line in table}
    assert figures.pop("G8") == "0 of 3"
    assert set(figures.values()) == {"not measured"}


def test_a_row_is_stamped_with_module_commit_and_date(module):
    module(staticmethod(lambda settings: [row(figure=f"seed {settings.seed}")]))
    rows, failed = robustness.measure(["made_up"], _goals.Settings(seed=3))
    assert not failed
    assert (rows[0]["figure"], rows[0]["by"]) == ("seed 3", "made_up")
    assert rows[0]["commit"]
    assert rows[0]["date"]


def test_a_module_that_fails_gives_no_figure(module, capsys):
    def fails(_settings):
        yield row()
        raise OSError("no disk")

    module(staticmethod(fails))
    rows, failed = robustness.measure(["made_up"], _goals.Settings())
    assert (rows, failed) == ([], ["made_up"])
    assert "no disk" in capsys.readouterr().err


def test_rows_of_other_modules_stay_as_they_were_stamped(tmp_path):
    path = tmp_path / "r.json"
    old = [{"goal": "G8", "by": "a", "commit": "c0ffee"}, {"goal": "G9", "by": "b"}]
    path.write_text(json.dumps({"rows": old}))
    assert robustness.kept(path, ["b"]) == old[:1]
    assert robustness.kept(tmp_path / "none.json", ["b"]) == []


def test_a_goal_that_is_none_is_refused():
    with pytest.raises(ValueError, match="G99"):
        row("G99")


def test_the_script_prints_the_table_and_says_when_a_floor_is_missed(
    module, monkeypatch, capsys, tmp_path
):
    module(staticmethod(lambda _settings: [row(met=False), row("G9")]))
    monkeypatch.setattr(robustness, "modules", lambda: ["made_up"])
    report = tmp_path / "r.json"
    monkeypatch.setattr(sys, "argv", ["robustness.py", "--minutes", "0.1", "--json", str(report)])
    assert robustness.main() == 1
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert shown.count("not measured") == 19
    written = json.loads(report.read_text())
    assert [line["goal"] for line in written["rows"]] == ["G8", "G9"]
    assert written["versions"]["numpy"]
