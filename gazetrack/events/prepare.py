"""Samples made ready for a detector.

The eyes are chosen, gaze off the screen and beside blinks is taken out, short gaps are filled, and
noise is smoothed: in this order, each step only where it is asked for. All steps work on times, not
on counts of samples, so that uneven and wrongly stated rates do not matter.
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

GAZES = ("exported", "left", "right", "average", "strict")
FILTERS = ("none", "median", "savgol")
_MAX_REACH = 512  # samples to either side of one that is smoothed
_PAUSE = 1.5  # a step of this many usual ones is a gap
_MAX_ORDER = 5
_NO_GAZE = {
    "left": "has no samples of the left eye",
    "right": "has no samples of the right eye",
    "average": "has no samples of single eyes",
    "strict": "has no samples of the two eyes at once",
}


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What to do to samples before fixations are detected.

    Parameters
    ----------
    eye : {"exported", "left", "right", "average", "strict"}
        Which gaze to take: ``exported``, what the export gives for both eyes together; ``left`` or
        ``right``, one eye's; ``average``, the mean of those eyes that have gaze at the time (Olsen
        2012, The Tobii I-VT fixation filter); ``strict``, the mean where both eyes have gaze, and
        nothing elsewhere.
    off_screen : float
        Gaze that lies farther beside the screen than this share of the screen's size is taken out;
        0 leaves all in.
    pad_ms : float
        Samples that are this close to a gap of `pad_gap_ms` or more are taken out as well: lids
        that close and open move the pupil (Nyström & Holmqvist 2010, Behavior Research Methods).
    pad_gap_ms : float
        Gaps that are shorter than this, from known sample to known sample, are noise rather than
        blinks, and the samples beside them stay.
    max_gap_ms : float
        Gaps that are no longer than this are filled by a straight line; 0 fills none. Olsen (2012)
        takes 75.
    smooth : {"none", "median", "savgol"}
        How positions are smoothed: not at all; by a moving median; or by the Savitzky–Golay (1964)
        polynomial of degree `order`, which is fitted to times, so that steps may be uneven.
    smooth_ms : float
        Length of the window that positions are smoothed in. No window reaches across a gap longer
        than half of it.
    order : float
        Degree of the polynomial that ``savgol`` fits, a whole number up to 5.

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
        for name, known in (("eye", GAZES), ("smooth", FILTERS)):
            chosen = getattr(self, name)
            if chosen not in known:
                raise ConfigError(f"{name} = {chosen!r}", hint=f"use one of {', '.join(known)}")
        for name in ("off_screen", "pad_ms", "pad_gap_ms", "max_gap_ms", "smooth_ms", "order"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
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
        The samples, in the schema `SAMPLES`.
    screen : Screen or None
        The screen or camera image, which `off_screen` needs for its size.
    preparation : Preparation
        Which steps to take, and how.

    Returns
    -------
    pyarrow.Table
        Schema `SAMPLES`: the same rows, ``x_px`` and ``y_px`` prepared, all other columns as they
        were.

    Raises
    ------
    ConfigError
        `off_screen` without a screen, or a `smooth_ms` that takes in more than a thousand samples.
    DataError
        There is no sample of the eye asked for.
    """
    t = samples["t_ms"].to_numpy().astype(np.float64)
    x, y = _chosen_gaze(samples, preparation.eye)
    if preparation.off_screen > 0:
        if screen is None:
            raise ConfigError(
                "off-screen gaze without a screen", hint="give its size as --screen WIDTHxHEIGHT"
            )
        x[_is_beyond(x, screen.width_px, preparation.off_screen)] = np.nan
        y[_is_beyond(y, screen.height_px, preparation.off_screen)] = np.nan
    # From here on either both coordinates are known or neither is.
    missing = ~(np.isfinite(x) & np.isfinite(y))
    x[missing] = np.nan
    y[missing] = np.nan
    for part in _pieces(samples, t):
        x[part], y[part] = _prepared(t[part], x[part], y[part], preparation)
    columns = {name: samples[name] for name in samples.column_names}
    return conform(columns | {"x_px": x, "y_px": y}, SAMPLES)


def _is_beyond(values: Floats, size_px: int, share: float) -> npt.NDArray[np.bool_]:
    """Return which positions [N] px lie farther beside 0 … size than a share of the size."""
    margin = share * size_px
    return np.asarray((values < -margin) | (values > size_px + margin))


def _chosen_gaze(samples: pa.Table, eye: str) -> tuple[Floats, Floats]:
    """Return a copy of the gaze that `Preparation.eye` asks for, x and y, each [N] px."""
    if eye == "exported":
        return _column(samples, "x_px"), _column(samples, "y_px")
    x = np.stack([_column(samples, "left_x_px"), _column(samples, "right_x_px")])  # [2, N]
    y = np.stack([_column(samples, "left_y_px"), _column(samples, "right_y_px")])
    counts = np.isfinite(x) & np.isfinite(y)
    if eye == "left":
        counts[1] = False
    if eye == "right":
        counts[0] = False
    if eye == "strict":
        counts &= counts.all(axis=0)
    if not counts.any():
        raise DataError(_NO_GAZE[eye])
    n_eyes = counts.sum(axis=0)
    weights = counts / np.maximum(n_eyes, 1)
    mean_x = (np.where(counts, x, 0.0) * weights).sum(axis=0)
    mean_y = (np.where(counts, y, 0.0) * weights).sum(axis=0)
    mean_x[n_eyes == 0] = np.nan
    mean_y[n_eyes == 0] = np.nan
    return mean_x, mean_y


def _column(samples: pa.Table, name: str) -> Floats:
    return np.array(samples[name].to_numpy(), np.float64)


def _pieces(samples: pa.Table, t: Floats) -> Iterator[slice]:
    """Cut where the trial or the stimulus changes, and where the clock steps back."""
    is_new = np.diff(t) < 0
    for name in ("recording", "trial", "stimulus"):
        codes = samples[name].combine_chunks().indices.to_numpy()
        is_new |= np.diff(codes) != 0
    edges = [0, *(np.flatnonzero(is_new) + 1).tolist(), len(t)]
    for start, end in pairwise(edges):
        yield slice(start, end)


def _prepared(t: Floats, x: Floats, y: Floats, chosen: Preparation) -> tuple[Floats, Floats]:
    if chosen.pad_ms > 0:
        is_near = _near_gaps(t, np.isfinite(x), chosen.pad_gap_ms, chosen.pad_ms)
        x = np.where(is_near, np.nan, x)
        y = np.where(is_near, np.nan, y)
    if chosen.max_gap_ms > 0:
        x = fill_gaps(t, x, chosen.max_gap_ms)
        y = fill_gaps(t, y, chosen.max_gap_ms)
    if chosen.smooth != "none":
        known = np.isfinite(x)
        x[known] = _smoothed(t[known], x[known], chosen)
        y[known] = _smoothed(t[known], y[known], chosen)
    return x, y


def _near_gaps(
    t: Floats, known: npt.NDArray[np.bool_], least_ms: float, pad_ms: float
) -> npt.NDArray[np.bool_]:
    """Return which samples are within pad_ms of a gap of least_ms or more, also at either end."""
    steps = np.diff(t)
    steps = steps[steps > 0]
    step = float(np.median(steps)) if steps.size else 0.0
    # One step before the first sample and after the last, gaze counts as known: then what is lost
    # at either end is a gap like all others.
    seen = np.concatenate([t[:1] - step, t[known], t[-1:] + step])
    pauses = np.diff(seen)
    gaps = np.flatnonzero((pauses >= least_ms) & (pauses > _PAUSE * step))
    first = np.searchsorted(t, seen[gaps] - pad_ms)
    after_last = np.searchsorted(t, seen[gaps + 1] + pad_ms, side="right")
    # Number of padded gaps that each sample is in: one more from each first, one less after.
    change = np.zeros(len(t) + 1, np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, after_last, -1)
    return np.asarray(np.cumsum(change[:-1]) > 0)


def _smoothed(t: Floats, values: Floats, chosen: Preparation) -> Floats:
    half_window = chosen.smooth_ms / 2
    n_ahead = np.searchsorted(t, t + half_window, side="right") - np.arange(len(t))
    reach = int(np.max(n_ahead, initial=1)) - 1
    if reach > _MAX_REACH:
        n = 2 * reach + 1
        raise ConfigError(
            f"smooth_ms = {chosen.smooth_ms:g} takes in {n:,} samples at once",
            hint=f"use at most {chosen.smooth_ms * _MAX_REACH / reach:.0f}",
        )
    if chosen.smooth == "median":
        return moving_median(t, values, half_window, _MAX_REACH)
    return local_polynomial(t, values, half_window, int(chosen.order), max_gap=half_window)
