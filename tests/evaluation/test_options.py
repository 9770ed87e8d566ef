"""What a user may ask of predictions."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.evaluation.options import PredictOptions


def test_options_that_cannot_be_are_refused():
    for options in ({"batch_size": 0}, {"image_size": 0}, {"threshold": 0.0}, {"threshold": 1.0}):
        with pytest.raises(ConfigError, match=r"\d"):
            PredictOptions(**options)


def test_what_is_made_for_one_class_is_known_by_its_name():
    assert not any(
        PredictOptions(probabilities=True, overlay=True, tta=True).for_one_class.values()
    )
    assert not any(PredictOptions(uncertainty=True).for_one_class.values())
    for options in ({"tracks": True}, {"refine_with": "sam"}):
        assert sum(PredictOptions(**options).for_one_class.values()) == 1


def test_without_a_temperature_logits_stay_as_they_are():
    options = PredictOptions()
    assert options.divisor == 1
    assert options.refiner() is None
