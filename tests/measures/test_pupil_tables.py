"""The tables of a recording's pupil: by sample and eye, and by trial and eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.measures.pupil import PupilOptions
from gazetrack.measures.pupil_tables import pupil_tables
from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

T = np.arange(3000) * 2.0
LEFT = 4 + 0.3 * np.sin(T / 800) + np.random.default_rng(1).normal(0, 0.004, T.size)


def recording_of(t=T, left=LEFT, right=None, trial=None, **more):
    columns = {"recording": "r", "stimulus": "a", "t_ms": t, "x_px": 1.0, "y_px": 1.0}
    columns["trial"] = np.full(len(t), "1", object) if trial is None else trial
    for eye, sizes in (("left", left), ("right", right)):
        if sizes is not None:
            columns[f"{eye}_pupil"] = sizes
    facts = {"event_table": EVENTS.empty_table()} | more
    samples = conform(columns, SAMPLES)
    return Recording(name="r", format="made", sample_table=samples, **facts)


def thirds():
    return np.repeat(np.array(["1", "2", "3"], object), 1000)


def test_a_row_per_sample_and_a_row_per_trial():
    size = LEFT.copy()
    size[500:560] = 0
    found = pupil_tables(recording_of(left=size, trial=thirds()), PupilOptions())
    assert found.samples.schema.equals(PUPIL)
    assert found.trials.schema.equals(PUPIL_TRIALS)
    samples, trials = found.samples.to_pandas(), found.trials.to_pandas()
    assert len(samples) == 3000
    assert set(samples["eye"]) == {"left"}
    np.testing.assert_allclose(samples["raw_pupil"], size, rtol=1e-6)
    assert list(trials["trial"]) == ["1", "2", "3"]
    assert list(trials["onset_ms"]) == [0.0, 2000.0, 4000.0]
    assert list(trials["n_missing"]) == [60, 0, 0]
    assert trials["n_edge"].iloc[0] == 50
    for name, counted in found.counts["left"].items():
        column = {"samples": "n_samples", "filled": "n_filled"}.get(name, f"n_{name}")
        assert counted == trials[column].sum()
    by_reason = samples["removed_by"].value_counts()
    assert by_reason["missing"] == 60
    assert samples["is_filled"].sum() == trials["n_filled"].sum() == 110
    assert samples["pupil"].notna().all()
    np.testing.assert_allclose(samples["pupil"], 4 + 0.3 * np.sin(T / 800), atol=0.02)
    assert trials["mean_pupil"].iloc[1] == pytest.approx(samples["pupil"][1000:2000].mean())
    assert trials["baseline_pupil"].isna().all()


def test_both_eyes_have_a_mean():
    right = LEFT + 0.5
    right[1000:1100] = 0
    found = pupil_tables(recording_of(right=right), PupilOptions())
    samples = found.samples.to_pandas()
    assert samples.groupby("eye", observed=True).size().to_dict() == {
        "left": 3000,
        "right": 3000,
        "both": 3000,
    }
    mean = samples[samples["eye"] == "both"]
    np.testing.assert_allclose(mean["pupil"][200:-200], LEFT[200:-200] + 0.25, atol=0.02)
    assert mean["raw_pupil"].iloc[1050] == pytest.approx(LEFT[1050], rel=1e-6)
    alone = pupil_tables(recording_of(right=right), PupilOptions(), eye="right")
    assert set(alone.counts) == {"right"}


@pytest.mark.parametrize("kind", ["subtractive", "divisive"])
def test_the_baseline_is_the_mean_of_its_window(kind):
    options = PupilOptions(baseline=kind, baseline_start_ms=0, baseline_end_ms=100)
    found = pupil_tables(recording_of(trial=thirds()), options)
    samples, trials = found.samples.to_pandas(), found.trials.to_pandas()
    for k in range(3):
        own = samples["pupil"][1000 * k : 1000 * (k + 1)].to_numpy()
        base = own[:50].astype(np.float64).mean()
        row = trials.iloc[k]
        assert row["n_baseline"] == 50
        assert row["baseline_pupil"] == pytest.approx(base, rel=1e-6)
        change = own - base if kind == "subtractive" else own / base
        got = samples["change_pupil"][1000 * k : 1000 * (k + 1)].to_numpy()
        np.testing.assert_allclose(got, change, atol=1e-5)
        assert row["peak_change_pupil"] == pytest.approx(change.max(), abs=1e-5)
        # It is flat there, and a float32 in the table of samples.
        assert row["peak_ms"] == pytest.approx(2.0 * change.argmax(), abs=6.0)
        assert row["mean_change_pupil"] == pytest.approx(change.mean(), abs=1e-5)


def test_a_baseline_before_the_trial():
    options = PupilOptions(baseline="subtractive", baseline_start_ms=-100, baseline_end_ms=0)
    found = pupil_tables(recording_of(trial=thirds()), options)
    pupil, trials = found.samples["pupil"].to_numpy(), found.trials.to_pandas()
    assert np.isnan(trials["baseline_pupil"].iloc[0]), "there is nothing before the first trial"
    assert trials["n_baseline"].tolist() == [0, 50, 50]
    assert trials["baseline_pupil"].iloc[1] == pytest.approx(pupil[950:1000].mean(), rel=1e-6)


def test_a_baseline_that_is_lost_is_none():
    size = LEFT.copy()
    size[:700] = 0
    found = pupil_tables(recording_of(left=size), PupilOptions(baseline="subtractive"))
    (row,) = found.trials.to_pylist()
    assert np.isnan([row["baseline_pupil"], row["peak_change_pupil"], row["peak_ms"]]).all()
    assert row["n_baseline"] == 0
    assert np.isfinite(row["mean_pupil"])


def test_what_is_lost_is_counted_and_not_made_up():
    size = LEFT.copy()
    size[1000:2000] = np.nan
    found = pupil_tables(recording_of(left=size, trial=thirds()), PupilOptions())
    lost = found.trials["lost"].to_pylist()
    assert lost[1] == 1.0
    assert max(lost[0], lost[2]) < 0.06
    assert np.isnan(found.trials["mean_pupil"].to_pylist()[1])


def test_a_clock_that_steps_back_and_a_long_pause_begin_anew():
    once = pupil_tables(recording_of(), PupilOptions()).samples["pupil"].to_numpy()
    for shift in (-2000.0, 20_000.0):
        t = np.concatenate([T, T + T[-1] + shift])
        twice = recording_of(t=t, left=np.concatenate([LEFT, LEFT]))
        found = pupil_tables(twice, PupilOptions()).samples["pupil"].to_numpy()
        np.testing.assert_allclose(found, np.concatenate([once, once]), rtol=1e-5)


def test_a_tracker_that_is_off_between_trials_makes_no_edges():
    t = T + np.repeat([0.0, 300.0, 600.0], 1000)
    found = pupil_tables(recording_of(t=t, trial=thirds()), PupilOptions())
    assert found.counts["left"]["edge"] == 0
    within = pupil_tables(recording_of(t=t), PupilOptions())
    assert within.counts["left"]["edge"] == 4 * 25


def test_trials_with_clocks_of_their_own_are_apart():
    t = np.concatenate([T[:1000], T[:1000] + 1.0])
    trial = np.repeat(np.array(["1", "2"], object), 1000)
    left = np.concatenate([LEFT[:1000], LEFT[:1000] * 2])
    recording = recording_of(t=t, left=left, trial=trial, time_origin="trial")
    found = pupil_tables(recording, PupilOptions())
    assert found.trials["onset_ms"].to_pylist() == [0.0, 1.0]
    assert found.samples["pupil"].to_numpy()[999] < 5 < found.samples["pupil"].to_numpy()[1001]


def test_trials_that_take_turns_are_told_apart():
    trial = np.repeat(np.array(["1", "2", "1"], object), 1000)
    found = pupil_tables(recording_of(trial=trial), PupilOptions())
    assert found.trials["n_samples"].to_pylist() == [2000, 1000]


def test_what_has_no_pupil_is_refused():
    with pytest.raises(DataError, match="no pupil sizes"):
        pupil_tables(recording_of(left=np.zeros(3000)), PupilOptions())
    with pytest.raises(DataError, match="of the right eye"):
        pupil_tables(recording_of(), PupilOptions(), eye="right")
    with pytest.raises(DataError, match="no samples"):
        pupil_tables(replace(recording_of(), sample_table=None), PupilOptions())


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_no_samples(n):
    found = pupil_tables(recording_of(t=T[:n], left=LEFT[:n]), PupilOptions())
    assert found.samples.num_rows == n
    assert found.trials.num_rows == (n > 0)


def test_participants_are_named():
    people = {"participants": {"r": "p7"}}
    found = pupil_tables(recording_of(**people), PupilOptions())
    assert set(found.samples["participant"].to_pylist()) == {"p7"}
    assert found.trials["participant"].to_pylist() == ["p7"]
