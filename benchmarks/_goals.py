"""What is to be reached in reliability, goal by goal, and the rows that say what was reached.

Each group of goals is measured by a module ``_goals_NAME.py`` beside this one, which
`robustness.py` finds by its name. It has one function::

    def rows(settings: Settings) -> Iterable[Row]:
        ...

A row is a figure that was measured in this very call, and how. What could not be measured, for
want of time or data, has no row: the table then says so by itself. Where nothing failed, but less
was tried than the floor asks for, a row is neither met nor missed.

A module whose figures follow from counts alone may say how, in ``OF_COUNTS``: by goal, a function
that gets the counts and the seeds they are of, and returns the row. Counts of several runs of one
commit are then summed by ``robustness.py --more``. What each module needs is in `NEEDS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is to be reached.

    Parameters
    ----------
    what : str
        What is counted, in words for whoever runs the program.
    floor, stretch : str
        What a release needs, and what we would like.
    """

    what: str
    floor: str
    stretch: str = ""


GOALS = {
    "G1": Goal(
        what="Crashes, hangs and memory blow-ups on damaged exports of every format",
        floor="0 of 5,000",
        stretch="0 of 100,000",
    ),
    "G2": Goal(
        what="Error messages that are unclear; those that name a line, byte or column",
        floor="<= 0.5 %; >= 80 %",
        stretch="0; 95 %",
    ),
    "G3": Goal(
        what="Damage that changes numbers and is taken in silence: errors; things worth a notice",
        floor="0; <= 2 %",
        stretch="0; 0",
    ),
    "G4": Goal(
        what="Harmless changes (line ends, encoding, gzip, order of columns) give the same numbers",
        floor=">= 98 %",
        stretch="100 %",
    ),
    "G5": Goal(
        what="Cases of file systems and environments: read-only, full, links, odd names, no home",
        floor="40 of 40",
        stretch="and without privileges",
    ),
    "G6": Goal(
        what="Names of participants left after pseudonymising, in tables, names, messages, reports",
        floor="0 of 200",
    ),
    "G7": Goal(
        what="Hostile checkpoints and arrays: code run; clean errors",
        floor="0; 100 % of 500",
    ),
    "G8": Goal(
        what="Kills in the middle of writing: damaged or lost outputs",
        floor="0 of 200",
        stretch="0 of 2,000",
    ),
    "G9": Goal(
        what="A crash at every file-changing call, before, within and after it: damaged outputs",
        floor="0 at every call",
    ),
    "G10": Goal(
        what="A full disk, a quota, a read error at every writing call: false success, litter",
        floor="0",
    ),
    "G11": Goal(
        what="Outputs put in place before file and folder are on the disk",
        floor="0",
    ),
    "G12": Goal(
        what="Training killed and resumed gives the same bits (CPU)",
        floor="50 of 50, and each step of a save",
        stretch="200",
    ),
    "G13": Goal(
        what="A damaged newest checkpoint is noticed, and the one before it used",
        floor="9 kinds of damage x each file",
    ),
    "G14": Goal(
        what="Peak memory at 2 GB; MB more for each MB of the export",
        floor="< 500 MB; < 0.05",
        stretch="< 300 MB; < 0.01",
    ),
    "G15": Goal(
        what="Time grows as the length of the export: exponent from 64 MB to 2 GB",
        floor="< 1.25",
        stretch="< 1.1",
    ),
    "G16": Goal(
        what="Absurd sizes: a line of 512 MB, a gzip bomb of 4 GB, 10^6 columns, 1,000 files",
        floor="< 500 MB, clean errors",
    ),
    "G17": Goal(
        what="Coverage-guided inputs to each parser; failures",
        floor="10^6 inputs each, 0",
        stretch="10^8",
    ),
    "G18": Goal(
        what="Branches covered in readers, writer and checkpoints",
        floor="100 %",
        stretch="mutation score >= 80 %",
    ),
    "G19": Goal(
        what="The tests of compiled kernels with bounds of arrays checked, and uncompiled",
        floor="green",
    ),
    "G20": Goal(
        what="Damaged exports that once failed and are tests ever since",
        floor="every failure ever found",
    ),
    "G21": Goal(
        what="Places in the code that could run code from data: pickle, eval, shell",
        floor="0",
        stretch="bandit clean",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The time of a module, as one of several.

    Parameters
    ----------
    seconds : float
        What it takes on a quiet machine of two cores; of a module that could go on for ever, what
        it has some figure after.
    weight : float
        Of the time that all together leave, this share; who needs less leaves it to the next.
    alone : bool
        Whether nothing else may run meanwhile.
    """

    seconds: float
    weight: float = 0.5
    alone: bool = False


NEEDS = {
    "faults": Needs(seconds=120.0, weight=5.0),
    "fuzz": Needs(seconds=60.0, weight=4.0),
    "hostile": Needs(seconds=40.0),
    "metamorphic": Needs(seconds=30.0),
    "mutants": Needs(seconds=60.0, weight=4.0),
    "privacy": Needs(seconds=120.0),
    "regressions": Needs(seconds=10.0),
    # Times that are compared with each other, and files of 2 GB that a neighbour would push out of
    # the memory that they are read from.
    "size": Needs(seconds=270.0, alone=True),
    "suite": Needs(seconds=450.0, weight=1.0),
    "surroundings": Needs(seconds=80.0),
    "training": Needs(seconds=120.0),
}


def share(own: Needs, waiting: Sequence[Needs], left: float) -> float:
    """Return for how many seconds a module may go on.

    Parameters
    ----------
    own : Needs
        Of the module.
    waiting : sequence of Needs
        Of all that have yet to run in the same time, one after the other, itself included.
    left : float
        How many seconds there are for all of them.
    """
    least = sum(needs.seconds for needs in waiting)
    if least >= left:
        return max(left, 0.0) * own.seconds / least
    weights = sum(needs.weight for needs in waiting)
    return own.seconds + (left - least) * own.weight / weights


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure that was measured.

    Parameters
    ----------
    goal : str
        A key of `GOALS`.
    figure : str
        What came out, with its unit and of how many: ``0 of 20,000``.
    met : bool or None
        Whether the floor is reached; None where nothing says that it is not, but too little was
        tried to say that it is. See `verdict`.
    how : str
        How it was measured, so that a reader can do it again: seed, number of cases, script.
    cases, asked : int or None
        How many cases were tried, and how many the floor asks for.
    failures : int or None
        How many of the cases failed.
    counts : mapping of str to int
        What the figure follows from, where it can be summed over runs with other seeds.
    seeds : sequence of int
        The seeds of the cases.
    """

    goal: str
    figure: str
    met: bool | None
    how: str
    cases: int | None = None
    asked: int | None = None
    failures: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seeds: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise ValueError(f"no goal is called {self.goal}")


def verdict(failures: int, cases: int, asked: int, *, allowed: float = 0.0) -> bool | None:
    """Say whether a floor is reached, or None where the cases are too few to say so.

    Parameters
    ----------
    failures : int
        How many cases failed.
    cases, asked : int
        How many cases were tried, and how many the floor asks for.
    allowed : float, optional
        The share of cases that may fail.
    """
    # Of few cases one is a large share: what as many as are asked for may have is no failure yet.
    if failures > allowed * max(cases, asked):
        return False
    return True if cases >= asked else None


def mark(row: Mapping[str, Any]) -> str:
    """Return in words whether the floor of a row is reached.

    Parameters
    ----------
    row : mapping
        What `Row` has, by name, as in the JSON file.
    """
    if row["met"] is not None:
        return "met" if row["met"] else "MISSED"
    if row.get("asked") is None:
        return ""
    so_far = "within the floor" if row["failures"] else "no failure"
    return f"{so_far}, but too few cases: {row['cases']:,} of {row['asked']:,}"


def named(seeds: Sequence[int]) -> str:
    """Return the seeds in words."""
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the goals are to be measured.

    Parameters
    ----------
    seed : int
        From which everything random follows.
    seconds : float
        How long one module may go on beginning new cases.
    data : pathlib.Path or None
        The folder of real exports, where there is one.
    keep : pathlib.Path or None
        Where inputs that failed are kept for a closer look.
    found : list of str
        What failed, a line each; `robustness.py` prints it below the table.
    """

    seed: int = 7
    seconds: float = 60.0
    data: Path | None = None
    keep: Path | None = None
    found: list[str] = field(default_factory=list)
