"""What a recording holds, as facts for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.tables.kinds import count_kinds

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.readers.base import Head, Verdict
    from gazetrack.tables.recording import Recording


def describe(recording: Recording, verdict: Verdict, head: Head) -> dict[str, Any]:
    """Return the facts about a recording as JSON values."""
    events, table = (
        recording.event_table,
        recording.sample_table if recording.sample_table is not None else recording.fixation_table,
    )
    kinds = count_kinds(events)
    distinct = (
        {name: _distinct(table, name) for name in ("trial", "stimulus")}
        if table is not None
        else {}
    )
    fixations = (
        kinds.get("fixation", 0)
        if recording.fixation_table is None
        else recording.fixation_table.num_rows
    )
    return {
        "format": recording.format,
        "confidence": verdict.level.name.lower(),
        "reason": verdict.reason,
        "recordings": [] if table is None else _distinct(table, "recording"),
        "encoding": head.encoding,
        **recording.stated(),
        "effective_rate_hz": recording.effective_rate_hz,
        "eyes": recording.eyes,
        "screen": recording.screen.facts() if recording.screen else None,
        "world_camera": recording.world_camera or None,
        "samples": 0 if recording.sample_table is None else recording.sample_table.num_rows,
        "loss": recording.loss,
        "fixations": fixations,
        "events": dict(sorted(kinds.items())),
        "trials": len(distinct.get("trial", ())),
        "stimuli": len(distinct.get("stimulus", ())),
        "placed_stimuli": len(recording.placements),
        "rows_in": recording.rows_in,
        "dropped": dict(recording.dropped),
        "mended": dict(recording.mended),
        "notes": list(recording.notes),
    }


def _distinct(table: pa.Table, name: str) -> list[str]:
    return [value for value in table[name].unify_dictionaries().unique().to_pylist() if value]
