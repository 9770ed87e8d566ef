"""One function over many items, and the one place that decides where it runs."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.workflows.engine.run import Engine, over
from tests.engine_tasks import squared


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_counts_and_what_is_told_do_not_depend_on_the_jobs(jobs):
    told, counts = [], []
    found = over(
        squared,
        iter(range(6)),
        Engine(jobs=jobs),
        total=6,
        lost=None,
        progress=lambda *n: counts.append(n),
        at_once=lambda *pair: told.append(pair),
    )
    assert list(found) == [0, 1, 4, 9, 16, 25]
    assert sorted(told) == [(n, n * n) for n in range(6)]
    assert (counts[0], counts[-1]) == ((0, 6), (6, 6))


def test_a_number_is_an_engine_of_so_many_processes():
    assert Engine.of(3) == Engine(jobs=3)
    engine = Engine(retries=5)
    assert Engine.of(engine) is engine


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"retries": 0}])
def test_an_engine_of_nobody_is_refused(wrong):
    with pytest.raises(ConfigError, match="or more"):
        Engine(**wrong)


def test_one_item_needs_no_process():
    assert Engine(jobs=4).works_here(1)
    assert not Engine(jobs=4).works_here(2)
    assert Engine().works_here(100)
