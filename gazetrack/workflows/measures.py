"""Areas of interest measured, in one table at hand or in many files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import pandas as pd
import pyarrow as pa

from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.aois import AoiSet
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.aoi_files import measure_files
from gazetrack.workflows.aoi_options import AoiChoices, AoiOptions, aoi_options
from gazetrack.workflows.aoi_tables import AoiTables, measured, unseen
from gazetrack.workflows.aoi_trials import paths_of
from gazetrack.workflows.fixations import as_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.engine.run import Engine
    from gazetrack.workflows.fixations import Fixations


def measure_aois(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    *,
    jobs: int | Engine = 1,
    **choices: Unpack[AoiChoices],
) -> pd.DataFrame:
    """Measure how long, how often and when areas of interest were looked at.

    Parameters
    ----------
    tables : pandas.DataFrame, pyarrow.Table, path-like or sequence of path-like
        Fixations at hand, or fixation tables and folders of them.
    aois : AoiSet or path-like
        The areas, or their file or folder of masks, see `read_aois`.
    jobs : int or Engine
        Number of processes for several files; the result does not depend on it.
    **choices
        ``margin_px`` or ``margin_deg``, ``max_gap_ms``, ``placement``, ``images``, ``trials``,
        ``eye``: the options of ``gazetrack measures``.

    Returns
    -------
    pandas.DataFrame
        A row per trial and area of its stimulus, see `docs/measures.md`: also for trials without
        any fixation, and for areas that nobody looked at, whose times are NaN and ``censored`` is
        true.

    Raises
    ------
    GazetrackError
        A file cannot be read, or its fixations and the areas do not fit together.

    Examples
    --------
    >>> looks = gazetrack.measure_aois("tables", "aois.json", margin_px=10)  # doctest: +SKIP
    >>> looks.groupby("aoi")["dwell_share_of_fixation_time"].mean()  # doctest: +SKIP
    """
    found = _tables(tables, aois, jobs, aoi_options(**choices))
    frame: pd.DataFrame = found.measures.to_pandas()
    return frame


def aoi_transitions(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    *,
    entropy: bool = False,
    **choices: Unpack[AoiChoices],
) -> pd.DataFrame:
    """Count the transitions between areas of interest, or say how orderly they are.

    Parameters
    ----------
    tables, aois
        The fixations and the areas of interest, as for `measure_aois`.
    **choices
        The options that `measure_aois` takes, under the same names.
    entropy : bool
        Whether to return the entropies of each trial instead of its transitions.

    Returns
    -------
    pandas.DataFrame
        A row per trial and pair of areas that follow each other; or, of entropies, two rows per
        trial: with and without outside as a state. See `docs/measures.md`.

    Examples
    --------
    >>> pairs = gazetrack.aoi_transitions("tables", "aois.json")  # doctest: +SKIP
    >>> pairs.pivot_table("probability", "from_aoi", "to_aoi")  # doctest: +SKIP
    """
    found = _tables(tables, aois, 1, aoi_options(**choices))
    frame: pd.DataFrame = (found.entropy if entropy else found.transitions).to_pandas()
    return frame


def _tables(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    jobs: int | Engine,
    options: AoiOptions,
) -> AoiTables:
    areas = aois if isinstance(aois, AoiSet) else read_aois(aois)
    if isinstance(tables, pd.DataFrame | pa.Table):
        table, meta = as_table(tables)
        found, _, _ = measured(table, meta, areas, options)
        return AoiTables.joined([found, *unseen(areas, options, [found], table)])
    report = measure_files(tables_among(paths_of(tables)).paths, areas, options, jobs=jobs)
    for outcome in report.outcomes:
        if outcome.error is not None:
            raise outcome.error
    return report.tables
