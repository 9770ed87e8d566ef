"""Tobii Pro Lab: messages, and the fixations, saccades and gaps that its filter found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.tobii.rows import starts_of_runs
from gazetrack.tables.schema import EVENTS, coded, conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.text.table import Columns
    from gazetrack.readers.tobii.rows import Rows

_KINDS = ["message", "fixation", "saccade", "unclassified", "eyes_not_found"]
_MESSAGE, _FIXATION, _SACCADE, _UNCLASSIFIED, _NOT_FOUND = range(5)
_KIND_OF = {
    "Fixation": _FIXATION,
    "Saccade": _SACCADE,
    "Unclassified": _UNCLASSIFIED,
    "EyesNotFound": _NOT_FOUND,
    "EyesNotFoundMovement": _NOT_FOUND,
}
_EYES = ["", "both"]
_KEYS = ["recording", "trial", "kind", "number"]
_NO_GAZE = dict.fromkeys(("x_px", "y_px", "end_x_px", "end_y_px", "pupil"), np.nan)
_SEVERAL = 10
_LONGEST_GAP_MS = 1000.0  # within one movement whose length the export does not state


class EventRows:
    """What the parts of an export say about events: a row a message, and a row a run of samples of one movement.

    There are many of both in a long export, so texts stay codes to the end.
    """

    def __init__(self) -> None:
        self._said = {"": 0}
        self._names: dict[str, list[str]] = {}
        self._messages: list[dict[str, Any]] = []
        self._runs: list[dict[str, Any]] = []
        self._steps: dict[float, int] = {}
        self._last: npt.NDArray[np.floating] = np.empty(0)

    def take(self, rows: Rows, to_ms: float) -> None:
        """Take a part of the export, with the factor from its times to milliseconds."""
        self._messages.append(self._take_messages(rows, to_ms))
        self._names = {key: rows.table.texts(key).names for key in ("participant", "filter")}
        codes, names = rows.table.texts("event_type")
        kinds = np.array([_KIND_OF.get(name, _MESSAGE) for name in names], np.int32)
        is_move = rows.is_sample & (kinds != _MESSAGE)[codes]
        moves = slice(None) if is_move.all() else np.flatnonzero(is_move)
        stamps = rows.stamp[moves]
        self._count_steps(np.diff(np.r_[self._last, stamps]) * to_ms)
        if len(stamps):
            self._last = stamps[-1:]
            self._runs.append(_runs(rows, moves, kinds, to_ms))

    def _count_steps(self, steps: npt.NDArray[np.floating]) -> None:
        if not len(steps):
            return
        first = starts_of_runs(
            steps
        )  # most recordings have few different ones: no need to sort them all
        for step, count in zip(
            steps[first].tolist(), np.diff(np.r_[first, len(steps)]).tolist(), strict=True
        ):
            self._steps[step] = self._steps.get(step, 0) + count

    def table(
        self,
        recordings: Sequence[str],
        stimuli: Sequence[str],
        trials: Sequence[str],
        numbered: bool,
        notes: list[str],
    ) -> pa.Table:
        """Return messages and eye movements, in the order of the file.

        Parameters
        ----------
        recordings, stimuli, trials : sequence of str
            The texts that the codes of the parts stand for.
        numbered : bool
            Whether the export numbers the movements.
        notes : list of str
            Receives what had to be inferred.
        """
        messages = _frame(self._messages)
        index = messages.groupby(["recording", "trial"], sort=False).cumcount() + 1
        frames = [
            messages.assign(
                kind=_MESSAGE, eye=0, index=index.astype(np.int32), duration_ms=0.0, **_NO_GAZE
            )
        ]
        if self._runs:
            filters = self._names["filter"]
            frames.append(_movements(_frame(self._runs), self._step(), filters, numbered, notes))
        both = pd.concat(frames).sort_values("row", kind="stable").drop(columns="row")
        texts = {
            "recording": recordings,
            "stimulus": stimuli,
            "trial": trials,
            "kind": _KINDS,
            "eye": _EYES,
        }
        texts |= {"participant": self._names["participant"], "text": list(self._said)}
        columns = {name: both[name].to_numpy() for name in both}
        return conform(
            columns | {name: coded(columns[name], own) for name, own in texts.items()}, EVENTS
        )

    def _take_messages(self, rows: Rows, to_ms: float) -> dict[str, Any]:
        table, at = rows.table, np.flatnonzero(rows.is_message)
        (events, names), (values, texts) = table.texts("event"), table.texts("event_value")
        pairs = list(zip(events[at].tolist(), values[at].tolist(), strict=True))
        said = {(i, j): f"{names[i]} {texts[j]}".strip() for i, j in set(pairs)}
        codes = {
            pair: self._said.setdefault(said[pair], len(self._said))
            for pair in dict.fromkeys(pairs)
        }
        return {
            "row": rows.first + at,
            "recording": rows.recording[at],
            "participant": table.texts("participant").codes[at],
            "stimulus": rows.stimulus[at],
            "trial": rows.trial[at],
            "onset_ms": rows.stamp[at] * to_ms,
            "text": np.array([codes[pair] for pair in pairs], np.int32),
        }

    def _step(self) -> float:
        """Return the median of the steps forward between samples of eye movements, 0 without any."""
        forward = sorted((step, count) for step, count in self._steps.items() if step > 0)
        if not forward:
            return 0.0
        steps, counts = np.array(forward).T
        below = np.cumsum(counts)
        middle = np.searchsorted(below, [(below[-1] - 1) // 2, below[-1] // 2], side="right")
        return float(steps[middle].mean())


def _frame(parts: list[dict[str, Any]]) -> pd.DataFrame:
    """Return all parts as one; each column is taken from them, so that there are no two of all."""
    names = list(parts[0])
    return pd.DataFrame(
        {name: np.concatenate([part.pop(name) for part in parts]) for name in names}, copy=False
    )


def _runs(rows: Rows, moves: Any, kinds: npt.NDArray[np.int32], to_ms: float) -> dict[str, Any]:
    """Return one row per run of samples that belong to one movement, with what is needed of its samples.

    moves are their rows; kinds that of each code of the text of their type.
    """
    table, t = rows.table, rows.stamp[moves] * to_ms
    number = _exported_numbers(table)[moves]
    recording, trial = rows.recording[moves], rows.trial[moves]
    codes = table.texts("event_type").codes[moves]
    first = starts_of_runs(recording, trial, rows.stimulus[moves], codes, number)
    last = np.r_[first[1:], len(t)] - 1
    head = first if isinstance(moves, slice) else moves[first]
    columns: dict[str, Any] = {
        "row": rows.first + head,
        "recording": recording[first],
        "participant": table.texts("participant").codes[head],
        "stimulus": rows.stimulus[head],
        "trial": trial[first],
        "kind": kinds[codes[first]],
        "number": number[first],
        "n": last - first + 1,
        "filter": table.texts("filter").codes[head],
        "onset_ms": t[first],
        "last_ms": t[last],
    }
    duration = table.number("duration")
    stated = {"duration_ms": np.where(duration > 0, duration, np.nan)}
    stated |= {f"{axis}_px": values for axis, values in rows.fixation.items()}
    for name, values in stated.items():
        columns[name] = _first_known(values[moves], first).astype(np.float64)
    for axis in "xy":
        gaze = rows.gaze[axis][moves]
        columns[f"first_{axis}"] = _first_known(gaze, first)
        columns[f"last_{axis}"] = _first_known(gaze[::-1], len(t) - 1 - last[::-1])[::-1]
        columns |= _sums(axis, gaze, first)
    return columns | _sums("pupil", _pupil(rows.gaze)[moves], first)


def _first_known(
    values: npt.NDArray[np.floating], first: npt.NDArray[np.intp]
) -> npt.NDArray[np.floating]:
    """Return the first number of each run, NaN where it has none."""
    n = len(values)
    at = np.minimum.reduceat(np.where(np.isnan(values), n, np.arange(n)), first)
    ends = np.r_[first[1:], n]
    return np.where(at < ends, values[np.minimum(at, n - 1)], np.nan)


def _sums(
    name: str, values: npt.NDArray[np.floating], first: npt.NDArray[np.intp]
) -> dict[str, npt.NDArray[np.generic]]:
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0).astype(np.float64), first)
    return {f"sum_{name}": sums, f"known_{name}": np.add.reduceat(known.astype(np.int64), first)}


def _movements(
    runs: pd.DataFrame, step: float, filters: Sequence[str], numbered: bool, notes: list[str]
) -> pd.DataFrame:
    """Return one row per eye movement: its first sample, with the export's own duration and position."""
    runs["number"] = _numbers(runs, _KEYS, numbered, notes)
    runs["round"] = _rounds(runs)
    n_again = int((runs["round"].groupby([runs[key] for key in _KEYS[:-1]]).diff() > 0).sum())
    if n_again:
        notes.append(
            f"the eye movement index starts again {n_again} times: movements are numbered anew"
        )
    groups = runs.groupby([*_KEYS, "round"], sort=False)
    events = groups.first().reset_index()
    for name in ("n", *(f"{what}_{of}" for what in ("sum", "known") for of in ("x", "y", "pupil"))):
        events[name] = groups[name].sum().to_numpy()
    for name in ("last_ms", "last_x", "last_y"):
        events[name] = groups[name].last().to_numpy()
    events["pupil"] = events["sum_pupil"] / events["known_pupil"]
    _fill(events, step, notes)
    events = _without_raw(events, filters, notes)
    if not numbered or n_again or (events["number"] < 0).any():
        events["number"] = events.groupby(["recording", "trial", "kind"], sort=False).cumcount() + 1
    events = events.assign(index=events["number"].astype(np.int32), eye=1, text=0)
    return events[[name for name in events if name in {*EVENTS.names, "row"}]].copy()


def _exported_numbers(table: Columns) -> npt.NDArray[np.floating]:
    """Return the export's number of each row's movement; Studio 3 counts fixations and saccades in two columns."""
    if "event_index" in table.found:
        return table.number("event_index")
    fixation, saccade = table.number("fixation_index"), table.number("saccade_index")
    codes, names = table.texts("event_type")
    return np.where(np.array([name == "Fixation" for name in names])[codes], fixation, saccade)


def _numbers(samples: pd.DataFrame, keys: list[str], exported: bool, notes: list[str]) -> pd.Series:
    """Return which movement of its kind each run of samples belongs to: as exported, else by runs of one kind.

    A run without exported numbers gets one that no exported number is: minus its place in the file.
    """
    runs = samples[keys[:-1]].ne(samples[keys[:-1]].shift()).any(axis=1).cumsum()
    missing = samples["number"].isna()
    if not exported or missing.all():
        return -runs
    if not missing.any():
        return samples["number"]
    lost = int(samples.loc[missing, "n"].sum())
    notes.append(
        f"{lost} samples without an eye movement index: they belong to the movement around them"
    )
    # Within a run of one kind a missing number is that of the last sample with one, else of the
    # next.
    by_run = samples["number"].groupby(runs)
    return by_run.ffill().fillna(by_run.bfill()).fillna(-runs)


def _rounds(runs: pd.DataFrame) -> pd.Series:
    """Return for each run how often the numbers of its kind have started again before it.

    They do where a number is smaller than the one before, and where one comes again so late that it
    cannot be the same movement, going on after a gap: later than its length, and after another gap
    as long or with another stimulus.
    """
    kinds = [runs[key] for key in _KEYS[:-1]]
    exported = runs["number"].where(runs["number"] >= 0)
    smaller = exported < exported.groupby(kinds).ffill().groupby(kinds).shift()
    rounds = smaller.groupby(kinds).cumsum()
    same = runs.groupby([*kinds, runs["number"], rounds])
    length = same["duration_ms"].transform("first").fillna(_LONGEST_GAP_MS)
    since = runs["onset_ms"] - same["onset_ms"].transform("first")
    gap = runs["onset_ms"] - same["last_ms"].shift()
    elsewhere = same["stimulus"].shift().notna() & (runs["stimulus"] != same["stimulus"].shift())
    late = (since >= length) & ((gap > length) | elsewhere)
    again: pd.Series = (smaller | late).groupby(kinds).cumsum()
    return again


def _pupil(gaze: Mapping[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.floating]:
    return mean_of_eyes(gaze["left_pupil"], gaze["right_pupil"])


def _fill(events: pd.DataFrame, step: float, notes: list[str]) -> None:
    """Take from the samples what the export does not state."""
    fixations = (events["kind"] == _FIXATION).to_numpy()
    saccades = (events["kind"] == _SACCADE).to_numpy()
    for axis in "xy":
        stated = events[f"{axis}_px"].to_numpy(np.float64)
        mean = (events[f"sum_{axis}"] / events[f"known_{axis}"]).to_numpy(np.float64)
        start = np.where(saccades, events[f"first_{axis}"], np.nan)
        absent = fixations & np.isnan(stated)
        events[f"{axis}_px"] = np.where(fixations, np.where(absent, mean, stated), start)
        events[f"end_{axis}_px"] = np.where(saccades, events[f"last_{axis}"], np.nan)
        if axis == "x" and absent.any():
            notes.append(f"{int(absent.sum())} fixations without a position: mean of their samples")
    length = (events["last_ms"] - events["onset_ms"]).to_numpy(np.float64) + step
    unknown = events["duration_ms"].isna().to_numpy()
    if unknown.any():
        notes.append(
            f"{int(unknown.sum())} eye movements without a duration: last - first + one sample"
        )
    events["duration_ms"] = np.where(unknown, length, events["duration_ms"])
    _mend_cut(events, length, 1.5 * step, notes)


def _mend_cut(
    events: pd.DataFrame, length: npt.NDArray[np.float64], slack: float, notes: list[str]
) -> None:
    """Move the movements that the start of an excerpt cuts: with their whole duration they would overlap the next.

    Their end is known, so they begin their duration before it, or last as long as their samples
    where even that would overlap.
    """
    onsets = events.groupby("recording")["onset_ms"]
    end = events["onset_ms"] + length
    cut = events["onset_ms"] + events["duration_ms"] > onsets.shift(-1) + slack
    if not cut.any():
        return
    earlier = end - events["duration_ms"]
    movable = cut & ~(earlier < onsets.shift(1))
    events["onset_ms"] = events["onset_ms"].mask(movable, earlier)
    events["duration_ms"] = events["duration_ms"].mask(cut & ~movable, length)
    for rows, what in (
        (movable, "begin before their first sample"),
        (cut & ~movable, "last as long as their samples"),
    ):
        if rows.any():
            notes.append(
                f"{int(rows.sum())} eye movements reach beyond the start of the next: they {what}"
            )


def _without_raw(events: pd.DataFrame, filters: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Leave out the fixations of the filter ``Raw``, which calls every valid sample one."""
    fixations = events["kind"] == _FIXATION
    raw = (
        fixations
        & np.array([name.casefold().startswith("raw") for name in filters])[events["filter"]]
    )
    unnamed = fixations & np.array([not name for name in filters])[events["filter"]]
    if unnamed.sum() >= _SEVERAL and (events.loc[unnamed, "n"] == 1).all():
        raw |= unnamed
    if raw.any():
        notes.append(
            f"{int(raw.sum())} one-sample fixations of the filter Raw are no fixations: left out"
        )
    return events[~raw]
