"""Samples made ready for a detector: eyes chosen, implausible samples taken out, short gaps filled, noise smoothed.

Every step is off unless asked for, in this order, and works on times, not on counts of samples, so
that uneven and wrongly stated rates do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, DataError
from gazetrack.kernels.smooth import fill_gaps, local_polynomial, moving_median
from gazetrack.tables.schema import SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]

EYES = ("exported", "left", "right", "average", "strict")
FILTERS = ("none", "median", "savgol")
_MAX_REACH = 512  # samples to either side of one that is smoothed
_PAUSE = 1.5  # a step of this many usual ones is a gap
_MAX_ORDER = 5


@dataclass(frozen=True)
class Preparation:
    """What to do to samples before fixations are detected.

    Parameters
    ----------
    eye : {"exported", "left", "right", "average", "strict"}
        Which gaze: that the export combined, one eye's, the mean of the eyes that are there (Olsen
        2012, The Tobii I-VT fixation filter), or the mean where both are.
    off_screen : float
        Take out gaze farther beside the screen than this share of its size; 0 leaves all in.
    pad_ms : float
        Also take out the samples this close to a gap of `pad_gap_ms` or more: lids that close and
        open move the pupil (Nyström & Holmqvist 2010, Behavior Research Methods).
    pad_gap_ms : float
        Shorter gaps, from known sample to known sample, are noise rather than blinks, and are not
        padded.
    max_gap_ms : float
        Fill gaps up to this long by straight lines; 0 fills none. Olsen (2012): 75.
    smooth : {"none", "median", "savgol"}
        Moving median, or Savitzky–Golay (1964) polynomial of `order`, fitted to times, so that
        steps may be uneven.
    smooth_ms : float
        Length of its window; longer gaps than half of it are not smoothed across.
    order : float
        Degree of the polynomial.

    Raises
    ------
    ConfigError
        An unknown name, or a number that is negative or not finite.
    """

    eye: str = "exported"
    off_screen: float = 0.0
    pad_ms: float = 0.0
    pad_gap_ms: float = 50.0
    max_gap_ms: float = 0.0
    smooth: str = "none"
    smooth_ms: float = 20.0
    order: float = 2.0

    def __post_init__(self) -> None:
        for name, known in (("eye", EYES), ("smooth", FILTERS)):
            if (value := getattr(self, name)) not in known:
                raise ConfigError(f"{name} = {value!r}", hint=f"use one of {', '.join(known)}")
        for name in ("off_screen", "pad_ms", "pad_gap_ms", "max_gap_ms", "smooth_ms", "order"):
            if not (np.isfinite(value := getattr(self, name)) and value >= 0):
                raise ConfigError(f"{name} = {value}", hint="use a number of 0 or more")
        if self.order != int(self.order) or self.order > _MAX_ORDER:
            raise ConfigError(
                f"order = {self.order}", hint=f"use a whole number up to {_MAX_ORDER}"
            )


def prepare(samples: pa.Table, screen: Screen | None, preparation: Preparation) -> pa.Table:
    """Prepare the combined gaze of a sample table.

    Parameters
    ----------
    samples : pyarrow.Table
        Schema `SAMPLES`.
    screen : Screen or None
        For `off_screen`.
    preparation : Preparation
        What to do.

    Returns
    -------
    pyarrow.Table
        The same rows, ``x_px`` and ``y_px`` prepared; all other columns as they were.

    Raises
    ------
    ConfigError
        `off_screen` without a screen, or a `smooth_ms` that takes in more than a thousand samples.
    DataError
        There is no sample of the eye asked for.
    """
    t = samples["t_ms"].to_numpy().astype(np.float64)
    x, y = (values.copy() for values in _combined(samples, preparation.eye))
    if preparation.off_screen > 0:
        if screen is None:
            raise ConfigError(
                "off-screen gaze without a screen", hint="give its size as --screen WIDTHxHEIGHT"
            )
        for values, size in ((x, screen.width_px), (y, screen.height_px)):
            margin = preparation.off_screen * size
            values[(values < -margin) | (values > size + margin)] = np.nan
    missing = ~(np.isfinite(x) & np.isfinite(y))
    x[missing] = y[missing] = np.nan
    for part in _pieces(samples, t):
        x[part], y[part] = _prepared(t[part], x[part], y[part], preparation)
    columns = {name: samples[name] for name in samples.column_names}
    return conform(columns | {"x_px": x, "y_px": y}, SAMPLES)


def _combined(samples: pa.Table, eye: str) -> tuple[Floats, Floats]:
    def column(name: str) -> Floats:
        return np.asarray(samples[name].to_numpy(), np.float64)

    if eye == "exported":
        return column("x_px"), column("y_px")
    x, y = (np.stack([column(f"{side}_{axis}_px") for side in ("left", "right")]) for axis in "xy")
    known = np.isfinite(x) & np.isfinite(y)
    if eye in ("left", "right"):
        known[("right", "left").index(eye)] = False
    if eye == "strict":
        known &= known.all(axis=0)
    if not known.any():
        which = {"left": "left eye", "right": "right eye", "strict": "two eyes at once"}.get(
            eye, "single eyes"
        )
        raise DataError(
            f"has no samples of the {which}" if eye != "average" else f"has no samples of {which}"
        )
    weights = known / np.maximum(known.sum(axis=0), 1)
    none = ~known.any(axis=0)
    mean_x, mean_y = (np.where(known, values, 0.0) * weights for values in (x, y))
    return np.where(none, np.nan, mean_x.sum(axis=0)), np.where(none, np.nan, mean_y.sum(axis=0))


def _pieces(samples: pa.Table, t: Floats) -> Iterator[slice]:
    """Cut where the trial or the stimulus changes, and where the clock steps back."""
    new = np.diff(t) < 0
    for name in ("recording", "trial", "stimulus"):
        codes = samples[name].combine_chunks().indices.to_numpy()
        new |= np.diff(codes) != 0
    edges = [0, *(np.flatnonzero(new) + 1).tolist(), len(t)]
    for a, b in pairwise(edges):
        yield slice(a, b)


def _prepared(t: Floats, x: Floats, y: Floats, chosen: Preparation) -> tuple[Floats, Floats]:
    if chosen.pad_ms > 0:
        near = _near_gaps(t, np.isfinite(x), chosen.pad_gap_ms, chosen.pad_ms)
        x, y = np.where(near, np.nan, x), np.where(near, np.nan, y)
    if chosen.max_gap_ms > 0:
        x, y = (fill_gaps(t, values, chosen.max_gap_ms) for values in (x, y))
    if chosen.smooth == "none":
        return x, y
    known = np.isfinite(x)
    for values in (x, y):
        values[known] = _smoothed(t[known], values[known], chosen)
    return x, y


def _near_gaps(
    t: Floats, known: npt.NDArray[np.bool_], least_ms: float, pad_ms: float
) -> npt.NDArray[np.bool_]:
    """Return which samples are within pad_ms of a gap of least_ms or more, which may be at either end."""
    steps = np.diff(t)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    seen = np.concatenate([t[:1] - step, t[known], t[-1:] + step])
    gaps = np.flatnonzero((np.diff(seen) >= least_ms) & (np.diff(seen) > _PAUSE * step))
    change = np.zeros(len(t) + 1, np.int64)
    np.add.at(change, np.searchsorted(t, seen[gaps] - pad_ms), 1)
    np.add.at(change, np.searchsorted(t, seen[gaps + 1] + pad_ms, side="right"), -1)
    return np.asarray(np.cumsum(change[:-1]) > 0)


def _smoothed(t: Floats, values: Floats, chosen: Preparation) -> Floats:
    half = chosen.smooth_ms / 2
    reach = (
        int(np.max(np.searchsorted(t, t + half, side="right") - np.arange(len(t)), initial=1)) - 1
    )
    if reach > _MAX_REACH:
        what = f"smooth_ms = {chosen.smooth_ms:g} takes in {2 * reach + 1:,} samples at once"
        raise ConfigError(what, hint=f"use at most {chosen.smooth_ms * _MAX_REACH / reach:.0f}")
    if chosen.smooth == "median":
        return moving_median(t, values, half, _MAX_REACH)
    return local_polynomial(t, values, half, int(chosen.order), half)
