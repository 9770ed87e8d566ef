"""`gazetrack fixations` takes what `convert` takes of trials and participants."""

from __future__ import annotations

import pandas as pd
import pytest

from gazetrack.simulate.example import write_example


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A simulated recording of several images."""
    return write_example(tmp_path_factory.mktemp("example"), n_images=8, size=(48, 64)).exports[0]


def test_trials_begin_where_the_rule_says(run, tmp_path, export):
    for command in ("convert", "fixations"):
        assert run(f"gazetrack {command} '{export}' --trial-by stimulus -o {command}").code == 0
    own = pd.read_parquet(tmp_path / "convert" / f"{export.stem}.fixations.parquet")
    found = pd.read_parquet(tmp_path / "fixations" / f"{export.stem}.auto.fixations.parquet")
    named = own.groupby("trial", observed=True)["stimulus"].first()
    assert len(named) > 1
    detected = found.groupby("trial", observed=True)["stimulus"].first()
    assert detected.to_dict() == named.to_dict()


def test_a_rule_that_is_none_is_refused(run, export):
    result = run(f"gazetrack fixations '{export}' --trial-by full-moon")
    assert result.code == 2
    assert "full-moon" in result.err


def test_pseudonyms_are_those_of_convert(run, tmp_path, export):
    for command in ("convert", "fixations"):
        line = f"gazetrack {command} '{export}' --participant hash -o {command}"
        assert run(line).code == 0
    names = [
        set(pd.read_parquet(path)["participant"].astype(str))
        for path in sorted(tmp_path.glob("*/*.parquet"))
    ]
    assert len(names) == 2
    assert names[0] == names[1]
    assert (tmp_path / "gazetrack.key").exists()


def test_a_seed_below_0_is_refused_in_words(run):
    result = run("gazetrack demo --seed -1")
    assert result.code == 2
    assert "internal" not in result.err
    assert "-1" in result.err
