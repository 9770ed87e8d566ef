"""The fixations that an export holds itself, with what its samples say of each.

Exports are long: samples lie in chunks, most of which are never copied, and one window of them
is in memory at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.kernels.segments import describe_runs
from gazetrack.tables.eyes import GAZE_COLUMNS
from gazetrack.tables.kinds import of_kinds
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.schema import FIXATIONS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from gazetrack.tables.recording import Recording

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

_FROM_EVENTS = (
    "recording",
    "participant",
    "stimulus",
    "trial",
    "index",
    "eye",
    "onset_ms",
    "duration_ms",
    "x_px",
    "y_px",
    "pupil",
)
_TEXTS = ("recording", "trial", "stimulus")
_WINDOW = 1 << 18  # samples


def exported_fixations(recording: Recording) -> tuple[pa.Table | None, dict[str, int]]:
    """Return the export's own fixations, each eye's.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, and `plausible.checked` let it through.

    Returns
    -------
    pyarrow.Table or None, dict of str to int
        Schema `FIXATIONS`, or None for an export without any; and the number of events that are no
        possible fixation, by reason.
    """
    if recording.fixation_table is not None:
        return (
            recording.fixation_table,
            {},
        )  # the reader has left out and counted the impossible ones
    table = _from_events(recording)
    if table is None:
        return None, {}
    return valid_fixations(table, positions=not recording.no_positions)


def _from_events(recording: Recording) -> pa.Table | None:
    """Return the fixations among a recording's events as a fixation table, or None without any."""
    fixations = of_kinds(recording.event_table, "fixation")
    if not fixations.num_rows:
        return None
    events = fixations.select(_FROM_EVENTS).to_pandas()
    columns: dict[str, Any] = {name: events[name] for name in _FROM_EVENTS}
    if recording.sample_table is not None:
        facts = _sample_facts(events, recording.sample_table)
        mean_x, mean_y, median_x, median_y, dispersion, rms, count = facts.T
        # The export's own position counts; where it gives none, its samples have one.
        has_no_position = events["x_px"].isna() | events["y_px"].isna()
        columns["x_px"] = events["x_px"].mask(has_no_position, mean_x)
        columns["y_px"] = events["y_px"].mask(has_no_position, mean_y)
        columns["median_x_px"] = median_x
        columns["median_y_px"] = median_y
        columns["dispersion_px"] = dispersion
        columns["rms_s2s_px"] = rms
        columns["n_samples"] = count.astype(np.int32)
    return conform(columns, FIXATIONS)


def _sample_facts(events: pd.DataFrame, samples: pa.Table) -> Floats:
    """Return what `describe_runs` says of the samples in each fixation, shape (n, 7)."""
    facts = np.full((len(events), 7), np.nan)
    facts[:, 6] = 0
    onsets = events["onset_ms"].to_numpy()
    ends = onsets + events["duration_ms"].to_numpy()
    eyes = events["eye"].to_numpy(object)
    for recording, indices in events.groupby("recording", observed=True).indices.items():
        rows = np.asarray(indices)
        own = _in_order(_samples_of(str(recording), samples))
        first = _places(onsets[rows], own["t_ms"])
        last = np.maximum(first, _places(ends[rows], own["t_ms"]))
        for eye in dict.fromkeys(eyes[rows]):
            is_of_eye = eyes[rows] == eye
            columns = GAZE_COLUMNS.get(str(eye), GAZE_COLUMNS["both"])
            of_eye = rows[is_of_eye]
            facts[of_eye] = _described(own, columns, first[is_of_eye], last[is_of_eye])
    return facts


def _described(
    samples: pa.Table, columns: tuple[str, str], first: Integers, last: Integers
) -> Floats:
    """Return the facts [n, 7] of runs [first, last) of samples, window by window of them."""
    facts = np.empty((len(first), 7))
    for runs in _groups(first // _WINDOW):
        start = int(first[runs].min())
        stop = int(last[runs].max())
        x, y = (samples[name].slice(start, stop - start).to_numpy() for name in columns)
        facts[runs] = describe_runs(x, y, first[runs] - start, last[runs] - start)
    return facts


def _groups(keys: npt.NDArray[np.integer]) -> list[npt.NDArray[np.intp]]:
    """Return the places of each of the keys."""
    if not len(keys):
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _samples_of(recording: str, samples: pa.Table) -> pa.Table:
    """Return the samples of one recording, without a copy where they lie together."""
    names = samples["recording"].unify_dictionaries()
    if len(names.unique()) == 1:
        return samples
    is_own = np.concatenate(
        [
            chunk.indices.to_numpy() == chunk.dictionary.index(recording).as_py()
            for chunk in names.chunks
        ]
    )
    first = int(is_own.argmax())
    n = int(np.count_nonzero(is_own))
    lies_together = is_own[first : first + n].all()
    return samples.slice(first, n) if lies_together else samples.filter(pa.array(is_own))


def _in_order(samples: pa.Table) -> pa.Table:
    """Return the samples by their times, without a copy where they are so already."""
    last = -np.inf
    for chunk in samples["t_ms"].chunks:
        t = chunk.to_numpy()
        if not len(t):
            continue
        goes_forward = t[0] >= last and (np.diff(t) >= 0).all()
        if not goes_forward:
            order = np.argsort(samples["t_ms"].to_numpy(), kind="stable")
            numbers = [name for name in samples.column_names if name not in _TEXTS]
            return samples.select(numbers).take(pa.array(order))
        last = t[-1]
    return samples


def _places(values: Floats, times: pa.ChunkedArray) -> Integers:
    """Return the first place in ascending times that is not before each value, chunk by chunk."""
    chunks = [chunk.to_numpy() for chunk in times.chunks if len(chunk)]
    if not chunks:
        return np.zeros(len(values), np.int64)
    offsets = np.cumsum([0, *map(len, chunks)])
    first_times = [chunk[0] for chunk in chunks]
    owner = np.maximum(np.searchsorted(first_times, values) - 1, 0)
    places = np.empty(len(values), np.int64)
    for at in _groups(owner):
        number = owner[at[0]]
        places[at] = offsets[number] + np.searchsorted(chunks[number], values[at])
    return places
