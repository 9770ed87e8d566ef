"""How well two sets of fixations of the same recordings agree, as data frames or as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.events.compare import compare_fixations, joined, left_out, overall, taken_for_one
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.fixations import as_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

    from gazetrack.workflows.fixations import Fixations


@dataclass(frozen=True)
class Agreement:
    """How well two sets of fixations agree.

    Parameters
    ----------
    rows : list of dict
        One per recording, trial, stimulus and pair of eyes, see `compare_fixations`.
    overall : dict
        Sums of the counts, F1 over all fixations, and the means of all else over the rows.
    left_out : list of str
        Recordings that one of the two lacks.
    taken_for_one : (str, str) or None
        The names of the only recordings of both, where they differ: they are compared all the same.
    notes : tuple of str
        Which tables of a folder are left out, and why.
    """

    rows: list[dict[str, Any]]
    overall: dict[str, Any]
    left_out: list[str]
    taken_for_one: tuple[str, str] | None
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def __repr__(self) -> str:
        total = self.overall
        return (
            f"<Agreement: F1 {total['f1']:.3f}, kappa {total['kappa']:.3f}, {total['matched']:,} "
            f"of {total['reference']:,} and {total['other']:,} fixations matched>"
        )

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(index=False))


def compare(reference: Fixations, other: Fixations) -> Agreement:
    """Say how well two sets of fixations of the same recordings agree.

    Fixations are matched one to one by largest overlap in time; recordings, trials and stimuli are
    compared one by one.

    Parameters
    ----------
    reference, other : pandas.DataFrame, pyarrow.Table or path-like
        What `detect_fixations` returns, fixation tables, their files, or folders of these.

    Returns
    -------
    Agreement
        ``frame`` has a row per recording, trial, stimulus and pair of eyes: numbers of fixations,
        F1, mean absolute errors of onset and offset in milliseconds, and kappa of all moments.

    Raises
    ------
    DataError
        They have no recording in common.

    Examples
    --------
    >>> recording = gazetrack.read("raw.asc")  # doctest: +SKIP
    >>> tracker = gazetrack.exported_fixations(recording)  # doctest: +SKIP
    >>> gazetrack.compare(tracker, gazetrack.detect_fixations(recording))  # doctest: +SKIP
    <Agreement: F1 0.957, kappa 0.912, 22 of 24 and 22 fixations matched>
    """
    notes: list[str] = []
    ours = _joined(reference, notes)
    theirs = _joined(other, notes)
    rows = compare_fixations(ours, theirs)
    return Agreement(
        rows=rows,
        overall=overall(rows),
        left_out=left_out(ours, theirs),
        taken_for_one=taken_for_one(ours, theirs),
        notes=tuple(notes),
    )


def _joined(fixations: Fixations, notes: list[str]) -> pa.Table:
    """Return one side as a table; of a folder, all its tables, with what is said about them."""
    parts: Sequence[Fixations] = [fixations]
    if isinstance(fixations, str | Path):
        found = tables_among([fixations])
        parts = found.paths
        notes += found.notes
    return joined([as_table(part)[0] for part in parts])
