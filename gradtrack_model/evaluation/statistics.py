"""What is said of many values: mean, bootstrap interval, and the paired comparison of two runs."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import wilcoxon

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

N_RESAMPLES = 10_000
PERCENTILES = (2.5, 97.5)
_SEED = 0
# Resamples drawn at once: of a thousand images, a thousand resamples take 8 MB.
_BLOCK = 1_000


def bootstrap(values: npt.ArrayLike) -> list[float]:
    """Return the 95 % percentile bootstrap interval of a mean.

    Parameters
    ----------
    values : array_like of float, shape (N,)
        One value per image, in an order that does not change: the resamples are the same for the
        same values in the same order.

    Returns
    -------
    list of float
        The lower and the upper end, from 10,000 resamples.
    """
    data = np.asarray(values, np.float64)
    rng = np.random.default_rng(_SEED)
    means = []
    for _ in range(N_RESAMPLES // _BLOCK):
        chosen = rng.integers(0, len(data), (_BLOCK, len(data)))
        means.append(data[chosen].mean(axis=1))
    low, high = np.percentile(np.concatenate(means), PERCENTILES)
    return [float(low), float(high)]


def paired(differences: npt.ArrayLike) -> dict[str, Any]:
    """Describe the differences between two runs on the same images.

    Parameters
    ----------
    differences : array_like of float, shape (N,)
        The first run's value of each image minus the second's.

    Returns
    -------
    dict
        The number of images ``n``, the mean ``difference``, its bootstrap ``interval``, and ``p``
        of Wilcoxon's signed-rank test, which is 1 where the two runs do not differ at all.
    """
    values = np.asarray(differences, np.float64)
    # Wilcoxon's test is not defined where all differences are zero.
    p = float(wilcoxon(values).pvalue) if values.any() else 1.0
    return {
        "n": len(values),
        "difference": float(values.mean()),
        "interval": bootstrap(values),
        "p": p,
    }


def describe(values: Sequence[float]) -> dict[str, Any] | None:
    """Describe how values are distributed over images.

    Parameters
    ----------
    values : sequence of float
        One value per image, in an order that does not change.

    Returns
    -------
    dict or None
        ``mean``, its bootstrap ``interval``, ``std`` (of the sample; 0 of one value), ``median``,
        ``min`` and ``max``; None where there are no values.
    """
    if not values:
        return None
    return {
        "mean": statistics.fmean(values),
        "interval": bootstrap(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }
