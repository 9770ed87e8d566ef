"""The pupil of a recording as tables: a row per sample and eye, and a row per trial and eye."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from gazetrack.errors import DataError
from gazetrack.events.base import spans_of
from gazetrack.events.fixations import with_participants
from gazetrack.measures.pupil import KEPT, completed, filtered, mean_of_eyes
from gazetrack.tables.eyes import EYES
from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS, REASONS
from gazetrack.tables.schema import coded, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.measures.pupil import Filtered, PupilOptions
    from gazetrack.tables.recording import Recording

    Floats = npt.NDArray[np.float64]

# Across a longer pause in the samples nothing is filled or smoothed, and speeds begin anew.
PAUSE_MS = 10_000.0


class PupilTables(NamedTuple):
    """The pupil of a recording.

    Parameters
    ----------
    samples : pyarrow.Table
        Schema `PUPIL`, all samples of the left eye, of the right eye, and of the mean of both.
    trials : pyarrow.Table
        Schema `PUPIL_TRIALS`, a row per trial, stimulus and eye.
    counts : dict of str to dict
        By eye, how many samples there are, how many each step has taken out, and how many were
        filled.
    notes : tuple of str
        What the user is to know, such as steps that the data do not allow.
    """

    samples: pa.Table
    trials: pa.Table
    counts: dict[str, dict[str, int]]
    notes: tuple[str, ...]


def pupil_tables(recording: Recording, options: PupilOptions, eye: str = "auto") -> PupilTables:
    """Return the pupil sizes of a recording after all steps.

    Parameters
    ----------
    recording : Recording
        With samples, as a reader gave it.
    options : PupilOptions
        What is done to pupil sizes, and how.
    eye : {"auto", "left", "right", "both"}
        One eye alone; or, by default and for ``both``, each eye that has sizes and the mean.

    Returns
    -------
    PupilTables
        Sizes in the unit of the export.

    Raises
    ------
    DataError
        The export has no samples, or no pupil sizes of that eye.
    """
    samples = recording.sample_table
    if samples is None:
        raise DataError("has no samples", hint="export the recording again, with samples")
    asked = (eye,) if eye in EYES else EYES
    sizes = {name: _column(samples, f"{name}_pupil") for name in asked}
    sizes = {name: size for name, size in sizes.items() if (size > 0).any()}
    if not sizes and samples.num_rows:
        whose = f" of the {eye} eye" if eye in EYES else ""
        what = f"has no pupil sizes{whose}"
        raise DataError(what, hint="export the recording again, with pupil sizes")
    t = _column(samples, "t_ms")
    pieces = list(_pieces(samples, t, by_trial=recording.time_origin == "trial"))
    off = _changes(samples, "trial", "stimulus") & (np.diff(t, prepend=t[:1]) > options.gap_ms)
    made = _made(t, sizes, (pieces, off), options)
    notes = tuple(dict.fromkeys(note for one in made.values() for note in one.notes))
    spans = {key: _places(own) for key, own in spans_of(samples).items()}
    baselines = {
        name: _baselines(t, one.pupil, (spans, pieces), options) for name, one in made.items()
    }
    tables = [_samples(samples, name, one, baselines[name], options) for name, one in made.items()]
    rows = [
        _trial(key, places, t, one, baseline=baselines[name][places[0]], options=options)
        | {"eye": name}
        for name, one in made.items()
        for key, places in spans.items()
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    trials = conform(columns, PUPIL_TRIALS) if rows else PUPIL_TRIALS.empty_table()
    whole = pa.concat_tables(tables) if tables else PUPIL.empty_table()
    return PupilTables(
        with_participants(whole.unify_dictionaries(), recording),
        with_participants(trials, recording),
        {name: one.counts() for name, one in made.items()},
        notes,
    )


class _Made(NamedTuple):
    """One eye's sizes [N] through all steps: as exported, why not used, filled and smoothed."""

    raw: Floats
    removed: npt.NDArray[np.int8]
    pupil: Floats
    is_filled: npt.NDArray[np.bool_]
    notes: list[str]

    def counts(self) -> dict[str, int]:
        """Return how many samples there are, were taken out by each step, and were filled."""
        taken = np.bincount(self.removed, minlength=KEPT + 1)
        found = {"samples": int(self.raw.size)}
        found |= {reason: int(taken[place]) for place, reason in enumerate(REASONS)}
        return found | {"filled": int(np.count_nonzero(self.is_filled))}


def _made(
    t: Floats,
    sizes: dict[str, Floats],
    where: tuple[list[slice], npt.NDArray[np.bool_]],
    options: PupilOptions,
) -> dict[str, _Made]:
    """Return the sizes of each eye, and of the mean where there are two, after all steps.

    `where` is the uninterrupted signals, and before which samples [N] the tracker was off.
    """
    pieces, off = where
    names = [*sizes, "both"] if len(sizes) == len(EYES) else list(sizes)
    n = t.size
    made = {
        name: _Made(
            raw=sizes[name] if name in sizes else np.full(n, np.nan),
            removed=np.full(n, KEPT, np.int8),
            pupil=np.full(n, np.nan),
            is_filled=np.zeros(n, np.bool_),
            notes=[],
        )
        for name in names
    }
    for piece in pieces:
        eyes = {
            name: filtered(t[piece], size[piece], options, off[piece])
            for name, size in sizes.items()
        }
        if "both" in made:
            eyes["both"] = mean_of_eyes(t[piece], eyes["left"], eyes["right"])
            made["both"].raw[piece] = _plain_mean(*(size[piece] for size in sizes.values()))
        for name, one in eyes.items():
            _put(made[name], piece, t[piece], one, options)
    return made


def _put(into: _Made, piece: slice, t: Floats, eye: Filtered, options: PupilOptions) -> None:
    pupil, is_filled = completed(t, eye, options)
    into.removed[piece] = eye.removed
    into.pupil[piece] = pupil
    into.is_filled[piece] = is_filled
    into.notes.extend(eye.notes)


def _plain_mean(left: Floats, right: Floats) -> Floats:
    """Return the mean of two sizes where both are known, else the one that is."""
    has_left = left > 0
    has_right = right > 0
    one = np.where(has_left, left, np.where(has_right, right, np.nan))
    return np.where(has_left & has_right, (left + right) / 2, one)


def _column(samples: pa.Table, name: str) -> Floats:
    return np.array(samples[name].to_numpy(), np.float64)


def _pieces(samples: pa.Table, t: Floats, *, by_trial: bool) -> Iterator[slice]:
    """Cut where the recording changes, the clock steps back, or nothing is there for long."""
    steps = np.diff(t, prepend=t[:1])
    names = ("recording", "trial") if by_trial else ("recording",)
    is_new = (steps < 0) | (steps > PAUSE_MS) | _changes(samples, *names)
    edges = [0, *np.flatnonzero(is_new).tolist(), t.size]
    for start, end in pairwise(edges):
        if end > start:
            yield slice(start, end)


def _changes(samples: pa.Table, *names: str) -> npt.NDArray[np.bool_]:
    """Return which samples [N] have another name than the one before in any of the columns."""
    found = np.zeros(samples.num_rows, np.bool_)
    if not samples.num_rows:
        return found
    for name in names:
        column = samples[name].unify_dictionaries()
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
        found[1:] |= codes[1:] != codes[:-1]
    return found


def _places(spans: list[tuple[int, int]]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.arange(first, first + n) for first, n in spans])


def _baselines(
    t: Floats,
    pupil: Floats,
    where: tuple[dict[tuple[str, ...], npt.NDArray[np.int64]], list[slice]],
    options: PupilOptions,
) -> npt.NDArray[np.float64]:
    """Return at each sample the baseline of its trial and of how many samples it is, [N, 2]."""
    spans, pieces = where
    found = np.full((t.size, 2), np.nan)
    found[:, 1] = 0
    if options.baseline == "none":
        return found
    firsts = [piece.start for piece in pieces]
    for places in spans.values():
        # Before the trial there may be samples of another one, of the same uninterrupted clock.
        piece = pieces[int(np.searchsorted(firsts, places[0], side="right")) - 1]
        times = t[piece] - t[places[0]]
        first = np.searchsorted(times, options.baseline_start_ms, side="left")
        end = np.searchsorted(times, options.baseline_end_ms, side="left")
        own = pupil[piece][first:end]
        known = own[np.isfinite(own)]
        if known.size:
            found[places] = known.mean(), known.size
    return found


def _change(pupil: Floats, baseline: Floats, options: PupilOptions) -> Floats:
    """Return sizes by their baseline; NaN without one."""
    return pupil / baseline if options.baseline == "divisive" else pupil - baseline


def _samples(
    samples: pa.Table,
    eye: str,
    made: _Made,
    baselines: npt.NDArray[np.float64],
    options: PupilOptions,
) -> pa.Table:
    columns: dict[str, Any] = {
        name: samples[name] for name in ("recording", "trial", "stimulus", "t_ms")
    }
    baseline = baselines[:, 0]
    columns |= {
        "eye": eye,
        "raw_pupil": made.raw,
        "pupil": made.pupil,
        "baseline_pupil": baseline,
        "change_pupil": _change(made.pupil, baseline, options),
        "removed_by": coded(made.removed.astype(np.int64), [*REASONS, ""]),
        "is_filled": pa.array(made.is_filled),
    }
    return conform(columns, PUPIL)


def _trial(
    key: tuple[str, ...],
    places: npt.NDArray[np.int64],
    t: Floats,
    made: _Made,
    *,
    baseline: Floats,
    options: PupilOptions,
) -> dict[str, Any]:
    """Return the row of one trial and eye."""
    pupil = made.pupil[places]
    known = np.isfinite(pupil)
    taken = np.bincount(made.removed[places], minlength=KEPT + 1)
    row: dict[str, Any] = dict(zip(("recording", "trial", "stimulus"), key, strict=True))
    row |= {
        "onset_ms": t[places[0]],
        "duration_ms": t[places[-1]] - t[places[0]],
        "n_samples": places.size,
        **{f"n_{reason}": int(taken[place]) for place, reason in enumerate(REASONS)},
        "n_filled": int(made.is_filled[places].sum()),
        "lost": 1 - known.mean(),
        "baseline_pupil": baseline[0],
        "n_baseline": int(baseline[1]),
        "mean_pupil": pupil[known].mean() if known.any() else np.nan,
    }
    change = _change(pupil, np.full(pupil.size, baseline[0]), options)
    has_change = np.isfinite(change)
    peak = int(np.argmax(np.where(has_change, change, -np.inf)))
    row["mean_change_pupil"] = change[has_change].mean() if has_change.any() else np.nan
    row["peak_change_pupil"] = change[peak] if has_change.any() else np.nan
    row["peak_ms"] = t[places[peak]] - t[places[0]] if has_change.any() else np.nan
    return row
