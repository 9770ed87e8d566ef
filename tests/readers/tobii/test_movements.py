"""Eye movements of Pro Lab: the runs of one movement are one, however many there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.readers.tobii.movements import _joined

KEYS = ["recording", "trial", "kind", "number", "round"]


def runs_of(n_runs, n_movements, seed):
    """Return runs of movements in any order; what is known of their samples is partly nothing."""
    rng = np.random.default_rng(seed)
    movement = rng.integers(0, n_movements, n_runs)
    runs = pd.DataFrame({key: movement // 3**i % 3 for i, key in enumerate(KEYS)})
    runs["row"] = np.arange(n_runs)
    runs["n"] = rng.integers(1, 9, n_runs)
    runs["onset_ms"] = np.arange(n_runs) * 10.0
    for name in ("last_ms", "last_x", "last_y", "first_x", "sum_x", "sum_y", "sum_pupil"):
        runs[name] = rng.normal(size=n_runs)
    for name in ("known_x", "known_y", "known_pupil"):
        runs[name] = rng.integers(1, 5, n_runs)
    for name in ("last_x", "first_x"):
        runs.loc[rng.random(n_runs) < 0.3, name] = np.nan
    return runs


def slowly_joined(runs):
    rows = []
    for _, own in runs.groupby(KEYS, sort=False):
        row = {}
        for name in runs:
            known = own[name].dropna()
            if name == "n" or name.startswith(("sum_", "known_")):
                row[name] = own[name].sum()
            elif not len(known):
                row[name] = np.nan
            else:
                row[name] = known.iloc[-1 if name.startswith("last_") else 0]
        row["pupil"] = row.pop("sum_pupil") / row.pop("known_pupil")
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("n_runs", "n_movements"), [(1, 1), (60, 200), (60, 20), (60, 3), (9, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_the_runs_of_a_movement_are_joined_as_one_by_one(n_runs, n_movements, seed):
    runs = runs_of(n_runs, n_movements, seed)
    expected = slowly_joined(runs)
    pd.testing.assert_frame_equal(_joined(runs)[list(expected)], expected, check_dtype=False)


def test_without_interruption_every_run_is_a_movement():
    runs = runs_of(40, 40, 1).drop_duplicates(KEYS).reset_index(drop=True)
    expected = slowly_joined(runs)
    pd.testing.assert_frame_equal(_joined(runs)[list(expected)], expected, check_dtype=False)
