"""Numbers of MNE-Python for the test of cluster-based permutation; run where MNE is installed.

It writes `tests/measures/cluster_permutation.json`: clusters, masses and p of the people that
`tests/measures/test_cluster_permutation.py` makes up by formulas, and the version of MNE.
"""

from __future__ import annotations

import json
from pathlib import Path

import mne
import numpy as np
from mne.stats import permutation_cluster_1samp_test, permutation_cluster_test, ttest_ind_no_p
from scipy.stats import t as student

OUT = Path(__file__).parents[1] / "tests" / "measures" / "cluster_permutation.json"
N_BINS = 30


def people(n, seed, lift):
    """Courses of n people, higher by `lift` in nine of the bins."""
    bins = np.arange(N_BINS)
    course = 0.3 + 0.2 * np.sin(bins / 6) + lift * ((bins > 8) & (bins < 18))
    phase = 12.9898 * bins + 78.233 * np.arange(n)[:, None] + 37.719 * seed
    return course + 0.3 * np.modf(np.abs(43758.5453 * np.sin(phase)))[0] - 0.15


def t_of_two(first, second):
    return ttest_ind_no_p(first, second, equal_var=True)


def rows(t, clusters, p_values):
    found = []
    for cluster, p in zip(clusters, p_values, strict=True):
        (bins,) = cluster if isinstance(cluster, tuple) else (cluster,)
        where = np.arange(N_BINS)[bins]
        mass = float(t[where].sum())
        found.append([int(where.min()), int(where.max()) + 1, mass, float(p)])
    return sorted(found)


def main():
    first, second, paired = people(9, 0.1, 0.09), people(8, 0.6, 0.0), people(9, 0.6, 0.0)
    limit = float(student.ppf(0.975, 15))
    options = {"tail": 0, "out_type": "mask", "verbose": False}
    between = permutation_cluster_test(
        [first, second], threshold=limit, stat_fun=t_of_two, n_permutations=20000, rng=0, **options
    )
    limit = float(student.ppf(0.975, 8))
    within = permutation_cluster_1samp_test(
        first - paired, threshold=limit, n_permutations="all", **options
    )
    numbers = {
        "mne": mne.__version__,
        "between": {"t": between[0].tolist(), "clusters": rows(*between[:3])},
        "within": {"t": within[0].tolist(), "clusters": rows(*within[:3])},
    }
    OUT.write_text(json.dumps(numbers, indent=1) + "\n", "utf-8")
    print(json.dumps(numbers["between"]["clusters"]), json.dumps(numbers["within"]["clusters"]))


if __name__ == "__main__":
    main()
