"""Which pupil sizes are to be trusted: the filters of Kret & Sjak-Shie, each on its own.

Kret & Sjak-Shie (2019), Preprocessing pupil size data: Guidelines and code, Behavior Research
Methods 51. All of them work on times, not on counts of samples, so that rates may be uneven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

FEWEST = 3  # samples that a filter looks at


def islands(t_ms: Floats, valid: Mask, separation_ms: float, width_ms: float) -> Mask:
    """Return which valid samples stand alone: few together, and far from all others.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times, which do not decrease.
    valid : ndarray of bool, shape (N,)
        Which samples are still trusted.
    separation_ms : float
        Samples that are farther apart than this are of two islands.
    width_ms : float
        An island is too small when it is shorter than this from its first sample to its last.

    Returns
    -------
    ndarray of bool, shape (N,)
        The samples of small islands.
    """
    found = np.zeros(valid.size, np.bool_)
    places = np.flatnonzero(valid)
    if places.size < FEWEST:
        return found
    t = t_ms[places]
    is_first = np.concatenate([[True], np.diff(t) > separation_ms])
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], places.size) - 1
    is_small = t[last] - t[first] < width_ms
    found[places] = np.repeat(is_small, last - first + 1)
    return found


def beside_gaps(
    t_ms: Floats,
    valid: Mask,
    *,
    gap_ms: float,
    longest_gap_ms: float,
    pad_ms: float,
    off: Mask | None = None,
) -> Mask:
    """Return which valid samples are beside a gap, where lids that close and open cover the pupil.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times, which do not decrease.
    valid : ndarray of bool, shape (N,)
        Which samples are still trusted.
    gap_ms, longest_gap_ms : float
        What lies between two valid samples is a gap where it is longer than the first and shorter
        than the second.
    pad_ms : float
        Samples that are closer to a gap than this are beside it.
    off : ndarray of bool, shape (N,), optional
        Samples before which the tracker was off: what lies there is no gap made by a lid.

    Returns
    -------
    ndarray of bool, shape (N,)
        The samples beside gaps.
    """
    found = np.zeros(valid.size, np.bool_)
    places = np.flatnonzero(valid)
    t = t_ms[places]
    steps = np.diff(t)
    is_gap = (steps > gap_ms) & (steps < longest_gap_ms)
    if off is not None:
        n_off = np.cumsum(off)
        is_gap &= n_off[places[1:]] == n_off[places[:-1]]
    gaps = np.flatnonzero(is_gap)
    if not gaps.size or pad_ms <= 0:
        return found
    first = np.searchsorted(t, t[gaps] - pad_ms, side="right")
    after_last = np.searchsorted(t, t[gaps + 1] + pad_ms, side="left")
    change = np.zeros(t.size + 1, np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, after_last, -1)
    found[places] = np.cumsum(change[:-1]) > 0
    return found


def dilation_speeds(t_ms: Floats, size: Floats, valid: Mask, longest_step_ms: float) -> Floats:
    """Return how fast the pupil changes at each sample, to its neighbour before or after.

    Parameters
    ----------
    t_ms, size : ndarray of float64, shape (N,)
        Times, which do not decrease, and pupil sizes.
    valid : ndarray of bool, shape (N,)
        Which samples are still trusted; the neighbours of a sample are the next of these.
    longest_step_ms : float
        Across a step that is longer than this no speed is taken.

    Returns
    -------
    ndarray of float64, shape (N,)
        The larger of both speeds, in units of size per ms; NaN where there is none.
    """
    speeds = np.full(valid.size, np.nan)
    places = np.flatnonzero(valid)
    steps = np.diff(t_ms[places])
    is_near = (steps > 0) & (steps <= longest_step_ms)
    change = np.abs(np.diff(size[places]))
    speed = np.full(steps.size, np.nan)
    speed[is_near] = change[is_near] / steps[is_near]
    if places.size:
        speeds[places] = np.fmax(np.append(np.nan, speed), np.append(speed, np.nan))
    return speeds


def limit_by_mad(values: Floats, n_mads: float) -> float:
    """Return the median of the known values plus so many median absolute deviations.

    It is infinite where more than half of the values are the same, as sizes in coarse steps are:
    nothing can then be told of what is unusual.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return np.inf
    middle = float(np.median(known))
    deviation = float(np.median(np.abs(known - middle)))
    return middle + n_mads * deviation if deviation > 0 else np.inf


def off_trend(t_ms: Floats, size: Floats, valid: Mask, hz: float, lowpass_hz: float) -> Floats:
    """Return how far each valid sample is off a smooth line through all of them.

    Parameters
    ----------
    t_ms, size : ndarray of float64, shape (N,)
        Times, which do not decrease, and pupil sizes.
    valid : ndarray of bool, shape (N,)
        Which samples the line is drawn through.
    hz : float
        Rate at which the line is drawn, in samples per second.
    lowpass_hz : float
        The line is smoothed by a filter of first order with this cutoff, forth and back.

    Returns
    -------
    ndarray of float64, shape (N,)
        The distance in units of size, also of samples that the line is not drawn through.
    """
    line = smooth_line(t_ms, size, valid, hz=hz, lowpass_hz=lowpass_hz, order=1)
    return np.abs(size - line)


def smooth_line(
    t_ms: Floats, size: Floats, valid: Mask, *, hz: float, lowpass_hz: float, order: int
) -> Floats:
    """Return straight lines from valid sample to valid sample, smoothed without delay.

    Parameters
    ----------
    t_ms, size : ndarray of float64, shape (N,)
        Times, which do not decrease, and pupil sizes; at least one of them is valid.
    valid : ndarray of bool, shape (N,)
        Which samples the lines join.
    hz : float
        The lines are resampled at this even rate, for the filter.
    lowpass_hz : float
        Cutoff of the Butterworth filter, which runs forth and back; 0 smooths nothing.
    order : int
        Order of that filter, from 1 up.

    Returns
    -------
    ndarray of float64, shape (N,)
        The line at each time; before the first valid sample and after the last it goes on as it
        was there.
    """
    from scipy.signal import butter, filtfilt

    if lowpass_hz <= 0:
        return np.asarray(np.interp(t_ms, t_ms[valid], size[valid]))
    # Whole steps from the first time on, so that the last time is within the grid.
    n_steps = int(np.ceil((t_ms[-1] - t_ms[0]) * hz / 1000 - 1e-9))
    grid = t_ms[0] + np.arange(n_steps + 1) * 1000 / hz
    line = np.interp(grid, t_ms[valid], size[valid])
    reach = 3 * order  # samples that the filter is started on before either end
    if line.size > reach:
        b, a = butter(order, lowpass_hz / (hz / 2))
        line = filtfilt(b, a, line, padlen=reach)
    return np.asarray(np.interp(t_ms, grid, line))
