"""Looks at areas of interest one by one, from fixations in any form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import pandas as pd

from gazetrack.measures.looks import LABELS, LOOKS, labels_of, looks_of
from gazetrack.workflows.aoi_trials import trials_of_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.measures.aois import AoiSet
    from gazetrack.workflows.aoi_options import AoiChoices
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
    frames = [looks_of(*found) for found in trials_of_tables(tables, aois, **choices)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=LOOKS)


def label_fixations(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    **choices: Unpack[AoiChoices],
) -> pd.DataFrame:
    """Return every fixation with the area of interest that it is in, for plots and scanpaths.

    Parameters
    ----------
    tables, aois
        The fixations and the areas of interest, as for `measure_aois`.
    **choices
        The options that `measure_aois` takes, under the same names.

    Returns
    -------
    pandas.DataFrame
        A row per fixation of a trial on a stimulus with areas, trial after trial in the order of
        time: ``recording``, ``participant``, ``trial``, ``stimulus``, ``begin_ms`` and ``end_ms``
        from the start of the trial, ``x_px``, ``y_px`` as in the table, or on the image where it
        was placed, and ``aoi``: of areas that overlap the smallest, ``(outside)`` in none.

    Examples
    --------
    >>> labelled = gazetrack.label_fixations("tables", "aois.json")  # doctest: +SKIP
    >>> labelled.groupby(["recording", "aoi"]).size()  # doctest: +SKIP
    """
    frames = [labels_of(*found) for found in trials_of_tables(tables, aois, **choices)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=LABELS)
