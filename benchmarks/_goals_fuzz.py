"""G17: each parser, searched for failures along the branches that its inputs take."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from _goals import Row, Settings
from fuzz import fuzz, parsers

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR_INPUTS = 1_000_000


def rows(settings: Settings) -> list[Row]:
    """Search each parser for its share of the time; without Atheris nothing is measured."""
    if find_spec("atheris") is None:
        return []
    names = parsers()
    found = [
        fuzz(
            name,
            inputs=FLOOR_INPUTS,
            seconds=settings.seconds / len(names),
            seed=settings.seed,
            keep=settings.keep,
        )
        for name in names
    ]
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
        What `fuzz.fuzz` returned of each.
    seed : int
        Of the search.
    """
    n = sum(one["inputs"] for one in found)
    least = min(one["inputs"] for one in found)
    failures = sum(len(one["failures"]) for one in found)
    # A reader that refuses all it gets has no failures either.
    fewest_read = min(one["parsed"] for one in found)
    figure = f"{failures} of {n:,}, at least {least:,} for each of {len(found)} parsers"
    figure += f", of which at least {fewest_read:,} were read"
    how = f"Atheris, seed {seed}; python benchmarks/fuzz.py PARSER --inputs 1000000"
    met = failures == 0 and least >= FLOOR_INPUTS and fewest_read > 0
    return Row(goal="G17", figure=figure, met=met, how=how)
