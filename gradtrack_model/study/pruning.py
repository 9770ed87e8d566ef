"""The end of runs that are hopeless: the median rule, which spares a comparison their time.

A run ends at a validation at which the best Dice that it has had is below the median of what the
runs before it had at the same step (Golovin et al. 2017, as Optuna's MedianPruner has it, of which
it is the rule: values at that step and not their running means). Runs are taken in their order, so
that the same comparison always ends the same runs.
"""

from __future__ import annotations

import csv
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Validation Dice by step.
Curve = dict[int, float]

LEAST_RUNS = 3
WARM_UP = 1 / 3
RULE = (
    f"a run ends early where its best validation Dice is below the median of at least {LEAST_RUNS} "
    "whole runs before it, at the same step, after a third of the steps"
)


def curve_of(rows: Sequence[Mapping[str, float | str]]) -> Curve:
    """Return the validation Dice of a run by step, from the rows of its log.

    Parameters
    ----------
    rows : sequence of mapping
        Of `gradtrack_model.training.run_log.RunLog`, or of the file that it writes: the figures are
        those of the file, so that it does not matter which.
    """
    return {
        int(float(row["step"])): float(f"{float(row['val_dice']):.6g}")
        for row in rows
        if row.get("val_dice") not in (None, "")
    }


def read_curve(metrics: Path) -> Curve:
    """Return the validation Dice of a run by step, of its ``metrics.csv``."""
    with metrics.open(newline="", encoding="utf-8") as file:
        return curve_of(list(csv.DictReader(file)))


@dataclass
class MedianRule:
    """Whether a run is worth its time, beside the whole runs before it.

    Parameters
    ----------
    steps : int
        Steps of a whole run: for a third of them every run is let alone.
    curves : list of dict
        What the whole runs before it had, their Dice by step.
    """

    steps: int
    curves: list[Curve] = field(default_factory=list)

    def reason(self, rows: Sequence[Mapping[str, float]]) -> str:
        """Return why a run ends at its last validation, or nothing where it goes on.

        Parameters
        ----------
        rows : sequence of mapping
            The rows of its log until now.
        """
        own = curve_of(rows)
        if not own or len(self.curves) < LEAST_RUNS:
            return ""
        step = max(own)
        others = [curve[step] for curve in self.curves if step in curve]
        if step < WARM_UP * self.steps or step >= self.steps or not others:
            return ""
        best, median = max(own.values()), statistics.median(others)
        if best >= median:
            return ""
        return (
            f"given up after step {step} of {self.steps}: its best validation Dice, {best:.4f}, is "
            f"below {median:.4f}, the median of {len(others)} runs at that step"
        )
