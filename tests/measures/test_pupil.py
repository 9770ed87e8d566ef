"""Pupil sizes through all steps: the guideline's numbers, and what may come in."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.measures.pupil import (
    KEPT,
    Filtered,
    PupilOptions,
    are_millimetres,
    completed,
    filtered,
    mean_of_eyes,
)
from gazetrack.tables.pupils import REASONS
from tests.eye_signals import pupil_with_blinks
from tests.measures import kret_oracle as oracle


def pupil_in_mm(n=1500, seed=3):
    """A pupil in mm at 500 Hz with blinks, spikes, impossible sizes, and a lone group."""
    t, size = (values[:n] for values in pupil_with_blinks(seed=seed))
    size = size / 230
    size[[320, 700]] *= 1.4  # two spikes
    size[760:764] = 1.2  # too small
    size[1000:1100] = 0
    size[1050:1060] = 3.9  # alone in a gap
    size[1300:1312] += 0.9  # slow enough at its edges for the speed
    return t, size


def reasons(found: Filtered):
    names = [*REASONS, "kept"]
    return {name: int((found.removed == k).sum()) for k, name in enumerate(names)}


@pytest.mark.parametrize("seed", [3, 8])
def test_valid_samples_are_those_of_the_guideline(seed):
    t, size = pupil_in_mm(seed=seed)
    found = filtered(t, size, PupilOptions())
    expected = oracle.valid_samples(t.tolist(), size.tolist(), 1.5, 9.0)
    assert found.valid.tolist() == expected["trend"]
    counts = reasons(found)
    assert counts["missing"] == int((size == 0).sum())
    assert counts["size"] >= 4
    assert counts["speed"] > 2
    assert counts["edge"] > 20
    assert sum(counts.values()) == len(t)


@pytest.mark.parametrize("seed", [3, 8])
def test_the_signal_is_that_of_the_guideline(seed):
    t, size = pupil_in_mm(seed=seed)
    eye = filtered(t, size, PupilOptions())
    found, is_filled = completed(t, eye, PupilOptions())
    expected = oracle.signal(t.tolist(), size.tolist(), eye.valid.tolist())
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert is_filled.any()
    assert not (is_filled & eye.valid).any()
    assert np.isnan(found[1040]), "the gap is too long"


def test_what_is_off_the_trend_is_taken_out():
    t = np.arange(2000) * 2.0
    rng = np.random.default_rng(0)
    size = 4 + 0.3 * np.sin(t / 700) + rng.normal(0, 0.004, t.size)
    ramp = np.concatenate([np.linspace(0, 1, 25), np.ones(10), np.linspace(1, 0, 25)])
    size[900:960] += 0.6 * ramp  # no step of it is fast
    found = filtered(t, size, PupilOptions())
    assert (found.removed[900:960] == REASONS.index("trend")).sum() > 20
    assert found.valid[:850].all()
    without = filtered(t, size, PupilOptions(trend_mads=0.0))
    assert without.valid.all()


def test_arbitrary_units_have_no_limits_but_those_given():
    t, size = pupil_with_blinks()
    assert not are_millimetres(size, "auto")
    assert are_millimetres(size / 230, "auto")
    assert are_millimetres(size, "mm")
    assert not are_millimetres(np.full(3, np.nan), "auto")
    found = filtered(t, size, PupilOptions())
    assert reasons(found)["size"] == 0
    assert found.valid.mean() > 0.7
    limited = filtered(t, size, PupilOptions(min_size=500.0, max_size=940.0))
    assert (limited.removed == REASONS.index("size")).sum() > 50


def test_zero_nothing_and_less_are_missing():
    t = np.arange(400) * 4.0
    size = 3 + 0.01 * np.resize([0, 2, 1], 400)
    size[100:110] = 0.0
    size[200:210] = np.nan
    size[300:310] = -1.0
    found = filtered(t, size, PupilOptions())
    assert reasons(found)["missing"] == 30


def test_sizes_in_coarse_steps_are_not_all_too_fast():
    t = np.arange(1000) * 4.0
    size = np.round(4 + 0.5 * np.sin(t / 500), 1)
    found = filtered(t, size, PupilOptions(trend_mads=0.0))
    assert found.valid.all()
    assert "speeds are not filtered" in found.notes[0]


def test_lids_go_with_a_blink_where_asked():
    t, size = pupil_with_blinks()
    plain = PupilOptions(speed_mads=0.0, trend_mads=0.0, pad_ms=0.0)
    lids = PupilOptions(speed_mads=0.0, trend_mads=0.0, pad_ms=0.0, deblink="hershman")
    shrinking = slice(2184, 2199)  # before the blink at 2200
    assert filtered(t, size, plain).valid[shrinking].all()
    assert (filtered(t, size, lids).removed[shrinking] == REASONS.index("edge")).all()


def test_steps_can_be_left_out():
    t, size = pupil_with_blinks()
    nothing = PupilOptions(speed_mads=0, trend_mads=0, pad_ms=0, island_width_ms=0)
    eye = filtered(t, size, nothing)
    assert eye.valid.tolist() == (size > 0).tolist()
    plain = PupilOptions(lowpass_hz=0.0, fill_ms=130.0)
    found, is_filled = completed(t, eye, plain)
    assert found[eye.valid].tolist() == size[eye.valid].tolist()
    gap = slice(500, 560)  # 122 ms from known to known
    assert is_filled[gap].all()
    between = np.interp(t[gap], [t[499], t[560]], [size[499], size[560]])
    np.testing.assert_allclose(found[gap], between)
    assert not is_filled[2200:2290].any(), "182 ms are too long"


def test_the_mean_does_not_jump_where_an_eye_is_lost():
    t = np.arange(500) * 2.0
    left = 4 + 0.1 * np.sin(t / 200)
    right = left - 0.6
    gone = np.full(500, KEPT, np.int8)
    gone[200:300] = REASONS.index("missing")
    none = np.full(500, KEPT, np.int8)
    both = mean_of_eyes(t, Filtered(left, none), Filtered(np.where(gone < KEPT, 0, right), gone))
    np.testing.assert_allclose(both.size, left - 0.3)
    assert both.valid.all()
    neither = mean_of_eyes(t, Filtered(left, gone), Filtered(right, gone))
    assert np.isnan(neither.size[200:300]).all()
    assert (neither.removed[200:300] == REASONS.index("missing")).all()
    never = np.full(500, REASONS.index("size"), np.int8)
    alone = mean_of_eyes(t, Filtered(left, none), Filtered(right, never))
    np.testing.assert_allclose(alone.size, left)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [4.0, 0.0, np.nan])
def test_next_to_nothing(n, value):
    t = np.arange(n) * 4.0
    eye = filtered(t, np.full(n, value), PupilOptions())
    found, is_filled = completed(t, eye, PupilOptions())
    assert found.size == n
    assert not is_filled.any()
    assert np.isfinite(found).sum() == eye.valid.sum()


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"unit": "inch"}, "unit = 'inch'"),
        ({"baseline": "percent"}, "subtractive"),
        ({"deblink": "never"}, "deblink"),
        ({"fill_ms": -1.0}, "fill_ms"),
        ({"speed_mads": float("nan")}, "speed_mads"),
        ({"min_size": 5.0, "max_size": 4.0}, "max_size"),
        ({"baseline_end_ms": -300.0}, "baseline_end_ms"),
        ({"lowpass_hz": 600.0}, "half of grid_hz"),
        ({"lowpass_order": 2.5}, "whole number"),
    ],
)
def test_options_are_checked(choice, told):
    with pytest.raises(ConfigError, match=told):
        PupilOptions(**choice)
