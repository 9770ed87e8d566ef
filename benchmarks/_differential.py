"""What every check of `differential.py` is made of.

Two results of the same thing, and how far apart they may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    # Given the folder of the research data, or None, yields (case, largest difference), or None for
    # a difference where the peer cannot read the file.
    Cases = Callable[[Path | None], Iterator[tuple[str, float | None]]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One row: a measure of ours beside somebody else's.

    Parameters
    ----------
    ours, peer : str
        What is compared with what.
    tolerance : float
        The largest difference allowed.
    unit : str
        Of the difference; ``relative`` for |a - b| / |b|.
    cases : callable
        Yields a name and the largest difference of each case.
    needs : str
        Module of the peer, without which the row is skipped; empty for what is always there.
    """

    ours: str
    peer: str
    tolerance: float
    unit: str
    cases: Cases
    needs: str = ""


def largest(ours: object, theirs: object, *, relative: bool = False) -> float:
    """Return the largest difference of two arrays.

    Infinite where the shapes or the missing values differ.
    """
    a, b = (np.asarray(values, np.float64) for values in (ours, theirs))
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return math.inf
    known = ~np.isnan(a)
    apart = np.abs(a[known] - b[known])
    if relative:
        apart = apart / np.maximum(np.abs(b[known]), 1e-300)
        apart[a[known] == b[known]] = 0.0
    return float(apart.max(initial=0.0))


def simulated_gaze(hz: float = 500.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times in ms and gaze in pixels.

    Fixations with noise and small saccades, steps of 30 ms between them.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(round(6 * hz)) * (1000 / hz)
    places = rng.uniform(200, 900, (16, 2))
    k = np.minimum((t / 400).astype(int), 14)
    share = np.clip((t - 400 * k) / 30, 0, 1)[:, None]
    at = places[k] * (1 - share) + places[k + 1] * share
    at += 12 * (np.floor(t / 150) % 2)[:, None] * [1, 0.5]  # every other 150 ms a little beside it
    x, y = (at + rng.normal(0, 0.6, at.shape)).T
    return t, x, y
