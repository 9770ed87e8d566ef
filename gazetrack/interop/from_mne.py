"""A `Raw` of MNE as a recording: its channels of gaze and pupil, and its annotations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, SchemaError, quote, refuse_other_type
from gazetrack.interop.facts import recording_of
from gazetrack.interop.foreign import MESSAGE, event_table, kind_of
from gazetrack.interop.installed import needed
from gazetrack.interop.mne_annotations import PAUSE, TRIAL
from gazetrack.interop.mne_channels import (
    AXIS_AT,
    AXIS_CODES,
    EYE_AT,
    EYE_CODES,
    M_PER_MM,
    METRES,
    NO_UNIT,
    PIXELS,
    RADIANS,
)
from gazetrack.readers.shared.gaze import gaze_columns, pupils_of
from gazetrack.tables.movements import MOVEMENT_KINDS
from gazetrack.tables.recording import ATTRS_KEY
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from mne.io import BaseRaw

    from gazetrack.tables.recording import Recording

    Floats = npt.NDArray[np.floating]

FORMAT = "mne"
_KINDS = ("eyegaze", "pupil")
_NS_PER_US = 1000


def from_mne(raw: BaseRaw, screen: Screen | None = None, name: str = FORMAT) -> Recording:
    """Return the gaze of a `Raw` of MNE as a recording.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        With channels of type ``eyegaze``, in pixels or radians, and perhaps ``pupil``.
    screen : Screen, optional
        The screen, which MNE keeps apart from the data: radians need its size and distance. What
        `to_mne` made has it.
    name : str
        What the recording is called where the data do not come from `to_mne`.

    Returns
    -------
    Recording
        Times begin at the first sample where the data do not come from `to_mne`. Annotations of
        fixations, saccades and blinks are events, those of trials say which samples are of which,
        ``BAD_ACQ_SKIP`` is left out, and all others are messages. Where `to_mne` had no sample for
        a tick, there is none again.

    Raises
    ------
    ConfigError
        MNE is not installed, or this is no `Raw` of it.
    SchemaError
        It has no channel of gaze or pupil, one in another unit, or in radians without a screen.

    Examples
    --------
    >>> raw = mne.io.read_raw_eyelink("raw.asc")  # doctest: +SKIP
    >>> gazetrack.detect_fixations(gazetrack.from_mne(raw, screen))  # doctest: +SKIP
    """
    if not isinstance(raw, needed("mne").io.BaseRaw):
        what = f"a {type(raw).__name__} is no Raw of MNE"
        raise ConfigError(what, hint="give one, such as mne.io.read_raw_eyelink(…) returns")
    refuse_other_type(name, str, "the name", "give a text")
    if screen is not None:
        hint = "give gazetrack.Screen(1920, 1080, 531, 299, 650)"
        refuse_other_type(screen, Screen, "the screen", hint)
    told = _told(raw.info["description"])
    facts = told or {"name": name, "reader": FORMAT, **_stated(raw, name)}
    known = screen or (Screen(**facts["screen"]) if facts.get("screen") else None)
    first_ms = float(facts.get("first_ms", 0.0))
    columns, notes = _columns(raw, known)
    # Cropped data begin later on the same clock.
    at_ms = first_ms + 1000.0 * (raw.times + raw.first_time)
    table = conform({**columns, "t_ms": at_ms, "recording": facts["name"]}, SAMPLES)
    annotated = _annotations(raw, first_ms, facts.get("outside", ()))
    lost = [(first_ms + 1000.0 * at, 1000.0 * length) for at, length in facts.get("lost_s", ())]
    table, events = _cut(table, annotated, lost)
    found, said = event_table(events, str(facts["name"]))
    facts.setdefault("eyes", _eyes(columns))
    return recording_of(facts, samples=table, events=found, screen=screen, notes=(*notes, *said))


def _told(description: str | None) -> dict[str, Any]:
    """Return what `to_mne` wrote into the description; empty where anybody else did."""
    try:
        told = json.loads(description or "{}")[ATTRS_KEY]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return told if isinstance(told, dict) and {"name", "reader"} <= set(told) else {}


def _stated(raw: Any, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"rate_hz": float(raw.info["sfreq"])}
    start = raw.info["meas_date"]
    if start is not None:
        since = start - datetime(1970, 1, 1, tzinfo=UTC)
        whole_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        facts["start_ns"] = whole_us * _NS_PER_US
    person = (raw.info["subject_info"] or {}).get("his_id")
    if person:
        facts["participants"] = {name: str(person)}
    return facts


def _columns(raw: Any, screen: Screen | None) -> tuple[dict[str, Any], list[str]]:
    """Return positions in pixels and pupils as `schema.SAMPLES` has them, and notes on them."""
    gaze: dict[str, Floats] = {}
    notes = []
    for number, kind in enumerate(raw.get_channel_types()):
        channel = raw.info["chs"][number]
        if kind not in _KINDS:
            continue
        column = _column(channel, kind)
        if column in gaze:
            what = f"two channels are {kind} of one eye, such as {quote(channel['ch_name'], 40)!r}"
            raise SchemaError(what, hint="drop one of them: raw.drop_channels([…])")
        values = raw.get_data(picks=[number])[0]
        gaze[column] = _in_our_unit(values, channel, column, screen)
        if column == "pupil":  # of both eyes, for which we have no column
            notes.append("nobody says whose pupil it is: it is taken as the left one")
    if "pupil" in gaze:
        gaze["left_pupil"] = gaze.pop("pupil")
    if not gaze:
        what = "no channel is of type eyegaze or pupil"
        hint = "say which are: mne.preprocessing.eyetracking.set_channel_types_eyetrack"
        raise SchemaError(what, hint=hint)
    return gaze_columns(_with_combined(gaze)), notes


def _column(channel: dict[str, Any], kind: str) -> str:
    """Return the name of a channel among `gaze_columns`, by its place."""
    eyes = {code: eye for eye, code in EYE_CODES.items()}
    axes = {code: axis for axis, code in AXIS_CODES.items()}
    eye = eyes.get(channel["loc"][EYE_AT], "")
    prefix = f"{eye}_" if eye else ""
    if kind == "pupil":
        return f"{prefix}pupil"
    axis = axes.get(channel["loc"][AXIS_AT])
    if axis is None:
        what = f"channel {quote(channel['ch_name'], 40)!r} does not say whether it is x or y"
        hint = "say it: mne.preprocessing.eyetracking.set_channel_types_eyetrack"
        raise SchemaError(what, hint=hint)
    return prefix + axis


def _in_our_unit(
    values: Floats, channel: dict[str, Any], column: str, screen: Screen | None
) -> Floats:
    unit = int(channel["unit"])
    if column.endswith("pupil"):
        in_mm = values / M_PER_MM if unit == METRES else values
        if unit in (METRES, NO_UNIT):
            return pupils_of(in_mm)
    elif unit == PIXELS:
        return values
    elif unit == RADIANS:
        return _from_radians(values, column[-1], screen)
    what = f"channel {quote(channel['ch_name'], 40)!r} is in unit {unit} of the FIFF standard"
    raise SchemaError(what, hint="gaze is read in pixels or radians, pupils in metres or none")


def _from_radians(values: Floats, axis: str, screen: Screen | None) -> Floats:
    """Undo MNE's `convert_units`, which takes each axis by itself."""
    if screen is None or screen.width_mm is None or screen.distance_mm is None:
        what = "gaze in radians on a screen whose size or distance is not known"
        hint = "give the screen: gazetrack.Screen(1920, 1080, 531, 299, 650)"
        raise SchemaError(what, hint=hint)
    px_per_mm = screen.width_px / screen.width_mm
    middle_px = screen.width_px / 2
    if axis == "y":
        middle_px = screen.height_px / 2
        if screen.height_mm is not None:
            px_per_mm = screen.height_px / screen.height_mm
    found: Floats = np.tan(values) * screen.distance_mm * px_per_mm + middle_px
    return found


def _with_combined(gaze: dict[str, Floats]) -> dict[str, Floats]:
    """Return gaze with all columns that the mean of the eyes is made of, in our precision."""
    nothing = np.full(len(next(iter(gaze.values()))), np.nan, np.float32)
    eyes = {f"{eye}_{axis}": nothing for eye in EYE_CODES for axis in AXIS_CODES}
    return eyes | {name: values.astype(np.float32) for name, values in gaze.items()}


def _eyes(columns: dict[str, Any]) -> str:
    seen = [eye for eye in EYE_CODES if np.isfinite(columns[f"{eye}_x_px"]).any()]
    return seen[0] if len(seen) == 1 else "binocular" if seen else "combined"


def _annotations(raw: Any, first_ms: float, beyond: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the annotations with our names: times as those of the samples."""
    given = raw.annotations
    rows = []
    for number in range(len(given)):
        extras = dict(given.extras[number] or {})
        name = str(given.description[number])
        kind = kind_of(name)
        # Ours say their eye among the extras, but for those that are of none.
        eye = "" if "kind" in extras else _eye_of(given.ch_names[number])
        row: dict[str, Any] = {"eye": eye}
        if kind not in MOVEMENT_KINDS and "kind" not in extras and name != PAUSE:
            kind, row["text"], row["eye"] = MESSAGE, name, ""
        # With a date, onsets count from that of the whole data, and without one likewise.
        row["onset_ms"] = first_ms + 1000.0 * float(given.onset[number])
        row["duration_ms"] = 1000.0 * float(given.duration[number])
        rows.append({**row, "kind": kind, "name": name, **extras})
    rows += [{"name": "", **event} for event in beyond]
    named = ["kind", "name", "onset_ms", "duration_ms"]
    return pd.DataFrame(rows, columns=None if rows else named)


def _eye_of(names: tuple[str, ...]) -> str:
    """Return the eye that channels are of, by the names that MNE's own reader gives them."""
    eyes = {eye for eye in EYE_CODES if any(name.endswith(f"_{eye}") for name in names)}
    return eyes.pop() if len(eyes) == 1 else "both"


def _cut(
    table: Any, annotated: pd.DataFrame, lost: Sequence[tuple[float, float]]
) -> tuple[Any, pd.DataFrame]:
    """Return the samples that were recorded, with their trials, and the events among all rows.

    `lost` are onsets and lengths in milliseconds without a sample, besides annotated pauses.
    """
    t = table["t_ms"].to_numpy()
    is_pause = (annotated["name"] == PAUSE).to_numpy()
    is_trial = (annotated["kind"] == TRIAL).to_numpy()
    recorded = np.ones(len(t), np.bool_)
    half_ms = float(np.median(np.diff(t))) / 2 if len(t) > 1 else 0.0
    pauses = annotated.loc[is_pause, ["onset_ms", "duration_ms"]].to_numpy(np.float64)
    for onset, length in (*pauses, *lost):
        begin = np.searchsorted(t, onset - half_ms, side="right")
        end = np.searchsorted(t, onset + length - half_ms, side="left")
        recorded[begin:end] = False
    names = {name: np.full(len(t), "", object) for name in ("trial", "stimulus")}
    for row in annotated[is_trial].to_dict("records"):
        end = row["onset_ms"] + row["duration_ms"]
        inside = (t > row["onset_ms"] - half_ms) & (t < end - half_ms)
        for name, column in names.items():
            column[inside] = row.get(name) or ""
    for name, column in names.items():
        at = table.schema.get_field_index(name)
        coded = conform({name: column.tolist()}, SAMPLES)[name]
        table = table.set_column(at, SAMPLES.field(name), coded)
    events = annotated[~is_pause & ~is_trial].drop(columns="name")
    return table.filter(recorded), events.reset_index(drop=True)
