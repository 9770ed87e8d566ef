"""G4 as well: exports that are split, and the same gaze in all units of time and length."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _goals import Row, Settings, verdict
from _metamorphic import Check, checks
from _mutant_cases import cases

# Of so many exports as there are; where nearly none could be changed, the change is at fault.
LEAST_CHECKS = 30

if TYPE_CHECKING:
    from collections.abc import Sequence


def rows(settings: Settings) -> list[Row]:
    """Check all exports once."""
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(settings.seed)
        found = list(checks(cases(settings.data), rng, Path(folder)))
    settings.found.extend(f"changed {one.name}: {one.detail}" for one in found if one.detail)
    return [counted(found, settings.seed)]


def counted(found: Sequence[Check], seed: int) -> Row:
    """Return the row of all checks.

    Parameters
    ----------
    found : sequence of Check
        What was checked.
    seed : int
        From which it follows where exports were split.
    """
    n = len(found)
    changed = sum(bool(one.detail) for one in found)
    return Row(
        goal="G4",
        figure=f"{n - changed} of {n}",
        met=verdict(changed, n, LEAST_CHECKS, allowed=0.02),
        how=f"exports split in two, and a table in all units of time and length; seed {seed}",
        cases=n,
        asked=LEAST_CHECKS,
        failures=changed,
    )
