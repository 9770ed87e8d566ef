"""Quality, detectors, smoothing and agreement, beside those of other packages.

They are ETDQualitizer, pymovements, SciPy, pandas and scikit-learn.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from _differential import Check, largest, simulated_gaze

import gazetrack
from gazetrack.data_quality.measures import quality_table
from gazetrack.events.agreement import kappa
from gazetrack.events.base import Trial
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.prepare import Preparation, prepare
from gazetrack.events.velocity import speed
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen
from gazetrack.tables.store import write_table

if TYPE_CHECKING:
    from collections.abc import Iterator

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)
RATES = (60.0, 250.0, 500.0, 1000.0)
EXPORTS = (
    "eyelink_asc/mne_test_eyelink.asc",
    "tobii_other/i2mc_tx300_participant1_2.tsv",
    "tobii_pro_lab/andersson_transition_test_Data_Export.tsv",
    "tobii_glasses3/eyedentify3d_calibration_1/gazedata.gz",
)


def with_losses(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return gaze in the precision of the tables, some of it lost."""
    x, y = (v.astype(np.float32).astype(float) for v in (x, y))
    gone = np.repeat(np.random.default_rng(len(t)).random(len(t) // 20 + 1) < share, 20)[: len(t)]
    x[gone] = y[gone] = np.nan
    return x, y


def by_etdqualitizer(t: np.ndarray, x: np.ndarray, y: np.ndarray, hz: float) -> dict[str, float]:
    """Return what ETDQualitizer says of gaze on `SCREEN`, under our names."""
    import ETDQualitizer as etd  # noqa: N813 - its authors' way of writing it

    azi, ele = etd.ScreenConfiguration(531, 299, 1920, 1080, 650).pix_to_deg(x - 960, y - 540)
    n = round(200 / float(np.median(np.diff(t))))
    measured = etd.DataQuality(azi, ele, t / 1000, "degrees")
    return {
        "rms_s2s_deg": measured.precision_RMS_S2S()[0],
        "std_deg": measured.precision_STD()[0],
        "bcea_deg2": measured.precision_BCEA()[0],
        "window_rms_s2s_deg": measured.precision_using_moving_window(n, "RMS-S2S"),
        "window_std_deg": measured.precision_using_moving_window(n, "STD"),
        "loss": measured.data_loss_from_invalid() / 100,
        "loss_expected": measured.data_loss_from_expected(hz) / 100,
        "effective_rate_hz": measured.effective_frequency(),
        "duration_ms": measured.get_duration() * 1000,
        "rms_s2s_px": etd.rms_s2s(x, y)[0],
        "std_px": etd.std(x, y)[0],
        "bcea_px2": etd.bcea(x, y)[0],
    }


def data_quality(data: Path | None) -> Iterator[tuple[str, float]]:
    for hz, share in ((60.0, 0.0), (250.0, 0.2), (500.0, 0.1), (1000.0, 0.4)):
        t, x, y = simulated_gaze(hz)
        x, y = with_losses(t, x, y, share)
        table = conform({"recording": "r", "t_ms": t, "x_px": x, "y_px": y}, SAMPLES)
        row = quality_table(
            Recording(
                name="r",
                format="simulated",
                sample_table=table,
                event_table=conform({}, EVENTS),
                screen=SCREEN,
            )
        ).to_pylist()[0]
        expected = by_etdqualitizer(t, x, y, row["rate_hz"])
        for name, value in expected.items():
            # Shares of loss may be 0: their difference is absolute.
            yield (
                f"simulated {hz:g} Hz, {name}",
                largest(row[name], value, relative=not name.startswith("loss")),
            )
    for name in EXPORTS if data else ():
        export = gazetrack.read(data / "exports" / name).with_screen(SCREEN)
        row = next(r for r in quality_table(export, by="trial").to_pylist() if r["eye"] == "both")
        t, x, y = (
            export.sample_table[column].to_numpy().astype(float)
            for column in ("t_ms", "x_px", "y_px")
        )
        missing = np.isnan(x) | np.isnan(y)
        x[missing] = y[missing] = np.nan
        for measure, value in by_etdqualitizer(t, x, y, row["rate_hz"]).items():
            yield (
                f"{name}, {measure}",
                largest(row[measure], value, relative=not measure.startswith("loss")),
            )


def degrees(_data) -> Iterator[tuple[str, float]]:
    import ETDQualitizer as etd  # noqa: N813

    x, y = np.random.default_rng(0).uniform((0, 0), (1920, 1080), (500, 2)).T
    theirs = etd.ScreenConfiguration(531, 299, 1920, 1080, 650).pix_to_deg(x - 960, y - 540)
    yield "500 places on a screen", largest(SCREEN.degrees(x, y), theirs)


def samples_of(n: int, runs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return which of n samples lie in the runs."""
    inside = np.zeros(n, np.bool_)
    for a, b in zip(*runs, strict=True):
        inside[a:b] = True
    return inside


def trials() -> Iterator[tuple[str, Trial]]:
    """Yield simulated trials."""
    for hz, seed in itertools.product(RATES, range(3)):
        t, x, y = simulated_gaze(hz, seed)
        yield f"{hz:g} Hz, seed {seed}", Trial(t, x, y, 40.0)


def by_pymovements(trial: Trial, frame) -> np.ndarray:
    """Return which samples lie within events of pymovements."""
    inside = np.zeros(len(trial.t_ms), np.bool_)
    for onset, offset in zip(frame["onset"].to_list(), frame["offset"].to_list(), strict=True):
        inside |= (trial.t_ms >= onset - 1e-9) & (trial.t_ms <= offset + 1e-9)
    return inside


def five_points(trial: Trial) -> np.ndarray:
    """Return velocities [N, 2] in px/ms over five samples, as Engbert & Kliegl (2003) do."""
    p = np.stack([trial.x_px, trial.y_px], -1)
    v = np.full_like(p, np.nan)
    v[2:-2] = (p[4:] + p[3:-1] - p[1:-3] - p[:-4]) / (6 * trial.step_ms)
    return v


def engbert_kliegl(_data) -> Iterator[tuple[str, float]]:
    from pymovements.events import microsaccades

    for case, trial in trials():
        n, v, step = len(trial.t_ms), five_points(trial), trial.step_ms
        least = 3 * step
        ours = samples_of(
            n,
            DETECTORS["engbert_kliegl"](min_saccade_ms=least - 1e-6, min_duration_ms=0.0).runs(
                trial
            ),
        )
        # Their durations are from the first sample to the last, ours to the end of the last.
        found = microsaccades(
            v, timesteps=trial.t_ms, minimum_duration=least - step - 1e-6, threshold="engbert2003"
        )
        known = ~np.isnan(v[:, 0])
        yield case, float((ours == by_pymovements(trial, found.frame))[known].sum())


def i_vt(_data) -> Iterator[tuple[str, float]]:
    from pymovements.events import ivt

    for case, trial in trials():
        per_ms = 30 * trial.px_per_deg / 1000
        options = {
            "velocity": "five_point",
            "merge_gap_ms": 0.0,
            "merge_distance_deg": 0.0,
            "min_duration_ms": 60.0,
        }
        ours = samples_of(len(trial.t_ms), DETECTORS["ivt"](**options).runs(trial))
        least = 60.0 - trial.step_ms - 1e-6
        found = ivt(
            five_points(trial),
            timesteps=trial.t_ms,
            minimum_duration=least,
            velocity_threshold=per_ms,
        )
        yield case, float((ours != by_pymovements(trial, found.frame)).sum())


def i_dt(_data) -> Iterator[tuple[str, float]]:
    """Salvucci & Goldberg (2000), word for word.

    A window that grows while its dispersion allows, or moves on.
    """
    for case, trial in trials():
        t, p, limit, least = trial.t_ms, np.stack([trial.x_px, trial.y_px]), trial.px_per_deg, 100.0
        ours = samples_of(len(t), DETECTORS["idt"](min_duration_ms=least).runs(trial))
        theirs, a = np.zeros(len(t), np.bool_), 0
        while a < len(t):
            b = int(np.searchsorted(t, t[a] + least - trial.step_ms - 1e-9)) + 1
            if b > len(t):
                break
            if np.ptp(p[:, a:b], axis=1).sum() > limit:
                a += 1
                continue
            while b < len(t) and np.ptp(p[:, a : b + 1], axis=1).sum() <= limit:
                b += 1
            theirs[a:b] = True
            a = b
        yield case, float((ours != theirs).sum())


def smoothed(t: np.ndarray, x: np.ndarray, **options) -> np.ndarray:
    """Return what `prepare` makes of one axis."""
    table = conform({"recording": "r", "t_ms": t, "x_px": x, "y_px": x}, SAMPLES)
    return prepare(table, None, Preparation(**options))["x_px"].to_numpy().astype(float)


def savitzky_golay(_data) -> Iterator[tuple[str, float]]:
    from scipy.signal import savgol_filter

    for hz, order in itertools.product((250.0, 500.0), (1, 2, 3)):
        t, x, _ = simulated_gaze(hz)
        x = x.astype(np.float32).astype(float)
        reach = 5
        ours = smoothed(t, x, smooth="savgol", smooth_ms=2 * reach * 1000 / hz, order=order)
        yield (
            f"{hz:g} Hz, degree {order}",
            largest(ours, savgol_filter(x, 2 * reach + 1, order, mode="interp")),
        )


def slopes(_data) -> Iterator[tuple[str, float]]:
    from scipy.signal import savgol_filter

    for case, trial in trials():
        reach = 4
        ours = speed(trial, "savgol", 2 * reach * trial.step_ms + 1e-6, 75.0)[reach:-reach]
        axes = (
            savgol_filter(v, 2 * reach + 1, 1, deriv=1, delta=trial.step_ms)
            for v in (trial.x_px, trial.y_px)
        )
        yield case, largest(ours, np.hypot(*axes)[reach:-reach])


def moving_medians(_data) -> Iterator[tuple[str, float]]:
    for hz in RATES:
        t, x, _ = simulated_gaze(hz)
        x, reach = x.astype(np.float32), 4
        ours = smoothed(t, x, smooth="median", smooth_ms=2 * reach * 1000 / hz + 1e-6)
        theirs = pd.Series(x).rolling(2 * reach + 1, center=True).median().to_numpy()
        yield f"{hz:g} Hz", largest(ours[reach:-reach], theirs[reach:-reach])


def filled_gaps(_data) -> Iterator[tuple[str, float]]:
    t, x, y = simulated_gaze()
    x, _ = with_losses(t, x, y, 0.3)
    ours = smoothed(t, x, max_gap_ms=1e9)
    theirs = pd.Series(x, index=t).interpolate("index", limit_area="inside").to_numpy()
    yield "gaps of any length", largest(ours, theirs)


def kappas(_data) -> Iterator[tuple[str, float]]:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    for n in (20, 500, 5000):
        a = rng.integers(0, 2, n)
        b = np.where(rng.random(n) < 0.8, a, 1 - a)
        weights = rng.uniform(0.5, 2, n)
        yield (
            f"{n} samples",
            largest(kappa(a.astype(bool), b.astype(bool)), cohen_kappa_score(a, b)),
        )
        theirs = cohen_kappa_score(a, b, sample_weight=weights)
        yield (
            f"{n} samples with weights",
            largest(kappa(a.astype(bool), b.astype(bool), weights), theirs),
        )


def table_file(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Write a fixation table with missing values, and return what is in it."""
    rng = np.random.default_rng(0)
    n = 5000
    columns = {"onset_ms": np.arange(n) * 250.0, "duration_ms": rng.uniform(50, 900, n)}
    columns |= {
        name: np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 1920, n))
        for name in ("x_px", "y_px")
    }
    columns |= {"pupil": np.full(n, np.nan), "index": np.arange(n)}
    path = folder / "a.fixations.parquet"
    table = conform({"recording": "r"} | columns, FIXATIONS)
    write_table(path, table, {})
    return path, table.to_pandas()


def questions(frame: pd.DataFrame) -> dict[str, float]:
    """Return what both databases are asked, answered by pandas in memory; missing is NaN there."""
    known = frame["x_px"].notna()
    return {
        "isnan(x_px)": float((~known).sum()),
        "not isnan(x_px)": float(known.sum()),
        "isnan(pupil)": float(len(frame)),
        "x_px < 960": float((frame["x_px"] < 960).sum()),
        "duration_ms >= 500": float((frame["duration_ms"] >= 500).sum()),
    }


def in_duckdb(_data) -> Iterator[tuple[str, float]]:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        path, frame = table_file(Path(folder))
        for where, expected in questions(frame).items():
            query = " ".join(["select count(*) from", f"'{path}'", "where", where])
            yield where, largest(duckdb.connect().execute(query).fetchone()[0], expected)
        query = " ".join(["select avg(x_px) from", f"'{path}'", "where not isnan(x_px)"])
        mean = float(frame["x_px"].astype(float).mean())
        yield (
            "avg(x_px)",
            largest(duckdb.connect().execute(query).fetchone()[0], mean, relative=True),
        )


def in_polars(_data) -> Iterator[tuple[str, float]]:
    import polars as pl

    x = pl.col("x_px")
    asked = [
        x.is_nan(),
        ~x.is_nan(),
        pl.col("pupil").is_nan(),
        x < 960,
        pl.col("duration_ms") >= 500,
    ]
    with tempfile.TemporaryDirectory() as folder:
        path, frame = table_file(Path(folder))
        for (where, expected), filtered in zip(questions(frame).items(), asked, strict=True):
            found = pl.scan_parquet(path).filter(filtered).select(pl.len()).collect().item()
            yield where, largest(found, expected)


CHECKS = [
    Check(
        ours="quality: precision, BCEA, loss, rates",
        peer="ETDQualitizer",
        tolerance=1e-6,
        unit="relative",
        cases=data_quality,
        needs="ETDQualitizer",
    ),
    Check(
        ours="degrees of visual angle",
        peer="ETDQualitizer",
        tolerance=1e-9,
        unit="deg",
        cases=degrees,
        needs="ETDQualitizer",
    ),
    Check(
        ours="detector engbert_kliegl",
        peer="pymovements microsaccades",
        tolerance=0,
        unit="samples",
        cases=engbert_kliegl,
        needs="pymovements",
    ),
    Check(
        ours="detector ivt, five_point",
        peer="pymovements ivt",
        tolerance=0,
        unit="samples",
        cases=i_vt,
        needs="pymovements",
    ),
    Check(
        ours="detector idt",
        peer="brute force over all windows",
        tolerance=0,
        unit="samples",
        cases=i_dt,
    ),
    Check(
        ours="smoothing: savgol",
        peer="scipy savgol_filter",
        tolerance=1e-3,
        unit="px",
        cases=savitzky_golay,
    ),
    Check(
        ours="velocity: savgol",
        peer="scipy savgol_filter, deriv=1",
        tolerance=1e-9,
        unit="px/ms",
        cases=slopes,
    ),
    Check(
        ours="smoothing: median",
        peer="pandas rolling median",
        tolerance=1e-9,
        unit="px",
        cases=moving_medians,
    ),
    Check(
        ours="filled gaps", peer="pandas interpolate", tolerance=1e-3, unit="px", cases=filled_gaps
    ),
    Check(
        ours="kappa",
        peer="scikit-learn",
        tolerance=1e-12,
        unit="of 1",
        cases=kappas,
        needs="sklearn",
    ),
    Check(
        ours="tables: counts and means of filters",
        peer="DuckDB",
        tolerance=1e-6,
        unit="rows",
        cases=in_duckdb,
        needs="duckdb",
    ),
    Check(
        ours="tables: counts of filters",
        peer="polars",
        tolerance=0,
        unit="rows",
        cases=in_polars,
        needs="polars",
    ),
]
