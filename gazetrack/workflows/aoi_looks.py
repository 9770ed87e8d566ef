"""Looks at areas of interest one by one, from fixations in any form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pandas as pd
import pyarrow as pa

from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.aois import AoiSet
from gazetrack.measures.looks import LOOKS, looks_of
from gazetrack.tables.finding import tables_among
from gazetrack.workflows.fixations import as_table
from gazetrack.workflows.measures import AoiChoices, aoi_options, trials_and_hits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.workflows.fixations import Fixations


def aoi_looks(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    **choices: Unpack[AoiChoices],
) -> pd.DataFrame:
    """Say of every fixation from when until when it was in which area of interest.

    Parameters
    ----------
    tables, aois
        As for `measure_aois`: the fixations, and the areas of their stimuli.
    **choices
        As for `measure_aois`: margin, placement, trials and eye.

    Returns
    -------
    pandas.DataFrame
        A row per fixation and area that it lies in, times from the start of its trial; see
        `gazetrack.measures.looks.looks_of`. It is what `time_courses` and `plot_scarf` take.

    Raises
    ------
    GazetrackError
        As `measure_aois`: the fixations and the areas do not fit together.

    Examples
    --------
    >>> looks = gazetrack.aoi_looks("one.fixations.parquet", "aois.json")  # doctest: +SKIP
    >>> looks.groupby("aoi")["fixation"].count()  # doctest: +SKIP
    """
    options = aoi_options(**choices)
    areas = aois if isinstance(aois, AoiSet) else read_aois(aois)
    if isinstance(tables, pd.DataFrame | pa.Table):
        found = [as_table(tables)]
    else:
        paths = [tables] if isinstance(tables, str | Path) else list(tables)
        found = [as_table(path) for path in tables_among(paths).paths]
    frames = [looks_of(*trials_and_hits(table, meta, areas, options)) for table, meta in found]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=LOOKS)
