"""Data quality of recorded gaze: a row of measures for each period and eye of a recording.

They are sampling, loss, gaps and precision, and accuracy where it is known what was looked at.
Definitions: Holmqvist et al. (2012), Eye tracker data quality: what it is and how to measure it,
ETRA; and those of ETDQualitizer (https://github.com/dcnieho/ETDQualitizer), whose figures these
equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.data_quality.accuracy import offset
from gazetrack.data_quality.gaze import Gaze
from gazetrack.data_quality.precision import precision
from gazetrack.data_quality.sampling import sampling, sampling_at_rates
from gazetrack.errors import ConfigError, InputError
from gazetrack.tables.eyes import GAZE_COLUMNS
from gazetrack.tables.schema import QUALITY, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from gazetrack.data_quality.targets import Target
    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen

    # What the row of a period is called, its samples, and what was to be looked at in it.
    Period = tuple[dict[str, str], pd.DataFrame, Target | None]

BY = ("recording", "trial", "window")
_TRIAL = ["recording", "trial", "stimulus"]


def quality_table(
    recording: Recording,
    by: str = "recording",
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
) -> pa.Table:
    """Report the quality of a recording's gaze, a row per period and eye.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, with samples.
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
    eyes = _eyes(frame)
    periods = _times_of(targets, frame) if targets else _periods(frame, by, window_ms)
    rows: list[dict[str, object]] = []
    for keys, period, target in periods:
        for eye in eyes:
            gaze = _gaze_of(period, eye)
            facts = describe(gaze, recording.screen, window_ms, target)
            if recording.rates_hz:
                starts_ms = [start for start, _ in recording.rates_hz]
                facts |= sampling_at_rates(gaze, starts_ms)
            rows.append({**keys, "eye": eye, **facts})
    names = dict.fromkeys(name for row in rows for name in row)
    return conform({name: [row.get(name, np.nan) for row in rows] for name in names}, QUALITY)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the reports of several recordings as one."""
    import pyarrow as pa

    return conform(pa.concat_tables([conform({}, QUALITY), *tables]).unify_dictionaries(), QUALITY)


def describe(
    gaze: Gaze, screen: Screen | None = None, window_ms: float = 200.0, target: Target | None = None
) -> dict[str, float]:
    """Return all measures of one eye in one period, under the names of the schema `QUALITY`.

    Parameters
    ----------
    gaze : Gaze
        Gaze of one eye in one period, in screen pixels.
    screen : Screen or None
        The screen that was looked at; without its physical size there are no measures in degrees.
    window_ms : float
        Length of the window that moves along the samples for the precision within fixations.
    target : Target or None
        What was to be looked at in this period; without it there is no accuracy.

    Returns
    -------
    dict of str to float
    """
    facts = sampling(gaze)
    facts |= _with_unit(precision(gaze, window_ms), "px")
    if target is not None and np.isfinite(gaze.x).any():
        across = np.nanmean(gaze.x) - target.x_px
        down = np.nanmean(gaze.y) - target.y_px
        facts["accuracy_px"] = float(np.hypot(across, down))
    if screen is None or screen.px_per_deg is None:
        return facts
    azimuth, elevation = screen.degrees(gaze.x, gaze.y)
    turned = Gaze(gaze.t_ms, azimuth, elevation, gaze.piece)
    facts |= _with_unit(precision(turned, window_ms), "deg")
    if target is not None:
        to_azimuth, to_elevation = screen.degrees(np.array([target.x_px]), np.array([target.y_px]))
        angle, horizontal, vertical = offset(
            azimuth, elevation, to_azimuth.item(), to_elevation.item()
        )
        facts["accuracy_deg"] = angle
        facts["accuracy_x_deg"] = horizontal
        facts["accuracy_y_deg"] = vertical
    return facts


def _with_unit(measures: dict[str, float], unit: str) -> dict[str, float]:
    """Return measures of precision under their names with the unit, the area's with its square."""
    return {
        f"{name}_{unit}2" if name == "bcea" else f"{name}_{unit}": value
        for name, value in measures.items()
    }


def _with_pieces(samples: pa.Table) -> pd.DataFrame:
    """Number the stretches of samples of one trial within which the clock does not step back."""
    frame: pd.DataFrame = samples.to_pandas()
    is_new = np.diff(frame["t_ms"].to_numpy(), prepend=-np.inf) < 0
    for name in _TRIAL:
        codes = frame[name].cat.codes.to_numpy()
        is_new |= np.diff(codes, prepend=codes[:1]) != 0
    frame["piece"] = np.cumsum(is_new)
    return frame


def _eyes(frame: pd.DataFrame) -> list[str]:
    """Return the eyes that have gaze; both is left out where it is a single eye's gaze again."""
    eyes = [
        eye for eye, (x, y) in GAZE_COLUMNS.items() if (frame[x].notna() & frame[y].notna()).any()
    ]
    if eyes[1:] == ["both"]:
        columns = zip(GAZE_COLUMNS[eyes[0]], GAZE_COLUMNS["both"], strict=True)
        if all(frame[own].equals(frame[combined]) for own, combined in columns):
            eyes.pop()
    return eyes or ["both"]


def _gaze_of(period: pd.DataFrame, eye: str) -> Gaze:
    x, y = (period[name].to_numpy(np.float64) for name in GAZE_COLUMNS[eye])
    missing = ~(np.isfinite(x) & np.isfinite(y))
    x[missing] = np.nan
    y[missing] = np.nan
    t = period["t_ms"].to_numpy(np.float64)
    return Gaze(t, x, y, period["piece"].to_numpy(np.int64))


def _times_of(targets: Sequence[Target], frame: pd.DataFrame) -> Iterator[Period]:
    """Yield the time of each target in each recording, as a period."""
    for name, rows in frame.groupby("recording", observed=True, sort=False):
        for target in targets:
            is_seen = rows["t_ms"].ge(target.onset_ms) & rows["t_ms"].lt(target.end_ms)
            if target.trial is not None:
                is_seen &= rows["trial"].eq(target.trial)
            if target.stimulus is not None:
                is_seen &= rows["stimulus"].eq(target.stimulus)
            keys = {
                "recording": str(name),
                "trial": target.trial or "",
                "stimulus": target.stimulus or "",
                "target": target.name,
            }
            yield keys, rows[is_seen], target


def _periods(frame: pd.DataFrame, by: str, window_ms: float) -> Iterator[Period]:
    """Yield the recordings, trials or windows, as `quality` says."""
    names = ["recording"] if by == "recording" else _TRIAL
    for values, rows in frame.groupby(names, observed=True, sort=False):
        keys = dict(zip(names, map(str, values), strict=True))
        if by != "window":
            yield keys, rows, None
            continue
        start = rows.groupby("piece")["t_ms"].transform("first")
        number = ((rows["t_ms"] - start) // window_ms).astype(np.int64)
        for _, window in rows.groupby([rows["piece"], number], sort=False):
            yield keys, window, None
