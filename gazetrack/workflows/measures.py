"""Areas of interest measured, in one table at hand or in many files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import (
    ConfigError,
    DataError,
    GazetrackError,
    WorkerLost,
    did_you_mean,
    quote,
)
from gazetrack.images.folder import find_images, image_size
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.aois import EVERY, AoiSet
from gazetrack.measures.dwell import aoi_measures
from gazetrack.measures.hits import Margin, find_hits
from gazetrack.measures.recorded import RecordedAois, recorded_hits
from gazetrack.measures.stated import read_trials
from gazetrack.measures.transitions import transitions
from gazetrack.measures.trials import GAZE, trials_of
from gazetrack.publish import sha256_of
from gazetrack.tables.finding import tables_among
from gazetrack.tables.placement import Placement, place
from gazetrack.tables.placing import back_on_screen, place_by_rule, screen_of
from gazetrack.tables.schema import (
    AOI_ENTROPY,
    AOI_MEASURES,
    AOI_TRANSITIONS,
    FIXATIONS,
    conform,
)
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import read_fixations
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.fixations import as_table
from gazetrack.workflows.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gazetrack.measures.hits import AllHits
    from gazetrack.measures.trials import Trials
    from gazetrack.workflows.fixations import Fixations

_NAMED = 3  # of stimuli without areas, or areas without stimuli


@dataclass(frozen=True, kw_only=True)
class AoiOptions:
    """How looks at areas of interest are measured.

    Parameters
    ----------
    margin : Margin
        How far from an area a fixation still counts for it; not at all by default.
    max_gap_ms : float
        The longest time between two fixations of one visit, in milliseconds; any by default.
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    sizes : mapping of str to (int, int)
        Width and height of images in pixels, by their names without suffix; for placements, where
        the file of the areas does not say how large an image is.
    stated : pandas.DataFrame or None
        The trials, as `gazetrack.measures.stated.read_trials` gives them; those of the tables
        themselves by default.
    eye : {"auto", "left", "right"}
        Whose fixations count where a table has those of each eye.
    """

    margin: Margin = field(default_factory=Margin)
    max_gap_ms: float = np.inf
    placement: str | None = None
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stated: pd.DataFrame | None = None
    eye: str = "auto"

    def facts(self) -> dict[str, Any]:
        """Return what was asked for as JSON values."""
        return {
            "margin": asdict(self.margin),
            "max_gap_ms": None if np.isinf(self.max_gap_ms) else self.max_gap_ms,
            "placement": self.placement,
            "trials": "stated" if self.stated is not None else "of the fixation tables",
            "eye": self.eye,
        }


class AoiChoices(TypedDict, total=False):
    """What a user may choose when measuring areas, as keyword arguments."""

    margin_px: float
    margin_deg: float | None
    max_gap_ms: float
    placement: str | None
    images: str | Path | None
    trials: Sequence[str | Path] | str | Path | None
    eye: str


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


@dataclass(frozen=True)
class AoiReport:
    """What was measured in many files, and what became of each.

    Parameters
    ----------
    tables : AoiTables
        The measures of all of them, in the order of the files.
    outcomes : tuple of Outcome
        One a file; those that failed are not in the tables.
    notes : tuple of str
        What holds for all of the files together.
    """

    tables: AoiTables
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]


def aoi_options(**choices: Unpack[AoiChoices]) -> AoiOptions:
    """Return the options that a user chose.

    Parameters
    ----------
    **choices
        ``margin_px`` or ``margin_deg``, ``max_gap_ms``, ``placement``, ``images`` (a folder, for
        the sizes of its images), ``trials`` (tables of trials or samples), ``eye``.

    Raises
    ------
    GazetrackError
        A value cannot be, or a folder or table cannot be read.
    """
    images = choices.get("images")
    trials = choices.get("trials")
    max_gap_ms = choices.get("max_gap_ms", np.inf)
    if not max_gap_ms >= 0:
        raise ConfigError(f"max_gap_ms={max_gap_ms}", hint="give milliseconds, 0 or more")
    paths = [trials] if isinstance(trials, str | Path) else list(trials or ())
    return AoiOptions(
        margin=Margin(px=choices.get("margin_px", 0.0), deg=choices.get("margin_deg")),
        max_gap_ms=max_gap_ms,
        placement=choices.get("placement"),
        sizes={} if images is None else _sizes(images),
        stated=pd.concat(map(read_trials, paths), ignore_index=True) if paths else None,
        eye=choices.get("eye", "auto"),
    )


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
    tables, aois, **choices
        As for `measure_aois`: the fixations, the areas and the options.
    entropy : bool
        Whether to return the entropies of each trial instead of its transitions.

    Returns
    -------
    pandas.DataFrame
        A row per trial and pair of areas that follow each other; or, of entropies, two rows per
        trial: with and without outside as a state. See `docs/measures.md`.
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
        return AoiTables.joined([found, *_unseen(areas, options, [found], table)])
    paths = [tables] if isinstance(tables, str | Path) else list(tables)
    report = measure_files(tables_among(paths).paths, areas, options, jobs=jobs)
    for outcome in report.outcomes:
        if outcome.error is not None:
            raise outcome.error
    return report.tables


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
        names = _some(sorted(filter(None, hits.without)))
        notes.append(f"{len(hits.without)} stimuli have no areas of interest: {names}")
    if n_without:
        dropped["no areas of interest"] = n_without
    steps, entropy = transitions(trials, hits)
    looks = aoi_measures(trials, hits, max_gap_ms=options.max_gap_ms)
    return AoiTables(looks, steps, entropy), dropped, tuple(notes)


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
        stated = stated[stated["recording"].isin(table["recording"].unique().to_pylist())]
    trials = trials_of(table, meta, stated, eye=options.eye)
    if isinstance(aois, RecordedAois):
        if options.margin != Margin():
            what = "a margin around areas whose shapes are not known"
            raise ConfigError(what, hint="leave --margin out, or give shapes with --aois")
        return trials, recorded_hits(trials, aois, meta)
    screen_px = None if screen is None else (screen.width_px, screen.height_px)
    hits = find_hits(trials, aois, options.margin, px_per_deg=degrees, screen_px=screen_px)
    return trials, hits


def _without_onset(trials: Trials) -> list[str]:
    """Say that times are counted from the first fixation, where nobody states an onset."""
    n_trials = int((trials.frame["window"] == GAZE).sum())
    if not n_trials:
        return []
    what = f"{n_trials} trials begin with their first fixation: when their image appeared"
    return [f"{what} is not in the table (--trials says it)"]


def measure_files(
    paths: Sequence[Path],
    aois: AoiSet,
    options: AoiOptions,
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> AoiReport:
    """Measure the areas in many fixation tables; a bad one leaves the others alone.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Fixation tables, each named once.
    aois : AoiSet
        The areas of their stimuli.
    options : AoiOptions
        How the looks at them are measured.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the report does not depend on it.
    progress : callable, optional
        Called with the number of tables done and of all, before the first and after each.

    Returns
    -------
    AoiReport
        With trials that are stated and of which no table has the recording, at the end.
    """
    work = over(
        partial(_of_file, aois=aois, options=options),
        list(paths),
        Engine.of(jobs),
        total=len(paths),
        lost=_lost,
        progress=progress,
    )
    done = list(work)
    found = [one.tables for one in done if one.tables is not None]
    stimuli = {name for one in done for name in one.stimuli}
    notes = list(aois.notes)
    if found:
        found += _unseen(aois, options, found, None)
        notes += _unknown(aois, stimuli)
    return AoiReport(AoiTables.joined(found), tuple(one.outcome for one in done), tuple(notes))


@dataclass(frozen=True)
class _OfFile:
    """What was measured in one file, or why there is nothing."""

    outcome: Outcome
    tables: AoiTables | None = None
    stimuli: frozenset[str] = frozenset()


def _of_file(path: Path, aois: AoiSet, options: AoiOptions) -> _OfFile:
    """Measure the areas in one file; an error about it names it."""
    outcome = Outcome(str(path), format="fixations")
    try:
        table, meta = read_fixations(path)
        outcome.sha256 = sha256_of(path)
        outcome.rows_in = table.num_rows
        found, outcome.dropped, notes = measured(table, meta, aois, options)
    except GazetrackError as error:
        told = error if error.path is not None else _about(error, path)
        outcome.status, outcome.error = "failed", told
        return _OfFile(outcome)
    outcome.notes += notes
    outcome.rows_out = found.measures.num_rows
    names = frozenset(map(stem, table["stimulus"].unique().to_pylist()))
    return _OfFile(outcome, found, names)


def _about(error: GazetrackError, path: Path) -> GazetrackError:
    told = type(error)(error.what, path=path, hint=error.hint)
    told.__cause__ = error
    return told


def _lost(path: Path, error: WorkerLost) -> _OfFile:
    told = WorkerLost(error.what, path=path, hint=error.hint)
    return _OfFile(Outcome(str(path), status="failed", format="fixations", error=told))


def _unseen(
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


def _unknown(aois: AoiSet, stimuli: set[str]) -> list[str]:
    """Say which stimuli of the areas are in no table, and which one may be meant."""
    unknown = [name for name in aois.known if name != EVERY and name not in stimuli]
    if not unknown:
        return []
    others = sorted(name for name in stimuli if name and aois.of(name) is None)
    meant = did_you_mean(unknown[0], others).strip()
    text = f"{len(unknown)} stimuli with areas are in no table: {_some(unknown)}"
    return [f"{text}; {meant}" if meant else text]


def _some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    shown = ", ".join(quote(name, 40) for name in names[:_NAMED])
    return f"{shown}, …" if len(names) > _NAMED else shown


def _sizes(images: str | Path) -> dict[str, tuple[int, int]]:
    return {image_id: image_size(image) for image_id, image in find_images(images).items()}


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


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    whole = pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries()
    return conform(whole, schema)
