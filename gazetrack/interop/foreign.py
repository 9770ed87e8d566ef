"""What the programs have in common on the way back: clocks, and events under other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.tables.clock import Clock
from gazetrack.tables.movements import DETECTED, MOVEMENT_KINDS
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    import pyarrow as pa

MESSAGE = "message"
ROW = "row"  # where an event stood among all of ours, messages too
# The longest first: a microsaccade is none of the saccades.
_KINDS = (*sorted(MOVEMENT_KINDS, key=len, reverse=True), MESSAGE, "input", "button")
_TEXTS = ("recording", "participant", "stimulus", "trial", "eye", "text")
_SAME_EVENT = ["recording", "trial", "stimulus", "kind", "eye"]


def kind_of(name: str) -> str:
    """Return what kind of event another program's name is of; a name that is none stays as it is.

    Parameters
    ----------
    name : str
        Such as ``fixation_ivt``, ``saccade_eyelink``, ``BAD_blink`` or ``Fixation``.
    """
    plain = name.lower().removeprefix("bad_").replace(" ", "_")
    return next((kind for kind in _KINDS if plain.startswith(kind)), name)


def event_table(events: pd.DataFrame, recording: str) -> tuple[pa.Table, list[str]]:
    """Return another program's events in our schema, in the order of time, and what to say of it.

    Parameters
    ----------
    events : pandas.DataFrame
        Columns of `EVENTS`, of which ``kind``, ``onset_ms`` and ``duration_ms`` at least; ``kind``
        may be any name. A column ``source`` says what gazetrack itself had detected, and ``row``
        in which order those of one time were.
    recording : str
        The recording that events without one belong to.
    """
    notes = []
    events = events.assign(kind=[kind_of(name) for name in events["kind"]])
    if "source" in events:
        detected = (events["source"] == DETECTED).to_numpy()
        # Beside those of the tracker, ours would be there twice.
        if detected.any() and not detected.all():
            notes.append(f"{detected.sum()} events that gazetrack had detected are left out")
            events = events[~detected]
    for name in _TEXTS:
        if name not in events:
            events = events.assign(**{name: ""})
        events[name] = events[name].fillna("").astype(str)
    events.loc[events["recording"] == "", "recording"] = recording
    order = ["onset_ms", *([ROW] if ROW in events else [])]
    events = _with_people(events).sort_values(order, kind="stable")
    counted = events.groupby(_SAME_EVENT, sort=False).cumcount() + 1
    numbers = events["index"] if "index" in events else pd.Series(np.nan, events.index)
    events["index"] = numbers.where(numbers.notna(), counted).astype("int32")
    names = [name for name in EVENTS.names if name in events]
    columns = {name: events[name].to_numpy() for name in names}
    return conform(columns, EVENTS), notes


def _with_people(events: pd.DataFrame) -> pd.DataFrame:
    """Let events without a participant have the one of the other events of their recording."""
    named = events[events["participant"] != ""]
    people = dict(zip(named["recording"], named["participant"], strict=True))
    found = [people.get(recording, "") for recording in events["recording"]]
    return events.assign(
        participant=events["participant"].where(events["participant"] != "", found)
    )


def is_by_trial(t: np.ndarray, trials: np.ndarray) -> bool:
    """Tell whether times begin anew with each trial.

    Parameters
    ----------
    t : ndarray of float64, shape (N,)
        Times in milliseconds, in the order of the rows.
    trials : ndarray of int, shape (N,)
        The trial each belongs to, as a number.
    """
    whole = Clock()
    restarts = whole.take(t)
    changes = np.flatnonzero(np.diff(trials)) + 1
    return bool(len(restarts)) and bool(np.isin(restarts, changes).all())
