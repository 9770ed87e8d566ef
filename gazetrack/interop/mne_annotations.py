"""Events as annotations of MNE, and annotations as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.tables.movements import MOVEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.interop.grid import Grid

PAUSE = "BAD_ACQ_SKIP"  # as MNE's reader of EyeLink files calls what was not recorded
STIMULUS, TRIAL = "stimulus", "trial"
_BAD = {"blink": "BAD_blink"}  # MNE leaves out what begins with BAD
_NAMED = ("trial", "stimulus")


def outside(movements: pa.Table, grid: Grid) -> list[dict[str, Any]]:
    """Return the events that begin before the first tick or after the last, as JSON values.

    MNE keeps no annotation beyond its data: EyeLink's messages before a recording are such.

    Parameters
    ----------
    movements : pyarrow.Table
        Schema `MOVEMENTS`, in any order.
    grid : Grid
        Where the samples lie on the clock.
    """
    beyond = movements.filter(pa.array(~_inside(movements, grid)))
    times = ("onset_ms", "duration_ms")
    return [_extras(event) | {name: event[name] for name in times} for event in beyond.to_pylist()]


def _inside(movements: pa.Table, grid: Grid) -> npt.NDArray[np.bool_]:
    ticks = (movements["onset_ms"].to_numpy() - grid.first_ms) * grid.rate_hz / 1000.0
    found: npt.NDArray[np.bool_] = (ticks >= 0) & (ticks < grid.size)
    return found


def annotations_of(
    mne: Any,
    samples: pa.Table,
    movements: pa.Table,
    grid: Grid,
    channels: Mapping[str, list[str]],
) -> Any:
    """Return events, trials and pauses as annotations, seconds from the first tick.

    Parameters
    ----------
    mne : module
        The package, which is imported for those who ask for it.
    samples : pyarrow.Table
        Schema `SAMPLES`, which say when which trial is.
    movements : pyarrow.Table
        The events, in the schema `MOVEMENTS`.
    grid : Grid
        Where the samples lie on the clock.
    channels : mapping of str to list of str
        By eye, the names of its channels.
    """
    rows = [
        *_movements(movements.filter(pa.array(_inside(movements, grid))), grid.first_ms, channels),
        *_trials(samples, grid.first_ms, 1000.0 / grid.rate_hz),
        *((onset, length, PAUSE, [], None) for onset, length in grid.pauses()),
    ]
    if not rows:
        return mne.Annotations([], [], [])
    onset, duration, description, names, extras = zip(*rows, strict=True)
    return mne.Annotations(
        list(onset), list(duration), list(description), ch_names=list(names), extras=list(extras)
    )


Row = tuple[float, float, str, list[str], dict[str, Any] | None]


def _movements(table: pa.Table, first_ms: float, channels: Mapping[str, list[str]]) -> list[Row]:
    everything = [name for names in channels.values() for name in names]
    rows: list[Row] = []
    for event in table.to_pylist():
        onset = (event.pop("onset_ms") - first_ms) / 1000.0
        length = event.pop("duration_ms") / 1000.0
        kind = event["kind"]
        # Names such as buttons' say too little by themselves, and a description is never empty.
        text = event["text"] if kind == "message" else f"{kind} {event['text']}".strip()
        names: list[str] = []
        if event["eye"]:
            # Of the eyes that the samples have; of both where there is no channel of this one.
            names = channels.get(event["eye"], everything)
        rows.append((onset, length, _BAD.get(kind, text or kind), names, _extras(event)))
    return rows


def _extras(event: dict[str, Any]) -> dict[str, Any]:
    """Return what else is known of an event: neither what is missing, nor what is empty."""
    kept = (MOVEMENTS.field(i).name for i in range(len(MOVEMENTS)))
    known = ((name, event.get(name)) for name in kept)
    return {name: value for name, value in known if value not in (None, "") and value == value}


def _trials(samples: pa.Table, first_ms: float, step_ms: float) -> list[Row]:
    """Return each run of samples of one trial and stimulus, of those that have a name."""
    t = samples["t_ms"].to_numpy()
    coded = [pc.cast(samples[name], pa.string()).dictionary_encode() for name in _NAMED]
    codes = [column.unify_dictionaries().combine_chunks() for column in coded]
    changes = np.zeros(len(t), np.bool_)
    for column in codes:
        changes[1:] |= np.diff(column.indices.to_numpy()) != 0
    begins = np.flatnonzero(changes | (np.arange(len(t)) == 0))
    ends = np.append(begins[1:], len(t)) - 1
    rows: list[Row] = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        trial, stimulus = (column[begin].as_py() for column in codes)
        if trial or stimulus:
            name = f"{STIMULUS}/{stimulus}" if stimulus else f"{TRIAL}/{trial}"
            onset = (t[begin] - first_ms) / 1000.0
            length = (t[end] - t[begin] + step_ms) / 1000.0
            extras = {"kind": TRIAL, TRIAL: trial, STIMULUS: stimulus}
            rows.append((float(onset), float(length), name, [], extras))
    return rows
