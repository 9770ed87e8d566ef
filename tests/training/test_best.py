"""Which step is the best: by Dice where there are masks, by the loss on gaze, or the last."""

from __future__ import annotations

import types

import pytest

from gradtrack_model.training.best import BY_DICE, BY_LOSS, BY_STEP, Best, criterion


def sample(*, mask, gaze):
    return types.SimpleNamespace(mask="a mask" if mask else None, has_gaze=gaze)


def test_one_mask_decides_for_dice_and_one_image_with_gaze_for_the_loss():
    neither = sample(mask=False, gaze=False)
    assert criterion([]) == criterion([neither]) == BY_STEP
    assert criterion([neither, sample(mask=False, gaze=True)]) == BY_LOSS
    assert criterion([sample(mask=False, gaze=True), sample(mask=True, gaze=False)]) == BY_DICE


@pytest.mark.parametrize(
    ("by", "measures", "best"),
    [
        (BY_DICE, [{"val_dice": d} for d in (0.4, 0.6, 0.6, 0.5)], 2),
        (BY_LOSS, [{"val_loss": d} for d in (0.4, 0.2, 0.2, 0.3)], 2),
        (BY_STEP, [{}, {}, {}, {}], 4),
        # What was not finite is missing: better than nothing, worse than any number.
        (BY_DICE, [{}, {"val_dice": 0.0}, {}], 2),
        (BY_LOSS, [{}, {"val_loss": 9.0}, {}], 2),
        (BY_DICE, [{"val_loss": 1.0}], 1),
        (BY_DICE, [{"val_dice": 0.5, "val_loss": 1.0}, {"val_dice": 0.4, "val_loss": 0.1}], 1),
    ],
)
def test_the_first_of_the_best_steps(by, measures, best):
    found = Best(by)
    for step, measured in enumerate(measures, 1):
        if found.is_beaten_by(measured):
            found.step = step
            found.measured = measured
    assert found.step == best
    assert found.measured == measures[best - 1]
