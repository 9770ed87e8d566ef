import math

import pytest

from gazetrack.errors import ConfigError
from gazetrack.workflows.reporting.thresholds import Thresholds, judge


def test_nothing_is_asked_for_by_default():
    assert Thresholds().asked() == {}
    assert judge({"loss": 1.0}, Thresholds()).status == "not asked"


@pytest.mark.parametrize(
    ("measures", "status"),
    [
        ({"loss": 0.2}, "within"),
        ({"loss": 0.2001}, "beyond"),
        ({"loss": math.nan}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_loss_is_held_against_percent_and_the_limit_itself_is_within(measures, status):
    assert judge(measures, Thresholds(max_loss_percent=20)).status == status


def test_a_reason_says_what_was_found_and_what_was_asked_for():
    asked = Thresholds(max_loss_percent=20, min_rate_hz=200, min_fixations=5)
    found = judge({"loss": 0.576, "effective_rate_hz": 199.0, "fixations": 5}, asked)
    assert found.reasons == ("lost 57.6 % > 20 %", "effective rate 199 Hz < 200 Hz")


def test_one_measure_beyond_outweighs_one_that_is_not_known():
    asked = Thresholds(max_loss_percent=20, max_rms_deg=0.1)
    found = judge({"loss": 0.5}, asked)
    assert found.status == "beyond"
    assert found.reasons[1] == "RMS-S2S is not known"


def test_thresholds_are_told_in_words():
    asked = Thresholds(max_loss_percent=20, max_gap_ms=75, max_std_deg=0.5, min_fixations=3)
    told = ["lost ≤ 20 %", "longest gap ≤ 75 ms", "STD ≤ 0.5 deg", "fixations ≥ 3"]
    assert asked.in_words() == told


@pytest.mark.parametrize("limit", [-1.0, math.nan, math.inf])
def test_a_limit_that_cannot_be_is_refused(limit):
    with pytest.raises(ConfigError, match="max_loss_percent"):
        Thresholds(max_loss_percent=limit)


@pytest.mark.parametrize(
    ("loss", "limit", "told"),
    [
        (0.03704, 3.7, "lost 3.704 % > 3.7 %"),
        (0.0370000004, 3.7, "lost 3.70000004 % > 3.7 %"),
        (0.038, 3.7, "lost 3.8 % > 3.7 %"),
    ],
)
def test_a_value_is_told_in_digits_that_tell_it_from_the_limit(loss, limit, told):
    found = judge({"loss": loss}, Thresholds(max_loss_percent=limit))
    assert found.reasons == (told,)


def test_a_large_value_beside_its_limit_is_told_apart_as_well():
    found = judge({"longest_gap_ms": 1500.25}, Thresholds(max_gap_ms=1500))
    assert found.reasons == ("longest gap 1500.2 ms > 1500 ms",)
