"""Pupil sizes made ready for analysis, by the guideline of Kret & Sjak-Shie, each step counted.

Kret & Sjak-Shie (2019), Preprocessing pupil size data: Guidelines and code, Behavior Research
Methods 51: impossible sizes, samples that stand alone, changes that are too fast, what lies beside
gaps, and what is off the trend are taken out; short gaps are filled, and the rest is smoothed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial
from gazetrack.events.blinks import Blinks, closed_runs
from gazetrack.measures.pupil_filters import (
    FEWEST,
    beside_gaps,
    dilation_speeds,
    islands,
    limit_by_mad,
    off_trend,
    smooth_line,
)
from gazetrack.tables.pupils import REASONS

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]
    Codes = npt.NDArray[np.int8]

UNITS = ("auto", "mm", "arbitrary")
DEBLINKS = ("pad", "hershman")
BASELINES = ("none", "subtractive", "divisive")
KEPT = len(REASONS)  # the code of a sample that no filter has taken out
_MM_RANGE = (1.5, 9.0)
_HIGHEST_ORDER = 8


@dataclass(frozen=True, kw_only=True)
class PupilOptions:
    """What is done to pupil sizes; the defaults are those of Kret & Sjak-Shie (2019).

    Parameters
    ----------
    unit : {"auto", "mm", "arbitrary"}
        Whether sizes are millimetres; ``auto``: they are where their median is between 1 and 10.
    min_size, max_size : float
        Sizes outside of these are impossible; 0: 1.5 and 9 where sizes are millimetres, and no
        limit elsewhere.
    island_separation_ms : float
        Samples that are farther apart than this are of two groups; 40 ms.
    island_width_ms : float
        Groups that are shorter than this are taken out; 50 ms.
    speed_mads : float
        The pupil is too fast where its speed is this many median absolute deviations above the
        median; 16. 0 leaves the step out.
    speed_gap_ms : float
        Across a step that is longer than this no speed is taken; 200 ms.
    deblink : {"pad", "hershman"}
        What goes with a blink: ``pad``, what is close to a gap; ``hershman``, also the stretch in
        which the smoothed pupil only shrinks before a gap, or only grows behind it (Hershman et
        al. 2018).
    gap_ms, longest_gap_ms : float
        A gap between these lengths has edges that are taken out as well; 75 and 2000 ms.
    pad_ms : float
        How close to a gap samples are taken out; 50 ms.
    trend_mads : float
        A sample is off the trend where its distance is this many median absolute deviations above
        the median; 16. 0 leaves the step out.
    trend_passes : float
        How often the trend is drawn anew without what was off it; 4.
    trend_hz, trend_lowpass_hz : float
        The trend is drawn at this rate, and smoothed with this cutoff; 100 and 16 Hz.
    fill_ms : float
        Gaps that are no longer than this are filled by a straight line; 250 ms.
    lowpass_hz, lowpass_order : float
        Cutoff and order of the Butterworth filter that runs forth and back; 4 Hz and 4. 0 Hz
        smooths nothing.
    grid_hz : float
        Even rate at which the filter runs; the result is read at the samples' own times; 1000 Hz.
    baseline : {"none", "subtractive", "divisive"}
        What is done with the mean size in the window that the next two tell.
    baseline_start_ms, baseline_end_ms : float
        The window of the baseline, from the first sample of each trial; it may be negative, for
        what was before; 0 and 200 ms.

    Raises
    ------
    ConfigError
        An unknown name, or a number that cannot be.
    """

    unit: str = "auto"
    min_size: float = 0.0
    max_size: float = 0.0
    island_separation_ms: float = 40.0
    island_width_ms: float = 50.0
    speed_mads: float = 16.0
    speed_gap_ms: float = 200.0
    deblink: str = "pad"
    gap_ms: float = 75.0
    longest_gap_ms: float = 2000.0
    pad_ms: float = 50.0
    trend_mads: float = 16.0
    trend_passes: float = 4.0
    trend_hz: float = 100.0
    trend_lowpass_hz: float = 16.0
    fill_ms: float = 250.0
    lowpass_hz: float = 4.0
    lowpass_order: float = 4.0
    grid_hz: float = 1000.0
    baseline: str = "none"
    baseline_start_ms: float = 0.0
    baseline_end_ms: float = 200.0

    def __post_init__(self) -> None:
        for name, known in (("unit", UNITS), ("deblink", DEBLINKS), ("baseline", BASELINES)):
            chosen = getattr(self, name)
            if chosen not in known:
                raise ConfigError(f"{name} = {chosen!r}", hint=f"use one of {', '.join(known)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                continue
            may_be_negative = field.name.startswith("baseline_")
            if not np.isfinite(value) or (value < 0 and not may_be_negative):
                raise ConfigError(f"{field.name} = {value}", hint="use a number of 0 or more")
        self._check_pairs()

    def _check_pairs(self) -> None:
        """Refuse numbers that contradict each other."""
        if self.max_size and self.max_size <= self.min_size:
            raise ConfigError(f"max_size = {self.max_size}", hint="use more than min_size")
        if self.baseline_end_ms <= self.baseline_start_ms:
            what = f"baseline_end_ms = {self.baseline_end_ms}"
            raise ConfigError(what, hint="use more than baseline_start_ms")
        for low, high in (("lowpass_hz", "grid_hz"), ("trend_lowpass_hz", "trend_hz")):
            if not getattr(self, low) < getattr(self, high) / 2:
                raise ConfigError(
                    f"{low} = {getattr(self, low)}", hint=f"use less than half of {high}"
                )
        order = self.lowpass_order
        if order != int(order) or not 1 <= order <= _HIGHEST_ORDER:
            hint = f"use a whole number from 1 to {_HIGHEST_ORDER}"
            raise ConfigError(f"lowpass_order = {order}", hint=hint)

    def facts(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return asdict(self)


class Filtered(NamedTuple):
    """Pupil sizes of one eye, and which of them are trusted.

    Parameters
    ----------
    size : ndarray of float64, shape (N,)
        As exported; NaN where there is none.
    removed : ndarray of int8, shape (N,)
        Place in `tables.pupils.REASONS` of what has taken a sample out, or `KEPT`.
    notes : tuple of str
        Steps that were left out because the data do not allow them.
    """

    size: Floats
    removed: Codes
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> Mask:
        """Which samples are trusted [N]."""
        return np.asarray(self.removed == KEPT)


def are_millimetres(size: Floats, unit: str) -> bool:
    """Return whether pupil sizes [N] are millimetres, as `PupilOptions.unit` says."""
    known = size[np.isfinite(size) & (size > 0)]
    if unit != "auto":
        return unit == "mm"
    return bool(known.size) and 1.0 < float(np.median(known)) < 10.0


def filtered(
    t_ms: Floats, size: Floats, options: PupilOptions, off: Mask | None = None
) -> Filtered:
    """Return which pupil sizes of one eye are to be trusted.

    Parameters
    ----------
    t_ms, size : ndarray of float64, shape (N,)
        Times, which do not decrease, and sizes as exported; no size and sizes of 0 or less mean
        that no pupil was seen.
    options : PupilOptions
        Which filters, and how strict they are.
    off : ndarray of bool, shape (N,), optional
        Samples before which the tracker was off, as it may be between trials.

    Returns
    -------
    Filtered
        The first filter that takes a sample out is the reason that counts.
    """
    removed = np.full(size.size, KEPT, np.int8)
    notes: list[str] = []

    def remove(reason: str, mask: Mask) -> None:
        removed[mask & (removed == KEPT)] = REASONS.index(reason)

    def remove_islands() -> None:
        separation = options.island_separation_ms
        alone = islands(t_ms, removed == KEPT, separation, options.island_width_ms)
        remove("isolated", alone)

    remove("missing", ~(np.isfinite(size) & (size > 0)))
    least, most = _bounds(size, options)
    remove("size", (size < least) | (size > most))
    remove_islands()
    if options.speed_mads > 0:
        speed = dilation_speeds(t_ms, size, removed == KEPT, options.speed_gap_ms)
        limit = limit_by_mad(speed, options.speed_mads)
        if np.isinf(limit) and np.isfinite(speed).any():
            notes.append("speeds are not filtered: more than half of them are the same")
        remove("speed", speed > limit)
        remove_islands()
    if options.deblink == "hershman":
        remove("edge", _lids(t_ms, size))
    edges = beside_gaps(
        t_ms,
        removed == KEPT,
        gap_ms=options.gap_ms,
        longest_gap_ms=options.longest_gap_ms,
        pad_ms=options.pad_ms,
        off=off,
    )
    remove("edge", edges)
    if options.trend_mads > 0:
        _remove_off_trend(t_ms, Filtered(size, removed), options)
    return Filtered(size, removed, tuple(notes))


def _bounds(size: Floats, options: PupilOptions) -> tuple[float, float]:
    in_mm = are_millimetres(size, options.unit)
    least = options.min_size or (_MM_RANGE[0] if in_mm else 0.0)
    most = options.max_size or (_MM_RANGE[1] if in_mm else np.inf)
    return least, most


def _lids(t_ms: Floats, size: Floats) -> Mask:
    """Return which samples [N] are of a blink with what the lid does beside it."""
    pupil = np.where(size > 0, size, np.nan)
    blinks = closed_runs(Trial(t_ms, pupil, pupil, 1.0, pupil), Blinks(method="pupil", merge_ms=0))
    found = np.zeros(size.size, np.bool_)
    for first, end in zip(*blinks, strict=True):
        found[first:end] = True
    return found


def _remove_off_trend(t_ms: Floats, eye: Filtered, options: PupilOptions) -> None:
    """Take out what is off the trend, in passes that look at all that was trusted before them."""
    before = eye.valid
    kept = before
    alone = np.zeros_like(before)
    for _ in range(int(options.trend_passes)):
        if np.count_nonzero(kept) < FEWEST:
            break
        off = off_trend(t_ms, eye.size, kept, options.trend_hz, options.trend_lowpass_hz)
        off[~before] = np.nan
        near = before & (off <= limit_by_mad(off, options.trend_mads))
        alone = islands(t_ms, near, options.island_separation_ms, options.island_width_ms)
        was = kept
        kept = near & ~alone
        if np.array_equal(was, kept):
            break
    eye.removed[before & ~kept] = REASONS.index("trend")
    eye.removed[before & alone] = REASONS.index("isolated")


def mean_of_eyes(t_ms: Floats, left: Filtered, right: Filtered) -> Filtered:
    """Return the mean of both eyes; where one is not trusted, the other tells it.

    The difference between the eyes is drawn on by straight lines, so that the mean does not jump
    where an eye is lost: the "dynamic offset" of Kret & Sjak-Shie (2019).
    """
    both = left.valid & right.valid
    size = np.where(left.valid, left.size, right.size)
    if both.any():
        differences = np.interp(t_ms, t_ms[both], (left.size - right.size)[both])
        size = np.where(left.valid, left.size - differences / 2, right.size + differences / 2)
    either = left.valid | right.valid
    size = np.where(either, size, np.nan)
    removed = np.where(either, KEPT, np.minimum(left.removed, right.removed))
    return Filtered(size, removed.astype(np.int8), (*left.notes, *right.notes))


def completed(t_ms: Floats, eye: Filtered, options: PupilOptions) -> tuple[Floats, Mask]:
    """Return the smoothed sizes with short gaps filled.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times, which do not decrease.
    eye : Filtered
        Sizes, and which of them are trusted.
    options : PupilOptions
        How long gaps may be, and how sizes are smoothed.

    Returns
    -------
    ndarray of float64, shape (N,) and ndarray of bool, shape (N,)
        The sizes, NaN in gaps that are too long and at either end; and which were filled.
    """
    valid = eye.valid
    found = np.full(t_ms.size, np.nan)
    is_filled = np.zeros(t_ms.size, np.bool_)
    if not valid.any():
        return found, is_filled
    line = smooth_line(
        t_ms,
        eye.size,
        valid,
        hz=options.grid_hz,
        lowpass_hz=options.lowpass_hz,
        order=int(options.lowpass_order),
    )
    known = t_ms[valid]
    before = np.searchsorted(known, t_ms, side="right") - 1
    after = np.searchsorted(known, t_ms, side="left")
    is_inside = (before >= 0) & (after < known.size)
    gap = known[np.minimum(after, known.size - 1)] - known[np.maximum(before, 0)]
    is_filled = ~valid & is_inside & (gap <= options.fill_ms)
    found = np.where(valid | is_filled, line, np.nan)
    return found, is_filled
