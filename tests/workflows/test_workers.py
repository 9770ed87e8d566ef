"""Many inputs are counted as they are done."""

from __future__ import annotations

import sys

import pytest

from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.workers import counted
from gazetrack_cli.printing import progress_bar


def test_nothing_is_done_before_the_first_item_and_all_after_the_last():
    told = []
    items = counted("ab", 2, lambda done, total: told.append((done, total)))
    told.extend(items)
    assert told == [(0, 2), "a", (1, 2), "b", (2, 2)]
    assert list(counted([1], 1, None)) == [1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_conversions_are_counted(tmp_path, jobs):
    for name in "ab":
        rows = "".join(f"{100 + i % 3},200,{4 * i}\n" for i in range(100))
        (tmp_path / f"{name}.csv").write_text("x,y,t\n" + rows)
    told = []
    outcomes = convert_files(
        [tmp_path], ConvertOptions(), jobs, lambda *counts: told.append(counts)
    )
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_bar_is_there_before_the_first_item_is_done(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = progress_bar("converting")
    bar(0, 3)
    assert "converting" in capsys.readouterr().err
    for done in (1, 2, 3):
        bar(done, 3)
    assert "3/3" in capsys.readouterr().err
    progress_bar("converting", quiet=True)(0, 3)
    assert capsys.readouterr().err == ""
