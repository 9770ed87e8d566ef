"""Where two time courses differ: a permutation test over clusters of neighbouring bins.

    Maris & Oostenveld (2007). Nonparametric statistical testing of EEG- and MEG-data. Journal of
    Neuroscience Methods 164, 177-190. doi:10.1016/j.jneumeth.2007.03.024

Bins whose t exceeds a threshold in one direction and that follow each other are a cluster; its mass
is the sum of their t. Under the null hypothesis the conditions are exchangeable: labels of people
are shuffled between groups, or the signs of a person's differences within one. The largest mass of
each permutation makes the distribution that every cluster is compared with, so that the chance of
any false cluster is that of the test. What is tested is whether the conditions differ at all: the
ends of a cluster are no confidence limits of when they begin to (Sassenhagen & Draschkow 2019,
Psychophysiology 56, e13335).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import (
    ConfigError,
    DataError,
    SchemaError,
    did_you_mean,
    quote,
    refuse_no_count,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

DESIGNS = ("between", "within")
_AT_A_TIME = 512  # permutations
_FEWEST = 2  # people of a group, or with both conditions, for a t
# Of a mean of proportions: what rounding makes of 0 lies far below both.
_LEAST_VARIANCE = 1e-14
_NO_DIFFERENCE = 1e-12


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """How a cluster-based permutation test is made.

    Parameters
    ----------
    design : {"between", "within"}
        Whether two groups of people are compared, or two conditions that everybody was in.
    n_permutations : int
        How many permutations are drawn. Where there are no more than these in all, each is taken
        once, and the test is exact.
    bin_p : float
        A bin belongs to a cluster where a two-sided t test of it alone has a p below this.
    seed : int
        The same seed draws the same permutations.
    """

    design: str = "between"
    n_permutations: int = 2000
    bin_p: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            hint = f"{did_you_mean(self.design, DESIGNS)}use one of {', '.join(DESIGNS)}"
            raise ConfigError(f"the design {quote(self.design)!r}", hint=hint)
        refuse_no_count(self.seed, "seed")
        refuse_no_count(self.n_permutations, "n_permutations")
        if self.n_permutations < 1:
            raise ConfigError(f"{self.n_permutations} permutations", hint="take a thousand or more")
        if not 0 < self.bin_p < 1:
            raise ConfigError(f"a p of {self.bin_p:g} for a bin", hint="give one between 0 and 1")


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterTest:
    """What a cluster-based permutation test found.

    Parameters
    ----------
    levels : (str, str)
        What was compared: t is positive where the first is higher.
    n_units : (int, int)
        People of each group, or with each condition.
    bins : pandas.DataFrame
        A row per bin: ``bin_start_ms``, ``bin_end_ms``, the means of the people's means ``first``
        and ``second``, their standard errors ``first_se`` and ``second_se``, ``t`` (NaN where
        fewer than two people looked at all, or nobody differs from anybody; up to 10 million where
        the two differ and nobody within them does), and ``threshold``.
    clusters : pandas.DataFrame
        A row per cluster, in the order of time: ``start_ms``, ``end_ms``, ``n_bins``, ``mass``
        (the sum of its t) and ``p``.
    n_permutations : int
        How many permutations it was compared with.
    is_exact : bool
        Whether these are all that there are.
    """

    levels: tuple[str, str]
    n_units: tuple[int, int]
    bins: pd.DataFrame
    clusters: pd.DataFrame
    n_permutations: int
    is_exact: bool

    def __repr__(self) -> str:
        least = f"{self.clusters['p'].min():.3g}" if len(self.clusters) else "none"
        both = " against ".join(map(repr, self.levels))
        return f"<ClusterTest of {both}: {len(self.clusters)} clusters, least p {least}>"


def cluster_permutation(
    courses: pd.DataFrame,
    by: str,
    aoi: str,
    *,
    unit: str = "participant",
    options: ClusterOptions | None = None,
) -> ClusterTest:
    """Test where the proportions of looks to an area differ between two groups or conditions.

    Parameters
    ----------
    courses : pandas.DataFrame
        What `time_courses` returns, with a column that says the group or condition of each trial.
    by : str
        The name of that column, which has two values.
    aoi : str
        The area that is asked about.
    unit : str
        Who is exchangeable: the column that names people. The mean of each one's trials counts
        once; a trial without any look in a bin is left out there.
    options : ClusterOptions, optional
        The design, the number of permutations, the threshold of a bin and the seed.

    Returns
    -------
    ClusterTest

    Raises
    ------
    SchemaError
        The table lacks a column.
    ConfigError
        There is no such area, or `by` has not two values.
    DataError
        Fewer than two people in a group, or a person in both groups of a design between people.

    Examples
    --------
    >>> courses = gazetrack.time_courses(looks).merge(people)  # doctest: +SKIP
    >>> found = gazetrack.cluster_permutation(courses, "group", "lesion")  # doctest: +SKIP
    >>> found.clusters  # doctest: +SKIP
    """
    options = options or ClusterOptions()
    needed = (by, unit, "aoi", "bin_start_ms", "bin_end_ms", "proportion")
    missing = [name for name in needed if name not in courses.columns]
    if missing:
        what = f"the time courses have no column {', '.join(map(quote, missing))}"
        raise SchemaError(what, hint="give what gazetrack.time_courses returns, with your groups")
    mine = courses[courses["aoi"].astype(str) == aoi]
    if mine.empty:
        known = [str(name) for name in courses["aoi"].unique()]
        raise ConfigError(f"no looks at {quote(aoi)!r}", hint=did_you_mean(aoi, known) or None)
    levels = sorted(mine[by].dropna().unique(), key=str)
    if len(levels) != 2:
        shown = ", ".join(quote(level, 20) for level in levels[:4])
        what = f"the column {quote(by)!r} has {len(levels)} values: {shown}"
        raise ConfigError(what, hint="two are compared; choose rows of two")
    wide = mine.pivot_table(
        index=unit, columns="bin_start_ms", values="proportion", dropna=False, observed=True
    )
    of_each = [
        mine[mine[by] == level]
        .pivot_table(
            index=unit, columns="bin_start_ms", values="proportion", dropna=False, observed=True
        )
        .reindex(columns=wide.columns)
        for level in levels
    ]
    if options.design == "between":
        both = set(of_each[0].index) & set(of_each[1].index)
        if both:
            what = f"{quote(min(map(str, both)))} is in both groups"
            raise DataError(what, hint='compare conditions with design="within"')
    else:
        paired = of_each[0].index.intersection(of_each[1].index)
        of_each = [one.loc[paired] for one in of_each]
    first, second = (one.to_numpy(np.float64) for one in of_each)
    if min(len(first), len(second)) < _FEWEST:
        what = f"{len(first)} and {len(second)} people to compare"
        raise DataError(what, hint="each group, or pair of conditions, needs two at least")
    ends = mine.groupby("bin_start_ms")["bin_end_ms"].first().reindex(wide.columns)
    bounds = np.column_stack([wide.columns.to_numpy(np.float64), ends.to_numpy(np.float64)])
    return _tested(first, second, bounds, (str(levels[0]), str(levels[1])), options)


def _tested(
    first: Floats, second: Floats, bounds: Floats, levels: tuple[str, str], options: ClusterOptions
) -> ClusterTest:
    """Return the test of two sets of courses [people, bins]."""
    within = options.design == "within"
    signs, is_exact = _permutations(len(first), len(second), options)
    values = first - second if within else np.concatenate([first, second])
    observed = np.ones((1, len(first))) if within else _labels(len(first), len(second))
    t, degrees = _t_values(values, observed, within=within)
    threshold = _threshold(degrees, options.bin_p)
    clusters = _clusters(t[0], threshold[0])
    largest = np.empty(len(signs))
    for at in range(0, len(signs), _AT_A_TIME):
        part = slice(at, at + _AT_A_TIME)
        permuted, free = _t_values(values, signs[part], within=within)
        limits = threshold if (free == degrees).all() else _threshold(free, options.bin_p)
        largest[part] = _largest_masses(permuted, np.broadcast_to(limits, permuted.shape))
    rows = []
    for start, end, mass in clusters:
        # Sums in another order differ by rounding.
        as_large = np.count_nonzero(largest >= abs(mass) * (1 - 1e-12))
        # What was observed is one of the permutations: where they are drawn, it is added to them.
        p = as_large / len(largest) if is_exact else (1 + as_large) / (1 + len(largest))
        rows.append((bounds[start, 0], bounds[end - 1, 1], end - start, mass, p))
    bins = pd.DataFrame({"bin_start_ms": bounds[:, 0], "bin_end_ms": bounds[:, 1]})
    for name, group in (("first", first), ("second", second)):
        bins[name], bins[f"{name}_se"] = _means(group)
    bins["t"] = t[0]
    bins["threshold"] = threshold[0]
    names = ["start_ms", "end_ms", "n_bins", "mass", "p"]
    found = pd.DataFrame(rows, columns=names).astype({"n_bins": int})
    return ClusterTest(
        levels=levels,
        n_units=(len(first), len(second)),
        bins=bins,
        clusters=found,
        n_permutations=len(signs),
        is_exact=is_exact,
    )


def _labels(n_first: int, n_second: int) -> Floats:
    """Return who is in the first group, as one row of 1 and 0."""
    return np.repeat([1.0, 0.0], [n_first, n_second])[None]


def _permutations(n_first: int, n_second: int, options: ClusterOptions) -> tuple[Floats, bool]:
    """Return the permutations as rows, signs of people or who is in the first group.

    All of them where they are not too many, and whether these are all.
    """
    most = options.n_permutations
    if options.design == "within":
        if 2**n_first <= most:
            return np.array(list(product((1.0, -1.0), repeat=n_first))), True
        rng = np.random.default_rng(options.seed)
        return rng.choice((1.0, -1.0), (most, n_first)), False
    n = n_first + n_second
    if math.comb(n, n_first) <= most:
        chosen = np.array(list(combinations(range(n), n_first)))
        every = np.zeros((len(chosen), n))
        np.put_along_axis(every, chosen, 1.0, axis=1)
        return every, True
    rng = np.random.default_rng(options.seed)
    return rng.permuted(np.repeat(_labels(n_first, n_second), most, axis=0), axis=1), False


def _t_values(values: Floats, chosen: Floats, *, within: bool) -> tuple[Floats, Floats]:
    """Return Student's t of each permutation and bin, [P, B], and its degrees of freedom.

    `values` are [people, bins], NaN where somebody did not look; `chosen` [P, people] are signs of
    differences, or 1 for who is in the first group. Sums over people are products of matrices.
    """
    there = np.isfinite(values).astype(np.float64)
    # Near 0, squares and their sums lose nothing. A difference must keep its zero.
    middle = (
        0.0 if within else np.nanmean(np.where(there > 0, values, np.nan)) if there.any() else 0.0
    )
    x = np.where(there > 0, values - middle, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if within:
            n = np.broadcast_to(there.sum(axis=0), (len(chosen), x.shape[1]))
            mean = (chosen @ x) / n
            variance = ((x**2).sum(axis=0) - n * mean**2) / (n - 1)
            return np.where(n >= _FEWEST, _ratio(mean, variance / n), np.nan), n - 1
        n1, n2 = chosen @ there, (1 - chosen) @ there
        mean1, mean2 = (chosen @ x) / n1, ((1 - chosen) @ x) / n2
        squares = (x**2).sum(axis=0) - n1 * mean1**2 - n2 * mean2**2
        pooled = squares / (n1 + n2 - 2)
        t = _ratio(mean1 - mean2, pooled * (1 / n1 + 1 / n2))
        return np.where((n1 >= _FEWEST) & (n2 >= _FEWEST), t, np.nan), n1 + n2 - 2


def _ratio(difference: Floats, variance: Floats) -> Floats:
    """Return differences over their standard errors; NaN where nobody differs from anybody.

    In short bins everybody may look, or nobody: where two groups differ without any variance
    within them, the variance is taken for the least one, observed and permuted alike. Their t is
    then very large and of the right sign, not missing, which would tear a cluster in two.
    """
    nobody_differs = (np.abs(difference) <= _NO_DIFFERENCE) & (variance <= _LEAST_VARIANCE)
    t = difference / np.sqrt(np.maximum(variance, _LEAST_VARIANCE))
    return np.where(nobody_differs, np.nan, t)


def _threshold(degrees: Floats, bin_p: float) -> Floats:
    from scipy.stats import t as student

    known = np.unique(degrees)
    limits = student.ppf(1 - bin_p / 2, np.maximum(known, 1))
    return np.asarray(limits[np.searchsorted(known, degrees)], np.float64)


def _clusters(t: Floats, threshold: Floats) -> list[tuple[int, int, float]]:
    """Return first bin, bin behind the last, and mass of each cluster."""
    side = np.where(np.abs(t) > threshold, np.sign(t), 0.0)
    side = np.nan_to_num(side)
    edges = np.flatnonzero(np.diff(side, prepend=0.0, append=0.0))
    return [
        (int(start), int(end), float(t[start:end].sum()))
        for start, end in pairwise(edges)
        if side[start] != 0
    ]


def _largest_masses(t: Floats, threshold: Floats) -> Floats:
    """Return the largest absolute mass of any cluster of each permutation, [P]; 0 without any."""
    largest = np.zeros(len(t))
    running = np.zeros(len(t))
    with np.errstate(invalid="ignore"):
        over = np.where(np.abs(t) > threshold, t, 0.0)
    for column in over.T:
        goes_on = running * column > 0
        running = np.where(goes_on, running + column, column)
        largest = np.maximum(largest, np.abs(running))
    return largest


def _means(group: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard error over people of each bin; NaN without any, or one."""
    there = np.isfinite(group)
    n = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, group, 0.0).sum(axis=0) / n
        squares = (np.where(there, group - mean, 0.0) ** 2).sum(axis=0)
        return mean, np.sqrt(squares / (n - 1) / n)
