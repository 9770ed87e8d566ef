"""Which step of a run is its best: by Dice where there are masks, else by the loss on gaze."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradtrack_model.data.sample import Sample

BY_DICE = "validation Dice"
BY_LOSS = "validation loss on gaze labels"
BY_STEP = "last step (nothing to validate on)"


def criterion(validation: Sequence[Sample]) -> str:
    """Return what the best step is chosen by, for these validation images."""
    if any(sample.mask is not None for sample in validation):
        return BY_DICE
    if any(sample.has_gaze for sample in validation):
        return BY_LOSS
    return BY_STEP


@dataclass
class Best:
    """The best step so far.

    Parameters
    ----------
    by : str
        What it is chosen by, see `criterion`.
    step : int
        The step, counted from 1; 0 before any was validated.
    measured : dict
        The validation metrics of that step.
    """

    by: str
    step: int = 0
    measured: dict[str, float] = field(default_factory=dict)

    def is_beaten_by(self, measured: dict[str, float]) -> bool:
        """Whether a later step is better: of equally good ones, the first is the best."""
        if self.step == 0 or self.by == BY_STEP:
            return True
        return self._score(measured) > self._score(self.measured)

    def _score(self, measured: dict[str, float]) -> float:
        # A measure that was not finite is missing, and worse than any number.
        if self.by == BY_DICE:
            return measured.get("val_dice", -math.inf)
        return -measured.get("val_loss", math.inf)
