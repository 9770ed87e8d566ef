"""Data quality of recorded gaze: sampling, loss, gaps, precision, and accuracy where it is known what was looked at.

Definitions: Holmqvist et al. (2012), Eye tracker data quality: what it is and how to measure it,
ETRA; and those of ETDQualitizer (https://github.com/dcnieho/ETDQualitizer), whose figures these
equal.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError, InputError
from gazetrack.kernels.precision import moving_precision
from gazetrack.tables.schema import QUALITY, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from gazetrack.data_quality.targets import Target
    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.float64]

BY = ("recording", "trial", "window")
BCEA_SHARE = 0.68
EYES = {
    "left": ("left_x_px", "left_y_px"),
    "right": ("right_x_px", "right_y_px"),
    "both": ("x_px", "y_px"),
}
_PAUSE = 1.5  # a step of this many usual ones is a gap


class Gaze(NamedTuple):
    """Gaze of one eye in one period, in pieces within which time runs on.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Not decreasing within a piece.
    x, y : ndarray of float64, shape (N,)
        Position, px or degrees; both NaN where gaze is missing.
    piece : ndarray of int64, shape (N,)
        Number of the piece a sample is in; pauses between pieces are nobody's loss.
    """

    t_ms: Floats
    x: Floats
    y: Floats
    piece: npt.NDArray[np.int64]

    @property
    def steps_ms(self) -> Floats:
        """Steps forward within the pieces."""
        steps = np.diff(self.t_ms)[np.diff(self.piece) == 0]
        return np.asarray(steps[steps > 0])


def quality(
    recording: Recording,
    by: str = "recording",
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
) -> pa.Table:
    """Report the quality of a recording's gaze, a row per period and eye.

    Parameters
    ----------
    recording : Recording
        With samples.
    by : {"recording", "trial", "window"}
        What a period is; ``window``: consecutive windows of `window_ms` within each trial.
    window_ms : float
        Length of windows, also of the one that moves along the samples for ``window_rms_s2s`` and
        ``window_std``.
    targets : sequence of Target
        With targets, a period is the time of one, and its rows tell the accuracy.

    Returns
    -------
    pyarrow.Table
        Schema `QUALITY`. Degrees are NaN unless the screen's width and distance are known.

    Raises
    ------
    InputError
        The recording has no samples.
    ConfigError
        Another `by`, or a window that is not positive.
    """
    if by not in BY:
        raise ConfigError(f"quality by {by!r}", hint=f"use one of {', '.join(BY)}")
    if not (np.isfinite(window_ms) and window_ms > 0):
        raise ConfigError(f"a window of {window_ms} ms", hint="use a positive length")
    if recording.sample_table is None or recording.sample_table.num_rows == 0:
        raise InputError("has no samples", hint="export the recording again, with samples")
    frame = _with_pieces(recording.sample_table)
    eyes, rows = _eyes(frame), []
    for keys, period, target in _periods(frame, by, window_ms, targets):
        for eye in eyes:
            x, y = (period[name].to_numpy(np.float64) for name in EYES[eye])
            missing = ~(np.isfinite(x) & np.isfinite(y))
            x[missing] = y[missing] = np.nan
            gaze = Gaze(
                period["t_ms"].to_numpy(np.float64), x, y, period["piece"].to_numpy(np.int64)
            )
            facts = describe(gaze, recording.screen, window_ms, target)
            if recording.rates_hz:
                facts |= sampling_at_rates(gaze, [start for start, _ in recording.rates_hz])
            rows.append(keys | {"eye": eye} | facts)
    given = dict.fromkeys(name for row in rows for name in row)
    return conform({name: [row.get(name, np.nan) for row in rows] for name in given}, QUALITY)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the reports of several recordings as one."""
    import pyarrow as pa

    return conform(pa.concat_tables([conform({}, QUALITY), *tables]).unify_dictionaries(), QUALITY)


def _with_pieces(samples: pa.Table) -> pd.DataFrame:
    """Number the stretches of samples of one trial within which the clock does not step back."""
    frame: pd.DataFrame = samples.to_pandas()
    keys = [frame[name].cat.codes.to_numpy() for name in ("recording", "trial", "stimulus")]
    new = np.diff(frame["t_ms"].to_numpy(), prepend=-np.inf) < 0
    for codes in keys:
        new |= np.diff(codes, prepend=codes[:1]) != 0
    frame["piece"] = np.cumsum(new)
    return frame


def _eyes(frame: pd.DataFrame) -> list[str]:
    """Return the eyes that have gaze; both is left out where it is a single eye's gaze again."""
    eyes = [eye for eye, (x, y) in EYES.items() if (frame[x].notna() & frame[y].notna()).any()]
    if eyes[1:] == ["both"] and all(
        frame[a].equals(frame[b]) for a, b in zip(EYES[eyes[0]], EYES["both"], strict=True)
    ):
        eyes.pop()
    return eyes or ["both"]


def _periods(
    frame: pd.DataFrame, by: str, window_ms: float, targets: Sequence[Target]
) -> Iterator[tuple[dict[str, str], pd.DataFrame, Target | None]]:
    if targets:
        for name, rows in frame.groupby("recording", observed=True, sort=False):
            for target in targets:
                seen = rows["t_ms"].ge(target.onset_ms) & rows["t_ms"].lt(target.end_ms)
                for key in ("trial", "stimulus"):
                    if (wanted := getattr(target, key)) is not None:
                        seen &= rows[key].eq(wanted)
                keys = {
                    "trial": target.trial or "",
                    "stimulus": target.stimulus or "",
                    "target": target.name,
                }
                yield {"recording": str(name)} | keys, rows[seen], target
        return
    names = ["recording"] if by == "recording" else ["recording", "trial", "stimulus"]
    for values, rows in frame.groupby(names, observed=True, sort=False):
        keys = dict(zip(names, map(str, values), strict=True))
        if by != "window":
            yield keys, rows, None
            continue
        start = rows.groupby("piece")["t_ms"].transform("first")
        number = ((rows["t_ms"] - start) // window_ms).astype(np.int64)
        for _, window in rows.groupby([rows["piece"], number], sort=False):
            yield keys, window, None


def describe(
    gaze: Gaze, screen: Screen | None = None, window_ms: float = 200.0, target: Target | None = None
) -> dict[str, float]:
    """Return all measures of one eye in one period, under the names of the schema `QUALITY`.

    Parameters
    ----------
    gaze : Gaze
        In screen pixels.
    screen : Screen or None
        For degrees.
    window_ms : float
        Length of the moving window.
    target : Target or None
        For the accuracy.

    Returns
    -------
    dict of str to float
    """
    facts = sampling(gaze)
    facts |= {
        f"{name}_px{'2' * (name == 'bcea')}": value
        for name, value in precision(gaze, window_ms).items()
    }
    if target is not None and np.isfinite(gaze.x).any():
        facts["accuracy_px"] = float(
            np.hypot(np.nanmean(gaze.x) - target.x_px, np.nanmean(gaze.y) - target.y_px)
        )
    if screen is None or screen.px_per_deg is None:
        return facts
    turned = Gaze(gaze.t_ms, *screen.degrees(gaze.x, gaze.y), gaze.piece)
    facts |= {
        f"{name}_deg{'2' * (name == 'bcea')}": value
        for name, value in precision(turned, window_ms).items()
    }
    if target is not None:
        aim = screen.degrees(np.array([target.x_px]), np.array([target.y_px]))
        offsets = offset(turned.x, turned.y, aim[0].item(), aim[1].item())
        facts |= dict(
            zip(("accuracy_deg", "accuracy_x_deg", "accuracy_y_deg"), offsets, strict=True)
        )
    return facts


def sampling(gaze: Gaze) -> dict[str, float]:
    """Return what the time stamps say: duration, rates, jitter, loss and gaps.

    The rate is measured from the ordinary steps, since some exports state a wrong one; expected
    samples are those of that rate, of which samples of one time are one. A gap is the time between
    two known samples less one step, or before the first or after the last.
    """
    steps = gaze.steps_ms
    step = float(np.median(steps)) if steps.size else 0.0
    ordinary = steps[steps < _PAUSE * step]
    firsts = np.flatnonzero(np.diff(gaze.piece, prepend=-1))
    lasts = np.append(firsts[1:], gaze.t_ms.size) - 1 if firsts.size else firsts
    duration = float((gaze.t_ms[lasts] - gaze.t_ms[firsts] + step).sum()) if firsts.size else 0.0
    known = np.isfinite(gaze.x)
    rate = 1000 / float(ordinary.mean()) if ordinary.size else float("nan")
    different = (np.diff(gaze.t_ms[known], prepend=-np.inf) != 0) | (
        np.diff(gaze.piece[known], prepend=-1) != 0
    )
    gaps = _gaps(gaze, known, firsts, lasts, step)
    return {
        "onset_ms": float(gaze.t_ms[0]) if gaze.t_ms.size else float("nan"),
        "duration_ms": duration,
        "n_samples": gaze.t_ms.size,
        "rate_hz": rate,
        "effective_rate_hz": 1000 * float(known.sum()) / duration if duration else float("nan"),
        "jitter_ms": float(ordinary.std()) if ordinary.size else float("nan"),
        "loss": float(1 - known.mean()) if known.size else float("nan"),
        "loss_expected": 1 - float(different.sum()) / (duration / 1000 * rate)
        if duration
        else float("nan"),
        "n_gaps": gaps.size,
        "longest_gap_ms": float(gaps.max(initial=0.0)),
        "gaps_ms": float(gaps.sum()),
    }


def sampling_at_rates(gaze: Gaze, starts_ms: Sequence[float]) -> dict[str, float]:
    """Return what `sampling` does for gaze whose rate changes: each stretch has its own step and expected samples.

    Parameters
    ----------
    gaze : Gaze
        Of one period.
    starts_ms : sequence of float
        From which times on another rate holds, ascending.

    Returns
    -------
    dict of str to float
        Rates are means over time, jitter is that of all steps against those of their own rate.
    """
    which = np.searchsorted(np.asarray(starts_ms), gaze.t_ms, side="right")
    parts = [
        sampling(Gaze(*(values[which == number] for values in gaze))) for number in np.unique(which)
    ]
    parts = [part for part in parts if part["duration_ms"] > 0 and np.isfinite(part["rate_hz"])]
    if len(parts) < 2:
        return sampling(gaze)
    of = {name: np.array([part[name] for part in parts]) for name in parts[0]}
    duration, samples = of["duration_ms"], of["n_samples"]
    expected = duration / 1000 * of["rate_hz"]
    return {
        "onset_ms": float(of["onset_ms"].min()),
        "duration_ms": float(duration.sum()),
        "n_samples": int(samples.sum()),
        "rate_hz": float(1000 * expected.sum() / duration.sum()),
        "effective_rate_hz": float((of["effective_rate_hz"] * duration).sum() / duration.sum()),
        "jitter_ms": float(np.sqrt((of["jitter_ms"] ** 2 * samples).sum() / samples.sum())),
        "loss": float((of["loss"] * samples).sum() / samples.sum()),
        "loss_expected": float((of["loss_expected"] * expected).sum() / expected.sum()),
        "n_gaps": int(of["n_gaps"].sum()),
        "longest_gap_ms": float(of["longest_gap_ms"].max()),
        "gaps_ms": float(of["gaps_ms"].sum()),
    }


def _gaps(
    gaze: Gaze,
    known: npt.NDArray[np.bool_],
    firsts: npt.NDArray[np.int64],
    lasts: npt.NDArray[np.int64],
    step: float,
) -> Floats:
    """Return the lengths of the stretches without gaze: known samples, each one step long, cut the pieces into them."""
    lengths = []
    for first, last in zip(firsts, lasts, strict=True):
        t = gaze.t_ms[first : last + 1][known[first : last + 1]]
        begins = np.append(gaze.t_ms[first], t + step)
        ends = np.append(t, gaze.t_ms[last] + step)
        lengths.append(ends - begins)
    length = np.concatenate(lengths) if lengths else np.zeros(0)
    return np.asarray(length[length >= max(_PAUSE - 1, 0.5) * step]) if step else np.zeros(0)


def precision(gaze: Gaze, window_ms: float) -> dict[str, float]:
    """Return RMS-S2S, STD and BCEA of the whole period, and medians of the first two in a moving window.

    Whole periods make sense where the eye is still; the window, mostly within one fixation, serves
    all others. It holds as many samples as `window_ms` at the usual step; NaN when the period holds
    fewer.
    """
    within = np.diff(gaze.piece) == 0
    moved = (np.diff(gaze.x) ** 2 + np.diff(gaze.y) ** 2)[within]
    moved = moved[np.isfinite(moved)]
    x, y = gaze.x[np.isfinite(gaze.x)], gaze.y[np.isfinite(gaze.x)]
    steps = gaze.steps_ms
    step = float(np.median(steps)) if steps.size else 0.0
    n = max(round(window_ms / step), 2) if step else 0
    windows = [np.full((1, 2), np.nan)]
    edges = np.append(np.flatnonzero(np.diff(gaze.piece, prepend=-1)), gaze.t_ms.size)
    for a, b in pairwise(edges.tolist()):
        if 0 < n <= b - a:
            windows.append(
                moving_precision(gaze.t_ms[a:b], gaze.x[a:b], gaze.y[a:b], n, _PAUSE * n * step)
            )
    medians = [
        float(np.median(v[np.isfinite(v)])) if np.isfinite(v).any() else float("nan")
        for v in np.vstack(windows).T
    ]
    return {
        "rms_s2s": float(np.sqrt(moved.mean())) if moved.size else float("nan"),
        "std": float(np.hypot(x.std(), y.std())) if x.size else float("nan"),
        "bcea": bcea(x, y),
        "window_rms_s2s": medians[0],
        "window_std": medians[1],
    }


def bcea(x: Floats, y: Floats, share: float = BCEA_SHARE) -> float:
    """Return the area of the bivariate contour ellipse that holds a share of the gaze.

    2 k pi s_x s_y sqrt(1 - rho^2) with k = -ln(1 - share), by the determinant of the covariance,
    which gaze along a line has as well.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Known positions.
    share : float
        0.68 is one standard deviation.

    Returns
    -------
    float
        NaN for fewer than two samples.
    """
    if x.size < 2:
        return float("nan")
    covariance = np.cov(x, y)
    determinant = covariance[0, 0] * covariance[1, 1] - covariance[0, 1] ** 2
    return float(2 * np.pi * -np.log(1 - share) * np.sqrt(max(determinant, 0.0)))


def offset(
    azimuth: Floats, elevation: Floats, to_azimuth: float, to_elevation: float
) -> tuple[float, float, float]:
    """Return the angle between the mean gaze direction and a target, and its horizontal and vertical parts.

    Parameters
    ----------
    azimuth, elevation : ndarray of float64, shape (N,)
        Fick angles in degrees, NaN where gaze is missing.
    to_azimuth, to_elevation : float
        The target's.

    Returns
    -------
    (float, float, float)
        Degrees; NaN without gaze.
    """
    known = np.isfinite(azimuth)
    if not known.any():
        return (float("nan"),) * 3
    x, y, z = _direction(azimuth[known], elevation[known]).mean(axis=1)
    ca, sa = np.cos(np.radians(to_azimuth)), np.sin(np.radians(to_azimuth))
    ce, se = np.cos(np.radians(to_elevation)), np.sin(np.radians(to_elevation))
    across, along = ca * x - sa * z, sa * x + ca * z  # turned by the target's azimuth …
    up, ahead = ce * y - se * along, se * y + ce * along  # … and by its elevation
    return (
        float(np.degrees(np.arctan2(np.hypot(across, up), ahead))),
        float(np.degrees(np.arctan2(across, ahead))),
        float(np.degrees(np.arctan2(up, np.hypot(across, ahead)))),
    )


def _direction(azimuth: Floats, elevation: Floats) -> Floats:
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])
