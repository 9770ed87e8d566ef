"""Areas of interest measured in one table of fixations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gazetrack.errors import (
    DataError,
    quote,
)
from gazetrack.measures.dwell import aoi_measures
from gazetrack.measures.hits import find_hits
from gazetrack.measures.transitions import transitions
from gazetrack.measures.trials import GAZE, trials_of
from gazetrack.tables.schema import (
    AOI_ENTROPY,
    AOI_MEASURES,
    AOI_TRANSITIONS,
    FIXATIONS,
    conform,
)
from gazetrack.workflows.aoi_trials import trials_and_hits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gazetrack.measures.aois import AoiSet
    from gazetrack.measures.trials import Trials
    from gazetrack.workflows.aoi_options import AoiOptions


_NAMED = 3  # of stimuli without areas, or areas without stimuli


@dataclass(frozen=True)
class AoiTables:
    """What was measured of the areas of interest.

    Parameters
    ----------
    measures : pyarrow.Table
        Schema `AOI_MEASURES`, a row per trial and area.
    transitions : pyarrow.Table
        Schema `AOI_TRANSITIONS`, a row per trial and pair of areas that follow each other.
    entropy : pyarrow.Table
        Schema `AOI_ENTROPY`, two rows per trial: with and without outside as a state.
    """

    measures: pa.Table
    transitions: pa.Table
    entropy: pa.Table

    @staticmethod
    def joined(tables: Iterable[AoiTables]) -> AoiTables:
        """Return those of several fixation tables as one, in their order."""
        every = list(tables)
        return AoiTables(
            _joined([one.measures for one in every], AOI_MEASURES),
            _joined([one.transitions for one in every], AOI_TRANSITIONS),
            _joined([one.entropy for one in every], AOI_ENTROPY),
        )


def measured(
    table: pa.Table, meta: Mapping[str, Any], aois: AoiSet, options: AoiOptions
) -> tuple[AoiTables, dict[str, int], tuple[str, ...]]:
    """Measure the areas in one table of fixations.

    Parameters
    ----------
    table : pyarrow.Table
        The fixations, in the schema `FIXATIONS`.
    meta : mapping
        The table's metadata, which know the screen and what times are counted from.
    aois : AoiSet
        The areas of its stimuli.
    options : AoiOptions
        How the looks at them are measured.

    Returns
    -------
    AoiTables, dict of str to int, tuple of str
        The measures, how many fixations are in none of them by reason, and notes for the user.

    Raises
    ------
    GazetrackError
        The fixations and the areas do not fit together, see `gazetrack.measures.hits.find_hits`.
    """
    trials, hits = trials_and_hits(table, meta, aois, options)
    dropped = dict(trials.dropped)
    notes = [*trials.notes, *hits.notes, *_without_onset(trials)]
    n_without = sum(hits.without.values())
    if hits.without:
        names = some(sorted(filter(None, hits.without)))
        notes.append(f"{len(hits.without)} stimuli have no areas of interest: {names}")
    if n_without:
        dropped["no areas of interest"] = n_without
    steps, entropy = transitions(trials, hits)
    looks = aoi_measures(trials, hits, max_gap_ms=options.max_gap_ms)
    return AoiTables(looks, steps, entropy), dropped, tuple(notes)


def _without_onset(trials: Trials) -> list[str]:
    """Say that times are counted from the first fixation, where nobody states an onset."""
    n_trials = int((trials.frame["window"] == GAZE).sum())
    if not n_trials:
        return []
    what = f"{n_trials} trials begin with their first fixation: when their image appeared"
    return [f"{what} is not in the table (--trials says it)"]


def unseen(
    aois: AoiSet, options: AoiOptions, found: Sequence[AoiTables], table: pa.Table | None
) -> list[AoiTables]:
    """Return the rows of stated trials of recordings that no table has a fixation of."""
    stated = options.stated
    if stated is None or "recording" not in stated:
        return []
    held = [one.measures["recording"] for one in found]
    held += [] if table is None else [table["recording"]]
    seen = {name for column in held for name in column.unique().to_pylist()}
    left = stated[~stated["recording"].isin(seen)]
    if not len(left):
        return []
    trials = trials_of(FIXATIONS.empty_table(), {}, left, eye=options.eye)
    try:
        hits = find_hits(trials, aois)
    except DataError:  # none of these stimuli has areas
        return []
    return [AoiTables(aoi_measures(trials, hits), *transitions(trials, hits))]


def some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    shown = ", ".join(quote(name, 40) for name in names[:_NAMED])
    return f"{shown}, …" if len(names) > _NAMED else shown


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    whole = pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries()
    return conform(whole, schema)
