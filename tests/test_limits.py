"""Checks of single settings."""

from __future__ import annotations

import math

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.limits import one_of, within


def test_bounds_belong_to_the_range():
    within("lr", 0, 0, 1)
    within("lr", 1, 0, 1)
    for value in (-0.1, 1.1, math.nan, math.inf):
        with pytest.raises(ConfigError, match=f"lr is {value} - use 0 to 1"):
            within("lr", value, 0, 1)


def test_a_word_is_one_of_those_known():
    one_of("cache", "host", {"auto": 1, "host": 2})
    with pytest.raises(ConfigError, match=r"cache is 'disk' - use one of auto, host"):
        one_of("cache", "disk", ("auto", "host"))
    with pytest.raises(ConfigError, match="cache is") as caught:
        one_of("cache", "\x1b[31m", ("auto",))
    assert "\x1b" not in str(caught.value)
