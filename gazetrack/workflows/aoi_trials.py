"""Trials of fixation tables at hand or in files, and the areas that fixations lie in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, did_you_mean, quote
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.aois import AoiSet
from gazetrack.measures.hits import Margin, find_hits
from gazetrack.measures.recorded import RecordedAois, recorded_hits
from gazetrack.measures.trials import trials_of
from gazetrack.tables.finding import tables_among
from gazetrack.tables.placement import Placement, place
from gazetrack.tables.placing import back_on_screen, place_by_rule, screen_of
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.aoi_options import AoiChoices, AoiOptions, aoi_options
from gazetrack.workflows.fixations import as_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gazetrack.measures.hits import AllHits
    from gazetrack.measures.trials import Trials
    from gazetrack.workflows.fixations import Fixations


def trials_of_tables(
    tables: Fixations | Sequence[str | Path],
    aois: AoiSet | str | Path,
    **choices: Unpack[AoiChoices],
) -> Iterator[tuple[Trials, AllHits]]:
    """Yield the trials of each table of fixations, and which of these lie in which areas.

    Parameters
    ----------
    tables : pandas.DataFrame, pyarrow.Table, path-like or sequence of path-like
        Fixations at hand, or fixation tables and folders of them.
    aois : AoiSet or path-like
        The areas, or their file or folder of masks, see `read_aois`.
    **choices
        The options of ``gazetrack measures``, see `aoi_options`.

    Yields
    ------
    Trials, AllHits

    Raises
    ------
    GazetrackError
        A file cannot be read, or its fixations and the areas do not fit together.
    """
    areas = aois if isinstance(aois, AoiSet) else read_aois(aois)
    options = aoi_options(**choices)
    if isinstance(tables, pd.DataFrame | pa.Table):
        yield trials_and_hits(*as_table(tables), areas, options)
        return
    for path in tables_among(paths_of(tables)).paths:
        yield trials_and_hits(*as_table(path), areas, options)


def trials_and_hits(
    table: pa.Table, meta: Mapping[str, Any], aois: AoiSet, options: AoiOptions
) -> tuple[Trials, AllHits]:
    """Find the trials of a table of fixations, and which of these lie in which areas.

    Parameters
    ----------
    table, meta, aois, options
        As for `measured`: the fixations, what is known of them, the areas, and the choices.

    Returns
    -------
    Trials, AllHits

    Raises
    ------
    GazetrackError
        The fixations and the areas do not fit together, see `gazetrack.measures.hits.find_hits`.
    """
    own_sizes = {stem(one.stimulus): one.size for one in aois.stimuli if one.size is not None}
    sizes = {**own_sizes, **options.sizes}
    rule = options.placement if aois.space == "image" else None
    degrees = (
        {} if options.margin.deg is None else _px_per_deg(table, meta, sizes, rule, aois.space)
    )
    screen = screen_of(meta)
    if aois.space == "screen":
        table = back_on_screen(table, meta)
    table = place_by_rule(table, screen, sizes, rule)
    stated = options.stated
    if stated is not None and "recording" in stated:
        stated = _of_recordings(stated, table["recording"].unique().to_pylist())
    trials = trials_of(table, meta, stated, eye=options.eye)
    if isinstance(aois, RecordedAois):
        if options.margin != Margin():
            what = "a margin around areas whose shapes are not known"
            raise ConfigError(what, hint="leave --margin out, or give shapes with --aois")
        return trials, recorded_hits(trials, aois, meta)
    screen_px = None if screen is None else (screen.width_px, screen.height_px)
    hits = find_hits(trials, aois, options.margin, px_per_deg=degrees, screen_px=screen_px)
    return trials, hits


def paths_of(tables: str | Path | Sequence[str | Path]) -> list[str | Path]:
    """Return the paths of fixation tables, and of folders of them, that a user gives.

    Parameters
    ----------
    tables : path-like or sequence of path-like
        One of them or several.

    Raises
    ------
    ConfigError
        There is something else among them, such as a table at hand.
    """
    if isinstance(tables, str | Path):
        return [tables]
    paths = list(tables)
    other = next((one for one in paths if not isinstance(one, str | Path)), None)
    if other is not None:
        what = f"a list with a {type(other).__name__} in it"
        hint = "give paths, or one table at hand: pandas.concat joins data frames"
        raise ConfigError(what, hint=hint)
    return paths


def _of_recordings(stated: pd.DataFrame, recordings: Sequence[str]) -> pd.DataFrame:
    """Return the stated trials of a table's recordings; of one without names those stated."""
    named = [name for name in recordings if name]
    if recordings and not named:
        return stated
    mine = stated[stated["recording"].isin(recordings)]
    if named and len(stated) and not len(mine):
        others = list(dict.fromkeys(stated["recording"]))
        meant = did_you_mean(named[0], others)
        what = f"none of the stated trials is of its recording {quote(named[0], 40)!r}"
        hint = f"{meant}their column recording names the recordings of the fixation tables"
        raise DataError(what, hint=hint)
    return mine


def _px_per_deg(
    table: pa.Table,
    meta: Mapping[str, Any],
    sizes: Mapping[str, tuple[int, int]],
    rule: str | None,
    space: str,
) -> dict[str, float]:
    """Return the pixels per degree where the fixations on each stimulus will lie."""
    screen = screen_of(meta)
    known = None if screen is None else screen.px_per_deg
    if screen is None or known is None:
        return {}
    found = {}
    frame = table.select(["stimulus", "image_width_px"]).to_pandas()
    on_screen = frame["image_width_px"].isna().groupby(frame["stimulus"], observed=True).any()
    for stimulus, is_on_screen in on_screen.items():
        name = str(stimulus)
        stated = (meta.get("placement") or {}).get(name)
        size = sizes.get(stem(name))
        if space == "screen" or (is_on_screen and rule is None):
            found[name] = known
        elif is_on_screen and rule is not None and size is not None:
            found[name] = known * _zoom(place(rule, screen, *size))
        elif isinstance(stated, dict):
            found[name] = known * _zoom(Placement(**stated))
    return found


def _zoom(placement: Placement) -> float:
    """Return how many pixels of the image one pixel of the screen is wide."""
    return placement.image_width_px / placement.width_px
