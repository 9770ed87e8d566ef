"""`benchmarks/robustness.py`: a figure is one that was measured, and by whom and when stays."""

import json
import os
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _beside
import _goals
import robustness


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Write a module that measures; its name is returned. Processes of their own find it."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(body, name="made_up"):
        lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        text = "import time, os\nfrom _goals import Row\n"
        text += "def row(goal='G8', **more):\n"
        text += "    facts = {'goal': goal, 'figure': '0 of 3', 'met': True, 'how': 'by hand'}\n"
        text += "    return Row(**facts | more)\n"
        text += "def of_kills(counts, seeds):\n"
        text += "    n = counts['kills']\n"
        text += "    return row(figure=f'0 of {n}', counts=dict(counts), seeds=seeds)\n"
        text += "OF_COUNTS = {'G8': of_kills}\n"
        (tmp_path / f"_goals_{name}.py").write_text(f"{text}def rows(settings):\n{lines}\n")
        return name

    return make


def told(*names, seconds=600.0, processes=2, earlier=None, **settings):
    """Let modules measure; return their rows by name, and what became of each."""
    chosen = [_beside.Module.of(name, (earlier or {}).get(name, {})) for name in names]
    rows = []
    ended = _beside.run_all(
        chosen,
        _goals.Settings(**settings),
        end=time.monotonic() + seconds,
        processes=processes,
        tell=lambda name, row: rows.append((name, row)),
    )
    return rows, ended


def row(goal="G8", **changed):
    facts = {"goal": goal, "figure": "0 of 3", "met": True, "how": "by hand"}
    return _goals.Row(**facts | changed)


def test_every_goal_has_a_line_and_those_not_measured_say_so():
    table = robustness.by_goal([{"goal": "G8", "figure": "0 of 3", "met": True, "how": ""}])
    assert [line["goal"] for line in table] == [f"G{n}" for n in range(1, 22)]
    figures = {line["goal"]: line["figure"] for line in table}
    assert figures.pop("G8") == "0 of 3"
    assert set(figures.values()) == {"not measured"}


def test_rows_are_those_of_the_module_in_a_process_of_its_own(made_up):
    name = made_up("yield row(figure=f'seed {settings.seed}', how=str(os.getpid()))")
    [(by, found)], [ended] = told(name, seed=3)
    assert (by, found["figure"], ended.error) == (name, "seed 3", "")
    assert found["how"] != str(os.getpid())


def test_a_row_is_stamped_and_written_when_it_comes(tmp_path):
    path = tmp_path / "r.json"
    table = robustness.Table(robustness.where_and_when(), 3, path, [])
    table.add("made_up", {"goal": "G8", "figure": "0 of 3"})
    (written,) = json.loads(path.read_text())["rows"]
    assert written["by"] == "made_up"
    assert written["commit"]
    assert written["date"]


def test_a_module_that_fails_keeps_the_rows_that_it_had_and_others_theirs(made_up, capfd):
    fails = made_up("yield row(); raise OSError('no disk')", "fails")
    fine = made_up("yield row('G9')", "fine")
    rows, ended = told(fails, fine)
    assert sorted((by, found["goal"]) for by, found in rows) == [("fails", "G8"), ("fine", "G9")]
    assert sorted(one.error for one in ended) == ["", "could not measure: OSError: no disk"]
    assert "no disk" in capfd.readouterr().err


def test_a_row_of_no_case_is_none(made_up):
    none = "met=None, cases=0, asked=5, failures=0"
    name = made_up(
        f"""
        yield row({none})
        yield row('G9', {none}, counts={{'of one parser': 3, 'of another': 0}})
        yield row('G10', met=False, cases=0, asked=5, failures=1)
        """
    )
    rows, _ = told(name)
    assert [found["goal"] for _, found in rows] == ["G9", "G10"]


def test_the_time_of_a_module_begins_with_its_process(made_up):
    name = made_up("yield row(figure=str(settings.seconds))")
    [(_, found)], _ = told(name, seconds=600.0)
    assert 300.0 < float(found["figure"]) < 600.0


def test_who_does_not_end_is_ended_and_its_rows_stay(made_up, monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(_beside, "MORE_SECONDS", 1.0)
    place = tmp_path / "place"
    wait = _beside.wait

    def wait_for_its_beginning(pipes, seconds):
        # On a busy machine it takes longer to begin than it has; only then does its time count.
        end = time.monotonic() + 300
        while not place.exists() and time.monotonic() < end:
            if wait(pipes, 0.01):
                break
        return wait(pipes, seconds if place.exists() else 300)

    monkeypatch.setattr(_beside, "wait", wait_for_its_beginning)
    name = made_up(
        f"""
        yield row()
        import subprocess, tempfile
        child = subprocess.Popen(["sleep", "900"])
        open({str(place)!r} + ".new", "w").write(f"{{child.pid}} {{tempfile.mkdtemp()}}")
        os.rename({str(place)!r} + ".new", {str(place)!r})
        time.sleep(900)
        """
    )
    begun = time.monotonic()
    rows, [ended] = told(name, seconds=1.0)
    assert time.monotonic() - begun < 600
    assert [found["goal"] for _, found in rows] == ["G8"]
    assert ended.error == ""  # its goals that are missing say so in the table
    assert "was cut" in capfd.readouterr().err
    child, folder = place.read_text().split()
    assert not Path(folder).exists()
    status = Path(f"/proc/{child}/status")
    assert not status.exists() or "Z (zombie)" in status.read_text()


def test_who_is_alone_has_nobody_beside_it_and_others_have(made_up, monkeypatch, tmp_path):
    body = f"""
        begun = time.monotonic()
        until = begun + 300
        open({str(tmp_path)!r} + f"/begun-{{os.getpid()}}", "w")
        import glob
        # Whoever is beside another one sees that it has begun.
        while len(glob.glob({str(tmp_path)!r} + "/begun-*")) < AWAITED:
            assert time.monotonic() < until, "nobody is beside it"
            time.sleep(0.01)
        yield row(figure=f"{{begun}} {{time.monotonic()}}")
        """
    names = [made_up(body.replace("AWAITED", n), name) for name, n in
             (("alone", "1"), ("one", "3"), ("two", "3"))]  # fmt: skip
    monkeypatch.setitem(_beside.NEEDS, "alone", _goals.Needs(seconds=5.0, alone=True))
    rows, ended = told(*names)
    assert [one.error for one in ended] == [""] * 3
    times = {by: [float(word) for word in found["figure"].split()] for by, found in rows}
    assert times["alone"][1] < min(times["one"][0], times["two"][0])


def test_time_is_shared_by_needs_and_weights():
    fixed, endless = _goals.Needs(seconds=60.0, weight=1.0), _goals.Needs(seconds=0.0, weight=3.0)
    assert _goals.share(fixed, [fixed, endless], 100.0) == 70.0
    assert _goals.share(endless, [endless], 55.0) == 55.0
    assert _goals.share(fixed, [fixed, fixed], 60.0) == 30.0  # less than it needs


def test_lanes_take_all_the_time_and_those_without_an_end_come_last():
    modules = [_beside.Module.of(name, {}) for name in robustness.modules()]
    beside = [one for one in modules if not one.needs.alone]
    dealt = _beside.lanes(beside, 2, 900.0)
    assert sorted(one.name for lane in dealt for one in lane) == sorted(o.name for o in beside)
    for lane in dealt:
        assert sum(one.needs.seconds for one in lane) < 900.0
        assert lane[-1].needs.weight == max(one.needs.weight for one in lane)
        assert lane[-1].needs.weight > 1


def test_every_module_says_what_it_needs():
    assert set(_goals.NEEDS) == set(robustness.modules())


def test_rows_of_an_earlier_file_stay_until_they_are_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "modules", lambda: ["a", "b"])
    path = tmp_path / "r.json"
    facts = [("G8", "a"), ("G9", "b"), ("G10", "b"), ("G5", "gone")]
    old = [{"goal": goal, "by": by, "commit": "c0ffee", "figure": "1"} for goal, by in facts]
    path.write_text(json.dumps({"rows": old}))
    assert robustness.kept(path) == old[:3]
    assert robustness.kept(tmp_path / "none.json") == []
    table = robustness.Table(robustness.where_and_when(), 3, None, old[:3])
    table.add("b", {"goal": "G9", "figure": "2"})
    found = {found["goal"]: found["figure"] for found in table.rows}
    assert found == {"G8": "1", "G9": "2", "G10": "1"}


def test_counts_of_the_same_commit_are_added(made_up):
    name = made_up("yield of_kills({'kills': 30}, [settings.seed])")
    earlier = {"goal": "G8", "by": name, "commit": "c0ffee", "counts": {"kills": 12}, "seeds": [7]}
    assert robustness.counted_before([earlier], "another") == {}
    before = robustness.counted_before([earlier, {"commit": "c0ffee", "by": "a"}], "c0ffee")
    [(_, found)], _ = told(name, seed=8, earlier=before)
    assert (found["figure"], found["counts"], found["seeds"]) == ("0 of 42", {"kills": 42}, [7, 8])


@pytest.mark.parametrize(
    ("failures", "cases", "allowed", "met"),
    [
        (0, 5000, 0.0, True),
        (0, 4999, 0.0, None),
        (1, 4999, 0.0, False),
        (100, 5000, 0.02, True),
        (101, 5000, 0.02, False),
        (4, 10, 0.02, None),  # 5,000 could have 100
    ],
)
def test_too_few_cases_are_neither_met_nor_missed(failures, cases, allowed, met):
    assert _goals.verdict(failures, cases, 5000, allowed=allowed) is met


def test_marks_say_what_is_met_missed_or_too_little():
    facts = {"failures": 0, "cases": 1200, "asked": 5000}
    assert _goals.mark(facts | {"met": True}) == "met"
    assert _goals.mark(facts | {"met": False}) == "MISSED"
    few = "no failure, but too few cases: 1,200 of 5,000"
    assert _goals.mark(facts | {"met": None}) == few
    some = facts | {"met": None, "failures": 1}
    assert _goals.mark(some) == "within the floor, but too few cases: 1,200 of 5,000"
    assert _goals.mark({"met": None}) == ""


def test_a_goal_that_is_none_is_refused():
    with pytest.raises(ValueError, match="G99"):
        row("G99")


def script(monkeypatch, name, *arguments):
    monkeypatch.setattr(robustness, "modules", lambda: [name])
    monkeypatch.setattr(sys, "argv", ["robustness.py", "--minutes", "10", *map(str, arguments)])
    return robustness.main()


def test_the_script_prints_the_table_and_says_when_a_floor_is_missed(
    made_up, monkeypatch, capsys, tmp_path
):
    name = made_up("yield row(met=False); yield row('G9')")
    report = tmp_path / "r.json"
    assert script(monkeypatch, name, "--json", report) == 1
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert shown.count("not measured") == 19
    written = json.loads(report.read_text())
    assert [line["goal"] for line in written["rows"]] == ["G8", "G9"]
    assert written["versions"]["numpy"]


def test_too_few_cases_are_no_failure_of_the_script(made_up, monkeypatch, capsys):
    name = made_up("yield row(met=None, cases=12, asked=50, failures=0)")
    assert script(monkeypatch, name) == 0
    assert "no failure, but too few cases: 12 of 50" in capsys.readouterr().out


def test_more_of_the_same_seed_is_refused(made_up, monkeypatch, capsys, tmp_path):
    stamp = {"commit": "c0ffee", "date": "2026-01-01", "system": "", "processor": ""}
    monkeypatch.setattr(robustness, "where_and_when", lambda: stamp)
    name = made_up("yield of_kills({'kills': 30}, [settings.seed])")
    report = tmp_path / "r.json"
    assert script(monkeypatch, name, "--json", report, "--seed", 7) == 0
    with pytest.raises(SystemExit):
        script(monkeypatch, name, "--json", report, "--seed", 7, "--more")
    assert "seed 7 is counted already" in capsys.readouterr().err
    assert script(monkeypatch, name, "--json", report, "--seed", 8, "--more") == 0
    (row_of_both,) = json.loads(report.read_text())["rows"]
    assert row_of_both["figure"] == "0 of 60"
