"""Files of one recording as one: the gaze, with the tracker's own fixations and blinks on the clock of the gaze."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import DataError
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.workflows.naming import says_nothing

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

_SLACK_MS = 1000.0  # a fixation may begin before the first sample that was exported
# Formats whose names of recordings are the user's own, or ours.
_NAMED_BY_USER = ("generic", "gazetrack_samples")


def joined(gaze: Recording, fixations: Recording | None, blinks: Recording | None) -> Recording:
    """Return the gaze with the tracker's own fixations and blinks, which stood in files of their own.

    Parameters
    ----------
    gaze : Recording
        With samples.
    fixations : Recording or None
        A fixation table of the same recording; its fixations take the place of those the gaze
        itself tells of.
    blinks : Recording or None
        Events of kind ``blink``; likewise.

    Returns
    -------
    Recording
        Rows read and dropped are those of all files.

    Raises
    ------
    DataError
        The times of the files do not meet: they are of different recordings. Or one of several
        recordings in a file has no clock that the other file shares.
    """
    events, notes = gaze.event_table, list(gaze.notes)
    if fixations is not None and fixations.fixation_table is not None:
        own = fixations.fixation_table
        if _kinds(events)["fixation"] and fixations.format in ("gazepoint", "tobii_studio"):
            # Both files say the same, and the gaze has them on its own clock, medium by medium.
            notes.append(
                f"fixations as the gaze has them: {_kinds(events)['fixation']}, {own.num_rows} in their own file"
            )
        else:
            table = {name: own[name] for name in own.column_names if name in EVENTS.names} | {
                "kind": "fixation"
            }
            events = _with(events, conform(table, EVENTS), "fixation", gaze, fixations)
        notes += [note for note in fixations.notes if note not in notes]
    if blinks is not None:
        events = _with(events, blinks.event_table, "blink", gaze, blinks)
    if blinks is not None or (fixations is not None and events is not gaze.event_table):
        notes.append("fixations and blinks that lie in files of their own are taken from there")
    others = [part for part in (fixations, blinks) if part is not None]
    dropped, mended = Counter(gaze.dropped), Counter(gaze.mended)
    for part in others:
        dropped.update(part.dropped)
        mended.update(part.mended)
    rows_in = gaze.rows_in + sum(part.rows_in for part in others)
    return replace(
        gaze,
        event_table=events,
        notes=tuple(notes),
        dropped=dict(dropped),
        mended=dict(mended),
        rows_in=rows_in,
    )


def _kinds(events: pa.Table) -> Counter[str]:
    return Counter(events["kind"].cast("string").to_pylist())


def _with(
    events: pa.Table, more: pa.Table, kind: str, gaze: Recording, part: Recording
) -> pa.Table:
    """Return the events with those of a part in place of their own of this kind, on the clock of the gaze."""
    if gaze.sample_table is None:
        raise DataError(
            "holds no samples to join fixations or blinks to", hint="give the files one at a time"
        )
    names = [
        pc.unique(table["recording"].cast("string")).to_pylist()
        for table in (gaze.sample_table, more)
    ]
    if len(names[0]) > 1 or len(names[1]) > 1:
        what = f"{max(map(len, names))} recordings in one file, whose {kind}s cannot be told to be on the same clock"
        raise DataError(
            what, hint="export each recording by itself, or give the files one at a time"
        )
    both_exact = gaze.start_ns is not None and part.start_ns is not None
    shift = (part.start_ns - gaze.start_ns) / 1e6 if both_exact else part.origin_ms - gaze.origin_ms  # type: ignore[operator]
    onset = more["onset_ms"].to_numpy() + shift
    times = gaze.sample_table["t_ms"].to_numpy()
    if (
        len(onset)
        and len(times)
        and not (onset.max() > np.nanmin(times) - _SLACK_MS and onset.min() < np.nanmax(times))
    ):
        what = f"its {kind}s lie in a file beside it, and at other times than its gaze: not of the same recording"
        raise DataError(what, hint="give the files one at a time")
    changed: dict[str, Any] = {name: more[name] for name in more.column_names}
    changed |= {"onset_ms": onset, "recording": names[0][0] if names[0] else gaze.name}
    kept = events.filter(pc.not_equal(events["kind"].cast("string"), kind))
    some = [table for table in (kept, conform(changed, EVENTS)) if table.num_rows]
    table = pa.concat_tables(some or [kept]).unify_dictionaries()
    return table.take(pc.sort_indices(table, sort_keys=[("onset_ms", "ascending")]))


def renamed(recording: Recording, stem: str, name: str) -> Recording:
    """Return the recording under the name that tells it from others.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    stem : str
        The file's, by which readers call a recording that the export does not name.
    name : str
        Takes its place, and stands in front of names that software gives to everybody, such as
        ``Recording1``.
    """
    named_by_software = recording.format not in _NAMED_BY_USER

    def of(old: str) -> str:
        if old == stem:
            return name
        rest = old.removeprefix(stem)
        if rest != old and not rest[0].isalnum():  # as the second of several in a file: raw_2
            return name + rest
        return f"{name}_{old}" if named_by_software and old and says_nothing(old) else old

    def of_table(table: Any) -> Any:
        if table is None:
            return None
        column = table["recording"]
        chunks = [(chunk, chunk.dictionary.to_pylist()) for chunk in column.chunks]
        if all(of(old) == old for _, names in chunks for old in names):
            return table
        new = [
            pa.DictionaryArray.from_arrays(chunk.indices, pa.array(map(of, names), pa.string()))
            for chunk, names in chunks
        ]
        place = table.schema.get_field_index("recording")
        return table.set_column(
            place, table.schema.field(place), pa.chunked_array(new, column.type)
        )

    return replace(
        recording,
        name=of(recording.name),
        participants={of(name): who for name, who in recording.participants.items()},
        sample_table=of_table(recording.sample_table),
        event_table=of_table(recording.event_table),
        fixation_table=of_table(recording.fixation_table),
    )
