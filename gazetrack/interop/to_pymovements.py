"""A recording as a `Gaze` of pymovements 0.28 or newer.

Gaze stands there as nested columns: of one eye x and y, of two eyes those of the left, the right
and both combined. Times are milliseconds, missing values null. Events have a name, an onset and an
offset; messages stand in a table of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ConfigError, refuse_other_type
from gazetrack.interop.facts import facts_of
from gazetrack.interop.foreign import ROW
from gazetrack.interop.installed import needed
from gazetrack.interop.losses import say
from gazetrack.interop.movements import movements_of
from gazetrack.interop.seen import is_one_gaze, seen_eyes
from gazetrack.tables.eyes import EYES, GAZE_COLUMNS
from gazetrack.tables.kinds import not_of_kinds, of_kinds
from gazetrack.tables.recording import ATTRS_KEY, Recording

if TYPE_CHECKING:
    from pymovements import Gaze

    from gazetrack.interop.arrow import Rows

UPPER_LEFT = "upper left"  # pymovements' word for our origin
_TRIAL_COLUMNS = ("recording", "trial", "stimulus")
_MESSAGE = "message"
_OF_MESSAGES = (*_TRIAL_COLUMNS, "participant", "index", "eye", ROW)
_MM_PER_CM = 10.0


def to_pymovements(recording: Recording, events: Rows | None = None) -> Gaze:
    """Return a recording as a `Gaze` of pymovements: samples, events, screen and tracker.

    Parameters
    ----------
    recording : Recording
        A recording as `read` gives it; one without samples becomes events alone.
    events : pandas.DataFrame, pyarrow.Table or path-like, optional
        What `detect_events` or `detect_fixations` found in it, in place of the export's own events.

    Returns
    -------
    pymovements.Gaze
        Times in milliseconds from the start of the recording, positions in pixels from the upper
        left corner. ``gaze.metadata["gazetrack"]`` holds what pymovements has no place for, so
        that `from_pymovements` gives the same recording.

    Raises
    ------
    ConfigError
        pymovements is not installed, or this is no recording.
    SchemaError
        The events are no table of events.

    Warns
    -----
    ConversionWarning
        Degrees of a world camera, and a sampling rate that changes, have no place in pymovements.

    Examples
    --------
    >>> gaze = gazetrack.to_pymovements(gazetrack.read("raw.asc"))  # doctest: +SKIP
    >>> gaze.pix2deg()  # doctest: +SKIP
    >>> gaze.pos2vel("smooth")  # doctest: +SKIP
    """
    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    pymovements = needed("pymovements")
    polars = needed("polars")
    # Messages go into a table of their own, whose place among the others would be lost.
    movements = _numbered(movements_of(recording, events))
    facts = facts_of(recording)
    losses = _losses(recording)
    say(losses)
    shared = {
        "experiment": _experiment(pymovements, recording),
        "messages": _messages(polars, of_kinds(movements, _MESSAGE)),
        "metadata": {ATTRS_KEY: facts, "notes": [*recording.notes, *losses]},
    }
    rest = not_of_kinds(movements, _MESSAGE)
    samples = recording.sample_table
    if samples is None or not samples.num_rows:
        if not movements.num_rows:
            what = "a recording without samples and without events"
            raise ConfigError(what, hint="read an export that holds either")
        found = _events(pymovements, polars, rest, _trial_columns(movements))
        return pymovements.Gaze(events=found, **shared)
    trials = _trial_columns(samples)
    frame, pixels = _samples(polars, recording, samples)
    return pymovements.Gaze(
        samples=frame,
        events=_events(pymovements, polars, rest, trials),
        trial_columns=trials,
        time_column="t_ms",
        time_unit="ms",
        pixel_columns=pixels,
        **shared,
    )


def _numbered(movements: pa.Table) -> pa.Table:
    return movements.append_column(ROW, pa.array(np.arange(movements.num_rows)))


def _losses(recording: Recording) -> list[str]:
    screen = recording.screen
    losses = []
    if screen is not None and screen.fov_deg is not None:
        losses.append(
            "pymovements knows screens by their centimetres: the field of view of a world camera "
            "is kept in the metadata alone, and pix2deg cannot work"
        )
    if recording.rates_hz:
        losses.append(
            "the sampling rate changes within the recording, which pymovements has no place for: "
            "it is left open, and pos2vel cannot work"
        )
    return losses


def _experiment(pymovements: Any, recording: Recording) -> Any:
    rate = recording.rate_hz
    if rate is None and not recording.rates_hz:
        rate = recording.effective_rate_hz
    seen = seen_eyes(recording)
    tracker = pymovements.EyeTracker(
        sampling_rate=rate,
        left="left" in seen if seen else None,
        right="right" in seen if seen else None,
        model=recording.tracker or None,
        version=recording.software or None,
    )
    screen = recording.screen
    if screen is None:
        nowhere = pymovements.Screen(origin=UPPER_LEFT)
        return pymovements.Experiment(eyetracker=tracker, screen=nowhere)
    width_cm, height_cm, distance_cm = (
        None if length is None else length / _MM_PER_CM
        for length in (screen.width_mm, screen.height_mm, screen.distance_mm)
    )
    known = pymovements.Screen(
        width_px=screen.width_px,
        height_px=screen.height_px,
        width_cm=width_cm,
        height_cm=height_cm,
        distance_cm=distance_cm,
        origin=UPPER_LEFT,
    )
    return pymovements.Experiment(screen=known, eyetracker=tracker)


def _samples(polars: Any, recording: Recording, table: pa.Table) -> tuple[Any, list[str]]:
    """Return the samples as polars knows them, and which of the columns are pixels."""
    wanted = ("both",) if is_one_gaze(recording) else (*EYES, "both")
    pixels = [name for eye in wanted for name in GAZE_COLUMNS[eye]]
    pupils = [f"{eye}_pupil" for eye in EYES]
    frame = polars.from_arrow(_plain(table.select([*_TRIAL_COLUMNS, "t_ms", *pixels, *pupils])))
    return _with_pupil(polars, frame, table, seen_eyes(recording)), pixels


def _with_pupil(polars: Any, frame: Any, table: pa.Table, seen: tuple[str, ...]) -> Any:
    """Return the samples with the pupil as pymovements' own readers have it.

    It is a number where one eye alone is seen, and a list of left and right where both are.
    """
    known = tuple(eye for eye in EYES if _any_known(table[f"{eye}_pupil"]))
    both = [f"{eye}_pupil" for eye in EYES]
    if known and known == seen and len(seen) == 1:
        return frame.with_columns(polars.col(f"{seen[0]}_pupil").alias("pupil")).drop(both)
    if known:
        nested = polars.concat_list([polars.col(name).fill_nan(None) for name in both])
        frame = frame.with_columns(nested.alias("pupil"))
    return frame.drop(both)


def _plain(table: pa.Table) -> pa.Table:
    """Return texts as texts and all numbers as float64, in which polars computes."""
    for number, field in enumerate(table.schema):
        kind = None
        if pa.types.is_dictionary(field.type):
            kind = pa.string()
        elif pa.types.is_floating(field.type):
            kind = pa.float64()
        if kind is not None:
            table = table.set_column(number, field.name, pc.cast(table.column(number), kind))
    return table


def _any_known(column: pa.ChunkedArray) -> bool:
    return bool(np.isfinite(column.to_numpy()).any())


def _trial_columns(table: pa.Table) -> list[str]:
    """Return the columns that tell one trial from another.

    A single recording is no trial, nor is what an export leaves empty throughout.
    """
    found = {name: pc.unique(pc.cast(table[name], pa.string())) for name in _TRIAL_COLUMNS}
    recordings = ["recording"] if len(found["recording"]) > 1 else []
    named = [name for name in ("trial", "stimulus") if found[name].to_pylist() != [""]]
    return recordings + named


def _events(pymovements: Any, polars: Any, table: pa.Table, trials: list[str]) -> Any:
    """Return all but the messages as events; offsets are where our half-open intervals end."""
    onset = table["onset_ms"]
    offset = pc.add(onset, table["duration_ms"])
    rest = table.drop_columns(["kind", "onset_ms", "duration_ms"])
    frame = polars.from_arrow(_plain(rest)).fill_nan(None)
    frame = frame.with_columns(
        polars.Series("name", table["kind"].to_pylist(), polars.Utf8),
        polars.Series("onset", onset.to_numpy()),
        polars.Series("offset", offset.to_numpy()),
    )
    # Durations are left to pymovements: beside whole times it wants whole ones, or its detectors
    # cannot add their events to these.
    return pymovements.Events(frame, trial_columns=trials or None)


def _messages(polars: Any, table: pa.Table) -> Any:
    if not table.num_rows:
        return None
    return polars.DataFrame(
        {
            "time": table["onset_ms"].to_numpy(),
            "content": table["text"].to_pylist(),
            **{name: table[name].to_pylist() for name in _OF_MESSAGES},
        }
    )
