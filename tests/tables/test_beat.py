"""The beat of a clock that jitters is that of its tracker, whatever jitter makes of the steps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.tables.beat import LEAST_SAMPLES, beat_of, jitters, middle_rate
from gazetrack.tables.rates import doubt_of, rate_of, rate_of_steps


def times_of(rate_hz, jitter, *, n=3000, lost=0.0, unit_ms=0.0, seed=1):
    """Return times in ms whose jitter is a share of a step, rounded to a unit, some lost."""
    noise = np.random.default_rng(seed)
    t = np.sort(np.arange(n) + noise.normal(0, jitter, n)) * 1000 / rate_hz
    t = t[noise.random(n) >= lost]
    return np.rint(t / unit_ms) * unit_ms if unit_ms else t


@pytest.mark.parametrize("rate_hz", [30, 60, 120, 250, 400, 1000])
@pytest.mark.parametrize("jitter", [0.15, 0.2, 0.25])
@pytest.mark.parametrize("lost", [0.0, 0.05])
def test_jitter_of_a_part_of_a_step_leaves_the_rate(rate_hz, jitter, lost):
    unit_ms = 0.1 if rate_hz < 500 else 0.0
    t = times_of(rate_hz, jitter, lost=lost, unit_ms=unit_ms)
    assert rate_of(pa.chunked_array(np.array_split(t, 3))) == pytest.approx(rate_hz, rel=5e-3)
    assert rate_of_steps(np.diff(t)) == pytest.approx(rate_hz, rel=5e-3)
    assert doubt_of(pa.chunked_array([t])) == ""


@pytest.mark.parametrize("rate_hz", [100, 240, 333])
def test_jitter_of_whole_milliseconds_leaves_the_rate(rate_hz):
    t = times_of(rate_hz, 0.25, unit_ms=1.0, lost=0.02)
    assert rate_of(pa.chunked_array([t])) == pytest.approx(rate_hz, rel=1e-2)


def test_two_eyes_that_take_turns_unevenly_have_the_rate_of_both():
    noise = np.random.default_rng(3)
    pairs = np.arange(1500)[:, None] * 8.333 + [0.0, 2.5]
    t = np.sort((pairs + noise.normal(0, 0.6, pairs.shape)).ravel())
    assert rate_of_steps(np.diff(t)) == pytest.approx(2000 / 8.333, rel=5e-3)


def test_where_no_beat_is_left_the_rate_is_in_doubt():
    t = times_of(250, 0.6, n=1200)
    assert beat_of(np.diff(t), 250.0, in_pairs=False) is None
    assert "jitter too much to tell the sampling rate" in doubt_of(pa.chunked_array([t]))


def test_a_rate_that_wanders_has_no_line():
    noise = np.random.default_rng(2)
    steps = 33.3 * noise.uniform(0.4, 1.6, 4000)
    assert beat_of(steps, 30.0, in_pairs=False) is None


def test_few_samples_have_no_spectrum():
    t = times_of(250, 0.2, n=LEAST_SAMPLES)
    assert beat_of(np.diff(t), 250.0, in_pairs=False) is None
    t = times_of(250, 0.2, n=LEAST_SAMPLES + 1)
    assert beat_of(np.diff(t), 250.0, in_pairs=False) == pytest.approx(250, rel=1e-2)


def test_lines_that_whole_milliseconds_mirror_are_not_taken():
    t = times_of(480, 0.1, unit_ms=1.0)
    assert beat_of(np.diff(t), 470.0, in_pairs=False) == pytest.approx(480, rel=2e-3)
    t = times_of(520, 0.1, unit_ms=1.0)
    assert beat_of(np.diff(t), 530.0, in_pairs=False) == pytest.approx(520, rel=2e-3)


def test_long_recordings_are_taken_in_blocks_and_gaps_change_nothing():
    t = times_of(200, 0.25, n=20_000)
    t[7000:] += 60_000.0
    assert beat_of(np.diff(t), 210.0, in_pairs=False) == pytest.approx(200, rel=1e-3)


def test_steps_cut_alike_on_both_sides_have_no_bias():
    steps = np.tile([4.0, 4.0, 6.5, 1.5, 8.0, 4.0], 40)
    assert middle_rate(steps) == pytest.approx(250.0)
    assert jitters(steps)
    assert not jitters(np.tile([4.0, 4.0, 8.0, 4.0], 40))
