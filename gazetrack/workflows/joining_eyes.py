"""The eyes of one recording as one, where each has a file of its own, as in BIDS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import DataError
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.tables.eyes import EYES, GAZE_COLUMNS
from gazetrack.tables.schema import SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.tables.recording import Recording

_US = 1e3  # in a millisecond: samples of two eyes are of one moment to the microsecond
_ALONE = "give the files one at a time"
_SEVERAL = "each eye has a file of its own: read as one recording"


def joined_eyes(recordings: Sequence[Recording]) -> Recording:
    """Return one recording of the files of its eyes.

    Parameters
    ----------
    recordings : sequence of Recording
        The same moments as each eye saw them, the first of them the one that gives the name: the
        left eye, the right one, and perhaps what the tracker made of both.

    Returns
    -------
    Recording
        Samples of one moment are in one row. Messages that every file repeats are there once.

    Raises
    ------
    DataError
        Two files are of the same eye.
    """
    first = recordings[0]
    by_eye: dict[str, Recording] = {}
    for one in recordings:
        if one.eyes in by_eye:
            what = f"two files beside each other are of the same eye: {one.eyes}"
            raise DataError(what, hint=_ALONE)
        by_eye[one.eyes] = one
    origin_ms = min(one.origin_ms for one in recordings)
    moments_ms, rows = _moments([_times(one, origin_ms) for one in recordings])
    columns: dict[str, Any] = {"recording": first.name, "t_ms": moments_ms}
    for name in ("trial", "stimulus"):
        columns[name] = _texts([one.arrow()[name] for one in recordings], rows)
    for (eye, one), own_rows in zip(by_eye.items(), rows, strict=True):
        for name in _columns_of(eye):
            columns[name] = _placed(one.arrow()[name].to_numpy(), own_rows)
    if "combined" not in by_eye:
        nothing = np.full(len(moments_ms), np.nan, np.float32)
        for axis, name in enumerate(GAZE_COLUMNS["both"]):
            left, right = (columns.get(GAZE_COLUMNS[eye][axis], nothing) for eye in EYES)
            columns[name] = mean_of_eyes(left, right)
    return replace(
        first,
        sample_table=conform(columns, SAMPLES),
        event_table=_events(recordings, origin_ms, first.name),
        eyes="binocular" if set(EYES) <= set(by_eye) else first.eyes,
        origin_ms=origin_ms,
        rows_in=sum(one.rows_in for one in recordings),
        dropped=_summed([one.dropped for one in recordings]),
        mended=_summed([one.mended for one in recordings]),
        notes=tuple(dict.fromkeys([_SEVERAL, *(n for one in recordings for n in one.notes)])),
    )


def _columns_of(eye: str) -> tuple[str, ...]:
    """Return the columns of samples that a file of this eye fills."""
    if eye in EYES:
        return (*GAZE_COLUMNS[eye], f"{eye}_pupil")
    return GAZE_COLUMNS["both"]


def _times(recording: Recording, origin_ms: float) -> npt.NDArray[np.float64]:
    """Return the times of the samples from the first moment of any of the files, ms."""
    times: npt.NDArray[np.float64] = recording.arrow()["t_ms"].to_numpy()
    return times + (recording.origin_ms - origin_ms)


def _moments(
    times_ms: Sequence[npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.float64], list[npt.NDArray[np.intp]]]:
    """Return all moments in ms, and of each file the row that is of each moment, or -1."""
    first, *others = times_ms
    if all(_same(own, first) for own in others):
        return first, [np.arange(len(first)) for _ in times_ms]
    keys = []
    for own in times_ms:
        moments = pd.Series(np.rint(own * _US).astype(np.int64))
        # Two samples of one moment stay two.
        keys.append(pd.MultiIndex.from_arrays([moments, moments.groupby(moments).cumcount()]))
    union = keys[0]
    for key in keys[1:]:
        union = union.union(key)
    moments_ms = union.get_level_values(0).to_numpy() / _US
    return moments_ms, [key.get_indexer(union) for key in keys]


def _same(times_ms: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> bool:
    if len(times_ms) != len(others):
        return False
    return bool(np.abs(times_ms - others).max(initial=0) < 1 / _US)


def _placed(values: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return values[rows], missing where a row is -1."""
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.float32(np.nan))


def _texts(columns: Sequence[pa.ChunkedArray], rows: Sequence[npt.NDArray[np.intp]]) -> Any:
    """Return the text of each moment: of the first file that has the moment."""
    texts: npt.NDArray[np.object_] = np.full(len(rows[0]), "", object)
    is_open = np.ones(len(rows[0]), bool)
    for column, own in zip(columns, rows, strict=True):
        here = is_open & (own >= 0)
        if here.any():
            values = np.array(column.cast("string").to_pylist(), object)
            texts[here] = values[own[here]]
            is_open &= ~here
    return texts


def _events(recordings: Sequence[Recording], origin_ms: float, name: str) -> pa.Table:
    """Return the events of all files in the order of their onsets, repeated messages once."""
    tables = []
    for one in recordings:
        table = one.event_table
        columns: dict[str, Any] = {column: table[column] for column in table.column_names}
        onset_ms = table["onset_ms"].to_numpy() + (one.origin_ms - origin_ms)
        tables.append(conform(columns | {"onset_ms": onset_ms, "recording": name}, table.schema))
    filled = [table for table in tables if table.num_rows]
    together = pa.concat_tables(filled or tables[:1]).unify_dictionaries()
    frame = together.select(["kind", "onset_ms", "text"]).to_pandas()
    frame = frame.astype({"kind": str, "text": str}).round({"onset_ms": 3})
    # What one file holds twice was there twice.
    file = np.repeat(np.arange(len(filled)), [table.num_rows for table in filled])
    frame["time"] = frame.groupby([file, "kind", "onset_ms", "text"]).cumcount()
    is_again = (frame["kind"] == "message").to_numpy() & frame.duplicated().to_numpy()
    kept = together.filter(pa.array(~is_again))
    return kept.take(pc.sort_indices(kept, sort_keys=[("onset_ms", "ascending")]))


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for own in counts:
        for reason, count in own.items():
            total[reason] = total.get(reason, 0) + count
    return total
