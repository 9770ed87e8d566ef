"""Many inputs are counted as they are done, and shared out to threads."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.workers import counted, in_order
from gazetrack_cli.progress import progress_bar


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


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_come_in_the_order_of_the_items_and_few_are_ahead(jobs):
    taken = []
    all_at_work = threading.Barrier(jobs)

    def items():
        for item in range(30):
            taken.append(item)
            yield item

    def work(item):
        if item < jobs:
            all_at_work.wait(300)  # else one thread may do it all before another begins
        time.sleep(0.002 * (item % 3 == 0))
        return item, threading.current_thread()

    results = in_order(work, items(), jobs)
    assert taken == []
    first, _ = next(results)
    assert (first, len(taken)) == (0, 1 if jobs == 1 else 2 * jobs + 1)
    rest = list(results)
    assert [item for item, _ in rest] == list(range(1, 30))
    assert len({thread for _, thread in rest}) == (1 if jobs == 1 else jobs)


def test_an_error_of_one_item_comes_in_its_place():
    results = in_order(lambda item: 1 / item, [1, 2, 0, 4], jobs=2)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
