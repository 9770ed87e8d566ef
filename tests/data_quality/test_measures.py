"""The quality report: equal to ETDQualitizer, and right where that has nothing to say."""

from __future__ import annotations

import dataclasses

import ETDQualitizer as etd  # noqa: N813 - its authors' way of writing it
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gazetrack
from gazetrack.data_quality.gaze import Gaze
from gazetrack.data_quality.measures import describe, joined, quality_table
from gazetrack.data_quality.precision import bcea, precision
from gazetrack.data_quality.sampling import sampling
from gazetrack.data_quality.targets import Target
from gazetrack.errors import ConfigError, InputError
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, QUALITY, SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)


def recording(t, x, y, screen=SCREEN, **columns):
    table = conform(
        {"t_ms": t, "x_px": np.asarray(x, np.float32), "y_px": np.asarray(y, np.float32)} | columns,
        SAMPLES,
    )
    return Recording(
        name="r", format="test", sample_table=table, event_table=conform({}, EVENTS), screen=screen
    )


def noise(n=600, hz=500, missing=0.1, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n) * (1000 / hz)
    x, y = rng.normal((900, 500), (30, 20), (n, 2)).T.astype(np.float32).astype(float)
    gone = np.repeat(rng.random(n // 20) < missing, 20)[:n]
    x[gone] = y[gone] = np.nan
    return t, x, y


def only_row(table, **where):
    rows = [row for row in table.to_pylist() if all(row[k] == v for k, v in where.items())]
    assert len(rows) == 1
    return rows[0]


def theirs(t, x, y, hz):
    """Return what ETDQualitizer says of gaze on `SCREEN`."""
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


@pytest.mark.parametrize(("hz", "missing"), [(500, 0.1), (30, 0.0), (2000, 0.4), (250, 0.2)])
def test_equals_etdqualitizer(hz, missing):
    t, x, y = noise(hz=hz, missing=missing)
    row = only_row(quality_table(recording(t, x, y), targets=[Target("centre", 1000, 400)]))
    expected = theirs(t, x, y, hz)
    screen = etd.ScreenConfiguration(531, 299, 1920, 1080, 650)
    measured = etd.DataQuality(*screen.pix_to_deg(x - 960, y - 540), t / 1000, "degrees")
    aim = screen.pix_to_deg(1000 - 960, 400 - 540)
    names = ("accuracy_deg", "accuracy_x_deg", "accuracy_y_deg")
    expected |= dict(zip(names, measured.accuracy(*aim), strict=True))
    assert {name: row[name] for name in expected} == pytest.approx(
        expected, rel=1e-6, abs=1e-9, nan_ok=True
    )
    assert (row["rate_hz"], row["jitter_ms"]) == (pytest.approx(hz), pytest.approx(0, abs=1e-9))


@pytest.mark.filterwarnings(
    "ignore:Mean of empty slice:RuntimeWarning"
)  # theirs, of windows without gaze
@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
@pytest.mark.parametrize(
    "name",
    [
        "eyelink_asc/mne_test_eyelink.asc",
        "tobii_other/i2mc_tx300_participant1_2.tsv",
        "tobii_pro_lab/andersson_transition_test_Data_Export.tsv",
        "tobii_glasses3/eyedentify3d_calibration_1/gazedata.gz",
    ],
)
def test_equals_etdqualitizer_on_real_exports(data_dir, name):
    export = gazetrack.read(data_dir / "exports" / name).with_screen(SCREEN)
    row = only_row(quality_table(export, by="trial"), eye="both")
    t, x, y = (
        export.sample_table[column].to_numpy().astype(float) for column in ("t_ms", "x_px", "y_px")
    )
    missing = np.isnan(x) | np.isnan(y)
    x[missing] = y[missing] = np.nan
    expected = theirs(t, x, y, row["rate_hz"])
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_wrong_nominal_rate_does_not_matter():
    t, x, y = noise(hz=200, missing=0)
    row = only_row(quality_table(dataclasses.replace(recording(t, x, y), rate_hz=500.0)))
    assert row["rate_hz"] == pytest.approx(200)
    assert row["loss_expected"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("rate", [60, 90, 300, 1000 / 17])
def test_stamps_in_whole_milliseconds_and_repeated_ones_are_no_loss(rate):
    t = np.floor(np.arange(600) * 1000 / rate)
    for times in (t, np.repeat(t, 2)):
        facts = sampling(Gaze(times, times, times, np.zeros(len(times), int)))
        assert facts["rate_hz"] == pytest.approx(rate, rel=2e-3)
        assert facts["loss_expected"] == pytest.approx(
            0, abs=1e-3
        )  # the last sample lasts the median step


def test_gaps_are_missing_samples_and_missing_rows_alike():
    t = np.arange(100) * 10.0
    x = np.full(100, 5.0)
    x[10:13] = np.nan  # 30 ms of missing samples
    keep = ~np.isin(np.arange(100), [50, 51])  # 20 ms of missing rows
    x[-1] = np.nan
    facts = sampling(Gaze(t[keep], x[keep], x[keep], np.zeros(98, int)))
    assert (facts["n_gaps"], facts["longest_gap_ms"], facts["gaps_ms"]) == (3, 30, 60)
    assert facts["loss"] == pytest.approx(4 / 98)
    assert facts["loss_expected"] == pytest.approx(6 / 100)


@pytest.mark.parametrize(("longer", "is_gap"), [(14.9, False), (15.1, True)])
def test_a_step_of_one_and_a_half_is_a_gap(longer, is_gap):
    t = np.cumsum([0.0, *[10.0] * 20, longer, *[10.0] * 20])
    facts = sampling(Gaze(t, t, t, np.zeros(len(t), int)))
    assert facts["n_gaps"] == is_gap
    assert facts["gaps_ms"] == pytest.approx(longer - 10 if is_gap else 0)
    assert facts["rate_hz"] == pytest.approx(100 if is_gap else 41_000 / (400 + longer))
    assert (facts["jitter_ms"] > 1e-9) == (not is_gap)


@pytest.mark.parametrize(("pause", "known"), [(109, True), (111, False)])
def test_a_window_takes_up_to_one_and_a_half_of_its_length(pause, known):
    t = np.cumsum([0.0, *[10.0] * 9, 10.0 + pause, *[10.0] * 9])  # 20 samples: one window of 200 ms
    x = np.random.default_rng(0).normal(0, 1, 20)
    facts = precision(Gaze(t, x, x, np.zeros(20, int)), 200.0)
    assert np.isfinite(facts["window_rms_s2s"]) == np.isfinite(facts["window_std"]) == known
    assert np.isfinite(facts["rms_s2s"])


def test_pauses_between_trials_are_no_loss_and_no_movement():
    t = np.concatenate([np.arange(50), 10_000 + np.arange(50)]) * 1.0
    x = np.repeat([100.0, 900.0], 50)
    table = quality_table(recording(t, x, x, trial=np.repeat(["a", "b"], 50)))
    row = only_row(table)
    assert (row["duration_ms"], row["loss_expected"], row["n_gaps"], row["rms_s2s_px"]) == (
        100,
        0,
        0,
        0,
    )
    by_trial = quality_table(recording(t, x, x, trial=np.repeat(["a", "b"], 50)), by="trial")
    assert [row["trial"] for row in by_trial.to_pylist()] == ["a", "b"]
    assert [row["onset_ms"] for row in by_trial.to_pylist()] == [0, 10_000]


def test_a_clock_that_is_reset_starts_a_new_piece():
    t = np.tile(np.arange(50) * 2.0, 2)
    row = only_row(quality_table(recording(t, t * 0 + 3, t * 0 + 4)))
    assert (row["duration_ms"], row["rate_hz"], row["loss_expected"]) == (200, 500, 0)


def test_windows_follow_each_other_within_trials():
    t, x, y = noise(n=500, hz=100, missing=0)
    table = quality_table(recording(t, x, y), by="window", window_ms=1000.0).to_pandas()
    assert table["n_samples"].tolist() == [100] * 5
    assert table["onset_ms"].tolist() == [0, 1000, 2000, 3000, 4000]
    assert table["std_px"].iloc[1] == pytest.approx(etd.std(x[100:200], y[100:200])[0])


def test_eyes_are_reported_apart_and_one_eye_alone_once():
    t, x, y = noise()
    left = {"left_x_px": x, "left_y_px": y}
    assert quality_table(recording(t, x, y, **left))["eye"].to_pylist() == ["left"]
    both = left | {"right_x_px": x + 10, "right_y_px": y}
    assert quality_table(recording(t, x, y, **both))["eye"].to_pylist() == ["left", "right", "both"]
    assert quality_table(recording(t, x, y))["eye"].to_pylist() == ["both"]
    assert quality_table(recording(t, x + 5, y, **left))["eye"].to_pylist() == ["left", "both"]
    nan = np.full(len(t), np.nan)
    assert quality_table(recording(t, nan, nan, **both))["eye"].to_pylist() == ["left", "right"]


def test_pixels_alone_without_the_physical_screen():
    for screen in (None, Screen(1920, 1080), Screen(1920, 1080, width_mm=531)):
        row = only_row(quality_table(recording(*noise(), screen=screen)))
        assert row["std_px"] > 0
        assert np.isnan(row["std_deg"])


@pytest.mark.parametrize(
    ("t", "x"),
    [
        ([0.0], [5.0]),
        ([0.0], [np.nan]),
        (np.arange(9.0), [np.nan] * 9),
        (np.arange(9.0), [7.0] * 9),
        ([5.0] * 9, range(9)),
        (np.arange(9.0), [np.nan, 1] * 4 + [np.nan]),
    ],
    ids=["one sample", "one missing", "all missing", "constant", "one stamp", "every other"],
)
@pytest.mark.parametrize("by", ["recording", "trial", "window"])
def test_odd_recordings_give_a_row(t, x, by):
    table = quality_table(recording(t, x, x), by=by)
    assert table.schema.equals(QUALITY)
    assert table.num_rows >= 1
    row = table.to_pylist()[0]
    assert row["loss"] == pytest.approx(np.mean(np.isnan(np.asarray(x, float)[: row["n_samples"]])))
    assert not row["std_px"] < 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1000), st.floats(-500, 500), st.floats(0.1, 10))
def test_precision_ignores_where_and_follows_the_scale(seed, shift, scale):
    t, x, y = noise(200, seed=seed)
    assume(np.isfinite(x).sum() > 2)
    piece = np.zeros(200, int)
    one, other = (
        precision(Gaze(t, k * x + d, k * y - d, piece), 40.0) for k, d in ((1, 0), (scale, shift))
    )
    for name in one:
        power = 2 if name == "bcea" else 1
        assert other[name] == pytest.approx(one[name] * scale**power, rel=1e-6)


def test_bcea_of_a_line_is_zero():
    assert bcea(np.arange(9.0), 2 * np.arange(9.0)) == pytest.approx(0, abs=1e-6)
    assert np.isnan(bcea(np.ones(1), np.ones(1)))


def test_targets_choose_their_time_trial_and_stimulus():
    t = np.arange(100) * 10.0
    x = np.where(t < 500, 100.0, 300.0)
    gaze = recording(t, x, x, trial=np.where(t < 500, "a", "b"))
    table = quality_table(
        gaze, targets=[Target("first", 100, 90, trial="a"), Target("then", 300, 300, 600, 100)]
    )
    first, then = table.to_pylist()
    assert (first["accuracy_px"], first["n_samples"], first["trial"]) == (10, 50, "a")
    assert first["accuracy_y_deg"] > 0  # gaze is below the target
    assert (then["accuracy_px"], then["n_samples"], then["onset_ms"]) == (0, 10, 600)
    nowhere = only_row(quality_table(gaze, targets=[Target("never", 1, 1, 9000)]))
    assert nowhere["n_samples"] == 0
    assert np.isnan(nowhere["accuracy_px"])


def test_what_cannot_be_is_refused():
    gaze = recording(*noise())
    with pytest.raises(ConfigError):
        quality_table(gaze, by="month")
    with pytest.raises(ConfigError):
        quality_table(gaze, window_ms=0)
    with pytest.raises(InputError):
        quality_table(dataclasses.replace(gaze, sample_table=None))
    with pytest.raises(ConfigError):
        Screen(100, 100).degrees(np.zeros(1), np.zeros(1))


def test_reports_join():
    one = quality_table(recording(*noise()))
    assert joined([one, one]).num_rows == 2
    assert joined([]).num_rows == 0
    assert set(describe(Gaze(*noise(), np.zeros(600, int)), SCREEN)) <= set(QUALITY.names)


def test_people_with_recordings_of_one_name_are_not_pooled(tmp_path):
    rows = "".join(
        f"{100 * k + i % 2},1,{4 * i},{who},rec\n"
        for k, who in enumerate(("ann", "bob"))
        for i in range(50)
    )
    (tmp_path / "two.csv").write_text("x,y,t,participant,recording\n" + rows)
    found = quality_table(gazetrack.read(tmp_path / "two.csv")).to_pandas()
    assert list(found["recording"]) == ["ann_rec", "bob_rec"]
    assert list(found["n_samples"]) == [50, 50]
    assert (found["std_px"] < 1).all()  # of both together it would be 50


def at_rates(lost=()):
    """One second at each of two rates, with some samples lost by their number."""
    t = np.concatenate([np.arange(500) * 2.0, 3000 + np.arange(1000) * 1.0])
    x = np.full(t.size, 10.0)
    x[list(lost)] = np.nan
    rates = ((0.0, 500.0), (3000.0, 1000.0))
    return dataclasses.replace(
        recording(t, x, x, trial=np.where(t < 3000, "1", "2")), rates_hz=rates
    )


def test_every_rate_of_a_recording_has_its_own_step_and_expected_samples():
    (row,) = quality_table(at_rates()).to_pylist()
    assert (row["duration_ms"], row["n_samples"], row["rate_hz"]) == (2000, 1500, 750)
    assert (row["loss_expected"], row["n_gaps"], row["jitter_ms"]) == (0, 0, 0)
    (row,) = quality_table(at_rates(lost=[100, 101, 700])).to_pylist()
    assert row["loss_expected"] == pytest.approx(3 / 1500)
    assert (row["n_gaps"], row["longest_gap_ms"], row["gaps_ms"]) == (2, 4, 5)


def test_of_one_rate_nothing_changes():
    changing = at_rates(lost=[100, 700])
    rows = quality_table(changing, by="trial")
    assert rows["rate_hz"].to_pylist() == [500, 1000]
    one = quality_table(dataclasses.replace(changing, rates_hz=()), by="trial")
    assert rows.to_pandas().equals(one.to_pandas())


def test_samples_of_one_time_do_not_cut_the_recording():
    t = np.repeat(np.arange(50) * 4.0, 2)
    row = only_row(quality_table(recording(t, t * 0 + 1, t * 0)))
    assert (row["duration_ms"], row["n_gaps"], row["rate_hz"]) == (200, 0, 250)
    assert row["loss_expected"] == pytest.approx(0)


def test_half_a_position_is_no_gaze():
    t, x, y = noise(missing=0)
    nan = np.full(len(t), np.nan)
    half = recording(t, x, y, left_x_px=x, left_y_px=nan)
    assert quality_table(half)["eye"].to_pylist() == ["both"]
    y[:60] = np.nan
    assert only_row(quality_table(recording(t, x, y)))["loss"] == pytest.approx(0.1)


def test_a_short_window_is_a_window():
    assert np.isfinite(only_row(quality_table(recording(*noise()), window_ms=0.5))["window_std_px"])


def test_rows_are_in_the_order_of_the_samples_and_only_of_what_is_there():
    names = np.repeat(["a", "b", "c"], 100)
    t = np.tile(np.arange(100) * 4.0, 3)
    whole = recording(t, t, t, recording=names, trial=names)
    # The names that a column knows stay in their order, whichever rows are taken.
    rows = whole.sample_table.take([*range(200, 300), *range(100)])
    part = dataclasses.replace(whole, sample_table=rows)
    assert quality_table(part)["recording"].to_pylist() == ["c", "a"]
    assert quality_table(part, by="trial")["trial"].to_pylist() == ["c", "a"]
    aimed = quality_table(part, targets=[Target("t", 1, 1)])
    assert aimed["recording"].to_pylist() == ["c", "a"]


def test_a_target_is_looked_at_in_its_time_of_its_trial_at_its_stimulus():
    t = np.arange(100) * 10.0
    trial = np.repeat(["a", "b"], 50)
    stimulus = np.tile(np.repeat(["one.png", "two.png"], 25), 2)
    gaze = recording(t, t, t, trial=trial, stimulus=stimulus)
    targets = [
        Target("of a trial", 1, 1, 400, trial="a"),
        Target("of a stimulus", 1, 1, 400, stimulus="one.png"),
        Target("of both", 1, 1, trial="b", stimulus="two.png"),
    ]
    table = quality_table(gaze, targets=targets).to_pandas()
    assert table["n_samples"].tolist() == [10, 25, 25]
    assert table["onset_ms"].tolist() == [400, 500, 750]
    assert table["trial"].tolist() == ["a", "", "b"]
    assert table["stimulus"].tolist() == ["", "one.png", "two.png"]


def test_windows_count_from_the_first_sample():
    t = 70.0 + np.arange(30) * 10.0
    table = quality_table(recording(t, t, t), by="window", window_ms=100.0).to_pandas()
    assert table["n_samples"].tolist() == [10, 10, 10]
    assert table["onset_ms"].tolist() == [70, 170, 270]
