"""The steps that a study may take: what each works on, and what its results are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Step:
    """A step, which is a command that is called for the study.

    Parameters
    ----------
    takes : {"exports", "tables", "maps", ""}
        What the command is given: the exports of the study, the folder of its tables, or that of
        its maps; empty for a command that is only told its options.
    makes : str
        Name of the results in the study's folder of outputs; empty where there are none.
    after : tuple of str
        Steps whose results it needs, where they are taken.
    """

    takes: str
    makes: str = ""
    after: tuple[str, ...] = ()


TABLES = "tables"
MAPS = "maps"
# In the order in which they are taken.
STEPS: Mapping[str, Step] = {
    "convert": Step("exports", TABLES),
    "fixations": Step("exports", TABLES),
    "events": Step("exports", TABLES),
    "pupil": Step("exports", TABLES),
    "quality": Step("exports", "quality.parquet"),
    "measures": Step("tables", "measures.parquet", after=("convert",)),
    "render": Step("tables", MAPS, after=("convert",)),
    "refine": Step("maps", "refined", after=("render",)),
    "plot": Step("tables", "plots", after=("convert",)),
    "bids": Step("exports", "bids"),
    "report": Step("exports", "report.html"),
}
FIRST = "convert"
# What nothing is done by that is not said.
NEEDS_TABLE = {"measures": 'say what to measure, as in aois = "aois.json"'}
# Commands beside the steps that take the exports of a study as well.
ALSO_OF_EXPORTS = ("info",)


def chosen_steps(asked: Collection[str] | None, tables: Collection[str]) -> tuple[str, ...]:
    """Return the steps of a study in their order.

    Parameters
    ----------
    asked : collection of str or None
        Those that the study names; None where it names none: then it takes those that it has a
        table for, and converts in any case.
    tables : collection of str
        The names of its tables.
    """
    if asked is None:
        return tuple(name for name in STEPS if name == FIRST or name in tables)
    return tuple(name for name in STEPS if name in asked)
