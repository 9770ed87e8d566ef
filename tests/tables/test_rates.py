"""The measured rate: gaps, jitter, missing samples and pairs of two eyes leave it as it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.tables import rates
from gazetrack.tables.rates import (
    doubt_of,
    rate_of,
    rate_of_pairs,
    rate_of_steps,
    repeats_are_samples,
)


def rate(times, chunks=1):
    return rate_of(pa.chunked_array(np.array_split(np.asarray(times, np.float64), chunks)))


def test_without_a_step_there_is_no_rate():
    assert rate([]) is None
    assert rate([3.0]) is None
    assert rate([3.0, 3.0]) is None
    assert rate([0.0, 4.0]) == 250.0


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(
    "times",
    [[0.0, 5e-324], [0.0, 1e-320, 2e-320], [-1.7e308, 1.7e308], [0.0, np.inf], [0.0, 1e-310, 1.0]],
)
def test_times_of_no_clock_have_no_rate(times):
    assert rate(times) is None
    assert rate_of_steps(np.diff(times)) is None


@pytest.mark.parametrize("times", [[0.0, *[1.0] * 100], [*range(50), *[50.0] * 200]])
def test_a_clock_that_stands_still_has_the_rate_from_before(times):
    assert rate(times) == pytest.approx(1000.0)
    assert rate_of_steps(np.diff(times)) == pytest.approx(1000.0)
    assert isinstance(doubt_of(pa.chunked_array([np.array(times, np.float64)])), str)


def test_steps_of_microseconds_are_no_whole_milliseconds():
    t = np.arange(100) * 4e-4
    assert rate(t) == pytest.approx(2.5e6)
    assert doubt_of(pa.chunked_array([t])) == ""


@pytest.mark.parametrize(
    ("apart_ms", "period_ms"), [(0.13, 8.333), (1.0, 33.3), (2.0, 5.0), (4.0, 9.0)]
)
@pytest.mark.parametrize("n_samples", [399, 400])
def test_two_eyes_that_take_turns_are_two_samples_a_period(apart_ms, period_ms, n_samples):
    number = np.arange(n_samples)
    t = (number // 2) * period_ms + (number % 2) * apart_ms
    assert rate(t) == pytest.approx(2000 / period_ms, rel=1e-3)
    assert rate(t, chunks=7) == pytest.approx(2000 / period_ms, rel=1e-3)


def test_only_pairs_have_a_rate_of_pairs():
    assert rate_of_pairs(np.tile([1.0, 7.0], 50)) == pytest.approx(250.0)
    assert rate_of_pairs(np.tile([3.0, 3.0, 4.0], 50)) is None
    assert rate_of_pairs(np.full(50, 4.0)) is None
    assert rate_of_steps(np.tile([1.0, 7.0], 50)) == pytest.approx(250.0)


@pytest.mark.parametrize("rate_hz", [120, 300, 400, 450, 480, 494, 600, 700, 800, 900, 970, 1000])
@pytest.mark.parametrize("rounded", [np.floor, np.rint])
def test_times_in_whole_milliseconds_have_the_rate_of_their_tracker(rate_hz, rounded):
    t = rounded(np.arange(3000) * 1000 / rate_hz)
    assert rate(t) == pytest.approx(rate_hz, rel=1e-3)
    t[200:] += 5000.0
    assert rate(t[:400]) == pytest.approx(rate_hz, rel=5e-3)


@pytest.mark.parametrize("rate_hz", [1040, 1200, 1500, 1999, 2000])
@pytest.mark.parametrize("rounded", [np.floor, np.rint])
def test_above_1000_hz_samples_of_one_whole_millisecond_count(rate_hz, rounded):
    t = rounded(np.arange(3000) * 1000 / rate_hz)
    assert rate(t) == pytest.approx(rate_hz, rel=1e-3)
    assert rate(t, chunks=7) == pytest.approx(rate_hz, rel=1e-3)
    t[200:] += 5000.0  # a millisecond at each end of 400 samples is a hundredth
    assert rate(t[:400]) == pytest.approx(rate_hz, rel=1e-2)


@pytest.mark.parametrize("rate_hz", [300, 450, 600, 800, 900])
@pytest.mark.parametrize("half", [0.0, 0.5], ids=["floor", "round"])
def test_samples_that_are_lost_from_whole_milliseconds_change_little(rate_hz, half):
    t = np.floor(np.arange(20_000) * 1000 / rate_hz + half)
    kept = np.random.default_rng(4).random(len(t)) >= 0.02
    assert rate(t[kept]) == pytest.approx(rate_hz, rel=0.03)


@pytest.mark.parametrize("lost", [0.01, 0.04, 0.1, 0.3])
def test_samples_lost_at_random_lower_no_rate_of_whole_milliseconds(lost):
    kept = np.random.default_rng(3).random(20_000) >= lost
    assert rate(np.arange(20_000)[kept]) == pytest.approx(1000, rel=1e-6)


@settings(max_examples=300, deadline=None)
@given(
    rate_hz=st.one_of(st.floats(25.0, 2000.0), st.integers(25, 2000).map(float)),
    unit_ms=st.sampled_from([1.0, 0.1]),
    rounded=st.sampled_from([np.floor, np.rint, np.ceil]),
    n_samples=st.integers(400, 2000),
    phase=st.one_of(st.just(0.0), st.floats(0.0, 1.0)),
    in_seconds=st.booleans(),
)
@example(1200.0, 1.0, np.rint, 600, 0.0, False)
@example(480.0, 1.0, np.rint, 600, 0.0, True)
@example(1011.76, 1.0, np.floor, 400, 0.76, False)
def test_rounded_times_have_the_rate_of_their_tracker_or_it_is_in_doubt(
    rate_hz, unit_ms, rounded, n_samples, phase, in_seconds
):
    t = rounded((phase + np.arange(n_samples)) * 1000 / rate_hz / unit_ms) * unit_ms
    t = np.array([float(f"{one / 1000:.4f}") for one in t]) * 1000 if in_seconds else t
    times = pa.chunked_array([t])
    is_right = rate_of(times) == pytest.approx(rate_hz, rel=0.01)
    assert is_right or "do not tell the sampling rate" in doubt_of(times)


@pytest.mark.parametrize("rate_hz", [50, 250, 450, 500, 1000, 1200])
def test_no_rate_is_in_doubt_where_it_is_plain(rate_hz):
    assert doubt_of(pa.chunked_array([np.floor(np.arange(1000) * 1000 / rate_hz)])) == ""
    assert doubt_of(pa.chunked_array([np.arange(1000) * 1000 / rate_hz + 0.013])) == ""
    assert doubt_of(pa.chunked_array([np.zeros(1)])) == ""


def test_rows_that_are_all_there_twice_may_be_those_of_twice_the_rate():
    times = pa.chunked_array([np.arange(500).repeat(2).astype(np.float64)])
    assert rate_of(times) == pytest.approx(2000, rel=0.01)
    assert "2002 Hz or 1000 Hz" in doubt_of(times)
    # At another step the clock's unit explains no repeats.
    apart = pa.chunked_array([np.arange(500).repeat(2) * 4.0])
    assert rate_of(apart) == 250.0
    assert doubt_of(apart) == ""


def test_some_rows_that_are_there_twice_are_no_samples():
    noise = np.random.default_rng(6)
    t = np.arange(5000.0)
    t = np.sort(np.concatenate([t, noise.choice(t, 300)]))
    assert not repeats_are_samples(np.diff(t))
    assert rate(t) == 1000.0


def test_a_step_or_two_that_rounding_may_have_made_leave_a_rate_in_doubt():
    t = np.delete(np.arange(200.0), [30, 60, 150])
    assert rate(t) == 1000.0
    assert "1000 Hz or 984.9 Hz" in doubt_of(pa.chunked_array([t]))


def test_a_few_samples_are_no_pairs():
    # A gap between two runs, no second size of steps.
    assert rate([0.0, 4.0, 104.0, 108.0]) == 250.0


@settings(max_examples=60, deadline=None)
@given(
    period_ms=st.floats(0.5, 100.0),
    apart=st.floats(0.01, 0.99),
    jitter=st.floats(0.0, 0.1),
    lost=st.floats(0.0, 0.15),
    gap_at=st.integers(20, 380),
    gap_ms=st.sampled_from([0.0, 300.0, 60_000.0]),
    in_pairs=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_the_rate_is_that_of_the_tracker(
    period_ms, apart, jitter, lost, gap_at, gap_ms, in_pairs, seed
):
    noise = np.random.default_rng(seed)
    number = np.arange(400)
    t = number * period_ms
    if in_pairs:
        t = (number // 2) * period_ms + (number % 2) * apart * period_ms
    # A step of a pair may be short: noise that is larger would turn it around.
    shortest = min(apart, 1.0 - apart) if in_pairs else 1.0
    t = t + noise.uniform(-0.5, 0.5, 400) * jitter * shortest * period_ms
    t[gap_at:] += gap_ms
    # Whole pairs are lost with the frame of the camera.
    kept = noise.random(200).repeat(2) >= lost if in_pairs else noise.random(400) >= lost
    per_period = 2.0 if in_pairs else 1.0
    assert rate(t[kept]) == pytest.approx(1000 * per_period / period_ms, rel=0.03)


def test_a_long_recording_has_the_rate_of_its_first_million_steps_and_of_the_rest(monkeypatch):
    monkeypatch.setattr(rates, "_ENOUGH_STEPS", 100)
    t = np.arange(1000) * 4.0
    t[700:] += 5000.0  # a gap that is none of the first steps
    assert rate(t, chunks=10) == pytest.approx(250.0)


def test_whole_milliseconds_with_pauses_all_along_have_a_rate():
    steps = np.tile([4.0, 4.0, 4.0, 500.0], 100)
    assert rate(np.concatenate([[0.0], np.cumsum(steps)])) == pytest.approx(250.0)


@pytest.mark.parametrize("rate_hz", [300, 500, 1000])
@pytest.mark.parametrize("jitter_ms", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("phase_ms", [0.0, 0.1, 0.5])
def test_jitter_that_moves_samples_to_another_whole_millisecond_leaves_the_rate(
    rate_hz, jitter_ms, phase_ms
):
    noise = np.random.default_rng(1)
    t = np.arange(4000) * 1000 / rate_hz + phase_ms + noise.normal(0, jitter_ms, 4000)
    assert rate(np.floor(np.sort(t)) + 1) == pytest.approx(rate_hz, rel=5e-3)


@pytest.mark.parametrize("rate_hz", [700, 750, 950, 1200, 1500])
@pytest.mark.parametrize("seed", range(3))
def test_a_rate_that_lost_samples_hide_is_right_or_in_doubt(rate_hz, seed):
    kept = np.random.default_rng(seed).random(4000) >= 0.05
    times = pa.chunked_array([np.floor(np.arange(4000) * 1000 / rate_hz)[kept]])
    assert rate_of(times) == pytest.approx(rate_hz, rel=0.01) or doubt_of(times)


@pytest.mark.parametrize("rate_hz", [60, 250, 300, 450, 500, 970, 1000, 1200, 2000])
def test_the_rate_of_steps_is_that_of_their_times(rate_hz):
    t = np.floor(np.arange(2000) * 1000 / rate_hz)
    assert rate_of_steps(np.diff(t)) == pytest.approx(rate(t))
    assert rate_of_steps(np.zeros(3)) is None


@pytest.mark.parametrize(("jitter", "too_high"), [(0.1, 0.0), (0.2, 0.025), (0.4, 0.09)])
def test_a_clock_that_jitters_reads_as_high_as_the_page_says(jitter, too_high):
    """See "What are the data worth?" in docs/fixations.md."""
    noise = np.random.default_rng(7).normal(0.0, jitter, 8000)
    times = np.sort(np.arange(8000) + noise) * 4.0
    assert rate(times) == pytest.approx(250.0 * (1 + too_high), rel=0.007)
