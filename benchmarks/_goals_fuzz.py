"""G17: each parser, searched for failures along the branches that its inputs take."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _goals import Row, Settings, verdict
from fuzz import continued, targets

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR_INPUTS = 1_000_000
# Names the folder in which counts of `fuzz.py --corpus` add up; without it, this call counts alone.
CORPUS = "GAZETRACK_FUZZ_CORPUS"


def rows(settings: Settings) -> list[Row]:
    """Search on for the time there is; without Atheris nothing is measured."""
    if find_spec("atheris") is None:
        return []
    names = targets()
    with tempfile.TemporaryDirectory() as folder:
        kept = os.environ.get(CORPUS)
        found = continued(
            names,
            Path(kept or folder),
            inputs=FLOOR_INPUTS,
            seconds=settings.seconds,
            portion=min(90.0, settings.seconds / len(names)),
            seed=settings.seed,
        )
    for one in found:
        settings.found.extend(
            f"hard {one['parser']}: {what}: {detail}" for what, detail in one["failures"].items()
        )
    return [counted(found, settings.seed)]


def counted(found: Sequence[dict[str, Any]], seed: int) -> Row:
    """Return the row of all parsers.

    Parameters
    ----------
    found : sequence of dict
        What `fuzz.continued` returned of each: the counts of all calls on the sources as they are.
    seed : int
        Of the search.
    """
    n = sum(one["inputs"] for one in found)
    least = min(found, key=lambda one: one["inputs"])
    n_portions = sum(one["portions"] for one in found)
    failures = sum(len(one["failures"]) for one in found)
    # A reader that refuses all it gets has no failures either.
    fewest_read = min(one["parsed"] for one in found)
    figure = f"{failures} of {n:,}, at least {least['inputs']:,} ({least['parser']}) for each of "
    figure += f"{len(found)} parsers, of which at least {fewest_read:,} were read"
    how = f"Atheris, seed {seed}, {n_portions} portions on these sources; "
    how += "python benchmarks/fuzz.py --all --corpus DIR"
    met = verdict(failures, least["inputs"], FLOOR_INPUTS)
    return Row(
        goal="G17",
        figure=figure,
        met=met if fewest_read > 0 or not met else False,
        how=how,
        cases=least["inputs"],
        asked=FLOOR_INPUTS,
        failures=failures,
        # The folder adds up, not the table: only that there were some.
        counts={"inputs": n},
    )
