"""What every detector shares: its parameters, the trial it is given, the table made of its runs.

A detector is a frozen dataclass, its fields the parameters, with one method: `Detector.runs`.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from gazetrack.errors import ConfigError
from gazetrack.kernels.segments import describe_runs
from gazetrack.tables.schema import FIXATIONS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]
    # Starts and ends of runs of samples, each shape (n,), in temporal order; an end is the index
    # after the last sample of its run.
    Runs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    TrialKey = tuple[str, ...]

# A 24-inch 16:9 screen (531 mm wide) seen from 650 mm covers about 45 degrees.
ASSUMED_SCREEN_WIDTH_DEG = 45.0
ASSUMED_SCREEN_WIDTH_PX = 1920
# Detectors hold several arrays as long as their trial: pieces bound what they take in memory.
MAX_PIECE_SAMPLES = 1 << 19
# Of 80 degrees they last about 200 ms (Bahill, Clark & Stark 1975, The main sequence).
LONGEST_SACCADE_MS = 200.0
CUT_SAMPLES = 1 << 14  # how many of a piece's last samples are searched for a jump to cut at
_KEYS = ["recording", "trial", "stimulus"]


@dataclass(frozen=True)
class Trial:
    """Samples that belong together, in temporal order.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times, which never decrease; steps may be uneven, and times may repeat.
    x_px, y_px : ndarray of float64, shape (N,)
        Gaze in screen pixels; both are NaN where it is missing.
    px_per_deg : float
        Pixels that one degree of visual angle covers.
    pupil : ndarray of float64, shape (N,), optional
        Pupil size as exported, NaN where it is missing, for what looks at it.
    """

    t_ms: Floats
    x_px: Floats
    y_px: Floats
    px_per_deg: float
    pupil: Floats | None = None

    @cached_property
    def step_ms(self) -> float:
        """The usual time between samples, whatever the nominal rate; 0 without any step.

        It is the median of the steps forward: repeated times do not count.
        """
        steps = np.diff(self.t_ms)
        steps = steps[steps > 0]
        return float(np.median(steps)) if steps.size else 0.0


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Base of all detectors.

    Raises
    ------
    ConfigError
        A parameter is not a finite number of 0 or more.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, str):
                continue
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} = {value}", hint="use a number of 0 or more")

    def runs(self, trial: Trial) -> Runs:
        """Return the fixations of a trial as runs of its samples.

        Returns
        -------
        starts, ends : ndarray of int64, shape (n,)
            The first sample of each fixation and the one after its last, in temporal order.
        """
        raise NotImplementedError

    def movements(self, trial: Trial) -> dict[str, Runs]:
        """Return what the detector tells apart, by the kind of movement.

        A saccade is what lies between two neighbouring fixations, where it is no longer than
        `LONGEST_SACCADE_MS`; detectors that know more say so in a method of their own.

        Returns
        -------
        dict of str to (ndarray of int64, ndarray of int64)
            Runs of samples of each of `tables.movements.MOVEMENT_KINDS` that it can tell; those of
            ``fixation`` are what `runs` returns.
        """
        fixations = self.runs(trial)
        return {"fixation": fixations, "saccade": between(trial, fixations)}


def between(trial: Trial, fixations: Runs) -> Runs:
    """Return what lies between neighbouring fixations, where it is short enough for a saccade."""
    starts = fixations[1][:-1]
    ends = fixations[0][1:]
    is_there = starts < ends
    starts = starts[is_there]
    ends = ends[is_there]
    is_short = durations(trial, starts, ends) <= LONGEST_SACCADE_MS
    return starts[is_short], ends[is_short]


def detect(
    samples: pa.Table, screen: Screen | None, detector: Detector
) -> tuple[pa.Table, dict[str, Any]]:
    """Detect fixations in the combined gaze of a sample table.

    Parameters
    ----------
    samples : pyarrow.Table
        Schema `SAMPLES`. Where time steps back within a trial, the clock was set: what follows is
        looked at on its own. So is each part of a trial of more than 524,288 samples, which is
        cut where gaze jumps.
    screen : Screen or None
        The screen or camera image, for the size of a degree in pixels. Without physical sizes it
        is taken to be 45 degrees wide, and the returned facts say so.
    detector : Detector
        The algorithm with all its parameters.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS` in screen pixels; and the detector's name, its parameters and the scale
        that was used.
    """
    scale, is_assumed = scale_of(screen)
    facts = detector_facts(screen, detector)
    parts: dict[str, list[npt.ArrayLike]] = {name: [] for name in FIXATIONS.names}
    for key, pieces in trials_of(samples, scale):
        columns = _of_trial(key, pieces, detector, in_degrees=not is_assumed)
        for name, values in columns.items():
            parts[name].append(values)
    found = {name: np.concatenate(values) for name, values in parts.items() if values}
    return conform(found, FIXATIONS), facts


def scale_of(screen: Screen | None) -> tuple[float, bool]:
    """Return how many pixels one degree covers, and whether that is assumed; see `detect`."""
    stated = screen.px_per_deg if screen is not None else None
    width_px = screen.width_px if screen is not None else ASSUMED_SCREEN_WIDTH_PX
    return stated or width_px / ASSUMED_SCREEN_WIDTH_DEG, stated is None


def detector_facts(screen: Screen | None, detector: Detector) -> dict[str, Any]:
    """Return a detector's name, its parameters and the scale it works with, as JSON values."""
    scale, is_assumed = scale_of(screen)
    facts = {"name": detector.name, **asdict(detector)}
    return facts | {"px_per_deg": scale, "px_per_deg_assumed": is_assumed}


def _of_trial(
    key: TrialKey, pieces: Iterator[Trial], detector: Detector, *, in_degrees: bool
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a trial's fixations, numbered from 1 through all of its pieces."""
    found = [_fixations(piece, detector, in_degrees=in_degrees) for piece in pieces]
    columns = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    n = len(columns["onset_ms"])
    for name, value in zip(_KEYS, key, strict=True):
        columns[name] = np.full(n, value, object)
    columns["index"] = np.arange(1, n + 1)
    columns["eye"] = np.full(n, "both", object)
    return columns


def trials_of(
    samples: pa.Table, scale: float, pupils: Sequence[str] = ()
) -> Iterator[tuple[TrialKey, Iterator[Trial]]]:
    """Yield (recording, trial, stimulus) and its pieces, in the order in which they begin.

    Parameters
    ----------
    samples : pyarrow.Table
        Samples in the schema `SAMPLES`, of any number of recordings.
    scale : float
        Pixels that one degree of visual angle covers.
    pupils : sequence of str
        Columns of pupil sizes, whose mean is the trial's; by default it has none.
    """
    if samples.num_rows == 0:
        return
    for key, spans in spans_of(samples).items():
        # The usual trial is one span; one that was interrupted by another is several. Either is a
        # view of the table, of which a piece at a time is copied.
        own = pa.concat_tables([samples.slice(*span) for span in spans])
        yield key, _pieces(own, scale, pupils)


def spans_of(samples: pa.Table) -> dict[TrialKey, list[tuple[int, int]]]:
    """Return the spans of rows of each (recording, trial, stimulus), in order of appearance.

    A span is its first row and how many there are.
    """
    names = samples.select(_KEYS).unify_dictionaries()
    spans: dict[TrialKey, list[tuple[int, int]]] = {}
    n_before = 0
    last: TrialKey | None = None
    for batch in names.to_batches():
        if not batch.num_rows:
            continue
        codes = [column.indices.to_numpy() for column in batch.columns]
        is_first = np.zeros(batch.num_rows, np.bool_)
        is_first[0] = True
        for code in codes:
            is_first[1:] |= code[1:] != code[:-1]
        firsts = np.flatnonzero(is_first)
        for start, end in itertools.pairwise([*firsts.tolist(), batch.num_rows]):
            coded = zip(batch.columns, codes, strict=True)
            key = tuple(column.dictionary[int(code[start])].as_py() for column, code in coded)
            own = spans.setdefault(key, [])
            if key == last:  # the span goes on from the batch before
                first, n_rows = own.pop()
                own.append((first, n_rows + end - start))
            else:
                own.append((n_before + start, end - start))
            last = key
        n_before += batch.num_rows
    return spans


def _pieces(samples: pa.Table, scale: float, pupils: Sequence[str]) -> Iterator[Trial]:
    """Cut a trial where its clock steps back, and a long one where gaze jumps."""
    edges = [0, *steps_back(samples["t_ms"]), samples.num_rows]
    for first, last in itertools.pairwise(edges):
        start = first
        while start < last:
            end = _end_of_piece(samples, start, last)
            t, x, y = (_part(samples, name, start, end) for name in ("t_ms", "x_px", "y_px"))
            near_x = x.astype(np.float64)
            near_y = y.astype(np.float64)
            missing = ~(np.isfinite(near_x) & np.isfinite(near_y))
            near_x[missing] = np.nan
            near_y[missing] = np.nan
            pupil = None
            if pupils:
                pupil = mean_pupil([_part(samples, name, start, end) for name in pupils])
            yield Trial(t, near_x, near_y, scale, pupil)
            start = end


def mean_pupil(sizes: Sequence[npt.NDArray[np.floating]]) -> Floats:
    """Return the mean of the pupil sizes [N] that are known; zeros and less mean that none is."""
    stacked = np.array(sizes, np.float64)  # [eyes, N]
    is_known = np.isfinite(stacked) & (stacked > 0)
    total = np.where(is_known, stacked, 0.0).sum(axis=0)
    count = is_known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def steps_back(times: pa.ChunkedArray) -> list[int]:
    """Return the places of times that are before the one above them."""
    found: list[int] = []
    n_before = 0
    last = np.empty(0)  # the last time of the chunk before: steps reach across chunks
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        back = np.flatnonzero(t[1:] < t[:-1]) + 1 + n_before - len(last)
        found += back.tolist()
        n_before += len(chunk)
        last = t[-1:]
    return found


def _part(samples: pa.Table, name: str, start: int, end: int) -> npt.NDArray[Any]:
    """Return some rows of a column."""
    rows: npt.NDArray[Any] = samples[name].slice(start, end - start).to_numpy()
    return rows


def _end_of_piece(samples: pa.Table, start: int, last: int) -> int:
    """Return where the piece that begins at `start` ends: at `last`, or sooner at a jump of gaze.

    The cut is at a loss of gaze, or else at the widest step, among the last samples of the longest
    piece allowed: there a fixation ends anyway.
    """
    end = start + MAX_PIECE_SAMPLES
    if end >= last:
        return last
    first = end - CUT_SAMPLES
    x, y = (_part(samples, name, first, end) for name in ("x_px", "y_px"))
    jumps = np.abs(np.diff(x)) + np.abs(np.diff(y))
    widest = int(np.argmax(np.where(np.isnan(jumps), np.inf, jumps)))
    return first + 1 + widest


def _fixations(
    trial: Trial, detector: Detector, *, in_degrees: bool
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of one piece's fixations, described by the samples in them."""
    starts, ends = detector.runs(trial)
    facts = describe_runs(trial.x_px, trial.y_px, starts, ends)  # [n, 7]
    # A detector may find a run in nothing but what it has filled in: there nothing was seen.
    is_seen = facts[:, 6] > 0
    starts = starts[is_seen]
    ends = ends[is_seen]
    x, y, median_x, median_y, dispersion, rms, count = facts[is_seen].T
    amplitude = np.full(len(x), np.nan)
    if in_degrees:
        amplitude[1:] = np.hypot(np.diff(x), np.diff(y)) / trial.px_per_deg
    return {
        "onset_ms": trial.t_ms[starts],
        "duration_ms": durations(trial, starts, ends),
        "x_px": x,
        "y_px": y,
        "median_x_px": median_x,
        "median_y_px": median_y,
        "dispersion_px": dispersion,
        "rms_s2s_px": rms,
        "amplitude_deg": amplitude,
        "n_samples": count.astype(np.int32),
    }


def durations(trial: Trial, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Floats:
    """Return how long runs last, in ms.

    A run lasts until its last sample is over: one step after that sample, or when the next sample
    comes, if that is sooner.
    """
    t = trial.t_ms
    last = t.size - 1
    next_sample = np.where(ends <= last, t[np.minimum(ends, last)], np.inf)
    over = np.minimum(t[ends - 1] + trial.step_ms, next_sample)
    return np.asarray(over - t[starts])


def lasting_runs(trial: Trial, runs: Runs, min_duration_ms: float) -> Runs:
    """Return the runs that last at least `min_duration_ms`."""
    starts, ends = runs
    keep = durations(trial, starts, ends) >= min_duration_ms
    return starts[keep], ends[keep]


def runs_of(labels: npt.NDArray[np.bool_]) -> Runs:
    """Return the runs of true labels [N]."""
    padded = np.concatenate([[False], labels, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return edges[::2], edges[1::2]


def clear_of(runs: Runs, others: Runs) -> Runs:
    """Return the runs that share no sample with any of the others; both in temporal order."""
    starts, ends = runs
    other_starts = np.append(others[0], np.iinfo(np.int64).max)
    first_that_ends_later = np.searchsorted(others[1], starts, side="right")
    keep = other_starts[first_that_ends_later] >= ends
    return starts[keep], ends[keep]
