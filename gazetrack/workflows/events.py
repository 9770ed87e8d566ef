"""Eye movements, of one recording at hand or of many files: the tracker's own and detected ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from gazetrack.errors import ConfigError, refuse_other_type
from gazetrack.events.blinks import Blinks
from gazetrack.events.compare import compare_fixations, overall
from gazetrack.events.detectors import DEFAULT
from gazetrack.events.main_sequence import main_sequence
from gazetrack.events.movements import MovementOptions, movement_table
from gazetrack.tables.movements import DETECTED, MOVEMENT_KINDS, TRACKER
from gazetrack.tables.recording import ATTRS_KEY, Recording
from gazetrack.tables.selection import select_eye
from gazetrack.workflows.convert_options import ConvertOptions, Made
from gazetrack.workflows.replacing import EVENTS_ENDING as ENDING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from gazetrack.events.base import Detector
    from gazetrack.events.main_sequence import MainSequence
    from gazetrack.events.microsaccades import Microsaccades
    from gazetrack.events.prepare import Preparation


@dataclass(frozen=True, kw_only=True)
class EventsOptions(ConvertOptions):
    """What a user may choose about the events of exports, besides what `ConvertOptions` says.

    Parameters
    ----------
    source : {"both", "tracker", "detected"}
        The export's own events, those detected in its samples, or both beside each other.
    blinks : Blinks
        How blinks are found, and what counts as one.
    microsaccades : Microsaccades, optional
        How microsaccades are found; by default they are not looked for.
    velocity_window_ms : float
        Length of the window that the speed of gaze is taken over.

    Raises
    ------
    ConfigError
        An unknown source, or a choice that is about other tables.
    """

    source: str = "both"
    blinks: Blinks = field(default_factory=Blinks)
    microsaccades: Microsaccades | None = None
    velocity_window_ms: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples or self.events or self.dataset is not None:
            what = "events are written to a file of their own, alone"
            raise ConfigError(what, hint="leave out samples, events and dataset")
        self.movements()

    def movements(self) -> MovementOptions:
        """Return what of it is about the movements themselves."""
        return MovementOptions(
            source=self.source,
            detector=self.detector,
            preparation=self.preparation,
            eye=self.eye,
            blinks=self.blinks,
            microsaccades=self.microsaccades,
            velocity_window_ms=self.velocity_window_ms,
        )

    @property
    def kind(self) -> str:
        """Which of the tables of a recording these are: detected ones lie beside all others."""
        return "events" if self.source != DETECTED else f"events of {self._detector_name}"

    @property
    def _detector_name(self) -> str:
        return DEFAULT if self.detector is None else self.detector.name

    @property
    def wants_own_fixations(self) -> bool:
        """Whether the tracker's own events are taken."""
        return self.source != DETECTED

    def made(self, recording: Recording) -> Made:
        """Return the table of a recording's events, and what there is to say of it."""
        table, facts, notes = movement_table(recording, self.movements())
        found = {
            "counts": counts(table),
            "agreement": agreement(table),
            "main_sequence": {name: str(fit) for name, fit in main_sequences(table).items()},
        }
        # Detected events alone carry the name of their detector, as detected fixations do: they do
        # not take the place of a table that holds the tracker's own.
        ending = ENDING if self.source != DETECTED else f".{facts['detector']['name']}{ENDING}"
        return Made(ending, {ending: table}, {"movements": facts, "notes": notes, "shown": found})


def detect_events(
    recording: Recording,
    detector: str | Detector | None = None,
    *,
    source: str = "both",
    eye: str = "auto",
    preparation: Preparation | None = None,
    blinks: Blinks | None = None,
    microsaccades: Microsaccades | None = None,
) -> pd.DataFrame:
    """Return the eye movements of a recording: fixations, saccades, blinks and others.

    Parameters
    ----------
    recording : Recording
        A recording as `read` gives it.
    detector : str or Detector, optional
        Name of a detector, or one with other parameters; ``auto`` by default.
    source : {"both", "tracker", "detected"}
        The export's own events, those detected in its samples, or both beside each other.
    eye : {"auto", "left", "right", "both"}
        Whose gaze: by default that of both eyes combined; ``both`` takes each eye on its own.
    preparation : Preparation, optional
        What to do to the samples before; nothing by default.
    blinks : Blinks, optional
        How blinks are found, see `gazetrack.events.blinks`.
    microsaccades : Microsaccades, optional
        How microsaccades are found, see `gazetrack.events.microsaccades`; by default they are not
        looked for.

    Returns
    -------
    pandas.DataFrame
        A row per event, with its ``kind`` and ``source``: onset and duration in milliseconds, start
        and end on the screen in pixels, amplitude, direction (0 right, 90 up) and velocities in
        degrees. ``attrs["gazetrack"]`` holds the screen, the detector and all parameters.

    Raises
    ------
    ConfigError
        There is no such detector, or it has nothing to work with.

    Examples
    --------
    >>> events = gazetrack.detect_events(gazetrack.read("raw.asc"))  # doctest: +SKIP
    >>> saccades = events[(events["kind"] == "saccade") & (events["source"] == "detected")]
    ... # doctest: +SKIP
    """
    from gazetrack.workflows.fixations import detector_of

    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    options = MovementOptions(
        source=source,
        detector=None if detector is None else detector_of(detector),
        preparation=preparation,
        eye=eye,
        blinks=blinks or Blinks(),
        microsaccades=microsaccades,
    )
    table, facts, notes = movement_table(select_eye(recording, eye), options)
    frame: pd.DataFrame = table.to_pandas()
    notes = [*recording.notes, *notes]
    frame.attrs[ATTRS_KEY] = recording.facts() | {"movements": facts, "notes": notes}
    return frame


def of(table: pa.Table, kind: str, source: str) -> pa.Table:
    """Return the rows of one kind and source of a table of events."""
    is_kind = pc.equal(table["kind"].cast("string"), kind)
    is_source = pc.equal(table["source"].cast("string"), source)
    return table.filter(pc.and_(is_kind, is_source))


def counts(table: pa.Table) -> dict[str, dict[str, int]]:
    """Return how many movements there are, by kind and source; kinds without any are left out."""
    found = {
        kind: {source: of(table, kind, source).num_rows for source in (TRACKER, DETECTED)}
        for kind in MOVEMENT_KINDS
    }
    return {kind: numbers for kind, numbers in found.items() if any(numbers.values())}


def agreement(table: pa.Table) -> dict[str, dict[str, Any]]:
    """Return how well the tracker's events agree with the detected ones, by kind.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `MOVEMENTS`, with events of both sources.

    Returns
    -------
    dict of str to dict
        Of each kind that both have, what `events.compare.overall` says: the tracker's are the
        reference.
    """
    found = {}
    for kind in MOVEMENT_KINDS:
        ours = of(table, kind, TRACKER)
        theirs = of(table, kind, DETECTED)
        if ours.num_rows and theirs.num_rows:
            found[kind] = overall(compare_fixations(ours, theirs))
    return found


def main_sequences(table: pa.Table) -> dict[str, MainSequence]:
    """Return the main sequence of the saccades of either source, where it has any."""
    found = {}
    for source in (TRACKER, DETECTED):
        saccades = of(table, "saccade", source)
        if saccades.num_rows:
            amplitude = saccades["amplitude_deg"].to_numpy()
            found[source] = main_sequence(amplitude, saccades["peak_velocity_deg_s"].to_numpy())
    return found
