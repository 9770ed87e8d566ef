"""Proportions of looks over time: of every bin of a trial, how much of it went to each area.

Mirman (2014). Growth Curve Analysis and Visualization Using R. Chapman and Hall/CRC.
Barr (2008). Analyzing 'visual world' eyetracking data using multilevel logistic regression.
Journal of Memory and Language 59, 457-474.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, SchemaError, did_you_mean, quote, refuse_no_count
from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.looks import LOOKS
from gazetrack.measures.trials import KEYS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

DENOMINATORS = ("fixations", "areas", "trial")
MOST_BINS = 100_000
_ROWS_AT_A_TIME = 1 << 16


@dataclass(frozen=True, kw_only=True)
class TimeCourseOptions:
    """How trials are cut into bins, and what a proportion is a share of.

    Parameters
    ----------
    bin_ms : float
        Length of a bin in milliseconds.
    start_ms : float
        Where the first bin begins, in milliseconds from the start of the trial.
    end_ms : float or None
        Where the last bin ends at the latest; by default with the longest trial.
    of : {"fixations", "areas", "trial"}
        The denominator: the time of the bin in which the eye fixated anything, in which it fixated
        any area, or all of it that the trial lasted. With the last, a blink or saccade counts as
        not looking.
    polynomials : int
        How many orthogonal polynomials of time are added as columns ``ot1``, ``ot2``, …, the terms
        of a growth curve: none by default.
    """

    bin_ms: float = 50.0
    start_ms: float = 0.0
    end_ms: float | None = None
    of: str = "fixations"
    polynomials: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.bin_ms < np.inf:
            raise ConfigError(f"bins of {self.bin_ms:g} ms", hint="give a positive number")
        if not np.isfinite(self.start_ms):
            what = f"bins from {self.start_ms:g} ms on"
            raise ConfigError(what, hint="give a number of milliseconds")
        if self.end_ms is not None and not np.isfinite(self.end_ms):
            what = f"bins up to {self.end_ms:g} ms"
            raise ConfigError(what, hint="leave it out: they end with the longest trial")
        refuse_no_count(self.polynomials, "polynomials")
        if self.of not in DENOMINATORS:
            hint = f"{did_you_mean(self.of, DENOMINATORS)}use one of {', '.join(DENOMINATORS)}"
            raise ConfigError(f"proportions of {quote(self.of)!r}", hint=hint)
        if self.end_ms is not None and not self.start_ms + self.bin_ms <= self.end_ms:
            what = f"from {self.start_ms:g} to {self.end_ms:g} ms there is no bin"
            raise ConfigError(what, hint=f"leave room for {self.bin_ms:g} ms at least")


def time_courses(looks: pd.DataFrame, options: TimeCourseOptions | None = None) -> pd.DataFrame:
    """Return which proportion of the looks went to each area in each bin of each trial.

    Parameters
    ----------
    looks : pandas.DataFrame
        What `gazetrack.aoi_looks` returns: a row per fixation and area that it lies in, of which
        ``(outside)`` is one, from ``begin_ms`` to ``end_ms`` after the start of the trial; with NaN
        for an area that was there and not looked at. Further columns, such as the group of a
        participant, stay where they are the same throughout a trial.
    options : TimeCourseOptions, optional
        Length of the bins and what proportions are shares of; by default bins of 50 ms, and shares
        of the time in which anything was fixated.

    Returns
    -------
    pandas.DataFrame
        A row per trial, area and bin: the columns of the trial, ``aoi``, ``bin`` from 0,
        ``bin_start_ms``, ``bin_end_ms``, ``look_ms`` (time in the area), ``of_ms`` (the
        denominator), ``denominator`` (which one) and ``proportion``: NaN where the denominator is
        0, as in bins after the end of a trial. Areas may overlap: proportions then sum to more
        than 1.

    Raises
    ------
    SchemaError
        A column is missing, or differs within a trial.
    ConfigError
        So many bins that they would fill the memory.

    Examples
    --------
    >>> looks = gazetrack.aoi_looks("one.fixations.parquet", "aois.json")  # doctest: +SKIP
    >>> courses = gazetrack.time_courses(looks)  # doctest: +SKIP
    >>> courses.groupby(["aoi", "bin_start_ms"])["proportion"].mean()  # doctest: +SKIP
    """
    options = options or TimeCourseOptions()
    missing = [name for name in LOOKS if name not in looks.columns]
    if missing:
        what = f"the looks have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give what gazetrack.aoi_looks returns")
    starts = _bin_starts(looks, options)
    further = [name for name in looks.columns if name not in LOOKS]
    trial = looks.groupby(KEYS, observed=True, sort=False, dropna=False).ngroup()
    trials = _one_of_each(looks[[*KEYS, *further, "trial_ms"]], trial)
    pair = looks.groupby([trial, looks["aoi"].astype(str)], sort=False).ngroup().to_numpy(np.intp)
    first = np.unique(pair, return_index=True)[1]
    pair_trial = trial.to_numpy()[first]
    seen = looks["begin_ms"].notna().to_numpy()
    row = np.asarray(pair[seen], np.intp)
    look_ms = _binned(looks[seen], row, len(first), starts, options.bin_ms)
    of_ms = _denominators(
        looks[seen], np.asarray(trial.to_numpy()[seen], np.intp), trials, starts, options
    )[pair_trial]
    n_bins = len(starts)
    columns = trials.iloc[np.repeat(pair_trial, n_bins)].reset_index(drop=True)
    columns["aoi"] = np.repeat(looks["aoi"].astype(str).to_numpy()[first], n_bins)
    columns["bin"] = np.tile(np.arange(n_bins), len(first))
    columns["bin_start_ms"] = np.tile(starts, len(first))
    columns["bin_end_ms"] = columns["bin_start_ms"] + options.bin_ms
    columns["look_ms"] = look_ms.ravel()
    columns["of_ms"] = of_ms.ravel()
    columns["denominator"] = options.of
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(of_ms > 0, look_ms / of_ms, np.nan)
    # Sums of the same times in another order differ by rounding.
    columns["proportion"] = np.clip(share.ravel(), 0.0, 1.0)
    for number, term in enumerate(orthogonal_polynomials(n_bins, options.polynomials), 1):
        columns[f"ot{number}"] = np.tile(term, len(first))
    return columns[columns["aoi"] != OUTSIDE].reset_index(drop=True)


def orthogonal_polynomials(n_bins: int, degree: int) -> Floats:
    """Return orthogonal polynomials of the bins, as ``poly`` of R gives them.

    Parameters
    ----------
    n_bins : int
        Number of bins that they are taken at.
    degree : int
        The highest degree, less than the number of bins.

    Returns
    -------
    ndarray of float64, shape (degree, n_bins)
        Of degree 1, 2, …: each of length 1, of sum 0, and orthogonal to the others.

    Raises
    ------
    ConfigError
        There are too few bins for that degree.
    """
    if degree >= max(n_bins, 1):
        what = f"polynomials of degree {degree} through {n_bins} bins"
        raise ConfigError(what, hint="ask for a lower degree, or for shorter bins")
    place = np.arange(n_bins) - (n_bins - 1) / 2
    powers = np.vander(place, degree + 1, increasing=True)
    orthogonal, triangle = np.linalg.qr(powers)
    # The sign of a column is arbitrary: each is to grow at the end.
    signed = orthogonal * np.sign(np.diag(triangle))
    return np.array(signed[:, 1:].T, np.float64)


def _bin_starts(looks: pd.DataFrame, options: TimeCourseOptions) -> Floats:
    """Return where the bins begin, in ms from the start of the trial."""
    longest = float(looks["trial_ms"].max()) if len(looks) else 0.0
    end = options.end_ms if options.end_ms is not None else longest
    span = max(end - options.start_ms, 0.0) if np.isfinite(end) else 0.0
    exact = span / options.bin_ms
    # Whole bins up to a given end; the last one may stick out over the longest trial.
    n_bins = int(exact + 1e-9) if options.end_ms is not None else int(np.ceil(exact - 1e-9))
    if n_bins > MOST_BINS:
        what = f"{n_bins:,} bins of {options.bin_ms:g} ms"
        raise ConfigError(what, hint=f"at most {MOST_BINS:,}: make them longer, or end earlier")
    return options.start_ms + options.bin_ms * np.arange(n_bins, dtype=np.float64)


def _one_of_each(columns: pd.DataFrame, trial: pd.Series[int]) -> pd.DataFrame:
    """Return the columns of each trial, which have to be the same throughout it."""
    groups = columns.groupby(trial.to_numpy(), sort=True)
    several = groups.nunique(dropna=False).max()
    differing = [str(name) for name in several.index if several[name] > 1]
    if differing:
        what = f"the column {quote(differing[0])!r} differs within a trial"
        raise SchemaError(
            what, hint="a group or condition belongs to whole trials; drop the column"
        )
    first = np.unique(trial.to_numpy(), return_index=True)[1]
    return columns.iloc[first].reset_index(drop=True)


def _binned(
    looks: pd.DataFrame, row: npt.NDArray[np.intp], n_rows: int, starts: Floats, bin_ms: float
) -> Floats:
    """Return how many ms of the looks lie in each bin, [rows, bins], summed by `row`."""
    total = np.zeros((n_rows, len(starts)))
    begin = looks["begin_ms"].to_numpy(np.float64)
    end = looks["end_ms"].to_numpy(np.float64)
    step = max(_ROWS_AT_A_TIME // max(len(starts), 1), 1)
    for at in range(0, len(looks), step):
        part = slice(at, at + step)
        shared = np.minimum(end[part, None], starts + bin_ms) - np.maximum(
            begin[part, None], starts
        )
        np.add.at(total, row[part], np.maximum(shared, 0.0))
    return total


def _denominators(
    looks: pd.DataFrame,
    trial: npt.NDArray[np.intp],
    trials: pd.DataFrame,
    starts: Floats,
    options: TimeCourseOptions,
) -> Floats:
    """Return what the proportions of each trial are shares of, in ms, [trials, bins]."""
    if options.of == "trial":
        end = trials["trial_ms"].to_numpy(np.float64)[:, None]
        shared = np.minimum(end, starts + options.bin_ms) - np.maximum(0.0, starts)
        return np.asarray(np.maximum(shared, 0.0), np.float64)
    counted = looks["aoi"].astype(str).to_numpy() != OUTSIDE
    used = counted if options.of == "areas" else np.ones(len(looks), np.bool_)
    # A fixation in two areas at once is one, from its first moment in any to its last.
    one = looks[used].assign(row=trial[used]).groupby(["row", "fixation"], sort=True)
    spans = one.agg(begin_ms=("begin_ms", "min"), end_ms=("end_ms", "max")).reset_index()
    row = spans["row"].to_numpy(np.intp)
    return _binned(spans, row, len(trials), starts, options.bin_ms)
