"""The scanpaths of many recordings beside each other: every pair, or each beside a reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, did_you_mean, quote
from gazetrack.measures.recurrence import LINE, RADIUS_PX, Recurrence, recurrence
from gazetrack.measures.scanpaths import (
    DEFAULT_METHODS,
    METHODS,
    ScanpathOptions,
    check_methods,
    compare_tracks,
)
from gazetrack.tables.comparisons import SCANPATH_MATRIX
from gazetrack.tables.schema import conform
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.gaze_paths import as_tracks, place_on, read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import Any, TypeAlias

    from gazetrack.errors import WorkerLost
    from gazetrack.maps.track import Track
    from gazetrack.workflows.gaze_paths import Place, Scanpaths
    from gazetrack.workflows.outcome import Outcome

    # What is known of a scanpath but for its stimulus: it is told by these from all others on it.
    Key: TypeAlias = tuple[str, str, str, str]

PAIRS_AT_ONCE = 200
_KEYS = ("recording", "participant", "trial", "eye")


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Pairs of scanpaths on one stimulus, as places in a list of tracks."""

    tracks: tuple[Track, ...]
    pairs: tuple[tuple[int, int], ...]


def compare_scanpaths(
    fixations: Scanpaths,
    methods: str | Sequence[str] = DEFAULT_METHODS,
    *,
    reference: str | None = None,
    images: str | Path | None = None,
    placement: str | None = None,
    options: ScanpathOptions | None = None,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Compare the scanpaths on each stimulus with each other, or with those of a reference.

    Parameters
    ----------
    fixations : data frame, Arrow table, path-like, tracks, or a sequence of these
        Fixations of any number of recordings: tables, their files, folders of files; or tracks.
    methods : str or sequence of str
        How to compare them: ``multimatch``, ``scanmatch``, ``levenshtein``, ``dtw``, ``frechet``,
        ``hausdorff``, ``mannan``, ``eyenalysis``, ``tde``, ``cross_recurrence``.
    reference : str, optional
        A recording or participant; its scanpaths are the first of each pair, and all others the
        second. Every pair once without it.
    images, placement
        Where the images are and how they were shown, see `gazetrack.tracks`.
    options : ScanpathOptions, optional
        What the methods need to know, such as the grid of ScanMatch.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the values do not depend on it.
    progress : callable, optional
        Called with the number of parts of the work done and of all, before the first and after
        each.

    Returns
    -------
    pandas.DataFrame
        A row per pair and measure: stimulus, recording, participant, trial and eye of both (``_a``,
        ``_b``), their numbers of fixations, method, measure, unit, value, and the reason where
        the value is NaN. Values are in the unit given, else shares from 0 to 1, or counts.

    Raises
    ------
    ConfigError
        A method or the reference is unknown, or an option makes no sense.
    SchemaError
        A table has no positions or sizes, or a stimulus has two sizes.
    DataError
        Two scanpaths on a stimulus go by the same names.

    Examples
    --------
    >>> found = gazetrack.compare_scanpaths("tables", ["multimatch", "dtw"])  # doctest: +SKIP
    >>> gazetrack.scanpath_matrix(found, "dtw")  # doctest: +SKIP
    """
    methods = check_methods(methods)
    options = options or ScanpathOptions()
    paths = as_tracks(fixations, place_on(images, placement, or_screen=True))
    return _compared_all(paths, _Asked(methods, reference, options), jobs=jobs, progress=progress)


@dataclass(frozen=True)
class ScanpathReport:
    """What was found in many fixation tables.

    Parameters
    ----------
    compared : pandas.DataFrame
        The long table of `compare_scanpaths`.
    outcomes : tuple of Outcome
        What became of each table.
    """

    compared: pd.DataFrame
    outcomes: tuple[Outcome, ...]


def compare_scanpath_files(
    paths: Sequence[Path],
    place: Place,
    methods: str | Sequence[str] = DEFAULT_METHODS,
    *,
    reference: str | None = None,
    options: ScanpathOptions | None = None,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ScanpathReport:
    """Compare the scanpaths of fixation tables; a bad one leaves the others alone.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Fixation tables, each named once.
    place : Place
        Where their fixations belong: on images, or the screen.
    methods, reference, options, jobs, progress
        The same as those of `compare_scanpaths`.

    Returns
    -------
    ScanpathReport
    """
    asked = _Asked(check_methods(methods), reference, options or ScanpathOptions())
    found, outcomes = read_each(paths, place)
    compared = _compared_all(found, asked, jobs=jobs, progress=progress)
    return ScanpathReport(compared, tuple(outcomes))


@dataclass(frozen=True)
class _Asked:
    """How scanpaths are compared, see `compare_scanpaths`."""

    methods: tuple[str, ...]
    reference: str | None
    options: ScanpathOptions


def _compared_all(
    paths: Sequence[Track],
    asked: _Asked,
    *,
    jobs: int | Engine,
    progress: Callable[[int, int], None] | None,
) -> pd.DataFrame:
    chunks = list(_chunks(_by_stimulus(paths), asked.reference))
    values = over(
        partial(_compared, methods=asked.methods, options=asked.options),
        chunks,
        Engine.of(jobs),
        total=len(chunks),
        lost=_lost,
        progress=progress,
    )
    return _frame(chunks, list(values), asked.methods)


def scanpath_recurrence(
    fixations: Scanpaths,
    *,
    radius_px: float = RADIUS_PX,
    line: int = LINE,
    images: str | Path | None = None,
    placement: str | None = None,
) -> pd.DataFrame:
    """Return how often each scanpath comes back to where it was.

    Parameters
    ----------
    fixations, images, placement
        The same as those of `compare_scanpaths`.
    radius_px : float
        Two fixations are at the same place that are at most this far apart, in pixels.
    line : int
        How many recurrences in a row are a line.

    Returns
    -------
    pandas.DataFrame
        A row per scanpath: stimulus, recording, participant, trial, eye, number of fixations, and
        in percent ``recurrence``, ``determinism``, ``laminarity`` and ``corm``; NaN where there are
        fewer than two fixations, or none comes back.

    Raises
    ------
    ConfigError
        The radius is negative, or a line shorter than one.
    SchemaError
        A table has no positions or sizes.

    Examples
    --------
    >>> gazetrack.scanpath_recurrence("tables")["determinism"].mean()  # doctest: +SKIP
    """
    rows = []
    for track in as_tracks(fixations, place_on(images, placement, or_screen=True)):
        places = np.column_stack([track.x, track.y])
        places = places[np.isfinite(places).all(axis=1)]
        found = recurrence(places, radius_px, line)
        names = {name: getattr(track, name) for name in ("stimulus", *_KEYS)}
        rows.append(names | {"n_fixations": len(places)} | found._asdict())
    columns = ["stimulus", *_KEYS, "n_fixations", *Recurrence._fields]
    return pd.DataFrame(rows, columns=columns)


def scanpath_matrix(
    compared: pd.DataFrame, method: str, measure: str | None = None, *, by: str = "recording"
) -> pd.DataFrame:
    """Return one measure of all pairs as a square: its mean over stimuli and trials.

    Parameters
    ----------
    compared : pandas.DataFrame
        The long table that `compare_scanpaths` returned.
    method : str
        One of the methods that it holds.
    measure : str, optional
        One of the method's measures; the first by default.
    by : {"recording", "participant"}
        Whose rows and columns they are.

    Returns
    -------
    pandas.DataFrame
        Rows and columns by name, sorted. The diagonal is what the measure is for equal paths,
        unless there are several paths of one name on a stimulus: then it is their mean. NaN where
        two were never compared.

    Raises
    ------
    ConfigError
        The frame does not hold this method, or the method this measure.

    Examples
    --------
    >>> found = gazetrack.compare_scanpaths("tables", ["scanmatch"])  # doctest: +SKIP
    >>> gazetrack.scanpath_matrix(found, "scanmatch", by="participant")  # doctest: +SKIP
    """
    (method,) = check_methods([method])
    measures = {found.name: found for found in METHODS[method].measures}
    measure = measure or next(iter(measures))
    if measure not in measures:
        hint = f"{did_you_mean(measure, measures)}{method} has {', '.join(measures)}"
        raise ConfigError(f"unknown measure {quote(measure)!r} of {method}", hint=hint)
    if by not in ("recording", "participant"):
        raise ConfigError(f"by {quote(by)!r}", hint="use recording or participant")
    rows = compared[(compared["method"] == method) & (compared["measure"] == measure)]
    if len(compared) and not len(rows):
        raise ConfigError(f"the frame has no {method}", hint="compare by this method first")
    one_way = pd.DataFrame(
        {
            "row": rows[f"{by}_a"].astype(str),
            "column": rows[f"{by}_b"].astype(str),
            "value": rows["value"],
        }
    )
    other_way = one_way.rename(columns={"row": "column", "column": "row"})
    if measure == "corm":  # which one is ahead
        other_way["value"] = -other_way["value"]
    both = pd.concat([one_way, other_way], ignore_index=True)
    square = both.pivot_table(
        index="row", columns="column", values="value", aggfunc="mean", dropna=False
    )
    names = sorted(set(both["row"]))
    square = square.reindex(index=names, columns=names).astype(np.float64)
    of_equal = np.eye(len(names), dtype=bool) & np.isnan(square.to_numpy(np.float64))
    square = square.mask(of_equal, measures[measure].equal)
    return square.rename_axis(index=by, columns=by)


def matrix_table(compared: pd.DataFrame) -> pa.Table:
    """Return `scanpath_matrix` of every measure that was compared, one cell a row.

    By recording; by participant where a recording holds several, see `whose`.
    Schema `SCANPATH_MATRIX`; ``pivot(index="recording", columns="other", values="value")`` of one
    method and measure makes the square of it.
    """
    parts = []
    by = whose(compared)
    for name in dict.fromkeys(compared["method"].astype(str)):
        for measure in METHODS[name].measures:
            square = scanpath_matrix(compared, name, measure.name, by=by)
            names = np.array(square.index, dtype=object)
            cells = {
                "method": name,
                "measure": measure.name,
                "unit": measure.unit,
                "recording": np.repeat(names, len(names)),
                "other": np.tile(names, len(names)),
                "value": square.to_numpy(np.float64).ravel(),
            }
            parts.append(conform(cells, SCANPATH_MATRIX))
    whole = pa.concat_tables([SCANPATH_MATRIX.empty_table(), *parts])
    return whole.unify_dictionaries()


def whose(compared: pd.DataFrame) -> str:
    """Return "participant" where recordings do not tell scanpaths of several people apart."""
    within = compared["recording_a"].astype(str) == compared["recording_b"].astype(str)
    others = compared["participant_a"].astype(str) != compared["participant_b"].astype(str)
    return "participant" if (within & others).any() else "recording"


def _key(track: Track) -> Key:
    return track.recording, track.participant, track.trial, track.eye


def _by_stimulus(paths: Iterable[Track]) -> dict[str, list[Track]]:
    """Return the tracks on each stimulus, each of which goes by a name of its own."""
    found: dict[str, dict[Key, Track]] = {}
    for track in paths:
        on_it = found.setdefault(track.stimulus, {})
        if _key(track) in on_it:
            names = " ".join(part for part in _key(track) if part)
            what = f"two scanpaths on {quote(track.stimulus, 40)!r} are both {quote(names, 60)!r}"
            raise DataError(what, hint="give each recording a name of its own, or name it once")
        on_it[_key(track)] = track
    # By name, so that the order in which tables are given does not matter.
    return {name: [on_it[key] for key in sorted(on_it)] for name, on_it in sorted(found.items())}


def _chunks(by_stimulus: dict[str, list[Track]], reference: str | None) -> Iterable[_Chunk]:
    """Yield the pairs that are to be compared, some at a time."""
    names = {name for on_it in by_stimulus.values() for track in on_it for name in _key(track)[:2]}
    if reference is not None and reference not in names:
        hint = f"{did_you_mean(reference, names)}name a recording or a participant"
        raise ConfigError(f"no scanpath of the reference {quote(reference)!r}", hint=hint)
    for on_it in by_stimulus.values():
        places = range(len(on_it))
        if reference is None:
            pairs = list(combinations(places, 2))
        else:
            ours = [k for k in places if reference in _key(on_it[k])[:2]]
            pairs = [(k, other) for k in ours for other in places if other not in ours]
        for first in range(0, len(pairs), PAIRS_AT_ONCE):
            part = tuple(pairs[first : first + PAIRS_AT_ONCE])
            yield _Chunk(tracks=tuple(on_it), pairs=part)


def _compared(
    chunk: _Chunk, methods: Sequence[str], options: ScanpathOptions
) -> list[list[tuple[float, str]]]:
    """Return of each pair the values of all measures, and why they are missing."""
    found = []
    for first, second in chunk.pairs:
        values = compare_tracks(chunk.tracks[first], chunk.tracks[second], methods, options)
        found.append([(one.value, one.reason) for one in values])
    return found


def _lost(chunk: _Chunk, error: WorkerLost) -> list[list[tuple[float, str]]]:  # noqa: ARG001
    raise error


def _frame(
    chunks: Sequence[_Chunk],
    values: Sequence[list[list[tuple[float, str]]]],
    methods: Sequence[str],
) -> pd.DataFrame:
    """Return the values as a long table, whose texts are categories: pairs come in thousands."""
    measures = [(name, measure) for name in methods for measure in METHODS[name].measures]
    pairs = [
        (chunk.tracks[first], chunk.tracks[second])
        for chunk in chunks
        for first, second in chunk.pairs
    ]
    of_pairs = [one for part in values for pair in part for one in pair]

    def of_each_pair(texts: Iterable[str]) -> pd.Categorical[Any]:
        return pd.Categorical(np.repeat(np.array(list(texts), dtype=object), len(measures)))

    def of_each_measure(texts: Iterable[str]) -> pd.Categorical[Any]:
        return pd.Categorical(np.tile(np.array(list(texts), dtype=object), len(pairs)))

    columns: dict[str, object] = {"stimulus": of_each_pair(a.stimulus for a, _ in pairs)}
    for which, letter in enumerate("ab"):
        for name in _KEYS:
            columns[f"{name}_{letter}"] = of_each_pair(getattr(pair[which], name) for pair in pairs)
    for which, letter in enumerate("ab"):
        counts = np.array([len(pair[which]) for pair in pairs], np.int64)
        columns[f"n_fixations_{letter}"] = np.repeat(counts, len(measures))
    columns["method"] = of_each_measure(name for name, _ in measures)
    columns["measure"] = of_each_measure(measure.name for _, measure in measures)
    columns["unit"] = of_each_measure(measure.unit for _, measure in measures)
    columns["value"] = np.array([value for value, _ in of_pairs], np.float64)
    columns["reason"] = pd.Categorical([reason for _, reason in of_pairs])
    return pd.DataFrame(columns)
