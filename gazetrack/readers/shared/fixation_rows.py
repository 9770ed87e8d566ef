"""Exports that are fixation tables: rows to the table of fixations, or left out with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

_EYES = {"l": "left", "left": "left", "0": "left", "r": "right", "right": "right", "1": "right"}
_NUMBERS_BELOW = 2.0**31
SHARED = "recordings of several participants share a name: the participant is part of it"


def fixations_from(
    columns: Mapping[str, object], n_rows: int, *, positions: bool = True
) -> tuple[pa.Table, dict[str, int]]:
    """Return the rows that are fixations, and the number of all others by reason.

    Parameters
    ----------
    columns : mapping of str to array or scalar
        Columns of `schema.FIXATIONS`; x_px, y_px, onset_ms and duration_ms must be there.
    n_rows : int
        The number of rows of the export.
    positions : bool
        Whether the export has positions at all; then a row without one is no fixation.
    """
    table = conform({"recording": np.full(n_rows, "", object), **columns}, FIXATIONS)
    return valid_fixations(table, positions=positions)


def fixation_recording(
    name: str, format: str, columns: Mapping[str, object], n_rows: int, notes: Sequence[str] = ()
) -> Recording:
    """Return the recording of an export that is a fixation table; onsets count from the trial.

    Parameters
    ----------
    name, format : str
        The name of the recording, and that of its format.
    columns : mapping of str to array or scalar
        As those of `fixations_from`; without columns of positions all of them are missing. The
        export's own numbers of fixations may be floating, with NaN where there is none.
    n_rows : int
        The number of rows of the export.
    notes : sequence of str
        What else was found, in words for the user.
    """
    no_positions = "x_px" not in columns
    if no_positions:
        missing = np.full(n_rows, np.nan)
        columns = {**columns, "x_px": missing, "y_px": missing}
    if "index" in columns:
        own, note = _whole_numbers(np.asarray(columns["index"]))
        columns = {**columns, "index": own}
        notes = [*notes, *note]
    fixations, dropped = fixations_from(columns, n_rows, positions=not no_positions)
    return Recording(
        name=name,
        format=format,
        sample_table=None,
        event_table=conform({}, EVENTS),
        fixation_table=fixations,
        time_origin="trial",
        no_positions=no_positions,
        rows_in=n_rows,
        dropped=dropped,
        notes=tuple(notes),
    )


def _whole_numbers(
    exported: npt.NDArray[np.number],
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return the export's own numbers of fixations, 0 where there is none, and a note of these."""
    numbers = exported.astype(np.float64)
    is_number = np.abs(numbers) < _NUMBERS_BELOW
    n_without = int(np.count_nonzero(~is_number))
    note = f"{n_without} fixations without a number of their own: 0 in its place"
    whole: npt.NDArray[np.int32] = np.where(is_number, numbers, 0.0).astype(np.int32)
    return whole, [note] if n_without else []


def names_of_pairs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each pair of a recording's name and its participant, no two alike.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Each recording's name and its participant; no two pairs are alike.

    Returns
    -------
    list of str
        As named, where no two participants have a recording of one name; else with the participant
        in front.
    """
    names = [name for name, _ in pairs]
    if len(set(names)) == len(names):
        return names
    found: dict[str, None] = {}
    for name, participant in pairs:
        full = f"{participant}_{name}"
        own = full
        n = 1
        while own in found:  # as those of a_b and c, and of a and b_c
            n += 1
            own = f"{full}.{n}"
        found[own] = None
    return list(found)


def numbers_of(*texts: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return a number per row that rows with the same texts have in common.

    Texts joined by a NUL will not do: pandas before 3 compares them up to the first one.
    """
    known: dict[tuple[str, ...], int] = {}
    return np.array(
        [known.setdefault(row, len(known)) for row in zip(*texts, strict=True)], np.int64
    )


def end_to_end(
    groups: npt.NDArray[np.int64], durations: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return onsets of fixations laid end to end within their group, for exports without onsets."""
    lengths = pd.Series(np.nan_to_num(durations).astype(np.float64))
    ends = lengths.groupby(groups).cumsum()
    return (ends - lengths).to_numpy(np.float64)


def order_within(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return each row's number within its group, from 1."""
    return np.asarray(pd.Series(groups).groupby(groups).cumcount() + 1, np.int32)


def trials_from_onsets(
    recordings: npt.NDArray[np.object_], onsets: npt.NDArray[np.floating]
) -> npt.NDArray[np.object_]:
    """Number trials of a recording from 1: one begins wherever the onset falls back."""
    falls_back = pd.Series(onsets).groupby(recordings).diff() < 0
    number = falls_back.astype(int).groupby(recordings).cumsum() + 1
    return number.astype(str).to_numpy(object)


def eyes_of(values: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return left, right or both for an export's own words for the eye."""
    # There are a few words in many rows: each word is looked up once.
    known = {value: _EYES.get(str(value).lower(), "both") for value in set(values)}
    return np.array([known[value] for value in values], object)
