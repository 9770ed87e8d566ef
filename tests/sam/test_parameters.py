from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.sam.parameters import PromptParams


def test_the_defaults_are_those_that_were_measured():
    assert PromptParams().as_dict() == {
        "size": 512,
        "least_share": 0.2,
        "points": 5,
        "sharpness": 2.0,
    }


@pytest.mark.parametrize(
    "choice", [{"size": 63}, {"least_share": 1.1}, {"points": -1}, {"sharpness": 0.0}]
)
def test_numbers_out_of_range_are_refused(choice):
    with pytest.raises(ConfigError):
        PromptParams(**choice)
