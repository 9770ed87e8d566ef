"""Samples made ready for a detector: eyes chosen, implausible samples taken out, short gaps filled, noise smoothed.

Every step is off unless asked for, in this order, and works on times, not on counts of samples, so that uneven and
wrongly stated rates do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import savgol_filter

from gazetrack.errors import ConfigError, DataError
from gazetrack.kernels.smooth import fill_gaps, moving_median
from gazetrack.schema import SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.recording import Screen

    Floats = npt.NDArray[np.float64]

EYES = ("exported", "left", "right", "average", "strict")
FILTERS = ("none", "median", "savgol")
_MAX_MEDIAN_SAMPLES = 512
_MAX_ORDER = 5


@dataclass(frozen=True)
class Preparation:
    """What to do to samples before fixations are detected.

    Parameters
    ----------
    eye : {"exported", "left", "right", "average", "strict"}
        Which gaze: that the export combined, one eye's, the mean of the eyes that are there (Olsen 2012, The Tobii I-VT
        fixation filter), or the mean where both are.
    off_screen : float
        Take out gaze farther beside the screen than this share of its size; 0 leaves all in.
    pad_ms : float
        Also take out the samples this close to a gap of `pad_gap_ms` or more: lids that close and open move the pupil
        (Nyström & Holmqvist 2010, Behavior Research Methods).
    pad_gap_ms : float
        Shorter gaps are noise rather than blinks, and are not padded.
    max_gap_ms : float
        Fill gaps up to this long by straight lines; 0 fills none. Olsen (2012): 75.
    smooth : {"none", "median", "savgol"}
        Moving median, or Savitzky–Golay (1964) polynomial of `order`.
    smooth_ms : float
        Length of its window.
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
            raise ConfigError(f"order = {self.order}", hint=f"use a whole number up to {_MAX_ORDER}")


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
        `off_screen` without a screen.
    DataError
        There is no sample of the eye asked for.
    """
    t = samples["t_ms"].to_numpy().astype(np.float64)
    x, y = (values.copy() for values in _combined(samples, preparation.eye))
    if preparation.off_screen > 0:
        if screen is None:
            raise ConfigError("off-screen gaze without a screen", hint="give its size as --screen WIDTHxHEIGHT")
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
        which = {"left": "left eye", "right": "right eye", "strict": "two eyes at once"}.get(eye, "single eyes")
        raise DataError(f"has no samples of the {which}" if eye != "average" else f"has no samples of {which}")
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
    if chosen.smooth == "median":
        half = chosen.smooth_ms / 2
        return moving_median(t, x, half, _MAX_MEDIAN_SAMPLES), moving_median(t, y, half, _MAX_MEDIAN_SAMPLES)
    if chosen.smooth == "savgol":
        return _savgol(t, x, chosen), _savgol(t, y, chosen)
    return x, y


def _near_gaps(t: Floats, known: npt.NDArray[np.bool_], least_ms: float, pad_ms: float) -> npt.NDArray[np.bool_]:
    """Return which samples are within pad_ms of a gap between known samples that lasts least_ms or more."""
    at = np.flatnonzero(known)
    long = np.flatnonzero(np.diff(t[at]) >= least_ms)
    near = np.zeros(len(t), np.bool_)
    for before, after in zip(t[at[long]], t[at[long + 1]], strict=True):
        near[np.searchsorted(t, before - pad_ms) : np.searchsorted(t, after + pad_ms, side="right")] = True
    return near


def _savgol(t: Floats, values: Floats, chosen: Preparation) -> Floats:
    """Smooth each stretch of known samples that is as long as the window; shorter ones stay as they are."""
    steps = np.diff(t)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    window = 2 * int(chosen.smooth_ms / 2 / step) + 1 if step else 0
    if window <= chosen.order:
        return values
    out = values.copy()
    known = np.isfinite(values)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a >= window:
            out[a:b] = savgol_filter(values[a:b], window, int(chosen.order))
    return out
