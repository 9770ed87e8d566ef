"""The main sequence: the curve that saccades were made by is found, outliers are counted."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.main_sequence import main_sequence


def saccades(n=300, noise=0.0, seed=1):
    rng = np.random.default_rng(seed)
    amplitude = np.exp(rng.uniform(np.log(0.3), np.log(25), n))
    return amplitude, np.exp(rng.normal(0, noise, n))


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_curve_is_found(noise):
    amplitude, factor = saccades(noise=noise)
    found = main_sequence(amplitude, 520 * (1 - np.exp(-amplitude / 7)) * factor)
    assert found.first == pytest.approx(520, rel=0.001 + noise / 2)
    assert found.second == pytest.approx(7, rel=0.001 + noise / 2)
    assert found.n == 300
    assert found.r2 > 0.95
    assert found.outliers < 0.02
    power = main_sequence(amplitude, 110 * amplitude**0.6 * factor, "power")
    assert power.first == pytest.approx(110, rel=0.001 + noise / 2)
    assert power.second == pytest.approx(0.6, abs=0.001 + noise / 5)


def test_outliers_are_counted_and_do_not_bend_the_curve():
    amplitude, factor = saccades(noise=0.08)
    peak = 520 * (1 - np.exp(-amplitude / 7)) * factor
    peak[:15] *= 6
    found = main_sequence(amplitude, peak)
    assert found.first == pytest.approx(520, rel=0.1)
    assert 0.045 < found.outliers < 0.07
    assert "outliers" in str(found)


def test_the_curve_goes_through_what_it_says():
    amplitude, _ = saccades()
    found = main_sequence(amplitude, 520 * (1 - np.exp(-amplitude / 7)))
    assert found.peak_velocity([7.0]) == pytest.approx([520 * (1 - np.exp(-1))], rel=1e-3)


def test_missing_and_impossible_saccades_are_left_out():
    amplitude, _ = saccades(30)
    peak = 100 * amplitude
    peak[:3] = [np.nan, 0.0, np.inf]
    assert main_sequence(amplitude, peak).n == 27


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_saccades_have_no_main_sequence(n):
    found = main_sequence(np.arange(1, n + 1), np.full(n, 100.0))
    assert np.isnan(found.first)
    assert str(found) == f"too few saccades ({n}) for a main sequence"


@pytest.mark.parametrize("model", ["exponential", "power"])
def test_peaks_that_do_not_rise_have_no_main_sequence(model):
    amplitude, factor = saccades(noise=0.3)
    found = main_sequence(amplitude, 400 * factor, model)
    assert np.isnan(found.first)
    assert "do not rise" in str(found)


def test_an_unknown_model_is_refused():
    with pytest.raises(ConfigError, match="cubic"):
        main_sequence([1.0], [2.0], "cubic")


@pytest.mark.parametrize(
    ("model", "curve"),
    [
        ("exponential", lambda a: 500 * (1 - np.exp(-a / 6))),
        ("power", lambda a: 90 * np.sqrt(a)),
    ],
)
def test_how_well_saccades_keep_to_the_curve_is_told_by_its_definition(model, curve):
    amplitude, _ = saccades(40)
    off = np.random.default_rng(0).permutation(np.linspace(-0.1, 0.1, 40))
    off[:2] = 0.9
    found = main_sequence(amplitude, curve(amplitude) * np.exp(off), model)
    residual = np.log(curve(amplitude) * np.exp(off) / found.peak_velocity(amplitude))
    spread = np.log(curve(amplitude) * np.exp(off))
    expected = 1 - (residual**2).sum() / ((spread - spread.mean()) ** 2).sum()
    assert found.r2 == pytest.approx(expected)
    assert found.outliers == 2 / 40


@pytest.mark.parametrize(("times", "share"), [(2.9, 0.0), (3.1, 0.1)])
def test_an_outlier_is_three_deviations_by_medians_off(times, share):
    amplitude = np.tile(np.linspace(1, 20, 10), 20)
    off = np.repeat(np.resize([1.0, -1.0], 20) * 0.02, 10)
    off[:20] = 0.02 * np.sign(off[:20]) * 1.4826 * times
    found = main_sequence(amplitude, 90 * np.sqrt(amplitude) * np.exp(off), "power")
    assert found.outliers == pytest.approx(share)


def test_ten_saccades_are_enough_unless_all_are_of_one_length():
    amplitude = np.linspace(1, 20, 10)
    assert main_sequence(amplitude, 50 * amplitude).n == 10
    assert np.isfinite(main_sequence(amplitude, 50 * amplitude).first)
    one = main_sequence(np.full(10, 4.0), np.linspace(100, 200, 10))
    assert np.isnan([one.first, one.second, one.r2, one.outliers]).all()
    assert one.n == 10
    assert str(one) == "no main sequence: peak velocities do not rise with amplitudes, n 10"


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_either_number_of_a_saccade_may_be_impossible(place, value):
    pair = [np.linspace(1, 20, 12), 50 * np.linspace(1, 20, 12)]
    pair[place][3] = value
    assert main_sequence(*pair).n == 11


def test_the_curve_is_told_in_a_line():
    amplitude, _ = saccades()
    found = main_sequence(amplitude, 520 * (1 - np.exp(-amplitude / 7)))
    assert str(found) == (
        "peak = 520 (1 - exp(-amplitude / 7.00)) deg/s, n 300, R2 1.00, 0.0 % outliers"
    )
    power = main_sequence(amplitude, 110 * amplitude**0.6, "power")
    assert str(power) == "peak = 110 amplitude^0.60 deg/s, n 300, R2 1.00, 0.0 % outliers"
    assert power.peak_velocity([1.0, 2.0]) == pytest.approx([110, 110 * 2**0.6], rel=1e-3)


def test_outliers_are_counted_from_the_middle_of_the_saccades_and_not_from_the_curve():
    amplitude = np.tile(np.linspace(1, 20, 10), 20)
    off = np.tile(np.linspace(-0.004, 0.004, 20), 10)
    off[np.arange(200) // 10 % 10 < 3] += 0.2  # which draws the curve away from the others
    found = main_sequence(amplitude, 90 * np.sqrt(amplitude) * np.exp(off), "power")
    assert found.first > 90 * 1.02
    assert found.outliers == pytest.approx(0.3)


@pytest.mark.parametrize("model", ["exponential", "power"])
def test_units_change_the_numbers_of_the_curve_and_nothing_else(model):
    amplitude, factor = saccades(40, noise=0.1)
    peak = 520 * (1 - np.exp(-amplitude / 7)) * factor
    found = main_sequence(amplitude, peak, model)
    smaller = main_sequence(amplitude * 0.01, peak * 0.001, model)
    expected = 0.001 * found.peak_velocity(amplitude)
    assert smaller.peak_velocity(amplitude * 0.01) == pytest.approx(expected, rel=1e-5)
    assert (smaller.n, smaller.outliers) == (40, found.outliers)
    assert smaller.r2 == pytest.approx(found.r2, abs=1e-6)


def test_saccades_whose_lengths_differ_by_exactly_a_degree_have_a_curve():
    amplitude = np.linspace(1, 2, 12)
    assert main_sequence(amplitude, 90 * np.sqrt(amplitude), "power").second == pytest.approx(0.5)


@pytest.mark.parametrize("model", ["exponential", "power"])
def test_peaks_that_are_all_the_same_have_no_main_sequence(model):
    found = main_sequence(np.linspace(1, 20, 10), np.ones(10), model)
    assert np.isnan([found.first, found.second, found.r2, found.outliers]).all()


def test_the_curve_of_peaks_that_rise_without_end_is_bent_all_but_not():
    amplitude = np.linspace(1, 20, 10)
    found = main_sequence(amplitude, 50 * amplitude)
    assert found.second == pytest.approx(np.exp(7))
    assert found.peak_velocity(amplitude) == pytest.approx(50 * amplitude, rel=0.01)
    early = np.linspace(0.01, 0.03, 10)  # and the other way round: reached at once
    found = main_sequence(early, 300 * (1 - np.exp(-early / 4e-3)))
    assert found.second == pytest.approx(4e-3, rel=1e-3)


def test_outliers_pull_at_the_curve_by_the_slope_of_the_loss():
    amplitude = np.tile(np.linspace(1, 20, 20), 10)
    off = np.where(np.arange(200) // 20 % 5 == 0, 1.0, 0.0)
    found = main_sequence(amplitude, 90 * np.sqrt(amplitude) * np.exp(off), "power")

    def pull(residual):
        return residual / np.sqrt(1 + (residual / 0.3) ** 2)

    # A fifth of them is a whole logarithm off, all others as far as the curve is drawn away.
    drawn = np.log(found.first / 90)
    assert 0.05 < drawn < 0.1
    assert 0.2 * pull(1 - drawn) == pytest.approx(0.8 * pull(drawn), rel=1e-3)
    assert found.second == pytest.approx(0.5, abs=1e-4)
    assert found.outliers == pytest.approx(0.2)


def test_the_curve_is_bent_within_a_thousandth_of_a_degree_at_the_earliest():
    amplitude = np.linspace(1e-4, 3e-3, 20)
    found = main_sequence(amplitude, 300 * (1 - np.exp(-amplitude / 5e-4)))
    assert found.second == pytest.approx(np.exp(-7))
