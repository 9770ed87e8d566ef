"""The tables of the recordings that are in a study now, among all that lie in their folder.

A folder of tables also keeps those of earlier runs: of an export that has been removed, or under
another name of its participant. Later steps must not take them for recordings of the study.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import quote
from gazetrack.tables.store import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.engine.manifest import Manifest

_NAMED = 5


class Present:
    """The tables of a study's present recordings.

    Parameters
    ----------
    folder : pathlib.Path
        Where the tables of all steps lie.
    steps : sequence of str
        The names of the steps that make tables of recordings, taken by this run or not.
    """

    def __init__(self, folder: Path, steps: Sequence[str]) -> None:
        self.folder = folder
        self._steps = tuple(steps)
        self._names: dict[str, tuple[str, ...]] = {}

    def tell(self, known: Manifest, step: str, outputs: Sequence[Path]) -> None:
        """Note which tables a step has just made or kept.

        Parameters
        ----------
        known : Manifest
            The notes of the study's steps.
        step : str
            The name of the step.
        outputs : sequence of pathlib.Path
            Its tables; those in other folders are left out.
        """
        here = self.folder.resolve()
        names = tuple(sorted({path.name for path in outputs if path.parent.resolve() == here}))
        self._names[step] = names
        told = {"tables": list(names)}
        known.add(_key(step), files=[], parameters={}, outputs=[], outcome=told)

    def recall(self, known: Manifest) -> None:
        """Take from the notes what steps have left that were not taken in this run."""
        for step in self._steps:
            if step in self._names:
                continue
            try:
                names = known.outcome(_key(step)).get("tables")
            except KeyError:
                continue
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                self._names[step] = tuple(names)

    def is_of_study(self, path: Path) -> bool:
        """Whether a file of the folder is of a present recording; all are, if nothing was told."""
        return not self._names or any(path.name in names for names in self._names.values())

    def tables(self) -> list[Path]:
        """Return the fixation tables of present recordings, in the order of their names."""
        return [path for path in self._all() if self.is_of_study(path)]

    def notes(self) -> tuple[str, ...]:
        """Return, in words for the user, which fixation tables are of no present recording."""
        others = [path.name for path in self._all() if not self.is_of_study(path)]
        if not others:
            return ()
        named = ", ".join(quote(name, 60) for name in others[:_NAMED])
        more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
        whose = "1 table" if len(others) == 1 else f"{len(others):,} tables"
        verb = "is" if len(others) == 1 else "are"
        which = f"{whose} in {quote(self.folder, 80)} {verb} of no recording of this study as it is"
        used = "it is" if len(others) == 1 else "they are"
        return (f"{which}: {named}{more}; {used} not used",)

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{SUFFIX}"))


def _key(step: str) -> str:
    return f"tables of {step}"
