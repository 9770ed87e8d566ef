"""G7: networks, states and maps that somebody made to harm whoever loads them."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from _goals import Row, Settings, verdict

from tests.hostile import cases, judge, whole_files

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = 500


def rows(settings: Settings) -> Iterator[Row]:
    """Load them one after the other, until the time is over."""
    until = time.monotonic() + settings.seconds
    n = bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        canary, place, whole = folder / "canary", folder / "case", folder / "whole"
        whole.mkdir()
        for case in cases(whole_files(whole), HOSTILE, settings.seed, canary):
            if time.monotonic() > until:
                break
            wrong = judge(case, place, canary)
            shutil.rmtree(place)
            n += 1
            bad += bool(wrong)
            what = f"{case.kind} {case.number}: {case.what}"
            settings.found.extend(f"{what}: {text}" for text in wrong[:2])
        ran = int(canary.exists())
    yield Row(
        goal="G7",
        figure=f"{ran}; {n - bad} of {n}",
        met=verdict(bad + ran, n, HOSTILE),
        how=f"networks, states and maps of tests/hostile.py, seed {settings.seed}",
        cases=n,
        asked=HOSTILE,
        failures=bad + ran,
    )
