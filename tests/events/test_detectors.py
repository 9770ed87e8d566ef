"""What every detector must do, and what human coders say of them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.events.auto import Auto
from gazetrack.events.base import Trial, detect
from gazetrack.events.detectors import DEFAULT, DETECTORS
from gazetrack.tables.schema import FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen
from tests.places import ROOT

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)
every = pytest.mark.parametrize(
    "detector", [kind() for kind in DETECTORS.values()], ids=list(DETECTORS)
)


def gaze(rate, places=((300, 300), (900, 500), (500, 800)), seconds=0.6, noise=0.5, seed=0):
    """Fixations of `seconds` each, with saccades of 30 ms between them."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, seconds * len(places), 1 / rate)
    at = np.minimum(t / seconds, len(places) - 1e-9)
    k = at.astype(int)
    share = np.clip((at - k) * seconds / 0.03, 0, 1)  # a straight line from the place before
    xy = np.array(places, float)
    before = xy[np.maximum(k - 1, 0)]
    xy = before + (xy[k] - before) * share[:, None] + rng.normal(0, noise, (len(t), 2))
    return t * 1000, xy[:, 0], xy[:, 1]


def table_of(t, x, y):
    return conform({"recording": "r", "t_ms": t, "x_px": x, "y_px": y}, SAMPLES)


@every
@pytest.mark.parametrize("rate", [60, 200, 1000, 2000])
def test_finds_three_fixations_at_any_rate(detector, rate):
    table, _ = detect(table_of(*gaze(rate)), SCREEN, detector)
    assert table.num_rows == 3
    assert table["x_px"].to_pylist() == pytest.approx([300, 900, 500], abs=15)
    assert table["median_y_px"].to_pylist() == pytest.approx([300, 500, 800], abs=3)
    assert table["duration_ms"].to_numpy() == pytest.approx([600, 570, 570], abs=90)
    assert table.schema == FIXATIONS


@every
def test_at_30_hz_some_fixations_are_found(detector):
    table, _ = detect(table_of(*gaze(30, seconds=1.0)), SCREEN, detector)
    assert 1 <= table.num_rows <= 3


@every
def test_signals_without_gaze_and_single_samples_have_no_crash(detector):
    nothing = np.zeros(0)
    for n in (0, 1, 2, 500):
        missing = np.full(n, np.nan)
        table, _ = detect(table_of(np.arange(n) * 4.0, missing, missing), SCREEN, detector)
        assert table.num_rows == 0
    assert detect(table_of(nothing, nothing, nothing), SCREEN, detector)[0].num_rows == 0
    for n in (1, 2, 3, 6):
        table, _ = detect(
            table_of(np.arange(n) * 1.0, np.full(n, 5.0), np.full(n, 5.0)), SCREEN, detector
        )
        assert table.num_rows <= 1


@every
def test_constant_gaze_is_one_fixation(detector):
    table, _ = detect(
        table_of(np.arange(500) * 4.0, np.full(500, 7.0), np.full(500, 9.0)), SCREEN, detector
    )
    assert table.num_rows == 1
    assert table["duration_ms"][0].as_py() == pytest.approx(2000, abs=50)
    assert table["rms_s2s_px"].to_pylist() == table["dispersion_px"].to_pylist() == [0.0]


@every
def test_storms_of_missing_samples_do_no_harm(detector):
    t, x, y = gaze(500)
    rng = np.random.default_rng(1)
    x[rng.random(len(x)) < 0.3] = np.nan
    table, _ = detect(table_of(t, x, y), SCREEN, detector)
    rows = table.to_pandas()
    assert np.isfinite(rows[["x_px", "y_px", "onset_ms", "duration_ms"]]).all(axis=None)
    assert (rows["duration_ms"] > 0).all()


@every
def test_a_clock_that_is_reset_splits_and_repeated_stamps_are_borne(detector):
    t, x, y = gaze(250)
    twice = table_of(np.concatenate([t, t]), np.concatenate([x, x]), np.concatenate([y, y]))
    once, _ = detect(table_of(t, x, y), SCREEN, detector)
    assert detect(twice, SCREEN, detector)[0].num_rows == 2 * once.num_rows
    repeated, _ = detect(table_of(np.repeat(t[::2], 2), x, y), SCREEN, detector)
    assert repeated.num_rows >= 1


@every
def test_a_fixation_of_exactly_the_least_duration_is_one(detector):
    samples = table_of(*gaze(500, seconds=0.3))
    found = detect(samples, SCREEN, detector)[0]["duration_ms"].to_pylist()
    exactly = dataclasses.replace(detector, min_duration_ms=min(found))
    assert min(found) in detect(samples, SCREEN, exactly)[0]["duration_ms"].to_pylist()
    more = dataclasses.replace(detector, min_duration_ms=min(found) + 0.01)
    assert min(found) not in detect(samples, SCREEN, more)[0]["duration_ms"].to_pylist()


def test_what_was_filled_in_is_no_fixation_by_itself():
    t = np.arange(200) * 4.0
    x = np.where(
        t < 396, 10 * t, 3940 + 10 * (t - 464)
    )  # fast but for the gap, which a slow line fills
    x[(t > 392) & (t < 464)] = np.nan
    table, _ = detect(
        table_of(t, x, np.full(200, 300.0)), SCREEN, DETECTORS["ivt_tobii"](min_duration_ms=40.0)
    )
    assert table.num_rows == 0


@every
@given(st.integers(0, 500))
@settings(deadline=None, max_examples=10)
def test_fixations_do_not_overlap_whatever_the_steps(detector, seed):
    t, x, y = gaze(100, seconds=0.4, seed=seed)
    uneven = np.cumsum(np.random.default_rng(seed).choice([1.0, 3.0, 17.0, 17.0, 34.0], len(t)))
    rows = detect(table_of(uneven, x, y), SCREEN, detector)[0].to_pandas()
    ends = rows["onset_ms"] + rows["duration_ms"]
    assert (ends.to_numpy()[:-1] <= rows["onset_ms"].to_numpy()[1:] + 1e-9).all()
    assert (rows["duration_ms"] > 0).all()


@every
@pytest.mark.parametrize("there", [300, 900])
def test_no_fixation_goes_on_where_no_samples_are(detector, there):
    t, x, y = gaze(500, places=((300, 300), (there, 300)), seconds=1.0)
    later = np.where(t < 1000, t, t + 10_000)  # as in exports that leave out what they lost
    rows = detect(table_of(later, x, y), SCREEN, detector)[0].to_pandas()
    assert len(rows) == 2
    assert rows["duration_ms"].max() < 1050
    assert rows["x_px"].tolist() == pytest.approx([300, there], abs=15)


@every
def test_pixels_alone_serve_and_the_result_says_so(detector):
    table, facts = detect(table_of(*gaze(250)), None, detector)
    assert table.num_rows == 3
    assert facts["px_per_deg_assumed"] is True
    assert facts["name"] == detector.name
    assert np.isnan(table["amplitude_deg"].to_numpy()).all()


@every
@given(st.data())
@settings(deadline=None, max_examples=15)
def test_runs_are_ordered_apart_and_move_with_the_gaze(detector, data):
    n = data.draw(st.integers(2, 60))
    places = data.draw(
        st.lists(st.sampled_from([100.0, 104.0, 400.0, np.nan]), min_size=n, max_size=n)
    )
    step = data.draw(st.sampled_from([2.0, 4.0, 16.0]))
    # Noise, as eyes have: without any, methods that compare deviations decide by rounding.
    # Sixty-fourths shift exactly.
    x = np.repeat(places, 5) + np.round(np.random.default_rng(n).normal(0, 1, 5 * n) * 64) / 64
    trial = Trial(np.arange(len(x)) * step, x, x.copy(), 40.0)
    starts, ends = detector.runs(trial)
    assert (starts < ends).all()
    assert (starts[1:] >= ends[:-1]).all()
    moved = detector.runs(dataclasses.replace(trial, x_px=x + 256.0, t_ms=trial.t_ms + 4096.0))
    assert moved[0].tolist() == starts.tolist()
    assert moved[1].tolist() == ends.tolist()


def test_long_trials_are_cut_where_gaze_jumps(monkeypatch):
    samples = table_of(*gaze(250))
    whole, _ = detect(samples, SCREEN, DETECTORS["ivt"]())
    monkeypatch.setattr(
        "gazetrack.events.base.MAX_PIECE_SAMPLES", 310
    )  # the eye jumps at the samples 150 and 300
    monkeypatch.setattr("gazetrack.events.base.CUT_SAMPLES", 50)
    cut, _ = detect(samples, SCREEN, DETECTORS["ivt"]())
    assert cut["onset_ms"].to_pylist() == whole["onset_ms"].to_pylist()
    assert sum(cut["n_samples"].to_pylist()) >= sum(whole["n_samples"].to_pylist()) - 2


def test_amplitudes_are_degrees_from_the_fixation_before():
    table, _ = detect(table_of(*gaze(500, ((300, 300), (800, 300)))), SCREEN, Auto())
    first, second = table["amplitude_deg"].to_pylist()
    assert np.isnan(first)
    assert second == pytest.approx(500 / SCREEN.px_per_deg, rel=0.02)


def test_the_default_is_there():
    assert DEFAULT in DETECTORS


HUMAN_AGREEMENT = {
    "image kappa": 0.855,
    "image F1": 0.975,
    "dots kappa": 0.741,
    "video kappa": 0.556,
    "adult F1": 0.935,
    "infant F1": 0.940,
    "points kappa": 0.846,
}


@pytest.mark.slow
@pytest.mark.real_data
def test_auto_agrees_with_human_coders_as_reported(data_dir, tmp_path):
    import json

    command = [sys.executable, ROOT / "benchmarks" / "human_agreement.py", data_dir / "eventbench"]
    subprocess.run(
        [*command, "--json", tmp_path / "result.json"], check=True, capture_output=True, cwd=ROOT
    )
    table = json.loads((tmp_path / "result.json").read_text())["table"]
    for name, value in HUMAN_AGREEMENT.items():
        assert table["auto"][name] == pytest.approx(value, abs=0.01), name
    assert table["human"]["image kappa"] == pytest.approx(0.870, abs=0.001)


@pytest.mark.parametrize("rows_a_chunk", [1, 7, 100, 10_000])
def test_where_the_chunks_of_samples_end_does_not_matter(rows_a_chunk):
    """Trials that interrupt one another, a clock that is set back, and lost gaze."""
    rng = np.random.default_rng(3)
    n = 900
    x = np.repeat(rng.uniform(100, 900, n // 60), 60) + rng.normal(0, 0.5, n)
    x[200:220] = np.nan
    t = 4.0 * np.arange(n)
    t[500:] -= 900.0
    names = np.array(["a", "b", "a", "c", "a", "a", "b", "c", "c"], object)
    columns = {"recording": "r", "trial": np.repeat(names, 100), "t_ms": t, "x_px": x, "y_px": x}
    whole = conform(columns, SAMPLES)
    starts = range(0, n, rows_a_chunk)
    parts = [conform(whole.slice(start, rows_a_chunk), SAMPLES) for start in starts]
    chunked = pa.concat_tables(parts)
    expected, _ = detect(whole, None, DETECTORS["ivt"]())
    found, _ = detect(chunked, None, DETECTORS["ivt"]())
    assert expected.num_rows > 5
    pd.testing.assert_frame_equal(found.to_pandas(), expected.to_pandas())


def wandering(hz=500.0, seed=0):
    """Return rests, saccades of all directions, a pursuit, a glissade and losses, 40 px/deg."""
    rng = np.random.default_rng(seed)
    places = [(300, 300), (340, 500), (620, 480), (600, 200), (610, 215), (300, 240)]
    step = 1000 / hz
    x, y = [], []
    for here, there in pairwise([*places, places[0]]):
        rest = np.tile(here, (round(220 / step), 1))
        jump = np.linspace(here, there, round(28 / step))
        over = there + 0.04 * np.subtract(there, here)
        back = np.linspace(over, there, round(20 / step))
        for part in (rest, jump, back):
            x.append(part[:, 0])
            y.append(part[:, 1])
    drift = np.linspace(0, 130, round(500 / step))
    x.append(300 + drift)
    y.append(300 + 0.7 * drift)
    x, y = (np.concatenate(parts) + rng.normal(0, 0.5, sum(map(len, parts))) for parts in (x, y))
    for first, last in ((100, 112), (420, 421), (700, 760)):
        x[round(first / step * 2) : round(last / step * 2)] = np.nan
    y[np.isnan(x)] = np.nan
    # Sixty-fourths: sums, halves and doubles of them are exact.
    x, y = (np.round(values * 64) / 64 for values in (x, y))
    return Trial(np.arange(x.size) * step, x, y, 40.0)


def told(name, trial):
    found = DETECTORS[name]().movements(trial)
    return {kind: [part.tolist() for part in runs] for kind, runs in found.items()}


@pytest.mark.parametrize("hz", [500.0, 125.0])
@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_found_does_not_depend_on_how_the_screen_is_held_or_counted(name, hz):
    trial = wandering(hz)
    t, x, y, scale = trial.t_ms, trial.x_px, trial.y_px, trial.px_per_deg
    as_it_is = told(name, trial)
    assert len(as_it_is["fixation"][0]) > 4
    assert len(as_it_is["saccade"][0]) > 2
    assert told(name, Trial(t, y, x, scale)) == as_it_is  # turned
    assert told(name, Trial(t, -x, y, scale)) == as_it_is  # seen in a mirror
    assert told(name, Trial(t, 2 * x, 2 * y, 2 * scale)) == as_it_is  # of twice as many pixels
    assert told(name, Trial(t + 4096.0, x, y, scale)) == as_it_is  # later
