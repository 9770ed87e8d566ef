"""What is to be reached in reliability, goal by goal, and the rows that say what was reached.

Each group of goals is measured by a module ``_goals_NAME.py`` beside this one, which
`robustness.py` finds by its name. It has one function::

    def rows(settings: Settings) -> Iterable[Row]:
        ...

A row is a figure that was measured in this very call, and how. What could not be measured, for
want of time or data, has no row: the table then says so by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
class Row:
    """A figure that was measured.

    Parameters
    ----------
    goal : str
        A key of `GOALS`.
    figure : str
        What came out, with its unit and of how many: ``0 of 20,000``.
    met : bool
        Whether the floor is reached.
    how : str
        How it was measured, so that a reader can do it again: seed, number of cases, script.
    """

    goal: str
    figure: str
    met: bool
    how: str

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise ValueError(f"no goal is called {self.goal}")


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
