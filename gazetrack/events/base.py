"""What every detector shares: its parameters, the trial it is given, and the fixation table made of the runs it finds.

A detector is a frozen dataclass, its fields the parameters, with one method: `Detector.runs`.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.kernels.segments import describe_runs
from gazetrack.tables.schema import FIXATIONS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]
    Runs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]

# A 24-inch 16:9 screen (531 mm wide) seen from 650 mm covers about 45 degrees.
ASSUMED_SCREEN_WIDTH_DEG = 45.0
ASSUMED_SCREEN_WIDTH_PX = 1920
MAX_PIECE_SAMPLES = 1 << 21
CUT_SAMPLES = 1 << 14  # how many of the last ones are searched for a jump
_KEYS = ["recording", "trial", "stimulus"]


@dataclass(frozen=True)
class Trial:
    """Samples that belong together, in temporal order.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Not decreasing; steps may be uneven, and stamps may repeat.
    x_px, y_px : ndarray of float64, shape (N,)
        Screen pixels; both NaN where gaze is missing.
    px_per_deg : float
        Pixels that one degree of visual angle covers.
    """

    t_ms: Floats
    x_px: Floats
    y_px: Floats
    px_per_deg: float

    @cached_property
    def step_ms(self) -> float:
        """Typical time between samples, whatever the nominal rate: the median step forward; 0 when there is none."""
        steps = np.diff(self.t_ms)
        steps = steps[steps > 0]
        return float(np.median(steps)) if steps.size else 0.0


@dataclass(frozen=True)
class Detector:
    """Base of all detectors.

    Raises
    ------
    ConfigError
        A parameter is no finite number of 0 or more.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, str) and not (np.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} = {value}", hint="use a number of 0 or more")

    def runs(self, trial: Trial) -> Runs:
        """Return the first sample of each fixation and the one after its last, in temporal order."""
        raise NotImplementedError


def detect(
    samples: pa.Table, screen: Screen | None, detector: Detector
) -> tuple[pa.Table, dict[str, Any]]:
    """Detect fixations in the combined gaze of a sample table.

    Parameters
    ----------
    samples : pyarrow.Table
        Schema `SAMPLES`. A step back in time within a trial is the clock's: what follows it is
        looked at on its own. So are parts of a trial of more than two million samples, cut where
        gaze jumps.
    screen : Screen or None
        For degrees. Without physical sizes the screen is taken to be 45 degrees wide, and the
        result says so.
    detector : Detector
        The algorithm with all its parameters.

    Returns
    -------
    pyarrow.Table, dict
        Schema `FIXATIONS` in screen pixels; and the detector's name, parameters and the scale used.
    """
    known = screen.px_per_deg if screen is not None else None
    width_px = screen.width_px if screen is not None else ASSUMED_SCREEN_WIDTH_PX
    scale = known or width_px / ASSUMED_SCREEN_WIDTH_DEG
    facts = {
        "name": detector.name,
        **asdict(detector),
        "px_per_deg": scale,
        "px_per_deg_assumed": known is None,
    }
    parts: dict[str, list[npt.ArrayLike]] = {name: [] for name in FIXATIONS.names}
    for key, trials in _trials(samples, scale):
        pieces = [_fixations(piece, detector, known is not None) for piece in trials]
        n = sum(len(piece["onset_ms"]) for piece in pieces)
        columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        columns |= {name: np.full(n, value, object) for name, value in zip(_KEYS, key, strict=True)}
        columns |= {"index": np.arange(1, n + 1), "eye": np.full(n, "both", object)}
        for name, values in columns.items():
            parts[name].append(values)
    return conform(
        {name: np.concatenate(values) for name, values in parts.items() if values}, FIXATIONS
    ), facts


def _trials(samples: pa.Table, scale: float) -> Iterator[tuple[tuple[str, ...], Iterator[Trial]]]:
    """Yield (recording, trial, stimulus) and its pieces, in the order in which they begin."""
    if samples.num_rows == 0:
        return
    columns = [samples[name].combine_chunks() for name in _KEYS]
    codes = [column.indices.to_numpy() for column in columns]
    new = np.zeros(samples.num_rows, np.bool_)
    new[:1] = True
    for code in codes:
        new[1:] |= code[1:] != code[:-1]
    firsts = np.flatnonzero(new)
    spans: dict[tuple[str, ...], list[slice]] = {}
    for a, b in zip(firsts, np.append(firsts[1:], samples.num_rows), strict=True):
        key = tuple(
            column.dictionary[int(code[a])].as_py()
            for column, code in zip(columns, codes, strict=True)
        )
        spans.setdefault(key, []).append(slice(a, b))
    t, x, y = (samples[name].to_numpy() for name in ("t_ms", "x_px", "y_px"))
    for key, rows in spans.items():
        own = (
            rows[0]
            if len(rows) == 1
            else np.concatenate([np.arange(r.start, r.stop) for r in rows])
        )
        yield key, _pieces(t[own], x[own], y[own], scale)


def _pieces(
    t: Floats, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], scale: float
) -> Iterator[Trial]:
    """Cut a trial where its clock steps back, and a long one where gaze jumps, so that memory is bounded."""
    cuts = np.flatnonzero(t[1:] < t[:-1]) + 1
    edges = [0, *cuts.tolist(), len(t)]
    for start, end in itertools.pairwise(edges):
        a = start
        while a < end:
            b = min(a + MAX_PIECE_SAMPLES, end)
            if b < end:
                tail = slice(b - CUT_SAMPLES, b)
                jumps = np.abs(np.diff(x[tail])) + np.abs(np.diff(y[tail]))
                b = tail.start + 1 + int(np.argmax(np.where(np.isnan(jumps), np.inf, jumps)))
            near, across = x[a:b].astype(np.float64), y[a:b].astype(np.float64)
            missing = ~(np.isfinite(near) & np.isfinite(across))
            near[missing] = across[missing] = np.nan
            yield Trial(t[a:b], near, across, scale)
            a = b


def _fixations(trial: Trial, detector: Detector, in_degrees: bool) -> dict[str, npt.NDArray[Any]]:
    starts, ends = detector.runs(trial)
    facts = describe_runs(trial.x_px, trial.y_px, starts, ends)  # [n, 7]
    seen = facts[:, 6] > 0  # not so a run that a detector found in what it filled in
    starts, ends, facts = starts[seen], ends[seen], facts[seen]
    x, y, median_x, median_y, dispersion, rms, count = facts.T
    jumps = np.hypot(np.diff(x), np.diff(y)) / trial.px_per_deg
    return {
        "onset_ms": trial.t_ms[starts],
        "duration_ms": durations(trial, starts, ends),
        "x_px": x,
        "y_px": y,
        "median_x_px": median_x,
        "median_y_px": median_y,
        "dispersion_px": dispersion,
        "rms_s2s_px": rms,
        "amplitude_deg": np.concatenate(
            [np.full(min(len(x), 1), np.nan), jumps if in_degrees else jumps * np.nan]
        ),
        "n_samples": count.astype(np.int32),
    }


def durations(trial: Trial, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Floats:
    """Return how long runs last: to the end of their last sample, which lasts one step, or until the next if sooner."""
    t, last = trial.t_ms, trial.t_ms.size - 1
    after = np.where(ends <= last, t[np.minimum(ends, last)], np.inf)
    return np.asarray(np.minimum(t[ends - 1] + trial.step_ms, after) - t[starts])
