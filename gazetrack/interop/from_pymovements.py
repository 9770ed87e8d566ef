"""A `Gaze` of pymovements as a recording: what `to_pymovements` made, or what pymovements read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, SchemaError, quote, refuse_other_type
from gazetrack.interop.facts import recording_of
from gazetrack.interop.foreign import MESSAGE, ROW, event_table, is_by_trial
from gazetrack.interop.installed import needed
from gazetrack.interop.pymovements_gaze import numbers_of, only_eye, positions_of, screen_of
from gazetrack.tables.damage import check_times
from gazetrack.tables.recording import ATTRS_KEY
from gazetrack.tables.schema import SAMPLES, conform

if TYPE_CHECKING:
    from pymovements import Gaze

    from gazetrack.tables.recording import Recording

FORMAT = "pymovements"
_OWN = ("recording", "trial", "stimulus")
_PEOPLE = ("participant", "participant_id", "subject", "subject_id")
_USED = {"time", "pixel", "pupil"}


def from_pymovements(gaze: Gaze, name: str = FORMAT) -> Recording:
    """Return a `Gaze` of pymovements as a recording.

    Parameters
    ----------
    gaze : pymovements.Gaze
        With pixels, or with degrees and the size and distance of the screen.
    name : str
        What the recording is called where the gaze does not come from `to_pymovements`.

    Returns
    -------
    Recording
        What `to_pymovements` was given, where this is what it made; what pymovements has detected
        since is among its events. Otherwise times begin at the first sample, the trial columns
        become the trial, and notes say what was inferred and left out.

    Raises
    ------
    ConfigError
        pymovements is not installed, or this is no `Gaze` of it.
    SchemaError
        It has neither pixels nor degrees that can become pixels; a sample, an event or a message
        has no time, or an event ends before it begins.
    ParseError
        The times are in no order, never go forward, or begin again within a recording.

    Examples
    --------
    >>> gaze = pymovements.gaze.from_asc("raw.asc")  # doctest: +SKIP
    >>> gazetrack.detect_fixations(gazetrack.from_pymovements(gaze))  # doctest: +SKIP
    """
    if not isinstance(gaze, needed("pymovements").Gaze):
        what = f"a {type(gaze).__name__} is no Gaze of pymovements"
        raise ConfigError(what, hint="give one, such as pymovements.gaze.from_asc(…) returns")
    refuse_other_type(name, str, "the name", "give a text")
    told = (gaze.metadata or {}).get(ATTRS_KEY)
    facts: dict[str, Any] = dict(told) if told else {"name": name, "reader": FORMAT}
    notes: list[str] = []
    screen = screen_of(gaze)
    samples = _samples(gaze, screen, notes) if len(gaze.samples) else None
    events = _events(gaze)
    if not told:
        facts |= _stated(gaze)
        if samples is not None:
            facts |= _clock(samples, events)
            facts["participants"] = _participants(gaze, name)
    table = None
    if samples is not None:
        samples.setdefault("recording", facts["name"])
        table = conform(samples, SAMPLES)
    found, said = event_table(events, str(facts["name"]))
    notes += said
    recording = recording_of(facts, samples=table, events=found, screen=screen)
    if not told:
        # What nobody has read before is looked at like an export.
        check_times(recording, notes)
    return replace(recording, notes=(*recording.notes, *notes))


def _samples(gaze: Any, screen: Any, notes: list[str]) -> dict[str, Any]:
    """Return the columns of samples by our names; times as they are."""
    if "time" not in gaze.samples.columns:
        what = "the gaze has no times"
        raise SchemaError(what, hint="name them: pymovements.Gaze(…, time_column=…)")
    columns = positions_of(gaze, screen, notes)
    t_ms = numbers_of(gaze.samples["time"])
    columns["t_ms"] = t_ms
    n_timeless = int(np.count_nonzero(~np.isfinite(t_ms)))
    if n_timeless:
        what = f"{n_timeless} of {len(t_ms)} samples have no time"
        raise SchemaError(what, hint='leave them out: gaze.samples.drop_nulls("time")')
    columns |= _names(gaze.samples, gaze.trial_columns or [])
    unused = [
        name
        for name in gaze.samples.columns
        if name not in {*_USED, *_OWN, *_PEOPLE, *(gaze.trial_columns or [])}
    ]
    if unused:
        notes.append(f"columns of pymovements that are left out: {', '.join(unused)}")
    return columns


def _names(frame: Any, trial_columns: list[str]) -> dict[str, Any]:
    """Return recording, trial and stimulus of rows, as far as columns tell them."""
    named = {name: _texts(frame, name) for name in _OWN if name in frame.columns}
    others = [name for name in trial_columns if name not in (*_OWN, *_PEOPLE)]
    if others and "trial" not in named:
        rows = zip(*(_texts(frame, name) for name in others), strict=True)
        named["trial"] = ["_".join(row) for row in rows]
    people = _people(frame)
    # Several persons are several recordings.
    if people is not None and len(set(people)) > 1 and "recording" not in named:
        named["recording"] = people
    return named


def _texts(frame: Any, name: str) -> list[str]:
    return ["" if value is None else str(value) for value in frame[name].to_list()]


def _people(frame: Any) -> list[str] | None:
    found = next((name for name in _PEOPLE if name in frame.columns), None)
    return None if found is None else _texts(frame, found)


def _participants(gaze: Any, name: str) -> dict[str, str]:
    people = set(_people(gaze.samples) or [])
    if len(people) > 1:
        return {person: person for person in people}
    stated = [str(gaze.metadata[key]) for key in _PEOPLE if key in (gaze.metadata or {})]
    known = [person for person in (*people, *stated) if person]
    return {name: known[0]} if known else {}


def _stated(gaze: Any) -> dict[str, Any]:
    """Return what pymovements says of the tracker, in our words."""
    experiment = gaze.experiment
    eye = only_eye(gaze)
    n = gaze.n_components
    eyes = eye or ("binocular" if n in (4, 6) else "combined")
    if experiment is None:
        return {"eyes": eyes}
    tracker = experiment.eyetracker
    return {
        "eyes": eyes,
        "rate_hz": experiment.sampling_rate,
        "tracker": " ".join(part for part in (tracker.vendor, tracker.model) if part),
        "software": tracker.version or "",
    }


def _clock(samples: dict[str, Any], events: pd.DataFrame) -> dict[str, Any]:
    """Let times begin at the first sample, but where each trial has a clock of its own."""
    t = samples["t_ms"]
    trials = pd.DataFrame({name: samples[name] for name in _OWN if name in samples})
    if len(trials.columns) and is_by_trial(t, trials.groupby([*trials]).ngroup().to_numpy()):
        return {"time_origin": "trial"}
    origin_ms = float(t[0])
    samples["t_ms"] = t - origin_ms
    events["onset_ms"] -= origin_ms
    return {"origin_ms": origin_ms}


def _events(gaze: Any) -> pd.DataFrame:
    """Return events and messages by our names; times as they are."""
    frame = gaze.events.frame
    columns: dict[str, Any] = {name: frame[name].to_list() for name in frame.columns}
    onset = np.array(columns.pop("onset"), np.float64)
    length = np.array(columns.pop("offset"), np.float64) - onset
    columns["kind"] = columns.pop("name")
    trials = [name for name in gaze.trial_columns or [] if name in frame.columns]
    columns |= _names(frame, trials)
    columns |= {"onset_ms": onset, "duration_ms": length}
    eye = np.array(columns.get("eye", [None] * len(frame)), object)
    whose = only_eye(gaze) or "both"
    # What pymovements itself detects says no eye; a button, which is of none, has an empty text.
    columns["eye"] = [whose if value is None else value for value in eye]
    found = pd.DataFrame(columns)
    if gaze.messages is not None:
        found = pd.concat([found, _messages(gaze.messages)], ignore_index=True)
    _refuse_times(found)
    return found


def _refuse_times(events: pd.DataFrame) -> None:
    """Refuse events and messages that have no time, or end before they begin."""
    timeless = ~np.isfinite(events["onset_ms"].to_numpy(np.float64))
    if timeless.any():
        kind = quote(events["kind"].to_numpy()[timeless][0], 40)
        what = f"{timeless.sum()} events have no onset; the first is a {kind!r}"
        raise SchemaError(what, hint="leave them out of gaze.events or gaze.messages")
    ends_early = events["duration_ms"].to_numpy(np.float64) < 0
    if ends_early.any():
        first = events[ends_early].iloc[0]
        where = f"a {quote(first['kind'], 40)!r} at {first['onset_ms']:g} ms"
        what = f"{ends_early.sum()} events end before they begin; the first is {where}"
        raise SchemaError(what, hint="correct their offsets, or leave them out of gaze.events")


def _messages(frame: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "kind": MESSAGE,
        "onset_ms": numbers_of(frame["time"]),
        "duration_ms": 0.0,
        "text": _texts(frame, "content"),
        "eye": "",
    }
    texts = (*_OWN, "participant", "eye")
    columns |= {name: _texts(frame, name) for name in texts if name in frame.columns}
    # Of a message that we had.
    columns |= {name: frame[name].to_list() for name in ("index", ROW) if name in frame.columns}
    return pd.DataFrame(columns, index=range(len(frame)))
