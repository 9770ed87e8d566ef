"""What a recording holds, as facts for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.readers.base import Head, Verdict
    from gazetrack.tables.recording import Recording


def stated(recording: Recording) -> dict[str, Any]:
    """Return what an export states of its recording, as JSON values: for a description, and for a table's metadata."""
    return {
        "tracker": recording.tracker,
        "software": recording.software,
        "rate_hz": recording.rate_hz,
        "rates_hz": [list(pair) for pair in recording.rates_hz],
        "pupil_measure": recording.pupil_measure,
        "no_positions": recording.no_positions or None,
        "directions": recording.directions or None,
    }


def describe(recording: Recording, verdict: Verdict, head: Head) -> dict[str, Any]:
    """Return the facts about a recording as JSON values."""
    events, table = (
        recording.events,
        recording.samples if recording.samples is not None else recording.fixations,
    )
    kinds = {
        str(v["values"]): int(v["counts"])
        for v in events["kind"].cast("string").value_counts().to_pylist()
    }
    distinct = (
        {name: _distinct(table, name) for name in ("trial", "stimulus")}
        if table is not None
        else {}
    )
    fixations = (
        kinds.get("fixation", 0) if recording.fixations is None else recording.fixations.num_rows
    )
    return {
        "format": recording.format,
        "confidence": verdict.level.name.lower(),
        "reason": verdict.reason,
        "recordings": [] if table is None else _distinct(table, "recording"),
        "encoding": head.encoding,
        **stated(recording),
        "effective_rate_hz": recording.effective_rate_hz,
        "eyes": recording.eyes,
        "screen": recording.screen.facts() if recording.screen else None,
        "world_camera": recording.world_camera or None,
        "samples": 0 if recording.samples is None else recording.samples.num_rows,
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
