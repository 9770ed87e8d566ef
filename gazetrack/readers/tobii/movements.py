"""Tobii Pro Lab: the eye movements of an export, made of the runs of samples that belong to them.

The export repeats on every sample the kind of its movement (``Eye movement type``), the number of
the movement among its kind (``Eye movement type index``), its whole duration, and for fixations the
position. A movement may be interrupted, by a message with another stimulus for example, so one
movement can be several runs; and its number starts again with each recording or even each trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.tobii.rows import starts_of_runs
from gazetrack.tables.schema import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from gazetrack.readers.text.table import Columns
    from gazetrack.readers.tobii.rows import Rows

    Floats = npt.NDArray[np.floating]
    Starts = npt.NDArray[np.intp]

# Kinds are codes until the end: a long export has a million runs, and texts would not fit.
KINDS = ["message", "fixation", "saccade", "unclassified", "eyes_not_found"]
MESSAGE, FIXATION, SACCADE, UNCLASSIFIED, NOT_FOUND = range(5)
KIND_OF = {
    "fixation": FIXATION,
    "saccade": SACCADE,
    "unclassified": UNCLASSIFIED,
    "eyesnotfound": NOT_FOUND,
    "eyesnotfoundmovement": NOT_FOUND,
}
# What numbers are counted within: two movements of one kind have different numbers.
_KIND_KEYS = ["recording", "trial", "kind"]
_MOVEMENT_KEYS = [*_KIND_KEYS, "number"]
_SUMMED = ("x", "y", "pupil")
# So many fixations of one sample each, of a filter without a name, are those of the filter Raw.
_SEVERAL = 10
# A movement whose length the export does not state may be interrupted for so long.
_LONGEST_GAP_MS = 1000.0


def runs_of(
    rows: Rows, moves: Any, kinds: npt.NDArray[np.int32], to_ms: tuple[float, float]
) -> dict[str, Any]:
    """Return one row for each run of samples of one movement, with what is needed of its samples.

    Parameters
    ----------
    rows : Rows
        A part of the export.
    moves : slice or ndarray of int
        The rows of the part that are samples of eye movements.
    kinds : ndarray of int32
        The kind of movement for each code of the texts in the column of types.
    to_ms : tuple of (float, float)
        What to multiply the exported times and the exported durations by to get milliseconds.

    Returns
    -------
    dict of str to ndarray
        Columns of equal length, one element per run.
    """
    table = rows.table
    t_to_ms, duration_to_ms = to_ms
    t = rows.stamp[moves] * t_to_ms
    number = _exported_numbers(table)[moves]
    recording = rows.recording[moves]
    trial = rows.trial[moves]
    stimulus = rows.stimulus[moves]
    codes = table.texts("event_type").codes[moves]

    # No run goes on where the clock steps back: it would end before it begins.
    steps_back = np.cumsum(np.diff(t, prepend=t[:1]) < 0)
    told_apart = (recording, trial, stimulus, codes, number, steps_back)
    first = starts_of_runs(*told_apart)
    last = np.r_[first[1:], len(t)] - 1
    # `first` counts samples of movements; `head` are the same rows counted within the part.
    head = first if isinstance(moves, slice) else moves[first]
    columns: dict[str, Any] = {
        "row": rows.first + head,
        "recording": recording[first],
        "participant": table.texts("participant").codes[head],
        "stimulus": stimulus[first],
        "trial": trial[first],
        "kind": kinds[codes[first]],
        "number": number[first],
        "n": (last - first + 1).astype(np.int32),
        "filter": table.texts("filter").codes[head],
        "onset_ms": t[first],
        "last_ms": t[last],
    }

    duration = table.number("duration") * duration_to_ms
    stated = {"duration_ms": np.where(duration > 0, duration, np.nan)}
    for axis, values in rows.fixation.items():
        stated[f"{axis}_px"] = values
    for name, values in stated.items():
        columns[name] = _first_known(values[moves], first).astype(np.float64)

    for axis in "xy":
        gaze = rows.gaze[axis][moves]
        columns[f"first_{axis}"] = _first_known(gaze, first)
        # The last known number is the first one of the reversed run.
        reversed_first = len(t) - 1 - last[::-1]
        columns[f"last_{axis}"] = _first_known(gaze[::-1], reversed_first)[::-1]
        columns |= _sums(axis, gaze, first)
    pupil = mean_of_eyes(rows.gaze["left_pupil"], rows.gaze["right_pupil"])
    return columns | _sums("pupil", pupil[moves], first)


def movements_of(
    runs: pd.DataFrame, step_ms: float, filters: Sequence[str], numbered: bool, notes: list[str]
) -> pd.DataFrame:
    """Return one row per eye movement.

    Parameters
    ----------
    runs : pandas.DataFrame
        The runs of all parts, as `runs_of` returns them; it is used up.
    step_ms : float
        The usual time from one sample to the next.
    filters : sequence of str
        The names of filters that the codes in the column ``filter`` stand for.
    numbered : bool
        Whether the export numbers the movements.
    notes : list of str
        Receives what had to be inferred.

    Returns
    -------
    pandas.DataFrame
        Columns of `schema.EVENTS` as far as movements have them, texts as codes, and ``row``, the
        row of the export in which the movement begins.
    """
    runs["number"] = _numbers(runs, numbered, notes)
    runs["round"], stepped = _rounds(runs)
    kinds = [runs[key] for key in _KIND_KEYS]
    starts_again = (runs["round"].groupby(kinds).diff() > 0) & ~stepped
    n_again = int(starts_again.sum())
    n_stepped = int(stepped.sum())
    if n_stepped:
        _measure_parts(runs, stepped)
        notes.append(
            f"the clock steps back within eye movements {n_stepped} times: they end there, "
            "and last as long as their samples"
        )
    if n_again:
        notes.append(
            f"the eye movement index starts again {n_again} times: movements are numbered anew"
        )

    events = _joined(runs)
    del runs  # of long exports there are many
    _fill(events, step_ms, notes)
    events = _without_raw(events, filters, notes)

    unnumbered = not numbered or (events["number"] < 0).any()
    if unnumbered or n_again or n_stepped:
        events["number"] = events.groupby(_KIND_KEYS, sort=False).cumcount() + 1
    events["index"] = events.pop("number").astype(np.int32)
    events["eye"] = np.int8(1)
    events["text"] = np.int8(0)
    wanted = {*EVENTS.names, "row"}
    for name in map(str, list(events)):
        if name not in wanted:
            events.pop(name)
    return events


def _joined(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per movement: what its first run says, and the sums and the end of all."""
    of_movement = runs.groupby([*_MOVEMENT_KEYS, "round"], sort=False).ngroup().to_numpy()
    n_runs = np.bincount(of_movement)
    in_several = n_runs[of_movement] > 1
    events = runs
    if in_several.any():
        # Movements are counted in the order of their first runs, and few have more than one.
        is_first = np.zeros(len(runs), np.bool_)
        is_first[np.unique(of_movement, return_index=True)[1]] = True
        several = _of_several_runs(runs[in_several])
        events = runs[is_first].reset_index(drop=True)
        places = np.flatnonzero(n_runs > 1)
        for name in several:
            values = events[name].to_numpy().copy()
            values[places] = several[name].to_numpy()
            events[name] = values
    # What is known of the runs is taken out as it is used: of long exports there are many.
    events["pupil"] = events.pop("sum_pupil") / events.pop("known_pupil")
    return events


def _of_several_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per movement, of runs that several of are one, in the order of the first."""
    groups = runs.groupby([*_MOVEMENT_KEYS, "round"], sort=False)
    events = groups.first().reset_index()
    summed = ["n"]
    for what in ("sum", "known"):
        summed += [f"{what}_{of}" for of in _SUMMED]
    for name in summed:
        events[name] = groups[name].sum().to_numpy()
    for name in ("last_ms", "last_x", "last_y"):
        events[name] = groups[name].last().to_numpy()
    return events


def _first_known(values: Floats, first: Starts) -> Floats:
    """Return the first number of each run that is not NaN, and NaN where it has none.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The samples of all runs, one run behind the other.
    first : ndarray of int, shape (runs,)
        The sample with which each run begins.
    """
    n = len(values)
    # A missing number is at no place of its run: behind all of them.
    places = np.where(np.isnan(values), n, np.arange(n))
    at = np.minimum.reduceat(places, first)
    ends = np.r_[first[1:], n]
    known = values[np.minimum(at, n - 1)]
    return np.where(at < ends, known, np.nan)


def _sums(name: str, values: Floats, first: Starts) -> dict[str, npt.NDArray[np.generic]]:
    """Return the sum of each run's known numbers, and how many are known."""
    known = ~np.isnan(values)
    numbers = np.where(known, values, 0.0).astype(np.float64)
    return {
        f"sum_{name}": np.add.reduceat(numbers, first),
        f"known_{name}": np.add.reduceat(known, first, dtype=np.int32),
    }


def _exported_numbers(table: Columns) -> Floats:
    """Return the export's number of each row's movement.

    Pro Lab has one column for all kinds; Studio 3 counts fixations and saccades in two.
    """
    if "event_index" in table.found:
        return table.number("event_index")
    codes, names = table.texts("event_type")
    is_fixation = np.array([name.casefold() == "fixation" for name in names])[codes]
    return np.where(is_fixation, table.number("fixation_index"), table.number("saccade_index"))


def _numbers(runs: pd.DataFrame, exported: bool, notes: list[str]) -> pd.Series:
    """Return which movement of its kind each run belongs to: as exported, else by runs of one kind.

    A run without exported numbers gets one that no exported number is: minus its place in the file.
    """
    kinds = runs[_KIND_KEYS]
    stretch = kinds.ne(kinds.shift()).any(axis=1).cumsum()
    number = runs["number"]
    missing = number.isna()
    if not exported or missing.all():
        return -stretch
    if not missing.any():
        return number
    lost = int(runs.loc[missing, "n"].sum())
    notes.append(
        f"{lost} samples without an eye movement index: they belong to the movement around them"
    )
    # Within a stretch of one kind a missing number is that of the last run with one, else of the
    # next.
    by_stretch = number.groupby(stretch)
    return by_stretch.ffill().fillna(by_stretch.bfill()).fillna(-stretch)


def _rounds(runs: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return for each run how often the numbers of its kind have started again before it.

    They do where a number is smaller than the one before, where one comes again behind a movement
    of another kind, and where one comes again so late that it cannot be the same movement, going on
    after a gap: later than its length, and after another gap as long or with another stimulus.

    Returns
    -------
    tuple of pandas.Series
        The counts, and whether the run begins before the one that it goes on from has ended: the
        clock stepped back.
    """
    kinds = [runs[key] for key in _KIND_KEYS]
    exported = runs["number"].where(runs["number"] >= 0)
    before = exported.groupby(kinds).ffill().groupby(kinds).shift()
    smaller = exported < before
    rounds = smaller.groupby(kinds).cumsum()

    # Runs that would be one movement, if none of them were late.
    runs["stretch"] = _stretches(runs)
    same = runs.groupby([*kinds, runs["number"], rounds])
    length = same["duration_ms"].transform("first").fillna(_LONGEST_GAP_MS)
    since = runs["onset_ms"] - same["onset_ms"].transform("first")
    gap = runs["onset_ms"] - same["last_ms"].shift()
    stimulus_before = same["stimulus"].shift()
    elsewhere = stimulus_before.notna() & (runs["stimulus"] != stimulus_before)
    late = (since >= length) & ((gap > length) | elsewhere)
    stepped = gap < 0
    interrupted = same["stretch"].diff() > 0

    runs.pop("stretch")
    again: pd.Series = (smaller | late | stepped | interrupted).groupby(kinds).cumsum()
    return again.astype(np.int32), stepped


def _stretches(runs: pd.DataFrame) -> pd.Series:
    """Return a number for each run that grows where a fixation follows a saccade or the reverse.

    Samples that were lost or are unclassified interrupt a movement, but do not end it.
    """
    within = [runs["recording"], runs["trial"]]
    moving = runs["kind"].where(runs["kind"].isin([FIXATION, SACCADE]))
    known = moving.groupby(within).ffill()
    before = known.groupby(within).shift()
    changed = before.notna() & (known != before)
    grown: pd.Series = changed.groupby(within).cumsum()
    return grown


def _measure_parts(runs: pd.DataFrame, stepped: pd.Series) -> None:
    """Forget the duration of movements within which the clock steps back: each has a part of it."""
    numbered = [runs[key] for key in _MOVEMENT_KEYS]
    part = runs.groupby([*_MOVEMENT_KEYS, "round"]).ngroup()
    part_before = part.groupby(numbered).shift()
    in_parts = set(part[stepped]) | set(part_before[stepped])
    runs["duration_ms"] = runs["duration_ms"].mask(part.isin(in_parts))


def _fill(events: pd.DataFrame, step_ms: float, notes: list[str]) -> None:
    """Take from the samples what the export does not state: positions, durations, ends."""
    fixations = (events["kind"] == FIXATION).to_numpy()
    saccades = (events["kind"] == SACCADE).to_numpy()
    unplaced = np.zeros(len(events), np.bool_)
    for axis in "xy":
        stated = events[f"{axis}_px"].to_numpy(np.float64)
        absent = fixations & np.isnan(stated)
        mean = events.pop(f"sum_{axis}") / events.pop(f"known_{axis}")
        of_fixation = np.where(absent, mean, stated)
        of_saccade = np.where(saccades, events.pop(f"first_{axis}"), np.nan)
        events[f"{axis}_px"] = np.where(fixations, of_fixation, of_saccade)
        events[f"end_{axis}_px"] = np.where(saccades, events.pop(f"last_{axis}"), np.nan)
        unplaced |= absent
    if unplaced.any():
        notes.append(f"{int(unplaced.sum())} fixations without a position: mean of their samples")

    # A sample stands for the time until the next one, so the last adds a step.
    length = (events.pop("last_ms") - events["onset_ms"]).to_numpy(np.float64) + step_ms
    unknown = events["duration_ms"].isna().to_numpy()
    if unknown.any():
        notes.append(
            f"{int(unknown.sum())} eye movements without a duration: last - first + one sample"
        )
    events["duration_ms"] = np.where(unknown, length, events["duration_ms"])
    _mend_cut(events, length, 1.5 * step_ms, notes)


def _mend_cut(
    events: pd.DataFrame, length: npt.NDArray[np.float64], slack_ms: float, notes: list[str]
) -> None:
    """Move the movements that the start of an excerpt cuts, so that none overlaps the next.

    The export of an interval of interest states their whole duration on the samples that are left.
    Their end is known, so they begin their duration before it, or last as long as their samples
    where even that would overlap.
    """
    onset = events["onset_ms"]
    duration = events["duration_ms"]
    by_recording = events.groupby("recording")["onset_ms"]
    cut = onset + duration > by_recording.shift(-1) + slack_ms
    if not cut.any():
        return
    earlier = onset + length - duration
    overlaps_one_before = earlier < by_recording.shift(1)
    movable = cut & ~overlaps_one_before
    shortened = cut & overlaps_one_before
    events["onset_ms"] = onset.mask(movable, earlier)
    events["duration_ms"] = duration.mask(shortened, length)

    mended = {
        "begin before their first sample": int(movable.sum()),
        "last as long as their samples": int(shortened.sum()),
    }
    for what, count in mended.items():
        if count:
            notes.append(f"{count} eye movements reach beyond the start of the next: they {what}")


def _without_raw(events: pd.DataFrame, filters: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Leave out the fixations of the filter ``Raw``, which calls every valid sample one."""
    fixations = events["kind"] == FIXATION
    is_raw = np.array([name.casefold().startswith("raw") for name in filters])
    is_unnamed = np.array([not name for name in filters])
    raw = fixations & is_raw[events["filter"]]
    unnamed = fixations & is_unnamed[events["filter"]]
    one_sample_each = (events.loc[unnamed, "n"] == 1).all()
    if unnamed.sum() >= _SEVERAL and one_sample_each:
        raw |= unnamed
    if raw.any():
        notes.append(
            f"{int(raw.sum())} one-sample fixations of the filter Raw are no fixations: left out"
        )
        events = events[~raw].copy()
    return events
