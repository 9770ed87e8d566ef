"""Clusters of bins in which time courses differ."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gazetrack.errors import ConfigError, DataError, SchemaError
from gazetrack.measures.cluster_permutation import (
    ClusterOptions,
    _largest_masses,
    _t_values,
    cluster_permutation,
)
from tests.places import ROOT

GOLDEN = json.loads((ROOT / "tests" / "measures" / "cluster_permutation.json").read_text("utf-8"))
N_BINS = 30


def people(n, seed, lift):
    """As in benchmarks/cluster_permutation_golden.py."""
    bins = np.arange(N_BINS)
    course = 0.3 + 0.2 * np.sin(bins / 6) + lift * ((bins > 8) & (bins < 18))
    phase = 12.9898 * bins + 78.233 * np.arange(n)[:, None] + 37.719 * seed
    return course + 0.3 * np.modf(np.abs(43758.5453 * np.sin(phase)))[0] - 0.15


def tidy(values, level, prefix):
    """A table of time courses of one trial for each person, bins of 50 ms."""
    n, bins = values.shape
    return pd.DataFrame(
        {
            "participant": np.repeat([f"{prefix}{number}" for number in range(n)], bins),
            "aoi": "lesion",
            "bin_start_ms": np.tile(50.0 * np.arange(bins), n),
            "bin_end_ms": np.tile(50.0 * np.arange(bins) + 50, n),
            "proportion": values.ravel(),
            "group": level,
        }
    )


def two_groups(first, second, paired=False):
    return pd.concat([tidy(first, "a", "p"), tidy(second, "b", "p" if paired else "q")])


FIRST, SECOND, PAIRED = people(9, 0.1, 0.09), people(8, 0.6, 0.0), people(9, 0.6, 0.0)


@pytest.mark.parametrize("design", ["between", "within"])
def test_clusters_masses_and_p_are_those_of_mne(design):
    other = SECOND if design == "between" else PAIRED
    courses = two_groups(FIRST, other, paired=design == "within")
    options = ClusterOptions(design=design, n_permutations=25_000)
    found = cluster_permutation(courses, "group", "lesion", options=options)
    wanted = np.array(GOLDEN[design]["clusters"])
    assert len(wanted) > 1
    np.testing.assert_allclose(found.bins["t"], GOLDEN[design]["t"], rtol=1e-9)
    np.testing.assert_allclose(found.clusters["start_ms"] / 50, wanted[:, 0])
    np.testing.assert_allclose(found.clusters["end_ms"] / 50, wanted[:, 1])
    np.testing.assert_allclose(found.clusters["mass"], wanted[:, 2], rtol=1e-9)
    assert found.is_exact
    if design == "within":
        # Of all flips of signs they leave one out.
        np.testing.assert_allclose(found.clusters["p"], wanted[:, 3], atol=1 / 255)
    else:
        # Between groups they take the largest mass with its sign, and never a large negative one:
        # half of the chances. What ours are is tested by hand, below.
        assert (found.clusters["p"] >= wanted[:, 3]).all()
        assert (found.clusters["p"] <= 2.1 * wanted[:, 3]).all()


def slow_masses(t, threshold):
    """Largest mass of a run of bins beyond the threshold, by a loop."""
    best = 0.0
    for is_run, run in itertools.groupby(
        t, key=lambda value: np.sign(value) if abs(value) > threshold else 0
    ):
        if is_run:
            best = max(best, abs(sum(run)))
    return best


def test_exact_p_are_those_of_every_permutation_by_hand():
    first, second = people(4, 0.3, 0.1), people(5, 0.9, 0.0)
    options = ClusterOptions(n_permutations=200)
    found = cluster_permutation(two_groups(first, second), "group", "lesion", options=options)
    every, threshold = np.concatenate([first, second]), stats.t.ppf(0.975, 7)
    masses = []
    for chosen in itertools.combinations(range(9), 4):
        others = [number for number in range(9) if number not in chosen]
        t = stats.ttest_ind(every[list(chosen)], every[others]).statistic
        masses.append(slow_masses(t, threshold))
    assert (found.n_permutations, found.is_exact) == (126, True)
    for cluster in found.clusters.itertuples():
        assert cluster.p == np.mean(np.array(masses) >= abs(cluster.mass) - 1e-9)


@pytest.mark.parametrize("within", [False, True])
def test_t_is_that_of_scipy_also_where_somebody_did_not_look(within):
    rng = np.random.default_rng(0)
    a, b = rng.normal(5, 1, (6, 40)), rng.normal(5.2, 1, (6, 40))
    a[rng.random(a.shape) < 0.2] = np.nan
    a[2:, 0] = np.nan
    a[1:, 1] = np.nan
    if within:
        t, degrees = _t_values(a - b, np.ones((1, 6)), within=True)
        with pytest.warns(RuntimeWarning):  # of bins with one person
            wanted = stats.ttest_1samp(a - b, 0, nan_policy="omit")
    else:
        label = np.repeat([1.0, 0], 6)[None]
        t, degrees = _t_values(np.concatenate([a, b]), label, within=False)
        wanted = stats.ttest_ind(a, b, nan_policy="omit")
    enough = np.isfinite(a).sum(axis=0) > 1
    assert not enough.all()
    np.testing.assert_allclose(t[0][enough], wanted.statistic[enough], rtol=1e-9)
    np.testing.assert_array_equal(degrees[0][enough], wanted.df[enough])
    assert np.isnan(t[0][~enough]).all()


def test_the_largest_mass_is_that_of_a_loop():
    rng = np.random.default_rng(1)
    t = rng.normal(0, 2, (200, 25))
    t[rng.random(t.shape) < 0.1] = np.nan
    found = _largest_masses(t, np.full(t.shape, 1.5))
    wanted = [slow_masses(np.nan_to_num(row), 1.5) for row in t]
    np.testing.assert_allclose(found, wanted)


def test_one_seed_gives_one_p_and_no_false_alarm_is_more_than_a_share():
    first, second = people(12, 0.1, 0.05), people(12, 0.6, 0.0)
    courses = two_groups(first, second)
    runs = [
        cluster_permutation(
            courses, "group", "lesion", options=ClusterOptions(n_permutations=300, seed=seed)
        ).clusters
        for seed in (1, 1, 2)
    ]
    pd.testing.assert_frame_equal(runs[0], runs[1])
    assert (runs[0]["p"] != runs[2]["p"]).any()
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        noise = rng.normal(size=(12, 20))
        found = cluster_permutation(
            two_groups(noise[:6], noise[6:]),
            "group",
            "lesion",
            options=ClusterOptions(n_permutations=199),
        )
        alarms += bool((found.clusters["p"] <= 0.05).any())
    assert alarms <= 9  # of 60 at 5 %: more come in fewer than one of 1,000 such series


def test_what_is_shown_of_the_groups():
    found = cluster_permutation(two_groups(FIRST, SECOND), "group", "lesion")
    np.testing.assert_allclose(found.bins["first"], FIRST.mean(axis=0))
    np.testing.assert_allclose(found.bins["second_se"], stats.sem(SECOND, axis=0))
    assert (found.levels, found.n_units) == (("a", "b"), (9, 8))
    assert "'a' against 'b'" in repr(found)


def test_trials_of_a_person_count_once():
    courses = two_groups(FIRST, SECOND)
    twice = pd.concat([courses, courses[courses["participant"] == "p0"]])
    one, other = (cluster_permutation(table, "group", "lesion") for table in (courses, twice))
    pd.testing.assert_frame_equal(one.bins, other.bins)


def test_nothing_differs():
    courses = two_groups(FIRST, FIRST)
    found = cluster_permutation(courses, "group", "lesion")
    assert len(found.clusters) == 0
    assert list(found.clusters.columns) == ["start_ms", "end_ms", "n_bins", "mass", "p"]


def test_what_cannot_be_compared_is_refused_in_words():
    courses = two_groups(FIRST, SECOND)
    with pytest.raises(SchemaError, match="no column who"):
        cluster_permutation(courses, "who", "lesion")
    with pytest.raises(ConfigError, match="no looks at 'leson' - did you mean 'lesion'"):
        cluster_permutation(courses, "group", "leson")
    with pytest.raises(ConfigError, match="'group' has 1 values: a"):
        cluster_permutation(courses.query("group == 'a'"), "group", "lesion")
    with pytest.raises(DataError, match=r'p0 is in both groups - .*design="within"'):
        cluster_permutation(two_groups(FIRST, PAIRED, paired=True), "group", "lesion")
    with pytest.raises(DataError, match="1 and 8 people"):
        cluster_permutation(two_groups(FIRST[:1], SECOND), "group", "lesion")
    for wrong in ({"design": "betwen"}, {"n_permutations": 0}, {"bin_p": 1.0}):
        with pytest.raises(ConfigError):
            ClusterOptions(**wrong)


@pytest.mark.parametrize("design", ["between", "within"])
def test_bins_in_which_everybody_of_one_group_looks_and_nobody_of_the_other_are_a_cluster(design):
    first, second = np.ones((6, 4)), np.zeros((6, 4))
    courses = two_groups(first, second, paired=design == "within")
    found = cluster_permutation(
        courses, "group", "lesion", options=ClusterOptions(design=design)
    ).clusters
    assert found[["start_ms", "end_ms", "n_bins"]].to_numpy().tolist() == [[0, 200, 4]]
    assert np.isfinite(found["mass"]).all()
    assert (found["mass"] > 0).all()
    # Of all permutations, only this one and the one with both groups exchanged are as far apart.
    assert found["p"].tolist() == [2 / (924 if design == "between" else 64)]


def test_a_bin_in_which_nobody_varies_does_not_tear_its_cluster_in_two():
    first, second = people(6, 0.1, 0.6), people(6, 0.6, 0.0)
    first[:, 12], second[:, 12] = 1.0, 0.0
    found = cluster_permutation(two_groups(first, second), "group", "lesion")
    (around,) = found.clusters.query("start_ms <= 600 and end_ms > 600").itertuples()
    assert (around.start_ms, around.end_ms) == (450, 900)
    assert found.bins["t"][12] > found.bins["t"].drop(12).max()


def test_a_bin_in_which_nobody_differs_from_anybody_has_no_t():
    first, second = people(6, 0.1, 0.1), people(6, 0.6, 0.0)
    first[:, 3] = second[:, 3] = 1 / 3
    found = cluster_permutation(two_groups(first, second), "group", "lesion")
    assert np.flatnonzero(found.bins["t"].isna()).tolist() == [3]


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 1.5}, {"n_permutations": 2.5}])
def test_numbers_that_cannot_be_are_refused_before_any_work(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ClusterOptions(**wrong)
