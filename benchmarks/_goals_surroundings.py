"""G5: what file systems and environments may do to a command, each case in its own process."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _goals import Row, Settings, verdict

from tests.surroundings import SURROUNDINGS, surrounded

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows(settings: Settings) -> Iterator[Row]:
    """Try the cases in an order by lot, until the time is over."""
    names = list(SURROUNDINGS)
    until = time.monotonic() + settings.seconds
    n = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for place in np.random.default_rng(settings.seed).permutation(len(names)):
            if time.monotonic() > until:
                break
            wrong = surrounded(names[place], Path(folder))
            n += 1
            bad += bool(wrong)
            settings.found.extend(f"{names[place]}: {text}" for text in wrong[:2])
    yield Row(
        goal="G5",
        figure=f"{n - bad} of {n}",
        met=verdict(bad, n, len(names)),
        how="each case of tests/surroundings.py, in a process of its own",
        cases=n,
        asked=len(names),
        failures=bad,
    )
