"""Trials: the showings of stimuli that fixations belong to, and how long each was observed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import DataError, SchemaError, quote
from gazetrack.maps.track import showings
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.selection import one_eye
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

KEYS = ["recording", "participant", "trial", "stimulus"]
_OWNER = ["recording", "participant"]
_ROUNDING_MS = 1e-6  # an end that was added up may lie so far beyond the next onset
_ROUNDED_MS = 1.0  # as far as onsets and durations in whole milliseconds may contradict
STATED = "stated"
CLOCK = "clock"
GAZE = "fixations"


@dataclass(frozen=True)
class Trials:
    """The trials of a table, and the fixations in them.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row per trial, in order of first appearance: ``recording``, ``participant``, ``trial``
        (``TRIAL#2`` for the second showing of an image within it), ``stimulus``, ``window`` (how
        its time is known), ``start_ms`` and ``end_ms`` on the clock of the table, and
        ``image_width_px``, ``image_height_px`` (NaN where the fixations are on the screen).
    fixations : pandas.DataFrame
        A row per fixation that lies in a trial, sorted by trial, then by time: ``row`` (of the
        trial in `frame`), ``x_px``, ``y_px``, ``begin_ms`` and ``end_ms`` from the start of the
        trial, cut to it, ``index`` and ``source_row`` (its number, and its row in the table).
    dropped : dict of str to int
        How many fixations are in none, by reason.
    notes : tuple of str
        What is to be said to the user.
    """

    frame: pd.DataFrame
    fixations: pd.DataFrame
    dropped: dict[str, int]
    notes: tuple[str, ...] = ()


def trials_of(
    table: pa.Table,
    meta: Mapping[str, Any],
    stated: pd.DataFrame | None = None,
    *,
    eye: str = "auto",
) -> Trials:
    """Return the trials of a table of fixations.

    Parameters
    ----------
    table : pyarrow.Table
        Fixations of any number of recordings, in the schema `FIXATIONS`.
    meta : mapping
        The table's metadata, whose ``time_origin`` says what its times are counted from.
    stated : pandas.DataFrame, optional
        Trials as `read_trials` gives them: they and no others are then the trials, those without
        any fixation among them. Without a recording or participant they hold for each of the
        table.
    eye : {"auto", "left", "right"}
        Whose fixations count where each eye has its own, so that no moment counts twice.

    Returns
    -------
    Trials
        Also with trials whose fixations all lack a position. Without `stated`, a trial is what a
        track is: an image that comes back after another one begins a trial of its own. Its time
        begins at 0 where the table's clock begins anew in each (``clock``), else with its first
        fixation (``fixations``), and ends with the last.

    Raises
    ------
    SchemaError
        An image has two sizes within one trial.
    DataError
        None of the fixations lies in a stated trial, or two stated trials overlap.
    """
    frame = _keyed(table)
    own_clock = _own_clock(frame, meta)
    known = table.append_column("source_row", [np.arange(table.num_rows)])
    valid, dropped = valid_fixations(known)
    chosen, _ = one_eye(valid, eye)
    if valid.num_rows > chosen.num_rows:
        dropped["other eye"] = valid.num_rows - chosen.num_rows
    used = frame.iloc[chosen["source_row"].to_numpy()]
    disorder = used["onset_ms"].groupby(used["row"]).diff() < 0
    notes = []
    if disorder.any():
        notes.append(f"{int(disorder.sum())} fixations were not in the order of time: sorted")
    trials = _trials(frame, used, own_clock)
    notes += _overlapping(used)
    if stated is not None:
        trials, used, told = _as_stated(trials, used, stated)
        notes += told
        missed = chosen.num_rows - len(used)
        if missed:
            dropped["in no stated trial"] = missed
    fixations, outside = _cut(trials, used)
    if outside:
        dropped["outside the time of its trial"] = outside
    return Trials(trials, fixations, dropped, tuple(notes))


def _overlapping(used: pd.DataFrame) -> list[str]:
    """Say how many fixations begin before one before them has ended: their times add up twice."""
    ordered = used.sort_values(["row", "onset_ms"], kind="stable")
    ends = (ordered["onset_ms"] + ordered["duration_ms"]).groupby(ordered["row"]).cummax()
    before = ends.groupby(ordered["row"]).shift()
    n_early = int((ordered["onset_ms"] + _ROUNDED_MS < before).sum())
    if not n_early:
        return []
    what = f"{n_early} fixations begin before the one before them ends"
    return [f"{what}: dwell times count such moments twice"]


def _keyed(table: pa.Table) -> pd.DataFrame:
    """Return the fixations with the number of their trial as ``row``, in order of appearance."""
    frame: pd.DataFrame = table.to_pandas()
    frame["source_row"] = np.arange(len(frame))
    frame["showing"] = showings(frame) if len(frame) else 1
    keys = [*KEYS, "showing"]
    frame["row"] = frame.groupby(keys, sort=False, observed=True).ngroup()
    sizes = frame.groupby("row", sort=False)[["image_width_px", "image_height_px"]].nunique(
        dropna=False
    )
    several = sizes.index[(sizes > 1).any(axis=1)]
    if len(several):
        stimulus = frame.loc[frame["row"] == several[0], "stimulus"].iloc[0]
        what = f"stimulus {quote(stimulus)!r} has several sizes in one trial"
        raise SchemaError(what, hint="an image has one size; correct the table")
    return frame


def _own_clock(frame: pd.DataFrame, meta: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """Return of each trial whether the clock of the table starts at 0 with it."""
    n_trials = frame["row"].nunique()
    if meta.get("time_origin") != "trial":
        return np.zeros(n_trials, np.bool_)
    within = ["recording", "participant", "trial", "eye"]
    back = frame["onset_ms"].groupby([frame[name] for name in within], observed=True).diff() < 0
    by_trial = [frame[name] for name in within[:3]]
    # Several images of one trial share its clock, unless it begins again for each.
    begins_again = back.groupby(by_trial, observed=True).transform("any")
    is_alone = frame["row"].groupby(by_trial, observed=True).transform("nunique") == 1
    own = (begins_again | is_alone).groupby(frame["row"]).first()
    return own.to_numpy(np.bool_)


def _trials(
    frame: pd.DataFrame, used: pd.DataFrame, own_clock: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the trials that the table itself tells of."""
    trials = frame.groupby("row", sort=True)[[*KEYS, "showing"]].first()
    trials = trials.astype(dict.fromkeys(KEYS, "str"))
    number = trials["showing"].astype(str)
    again = trials["showing"] > 1
    trials["trial"] = trials["trial"].where(~again, trials["trial"] + "#" + number)
    sizes = frame.groupby("row", sort=True)[["image_width_px", "image_height_px"]].first()
    by_trial = used.assign(end_ms=used["onset_ms"] + used["duration_ms"]).groupby("row")
    begin = by_trial["onset_ms"].min().reindex(trials.index)
    end = by_trial["end_ms"].max().reindex(trials.index)
    from_zero = own_clock & ~(end <= 0)
    trials["window"] = np.where(from_zero, CLOCK, GAZE)
    trials["start_ms"] = np.where(from_zero, 0.0, begin)
    trials["end_ms"] = end
    return trials.drop(columns="showing").join(sizes.astype(np.float64))


def _as_stated(
    trials: pd.DataFrame, used: pd.DataFrame, stated: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the trials as they are stated, the fixations that lie in them, and notes."""
    ends = (used["onset_ms"] + used["duration_ms"]).to_numpy()
    names = trials.loc[used["row"], KEYS].reset_index(drop=True)
    names["trial"] = used["trial"].astype("str").to_numpy()
    names["stimulus"] = names["stimulus"].map(stem)
    # What the table names nothing by cannot tell its trials apart.
    keys = [name for name in KEYS if name in stated and (names[name] != "").any()]
    told = [name for name in keys if name not in _OWNER]
    places = {key: np.asarray(at) for key, at in names.groupby([*_OWNER, *told]).indices.items()}
    known = [name for name in _OWNER if name in keys]
    owners: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for owner in trials[_OWNER].drop_duplicates().itertuples(index=False, name=None):
        by_name = dict(zip(_OWNER, owner, strict=True))
        owners.setdefault(tuple(by_name[name] for name in known), []).append(owner)
    # The names of images may lack their suffix; of several showings the first counts.
    shown = trials[["stimulus", "image_width_px", "image_height_px"]].iloc[::-1]
    sizes = {stem(name): size for name, *size in shown.itertuples(index=False, name=None)}
    onsets = used["onset_ms"].to_numpy()
    rows = np.full(len(used), -1)
    made: list[dict[Any, Any]] = []
    taken: list[tuple[tuple[str, ...], int, float, float]] = []
    for number, trial in zip(stated.index, stated.to_dict("records"), strict=True):
        start, end = trial["start_ms"], trial["end_ms"]
        rest = tuple(_named(trial, name) for name in told)
        everything = tuple(str(_named(trial, name)) for name in KEYS if name in stated)
        # Its times hold for everybody whom its names mean.
        for owner in owners.get(tuple(trial[name] for name in known), [()]):
            key = (*owner, *rest) if owner else everything
            taken.append((key, number, start, end))
            at = places.get(key, np.empty(0, np.intp))
            begins_in = (onsets[at] >= start) & (onsets[at] < end)
            # A fixation that the trial finds under way is its own where no trial before has it.
            under_way = (onsets[at] < start) & (ends[at] > start) & (rows[at] < 0)
            mine = at[begins_in | under_way]
            rows[mine] = len(made)
            like = trials.loc[used["row"].iloc[mine[0]]] if len(mine) else None
            made.append(_stated_trial(trial, like, owner, sizes))
    _refuse_overlap(taken)
    kept = used.assign(row=rows)[rows >= 0]
    if len(used) and len(stated) and not len(kept):
        what = f"none of its {len(used):,} fixations lies in a stated trial"
        hint = "are names and times of the trials those of the fixations, in ms of the same clock?"
        raise DataError(what, hint=hint)
    notes = []
    if len(made) > len(stated):
        n_owners = max(map(len, owners.values()))
        what = f"stated trials hold for each of its {n_owners} recordings or participants"
        notes.append(f"{what}: the trials have no column that says whose they are")
    return pd.DataFrame(made, columns=list(trials.columns)), kept, notes


def _named(trial: dict[Any, Any], name: str) -> Any:
    return stem(trial[name]) if name == "stimulus" else trial[name]


def _refuse_overlap(taken: Sequence[tuple[tuple[str, ...], int, float, float]]) -> None:
    """Refuse trials of the same names at the same time: a fixation is in one alone.

    Each is given by its names, its number, and when it begins and ends in milliseconds.
    """
    ordered = sorted(taken, key=lambda one: (one[0], one[2], one[1]))
    for (names, number, start, end), (others, other, begin, until) in pairwise(ordered):
        if names == others and end > begin + _ROUNDING_MS:
            both = f"{start:g} to {end:g} ms and {begin:g} to {until:g} ms"
            called = ", ".join(quote(name, 40) for name in names if name)
            what = f"stated trials {number + 1} and {other + 1} overlap: {both} of {called}"
            hint = "name whose they are (recording, participant, trial), or correct their times"
            raise DataError(what, hint=hint)


def _stated_trial(
    trial: dict[Any, Any],
    like: pd.Series[Any] | None,
    owner: tuple[str, ...],
    sizes: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """Return a stated trial with what it leaves open, from its fixations or its table."""
    found = {name: "" if like is None else like[name] for name in KEYS}
    if owner:
        found |= dict(zip(_OWNER, owner, strict=True))
    found |= {name: trial[name] for name in KEYS if name in trial}
    found |= {"window": STATED, "start_ms": trial["start_ms"], "end_ms": trial["end_ms"]}
    width, height = sizes.get(stem(found["stimulus"]), (np.nan, np.nan))
    return found | {"image_width_px": width, "image_height_px": height}


def _cut(trials: pd.DataFrame, used: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the fixations within their trials' time, and how many lie outside of it."""
    row = used["row"].to_numpy()
    start = trials["start_ms"].to_numpy(np.float64)[row]
    length = trials["end_ms"].to_numpy(np.float64)[row] - start
    onset = used["onset_ms"].to_numpy(np.float64)
    begin = onset - start
    end = begin + used["duration_ms"].to_numpy(np.float64)
    found = pd.DataFrame(
        {
            "row": row,
            "x_px": used["x_px"].to_numpy(np.float64),
            "y_px": used["y_px"].to_numpy(np.float64),
            "begin_ms": np.maximum(begin, 0.0),
            "end_ms": np.minimum(end, length),
            "index": used["index"].to_numpy(),
            "source_row": used["source_row"].to_numpy(),
            "table_trial": used["trial"].astype("str").to_numpy(),
            "eye": used["eye"].astype("str").to_numpy(),
        }
    )
    is_in = (found["end_ms"] > found["begin_ms"]).to_numpy()
    order = np.lexsort((used["index"].to_numpy(), onset, row))
    return found.iloc[order[is_in[order]]].reset_index(drop=True), int((~is_in).sum())
