"""From a recording to its table of eye movements: the tracker's own and detected ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError
from gazetrack.events.base import detector_facts, scale_of, trials_of
from gazetrack.events.blinks import Blinks, blinks_of
from gazetrack.events.fixations import (
    refuse_undetectable,
    sides,
    suited,
    whose,
    with_participants,
)
from gazetrack.events.implied_scale import scale_note
from gazetrack.events.microsaccades import ENOUGH_HZ, Microsaccades, microsaccades_of
from gazetrack.events.prepare import prepare
from gazetrack.events.saccades import described, direction, speed_of, unbroken
from gazetrack.tables.eyes import EYE_CHOICES, EYES
from gazetrack.tables.movements import DETECTED, MOVEMENTS, TRACKER
from gazetrack.tables.schema import conform
from gazetrack.tables.selection import gaze_of, has_gaze

if TYPE_CHECKING:
    from gazetrack.events.base import Detector, Floats, Trial
    from gazetrack.events.prepare import Preparation
    from gazetrack.tables.recording import Recording

SOURCES = (TRACKER, DETECTED, "both")
_LASTING = ("fixation", "smooth_pursuit")  # short losses of gaze are within them
_TEXTS = ("recording", "trial", "stimulus", "kind", "eye")
_NO_SIZE = "size or distance of the screen unknown: degrees are as if it were 45 deg wide"


class _Found(NamedTuple):
    """Movements of one kind in one trial: the names they share, and their numbers, each [n]."""

    key: tuple[str, ...]
    kind: str
    eye: str
    columns: dict[str, Floats]

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.columns["onset_ms"])


@dataclass(frozen=True, kw_only=True)
class MovementOptions:
    """Which movements to tell of, and how they are detected.

    Parameters
    ----------
    source : {"both", "tracker", "detected"}
        The events that the export tells of, those detected in its samples, or both beside each
        other. Where the export has one of the two, ``both`` is that one.
    detector : Detector, optional
        Tells fixations, saccades and whatever else it can apart; ``auto`` by default.
    preparation : Preparation, optional
        What to do to the samples before; nothing by default.
    eye : {"auto", "left", "right", "both"}
        Whose gaze: that of both eyes combined, of one, or of each on its own.
    blinks : Blinks
        How blinks are found, and what counts as one.
    microsaccades : Microsaccades, optional
        How microsaccades are found; by default they are not looked for.
    velocity_window_ms : float
        Length of the window that the speed of gaze is taken over, which ``mean_velocity_deg_s``
        and ``peak_velocity_deg_s`` tell; 20 ms (Nyström & Holmqvist 2010).

    Raises
    ------
    ConfigError
        An unknown source or eye, or no possible window.
    """

    source: str = "both"
    detector: Detector | None = None
    preparation: Preparation | None = None
    eye: str = "auto"
    blinks: Blinks = field(default_factory=Blinks)
    microsaccades: Microsaccades | None = None
    velocity_window_ms: float = 20.0

    def __post_init__(self) -> None:
        for name, known in (("source", SOURCES), ("eye", EYE_CHOICES)):
            chosen = getattr(self, name)
            if chosen not in known:
                raise ConfigError(f"{name} = {chosen!r}", hint=f"use one of {', '.join(known)}")
        if not (np.isfinite(self.velocity_window_ms) and self.velocity_window_ms > 0):
            what = f"velocity_window_ms = {self.velocity_window_ms}"
            raise ConfigError(what, hint="use a number above 0")


def movement_table(
    recording: Recording, options: MovementOptions
) -> tuple[pa.Table, dict[str, Any], list[str]]:
    """Return a recording's eye movements.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    options : MovementOptions
        Which movements, and how they are detected.

    Returns
    -------
    pyarrow.Table, dict, list of str
        Schema `MOVEMENTS`, by recording and onset; how they were found, as JSON values; and notes
        for the user.

    Raises
    ------
    ConfigError
        Movements are to be detected and there are no samples, or no degrees behind a world camera.
    """
    facts: dict[str, Any] = {"source": options.source}
    notes: list[str] = []
    tables = []
    has_samples = recording.sample_table is not None
    if options.source in (TRACKER, "both"):
        tables.append(tracker_movements(recording))
    if options.source == DETECTED or (options.source == "both" and has_samples):
        found, how, notes = _detected(recording, options)
        tables.append(found)
        facts |= how
    elif options.source == "both":
        notes.append("no samples to detect movements in: the table has the tracker's own alone")
    return _in_order(pa.concat_tables(tables).unify_dictionaries(), recording), facts, notes


def tracker_movements(recording: Recording) -> pa.Table:
    """Return the export's own events in the schema `MOVEMENTS`, messages among them.

    What it does not tell is worked out from what it does: the amplitude from start and end, where
    the size of a degree is known, and the mean velocity from amplitude and duration.
    """
    events = recording.event_table
    columns: dict[str, Any] = {name: events[name] for name in events.column_names}
    amplitude = np.array(events["amplitude_deg"].to_numpy(), np.float64)
    dx, dy = (
        np.array(events[f"end_{axis}"].to_numpy(), np.float64) - events[axis].to_numpy()
        for axis in ("x_px", "y_px")
    )
    scale, is_assumed = scale_of(recording.screen)
    if not is_assumed:
        amplitude = np.where(np.isnan(amplitude), np.hypot(dx, dy) / scale, amplitude)
    seconds = events["duration_ms"].to_numpy() / 1000
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_velocity = np.where(seconds > 0, amplitude / seconds, np.nan)
    columns |= {
        "source": TRACKER,
        "amplitude_deg": amplitude,
        "direction_deg": direction(dx, dy),
        "mean_velocity_deg_s": mean_velocity,
    }
    table = conform(columns, MOVEMENTS)
    fixations = recording.fixation_table
    if fixations is None:
        return table
    shared = [name for name in fixations.column_names if name in MOVEMENTS.names]
    own: dict[str, Any] = {name: fixations[name] for name in shared if name != "amplitude_deg"}
    more = conform(own | {"kind": "fixation", "source": TRACKER}, MOVEMENTS)
    return pa.concat_tables([table, more]).unify_dictionaries()


def _detected(
    recording: Recording, options: MovementOptions
) -> tuple[pa.Table, dict[str, Any], list[str]]:
    """Return the movements in the samples, how they were found, and notes."""
    detector = suited(options.detector, recording)
    # Named, so that samples are asked for even where the export has fixations of its own.
    refuse_undetectable(recording, detector)
    found: list[_Found] = []
    for side in sides(recording, options.preparation, options.eye):
        found += _of_side(recording, detector, options, side)
    notes = []
    if options.microsaccades is not None:
        found += _microsaccades(recording, options)
        rate = recording.rate_hz or recording.effective_rate_hz
        if rate is not None and rate < ENOUGH_HZ:
            what = f"microsaccades need {ENOUGH_HZ:.0f} Hz or more"
            notes.append(f"{what}: those found at {rate:.0f} Hz are a sample or two, or noise")
    _, is_assumed = scale_of(recording.screen)
    facts = {
        "detector": detector_facts(recording.screen, detector),
        "preparation": None if options.preparation is None else asdict(options.preparation),
        "blinks": options.blinks.facts(),
        "microsaccades": None if options.microsaccades is None else options.microsaccades.facts(),
        "velocity_window_ms": options.velocity_window_ms,
    }
    if is_assumed:
        implied = scale_note(recording)
        notes += [_NO_SIZE] if implied is None else [_NO_SIZE, implied]
    return with_participants(_numbered(found), recording), facts, notes


def _of_side(
    recording: Recording, detector: Detector, options: MovementOptions, side: str | None
) -> list[_Found]:
    """Return the movements in the gaze of one eye, or of both combined."""
    eye = whose(recording, options.preparation, side)
    samples = recording.sample_table if side is None else gaze_of(recording.sample_table, side)
    if options.preparation is not None:
        samples = prepare(samples, recording.screen, options.preparation)
    scale, _ = scale_of(recording.screen)
    pupils = [f"{eye}_pupil" for eye in (EYES if side is None else (side,))]
    found = []
    for key, pieces in trials_of(samples, scale, pupils):
        for piece in pieces:
            speed = speed_of(piece, options.velocity_window_ms)
            for kind, runs in detector.movements(piece).items():
                kept = runs if kind in _LASTING else unbroken(piece, runs)
                columns = _seen(described(piece, speed, kind, kept))
                found.append(_Found(key, kind, eye, columns))
            found.append(_Found(key, "blink", eye, blinks_of(piece, options.blinks)))
    return found


def _seen(columns: dict[str, Floats]) -> dict[str, Floats]:
    """Return movements without those in nothing but what a detector has filled in."""
    keep = ~np.isnan(columns["x_px"])
    return {name: values[keep] for name, values in columns.items()}


def _microsaccades(recording: Recording, options: MovementOptions) -> list[_Found]:
    """Return the microsaccades: of both eyes at once where both have gaze, else of one."""
    assert options.microsaccades is not None  # noqa: S101 - the caller has seen to it
    samples = recording.sample_table
    asked = (options.eye,) if options.eye in EYES else EYES
    eyes = [eye for eye in asked if has_gaze(samples, eye)]
    gazes = [gaze_of(samples, eye) for eye in eyes] or [samples]
    scale, _ = scale_of(recording.screen)
    found = []
    for trials in zip(*(trials_of(gaze, scale) for gaze in gazes), strict=True):
        key = trials[0][0]
        # Long trials are cut where the gaze of an eye jumps: of two eyes not at the same places.
        pieces: list[list[Trial]] = [list(own) for _, own in trials]
        if len({tuple(piece.t_ms.size for piece in own) for own in pieces}) > 1:
            pieces = pieces[:1]
        for eye_pieces in zip(*pieces, strict=True):
            columns = microsaccades_of(list(eye_pieces), options.microsaccades)
            seconds = columns["duration_ms"] / 1000
            columns["mean_velocity_deg_s"] = columns["amplitude_deg"] / seconds
            eye = eyes[0] if len(eyes) == 1 else "both"
            found.append(_Found(key, "microsaccade", eye, columns))
    return found


def _numbered(found: list[_Found]) -> pa.Table:
    """Return detected movements as one table, numbered within trial, stimulus, kind and eye."""
    some = [one for one in found if one.n]
    if not some:
        return MOVEMENTS.empty_table()
    counts = [one.n for one in some]
    texts = [(*one.key, one.kind, one.eye) for one in some]
    table = pd.DataFrame(
        {
            name: np.repeat(np.array(values, object), counts)
            for name, values in zip(_TEXTS, zip(*texts, strict=True), strict=True)
        }
    )
    # A frame for each kind of each trial would take longer than all else.
    for name in dict.fromkeys(name for one in some for name in one.columns):
        table[name] = np.concatenate(
            [one.columns.get(name, np.full(one.n, np.nan)) for one in some]
        )
    table = table.sort_values("onset_ms", kind="stable")
    table["index"] = table.groupby(list(_TEXTS), sort=False).cumcount() + 1
    columns: dict[str, Any] = {str(name): table[name].to_numpy() for name in table}
    return conform(columns | {"source": DETECTED}, MOVEMENTS)


def _in_order(table: pa.Table, recording: Recording) -> pa.Table:
    """Return the rows by recording and onset; by trial first where each has a clock of its own."""
    keys = ["recording"] if recording.time_origin == "recording" else ["recording", "trial"]
    places = [_first_seen(table[name]) for name in keys]
    order = np.lexsort([table["onset_ms"].to_numpy(), *reversed(places)])
    return table.take(pa.array(order))


def _first_seen(column: pa.ChunkedArray) -> Any:
    codes, _ = pd.factorize(column.cast("string").to_numpy())
    return codes
