"""Numbers with their units, as a study file may say them."""

from __future__ import annotations

import pytest

from gazetrack.workflows.study.units import KINDS, in_unit, kind_of


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [
        ("75 ms", "ms", 75),
        ("0.3 s", "ms", 300),
        ("0.3s", "ms", 300),
        ("2 min", "s", 120),
        ("53 cm", "mm", 530),
        ("24 in", "mm", 609.6),
        ("1 m", "cm", 100),
        ("30 arcmin", "deg", 0.5),
        ("-200 ms", "ms", -200),
        ("1e3 Hz", "kHz", 1),
        (".5 GB", "MB", 512),
        (75, "ms", 75),
        (0.5, "deg", 0.5),
        ("75", "ms", "75"),
        ("auto", "ms", "auto"),
        ("1920x1080", "px", "1920x1080"),
    ],
)
def test_a_number_is_in_the_unit_that_is_asked_for(value, unit, number):
    found = in_unit(value, unit)
    assert found == number
    assert isinstance(found, type(number))


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("3 cm", "ms", "'cm' is no unit of time: use ms, s or min"),
        ("3 s", "mm", "'s' is no unit of length: use mm, cm, m or in"),
        ("3 furlongs", "mm", "'furlongs' is no unit of length: use mm, cm, m or in"),
        ("3 deg", "px", "'deg' is no unit of pixels: use px"),
    ],
)
def test_a_unit_of_something_else_is_refused_and_those_allowed_are_named(value, unit, said):
    with pytest.raises(ValueError, match="is no unit") as refused:
        in_unit(value, unit)
    assert str(refused.value) == said


def test_every_unit_measures_one_thing():
    units = [unit for each in KINDS.values() for unit in each]
    assert len(units) == len(set(units))
    assert all(kind_of(unit) in KINDS for unit in units)
    assert kind_of("kg") == ""
