"""Trials as a user states them: which there were, and when they began and ended."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from gazetrack.errors import InputError, SchemaError, did_you_mean, quote
from gazetrack.measures.trials import KEYS
from gazetrack.tables.store import read_table

_TIMES = ("onset_ms", "duration_ms", "offset_ms")
_OF_SAMPLES = "t_ms"
_MOST_APART_MS = 1.0  # of an offset from onset and duration: both may be rounded


def read_trials(path: str | Path) -> pd.DataFrame:
    """Read a table of trials, or find them in a table of samples.

    Parameters
    ----------
    path : path-like
        A CSV or Parquet table of trials with the columns ``stimulus``, ``onset_ms`` and
        ``duration_ms`` or ``offset_ms``, on the clock of the fixations, and as needed to tell them
        apart, ``recording``, ``participant`` and ``trial``. Or a table of samples of ours: a trial
        is then where its recording, trial and stimulus stay the same.

    Returns
    -------
    pandas.DataFrame
        A row per trial: those of ``recording``, ``participant``, ``trial`` and ``stimulus`` that
        the table has, as texts, ``start_ms`` and ``end_ms``.

    Raises
    ------
    InputError
        No such file, or one that is neither CSV nor Parquet.
    SchemaError
        A column is missing, a time is no number, a trial ends before it begins, or at two times.
    """
    path = Path(path)
    frame = _read(path)
    if _OF_SAMPLES in frame:
        return _of_samples(frame)
    has_end = {"duration_ms", "offset_ms"} & set(frame)
    needed = ["stimulus", "onset_ms", *([] if has_end else ["duration_ms"])]
    missing = [name for name in needed if name not in frame]
    if missing:
        near = did_you_mean(missing[0], map(str, frame.columns))
        what = f"is no table of trials: it has no column {', '.join(missing)}"
        raise SchemaError(what, path=path, hint=f"{near}a row is a trial, see docs/measures.md")
    times = {name: _numbers(frame, name, path) for name in _TIMES if name in frame}
    start = times["onset_ms"]
    _refuse_contradiction(times, path)
    end = times["offset_ms"] if "offset_ms" in times else start + times["duration_ms"]
    wrong = np.flatnonzero(~(end > start))
    if len(wrong):
        what = f"trial {wrong[0] + 1} lasts from {start[wrong[0]]:g} to {end[wrong[0]]:g} ms"
        raise SchemaError(what, path=path, hint="a trial ends after it begins; times are in ms")
    found = {name: frame[name].fillna("").astype(str) for name in KEYS if name in frame}
    return pd.DataFrame({**found, "start_ms": start, "end_ms": end})


def _refuse_contradiction(times: dict[str, np.ndarray], path: Path) -> None:
    """Refuse a trial whose offset is not its onset and duration."""
    if "offset_ms" not in times or "duration_ms" not in times:
        return
    end = times["onset_ms"] + times["duration_ms"]
    wrong = np.flatnonzero(np.abs(end - times["offset_ms"]) > _MOST_APART_MS)
    if len(wrong):
        first = wrong[0]
        apart = f"ends at {times['offset_ms'][first]:g} ms by offset_ms and at {end[first]:g} ms"
        what = f"trial {first + 1} {apart} by duration_ms"
        raise SchemaError(what, path=path, hint="give one of the two columns, or correct them")


def _read(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table, _ = read_table(path, [*KEYS, *_TIMES, _OF_SAMPLES])
        frame: pd.DataFrame = table.to_pandas()
        names = {name: "str" for name in KEYS if name in frame}
        return frame.astype(names)
    if suffix not in (".csv", ".tsv"):
        what = f"is no table of trials by its name: {quote(path.name, 60)}"
        raise InputError(what, path=path, hint="give a .csv, .tsv or .parquet file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # Names such as 007 and NA are texts, whatever they look like.
            rows = list(csv.DictReader(file, delimiter="," if suffix == ".csv" else "\t"))
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        what = "cannot be read as a table of trials"
        raise InputError(what, path=path, hint="write it as CSV, UTF-8") from error
    if not rows:
        raise InputError("holds no trials", path=path, hint="a row is a trial")
    return pd.DataFrame(rows)


def _numbers(frame: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Return a column of times."""
    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        cell = quote(frame[name].iloc[wrong[0]], 30)
        what = f"trial {wrong[0] + 1} has {cell!r} as {name}"
        raise SchemaError(what, path=path, hint="give milliseconds, with a decimal point")
    return found


def _of_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the trials of a table of samples: each ends one step after its last sample."""
    keys = [name for name in KEYS if name in frame]
    changed = frame[keys].ne(frame[keys].shift()).any(axis=1)
    runs = frame.groupby(changed.cumsum(), sort=True)
    step = float(frame[_OF_SAMPLES].diff().median())
    found = runs[keys].first()
    found["start_ms"] = runs[_OF_SAMPLES].min()
    end = runs[_OF_SAMPLES].max() + step
    # Clocks jitter: a trial ends at the latest where the one after it begins.
    follows = found["start_ms"].shift(-1)
    found["end_ms"] = end.where(~((follows > found["start_ms"]) & (follows < end)), follows)
    # Between the images there is no trial.
    return found[found["stimulus"] != ""].reset_index(drop=True)
