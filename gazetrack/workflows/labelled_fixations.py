"""Every fixation with the area of interest that it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.aois import OUTSIDE, AoiSet
from gazetrack.measures.transitions import states
from gazetrack.measures.trials import KEYS
from gazetrack.tables.finding import tables_among
from gazetrack.tables.store import read_fixations
from gazetrack.workflows.fixations import as_table
from gazetrack.workflows.measures import AoiChoices, aoi_options, trials_and_hits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.workflows.fixations import Fixations
    from gazetrack.workflows.measures import AoiOptions


def label_fixations(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    **choices: Unpack[AoiChoices],
) -> pd.DataFrame:
    """Return every fixation with the area of interest that it is in, for plots and scanpaths.

    Parameters
    ----------
    tables, aois, **choices
        As for `measure_aois`: the fixations, the areas and the options.

    Returns
    -------
    pandas.DataFrame
        A row per fixation of a trial on a stimulus with areas, trial after trial in the order of
        time: ``recording``, ``participant``, ``trial``, ``stimulus``, ``begin_ms`` and ``end_ms``
        from the start of the trial, ``x_px``, ``y_px`` as in the table, or on the image where it
        was placed, and ``aoi``: of areas that overlap the smallest, ``(outside)`` in none.
    """
    areas = aois if isinstance(aois, AoiSet) else read_aois(aois)
    options = aoi_options(**choices)
    if isinstance(tables, pd.DataFrame | pa.Table):
        return _labelled(*as_table(tables), areas, options)
    paths = [tables] if isinstance(tables, str | Path) else list(tables)
    every = [read_fixations(path) for path in tables_among(paths).paths]
    frames = [_labelled(table, meta, areas, options) for table, meta in every]
    return pd.concat(frames, ignore_index=True)


def _labelled(
    table: pa.Table, meta: Mapping[str, Any], aois: AoiSet, options: AoiOptions
) -> pd.DataFrame:
    trials, hits = trials_and_hits(table, meta, aois, options)
    names = np.full(len(trials.fixations), "", object)
    known = np.zeros(len(names), np.bool_)
    for one in hits.by_stimulus:
        names[one.places] = np.array([*one.aois.names, OUTSIDE], object)[states(one)]
        known[one.places] = True
    fixations = trials.fixations.assign(aoi=names)[known]
    rows = trials.frame.iloc[fixations["row"]][KEYS].reset_index(drop=True)
    kept = ["begin_ms", "end_ms", "x_px", "y_px", "aoi"]
    return rows.join(fixations[kept].reset_index(drop=True))
