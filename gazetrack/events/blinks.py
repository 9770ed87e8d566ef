"""Blinks: gaps in the pupil, from where it begins to shrink to where it has grown back.

Where the lid begins to close, the pupil seems to shrink, and to grow as it opens. A blink is a gap
with the stretch before it in which the smoothed pupil only shrinks, and that behind it in which it
only grows: Hershman, Henik & Cohen (2018), A novel blink detection method based on pupillometry
noise, Behavior Research Methods 50. Where no pupil size is exported, a blink is a gap in the gaze.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.events.base import Floats, Trial

    Integers = npt.NDArray[np.int64]

METHODS = ("auto", "pupil", "gaze")
_PAUSE = 1.5  # a step of this many usual ones is a gap


@dataclass(frozen=True, kw_only=True)
class Blinks:
    """Parameters of the detection of blinks.

    Parameters
    ----------
    method : {"auto", "pupil", "gaze"}
        Where blinks are looked for: ``pupil``, gaps in the pupil (no size, or zero) and what the
        lid does beside them; ``gaze``, gaps in the gaze alone; ``auto``, the first in trials that
        have pupil sizes, the second in all others.
    smooth_ms : float
        Length of the moving average that the pupil is smoothed with before it is seen to shrink
        and to grow; 10 ms (Hershman et al. 2018).
    lid_ms : float
        The shrinking and the growing reach no farther than this beside a gap; 150 ms. Hershman et
        al. set no limit: a pupil that is exported in coarse steps, and so stays the same for long,
        would be a blink all that time.
    merge_ms : float
        Blinks that are no farther apart than this are one; 100 ms (Hershman et al. 2018).
    min_duration_ms : float
        What is shorter, with all that belongs to it, is no blink but a dropout; 50 ms.
    max_duration_ms : float
        What is longer is no blink but lost gaze; 500 ms, as blinks last 100 to 400 (Stern, Walrath
        & Goldstein 1984, The endogenous eyeblink, Psychophysiology 21).
    pad_ms : float
        How much longer a blink is said to be at either end, for what is to be kept away from it.

    Raises
    ------
    ConfigError
        An unknown method, or a number that is negative or not finite.
    """

    method: str = "auto"
    smooth_ms: float = 10.0
    lid_ms: float = 150.0
    merge_ms: float = 100.0
    min_duration_ms: float = 50.0
    max_duration_ms: float = 500.0
    pad_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method = {self.method!r}", hint=f"use one of {', '.join(METHODS)}")
        for name, value in asdict(self).items():
            if name != "method" and not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} = {value}", hint="use a number of 0 or more")

    def facts(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return asdict(self)


def blinks_of(trial: Trial, chosen: Blinks) -> dict[str, Floats]:
    """Return the blinks of a trial.

    Parameters
    ----------
    trial : Trial
        Samples with gaze, and with pupil sizes where they are exported.
    chosen : Blinks
        Where blinks are looked for, and what counts as one.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        ``onset_ms`` and ``duration_ms``, and the gaze before and after as ``x_px``, ``y_px``,
        ``end_x_px`` and ``end_y_px``, NaN where there is none.
    """
    gaps = closed_runs(trial, chosen)
    onset, end = _times(trial, gaps)
    lasts = end - onset
    keep = (lasts >= chosen.min_duration_ms) & (lasts <= chosen.max_duration_ms)
    onset = onset[keep] - chosen.pad_ms
    end = end[keep] + chosen.pad_ms
    first, after = gaps[0][keep], gaps[1][keep]
    n = trial.t_ms.size
    columns = {"onset_ms": onset, "duration_ms": end - onset}
    for axis, values in (("x_px", trial.x_px), ("y_px", trial.y_px)):
        padded = np.append(values, np.nan)  # place -1, before the first, and n, behind the last
        columns[axis] = padded[np.where(first > 0, first - 1, -1)]
        columns[f"end_{axis}"] = padded[np.minimum(after, n)]
    return columns


def closed_runs(trial: Trial, chosen: Blinks) -> tuple[Integers, Integers]:
    """Return the gaps as runs of samples [first, end), merged and of any length.

    A gap that is a pause in the samples, with none in it, is an empty run between two of them.
    """
    pupil = trial.pupil
    has_pupil = pupil is not None and bool(np.isfinite(pupil).any())
    if chosen.method == "gaze" or (chosen.method == "auto" and not has_pupil):
        first, end = _gaps(trial, ~np.isnan(trial.x_px))
    elif pupil is None or not has_pupil:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    else:
        first, end = _lid_movements(trial, pupil, chosen)
    return _merged(trial, first, end, chosen.merge_ms)


def _gaps(trial: Trial, known: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Return the runs of samples that are not known, and pauses as empty runs."""
    places = np.flatnonzero(known)
    n = known.size
    if not places.size:
        return (np.array([0]), np.array([n])) if n else (places, places)
    before = np.concatenate([[-1], places])
    after = np.concatenate([places, [n]])
    is_gap = after - before > 1
    steps = np.diff(trial.t_ms[places])
    is_gap[1:-1] |= steps > _PAUSE * max(trial.step_ms, np.finfo(float).tiny)
    return before[is_gap] + 1, after[is_gap]


def _lid_movements(trial: Trial, pupil: Floats, chosen: Blinks) -> tuple[Integers, Integers]:
    """Return the gaps in the pupil with the shrinking before and the growing behind them."""
    known = np.isfinite(pupil)
    smoothed = _smoothed(np.where(known, pupil, 0.0), chosen.smooth_ms, trial.step_ms)
    smoothed[smoothed == 0] = np.nan
    change = np.diff(smoothed)
    shrinks = change <= 0
    grows = change >= 0
    first, end = _gaps(trial, known)
    t = trial.t_ms
    n = pupil.size
    for k in range(first.size):
        earliest = t[max(first[k] - 1, 0)] - chosen.lid_ms
        latest = t[min(end[k], n - 1)] + chosen.lid_ms
        if first[k] > 0:
            # The last known sample belongs to the blink: there the lid already covers some.
            place = first[k] - 2
            while place > 0 and shrinks[place] and t[place] >= earliest:
                place -= 1
            first[k] = max(place + 1, 0)
        while end[k] < n - 1 and grows[end[k]] and t[end[k]] < latest:
            end[k] += 1
    return first, end


def _smoothed(values: Floats, window_ms: float, step_ms: float) -> Floats:
    """Return the moving average over an odd number of samples, fewer at either end."""
    window = int(window_ms / step_ms) if step_ms else 1
    half = (window - 1) // 2
    n = values.size
    if half < 1 or n <= 2 * half:
        return values.copy()
    smoothed = values.copy()
    # Not by running sums: what rounding does to a plateau would look like growing.
    smoothed[half : n - half] = np.convolve(values, np.ones(2 * half + 1), "valid")
    smoothed[half : n - half] /= 2 * half + 1
    for k in range(1, half):
        smoothed[k] = values[: 2 * k + 1].mean()
        smoothed[n - 1 - k] = values[n - 1 - 2 * k :].mean()
    return smoothed


def _times(trial: Trial, runs: tuple[Integers, Integers]) -> tuple[Floats, Floats]:
    """Return when gaps begin and end, in ms."""
    first, end = runs
    t = trial.t_ms
    if not t.size:
        return np.empty(0), np.empty(0)
    last = t.size - 1
    step = trial.step_ms
    begins = t[np.minimum(first, last)]
    # A pause in the samples begins when the sample before it is over.
    is_later = first > 0
    over = t[np.maximum(first - 1, 0)] + step
    onset = np.where(is_later, np.minimum(over, begins), begins)
    stops = np.where(end <= last, t[np.minimum(end, last)], t[last] + step)
    return onset, stops


def _merged(
    trial: Trial, first: Integers, end: Integers, merge_ms: float
) -> tuple[Integers, Integers]:
    """Return the runs, those one that overlap or are no farther apart than `merge_ms`."""
    if not first.size:
        return first, end
    onset, stops = _times(trial, (first, end))
    is_apart = onset[1:] - np.maximum.accumulate(stops)[:-1] > merge_ms
    begins = np.flatnonzero(np.concatenate([[True], is_apart]))
    last = np.append(begins[1:], first.size) - 1
    return first[begins], np.maximum.accumulate(end)[last]
