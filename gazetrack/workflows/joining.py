"""Files of one recording as one: gaze, with the tracker's fixations and blinks on its clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import DataError
from gazetrack.tables.kinds import count_kinds, not_of_kinds
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.workflows.naming import says_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from gazetrack.tables.recording import Recording

_SLACK_MS = 1000.0  # a fixation may begin before the first sample that was exported
# Formats whose names of recordings are the user's own, or ours.
_NAMED_BY_USER = ("generic", "gazetrack_samples")
# Formats whose files of gaze say the same of fixations as those of fixations, medium by medium.
_GAZE_HAS_FIXATIONS = ("gazepoint", "tobii_studio")


def joined(gaze: Recording, fixations: Recording | None, blinks: Recording | None) -> Recording:
    """Return the gaze with the tracker's own fixations and blinks, from files of their own.

    Parameters
    ----------
    gaze : Recording
        The recording that has the samples.
    fixations : Recording or None
        A fixation table of the same recording; its fixations take the place of those the gaze
        itself tells of.
    blinks : Recording or None
        Events of kind ``blink``, which take the place of the gaze's in the same way.

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
    events = gaze.event_table
    notes = list(gaze.notes)
    taken_from_parts = False
    if fixations is not None and fixations.fixation_table is not None:
        own = fixations.fixation_table
        n_known = count_kinds(events).get("fixation", 0)
        if n_known and fixations.format in _GAZE_HAS_FIXATIONS:
            notes.append(
                f"fixations as the gaze has them: {n_known}, {own.num_rows} in their own file"
            )
        else:
            columns = {name: own[name] for name in own.column_names if name in EVENTS.names}
            more = conform(columns | {"kind": "fixation"}, EVENTS)
            events = _with(events, more, "fixation", gaze, fixations)
            taken_from_parts = True
        notes += [note for note in fixations.notes if note not in notes]
    if blinks is not None:
        events = _with(events, blinks.event_table, "blink", gaze, blinks)
        taken_from_parts = True
    if taken_from_parts:
        notes.append("fixations and blinks that lie in files of their own are taken from there")
    rows_in = gaze.rows_in
    dropped = Counter(gaze.dropped)
    mended = Counter(gaze.mended)
    for part in (fixations, blinks):
        if part is not None:
            rows_in += part.rows_in
            dropped.update(part.dropped)
            mended.update(part.mended)
    return replace(
        gaze,
        event_table=events,
        notes=tuple(notes),
        dropped=dict(dropped),
        mended=dict(mended),
        rows_in=rows_in,
    )


def _with(
    events: pa.Table, more: pa.Table, kind: str, gaze: Recording, part: Recording
) -> pa.Table:
    """Return the events with those of a part in place of their own of this kind.

    The part's are moved to the clock of the gaze.
    """
    if gaze.sample_table is None:
        hint = "give the files one at a time"
        raise DataError("holds no samples to join fixations or blinks to", hint=hint)
    name = _only_recording(gaze.sample_table, more, kind) or gaze.name
    onset_ms = more["onset_ms"].to_numpy() + _shift_ms(gaze, part)
    _refuse_other_times(onset_ms, gaze.sample_table["t_ms"].to_numpy(), kind)
    columns: dict[str, Any] = {column: more[column] for column in more.column_names}
    moved = conform(columns | {"onset_ms": onset_ms, "recording": name}, EVENTS)
    kept = not_of_kinds(events, kind)
    filled = [table for table in (kept, moved) if table.num_rows]
    together = pa.concat_tables(filled or [kept]).unify_dictionaries()
    in_order = pc.sort_indices(together, sort_keys=[("onset_ms", "ascending")])
    return together.take(in_order)


def _only_recording(samples: pa.Table, more: pa.Table, kind: str) -> str:
    """Return the name of the only recording of the samples; of several, no clock is known."""
    in_gaze = samples["recording"].unify_dictionaries().unique().to_pylist()
    in_part = more["recording"].unify_dictionaries().unique().to_pylist()
    most = max(len(in_gaze), len(in_part))
    if most > 1:
        what = (
            f"{most} recordings in one file, whose {kind}s cannot be told to be on the same clock"
        )
        hint = "export each recording by itself, or give the files one at a time"
        raise DataError(what, hint=hint)
    return str(in_gaze[0]) if in_gaze else ""


def _shift_ms(gaze: Recording, part: Recording) -> float:
    """Return what a time of the part is behind the same time of the gaze.

    Absolute starts are exact where both files state them; else both count on the tracker's clock.
    """
    if gaze.start_ns is not None and part.start_ns is not None:
        return (part.start_ns - gaze.start_ns) / 1e6
    return part.origin_ms - gaze.origin_ms


def _refuse_other_times(
    onsets_ms: npt.NDArray[np.float64], times_ms: npt.NDArray[np.float64], kind: str
) -> None:
    """Refuse events of which none can have been while the samples were taken."""
    if not (len(onsets_ms) and len(times_ms)):
        return
    ends_too_early = not onsets_ms.max() > np.nanmin(times_ms) - _SLACK_MS
    begins_too_late = not onsets_ms.min() < np.nanmax(times_ms)
    if ends_too_early or begins_too_late:
        what = (
            f"its {kind}s lie in a file beside it, and at other times than its gaze: "
            "not of the same recording"
        )
        raise DataError(what, hint="give the files one at a time")


def renamed(recording: Recording, stem: str, name: str) -> Recording:
    """Return the recording under the name that tells it from others.

    Parameters
    ----------
    recording : Recording
        The recording as a reader gave it.
    stem : str
        The file's, by which readers call a recording that the export does not name.
    name : str
        Takes its place, and stands in front of names that software gives to everybody, such as
        ``Recording1``.
    """
    named_by_software = recording.format not in _NAMED_BY_USER

    def new_name(old: str) -> str:
        if old == stem:
            return name
        rest = old.removeprefix(stem)
        if rest != old and not rest[0].isalnum():  # as the second of several in a file: raw_2
            return name + rest
        if named_by_software and old and says_nothing(old):
            return f"{name}_{old}"
        return old

    return replace(
        recording,
        name=new_name(recording.name),
        participants={new_name(old): who for old, who in recording.participants.items()},
        sample_table=_with_names(recording.sample_table, new_name),
        event_table=_with_names(recording.event_table, new_name),
        fixation_table=_with_names(recording.fixation_table, new_name),
    )


def _with_names(table: Any, new_name: Callable[[str], str]) -> Any:
    """Return a table with new names of recordings; the very same where none changes, or None."""
    if table is None:
        return None
    column = table["recording"]
    # Texts are coded: names are changed in the dictionary of each chunk, not row by row.
    old_names = [chunk.dictionary.to_pylist() for chunk in column.chunks]
    if all(new_name(old) == old for names in old_names for old in names):
        return table
    chunks = []
    for chunk, names in zip(column.chunks, old_names, strict=True):
        texts = pa.array([new_name(old) for old in names], pa.string())
        chunks.append(pa.DictionaryArray.from_arrays(chunk.indices, texts))
    place = table.schema.get_field_index("recording")
    changed = pa.chunked_array(chunks, column.type)
    return table.set_column(place, table.schema.field(place), changed)
