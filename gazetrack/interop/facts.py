"""What is known of a recording besides its rows, on its way through another program.

Programs such as pymovements and MNE have a place for a mapping or a text that they do not look at.
There it travels as JSON values, so that a recording comes back as it was.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_TAKEN = (
    "eyes",
    "world_camera",
    "origin_ms",
    "start_ns",
    "time_origin",
    "fractions_of",
    "rows_in",
    "dropped",
    "mended",
    "tracker",
    "software",
    "rate_hz",
    "pupil_measure",
)


def facts_of(recording: Recording) -> dict[str, Any]:
    """Return all that a recording is besides its tables, as JSON values."""
    return {
        "name": recording.name,
        **recording.facts(),
        "participants": dict(recording.participants),
        "marks_known": recording.marks_known,
        "placements": {name: asdict(place) for name, place in recording.placements.items()},
    }


def recording_of(
    facts: Mapping[str, Any],
    *,
    samples: pa.Table | None,
    events: pa.Table,
    screen: Screen | None,
    notes: Sequence[str] = (),
) -> Recording:
    """Return the recording that `facts_of` told of, with tables that came from elsewhere.

    Parameters
    ----------
    facts : mapping
        What `facts_of` returned, or the part of it that the other program states: ``name`` and
        ``reader`` at least.
    samples : pyarrow.Table or None
        Samples in the schema `SAMPLES`.
    events : pyarrow.Table
        Events in the schema `EVENTS`.
    screen : Screen or None
        The screen as the other program states it. Lengths and fields of view that it has no place
        for are taken from the facts, where both have as many pixels.
    notes : sequence of str
        What had to be inferred or left out on the way, in words for the user.
    """
    told = {name: facts[name] for name in _TAKEN if facts.get(name) is not None}
    placements = {name: Placement(**place) for name, place in facts.get("placements", {}).items()}
    rates = tuple((float(at), float(rate)) for at, rate in facts.get("rates_hz") or ())
    return Recording(
        name=facts["name"],
        format=facts["reader"],
        sample_table=samples,
        event_table=events,
        screen=_completed(screen, facts.get("screen")),
        placements=placements,
        participants=facts.get("participants", {}),
        rates_hz=rates,
        marks_known=bool(facts.get("marks_known")),
        no_positions=bool(facts.get("no_positions")),
        directions=bool(facts.get("directions")),
        notes=(*facts.get("notes", ()), *notes),
        **told,
    )


def _completed(screen: Screen | None, told: Mapping[str, Any] | None) -> Screen | None:
    """Return our own screen where the other program's is the same as far as it says anything."""
    if told is None:
        return screen
    own = Screen(**told)
    if screen is None:
        return own
    pairs = (
        (getattr(screen, name), getattr(own, name))
        for name in ("width_px", "height_px", "width_mm", "height_mm", "distance_mm")
    )
    # Centimetres and metres come back with a rounded last digit.
    same = all(a is None or (b is not None and abs(a - b) <= 1e-9 * b) for a, b in pairs)
    return own if same else screen
