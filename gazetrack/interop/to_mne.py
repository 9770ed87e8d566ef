"""A recording as a `Raw` of MNE 1.13 or newer: channels of gaze and pupil, and annotations.

Channels are named, placed and annotated as MNE's own reader of EyeLink files does it, so that
``mne.preprocessing.eyetracking`` and ``mne.viz.eyetracking`` work on them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from gazetrack.errors import ConfigError, quote, refuse_other_type
from gazetrack.interop.facts import facts_of
from gazetrack.interop.grid import on_grid
from gazetrack.interop.installed import needed
from gazetrack.interop.losses import say
from gazetrack.interop.mne_annotations import annotations_of, outside
from gazetrack.interop.mne_channels import Channel, channels_of
from gazetrack.interop.movements import movements_of
from gazetrack.tables.recording import ATTRS_KEY, Recording

if TYPE_CHECKING:
    import pyarrow as pa
    from mne.io import RawArray

    from gazetrack.interop.arrow import Rows
    from gazetrack.interop.grid import Grid

PUPIL_UNITS = ("auto", "mm", "arbitrary")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_mne(
    recording: Recording,
    events: Rows | None = None,
    *,
    rate_hz: float | None = None,
    pupil_unit: str = "auto",
    only: str = "",
) -> RawArray:
    """Return a recording as a `RawArray` of MNE, with annotations.

    Parameters
    ----------
    recording : Recording
        A recording as `read` gives it, with samples.
    events : pandas.DataFrame, pyarrow.Table or path-like, optional
        What `detect_events` or `detect_fixations` found in it, in place of the export's own events.
    rate_hz : float, optional
        Samples a second that MNE gets, each at the tick of this clock that is nearest. By default
        the rate that the export states, else the one that is measured.
    pupil_unit : {"auto", "mm", "arbitrary"}
        What pupil sizes are: millimetres become MNE's metres. ``auto``: millimetres where the
        median is between 1 and 10.
    only : str
        Of an export that holds several recordings, the name of the one that is meant.

    Returns
    -------
    mne.io.RawArray
        Channels of type ``eyegaze`` in pixels and ``pupil`` in metres or arbitrary units; NaN where
        gaze is lost. Time 0 is the first sample. Annotations ``fixation``, ``saccade`` and
        ``BAD_blink`` belong to the channels of their eye, those of messages are called as the
        message is, ``stimulus/NAME`` lasts as long as a trial, and ``BAD_ACQ_SKIP`` is where
        nothing was recorded. Positions, amplitudes and the like are their ``extras``. Events before
        the first sample or after the last, which MNE does not keep, are in the description.

    Raises
    ------
    ConfigError
        MNE is not installed; the recording has no samples, no one rate, a clock for each trial, or
        several recordings of which none is named; or the unit of pupils is none of these.
    SchemaError
        The events are no table of events.

    Warns
    -----
    ConversionWarning
        Samples had to be left out, or moved by more than three tenths of a tick or a millisecond.

    Examples
    --------
    >>> raw = gazetrack.to_mne(gazetrack.read("raw.asc"))  # doctest: +SKIP
    >>> mne.preprocessing.eyetracking.interpolate_blinks(raw, match="BAD_blink")  # doctest: +SKIP
    """
    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    if pupil_unit not in PUPIL_UNITS:
        what = f"pupil_unit={quote(pupil_unit, 40)!r}"
        raise ConfigError(what, hint=f"use one of {', '.join(PUPIL_UNITS)}")
    mne = needed("mne")
    own, movements = _one(recording, movements_of(recording, events), only)
    rate = _rate(own, rate_hz)
    samples = own.arrow("samples").sort_by("t_ms")
    grid = on_grid(samples["t_ms"].to_numpy(), rate, is_asked=rate_hz is not None)
    channels = channels_of(own, pupil_unit)
    say(grid.losses)
    raw = _raw(mne, samples, grid, channels)
    _describe(raw, own, grid, outside(movements, grid))
    names = {
        eye: [channel.name for channel in channels if channel.eye == eye]
        for eye in {channel.eye for channel in channels}
    }
    # What is beyond the data is in the description, and needs no warning.
    found = annotations_of(mne, samples, movements, grid, names)
    raw.set_annotations(found, emit_warning=False)
    return raw


def _one(recording: Recording, movements: pa.Table, only: str) -> tuple[Recording, pa.Table]:
    """Return the recording and its events, of several those of the one that is named."""
    samples = recording.sample_table
    if samples is None or not samples.num_rows:
        what = f"{quote(recording.name)} has no samples, which are all that MNE knows"
        raise ConfigError(what, hint="give an export with samples; tables hold fixations alone")
    names = pc.unique(pc.cast(samples["recording"], "string")).to_pylist()
    if only and only not in names:
        known = quote(", ".join(names), 100)
        raise ConfigError(f"no recording {quote(only)!r}", hint=f"there is {known}")
    if len(names) > 1:
        if not only:
            what = f"holds {len(names)} recordings, where MNE has one clock"
            hint = f"name one of them with only=…: {quote(', '.join(names), 100)}"
            raise ConfigError(what, hint=hint)
        # Under a recording's name, since that is what a single one is called.
        recording = replace(recording, sample_table=_of(samples, only), name=only)
        movements = _of(movements, only)
    if recording.time_origin == "trial":
        what = "times begin anew with each trial, where MNE has one clock"
        hint = "use to_pymovements or the tables, which keep trials apart"
        raise ConfigError(what, hint=hint)
    return recording, movements


def _of(table: pa.Table, name: str) -> pa.Table:
    return table.filter(pc.equal(pc.cast(table["recording"], "string"), name))


def _rate(recording: Recording, asked_hz: float | None) -> float:
    if asked_hz is not None:
        if not _is_rate(asked_hz):
            what = f"rate_hz={quote(asked_hz, 40)}"
            raise ConfigError(what, hint="give a positive number of samples a second")
        return float(asked_hz)
    if recording.rates_hz:
        rates = " and ".join(f"{rate:g}" for _, rate in recording.rates_hz)
        what = f"the sampling rate changes within the recording: {rates[:60]} Hz"
        raise ConfigError(what, hint="give the rate_hz that MNE shall have")
    rate = recording.rate_hz or recording.effective_rate_hz
    if rate is None:
        raise ConfigError("nobody knows the sampling rate", hint="give it as rate_hz")
    return float(rate)


def _is_rate(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return is_number and bool(np.isfinite(value)) and bool(value > 0)


def _raw(mne: Any, samples: pa.Table, grid: Grid, channels: list[Channel]) -> Any:
    names = [channel.name for channel in channels]
    kinds = [channel.kind for channel in channels]
    info = mne.create_info(names, grid.rate_hz, kinds)
    for described, channel in zip(info["chs"], channels, strict=True):
        described["unit"] = channel.unit
        described["loc"] = channel.loc
    values = np.stack(
        [
            grid.spread(samples[channel.column].to_numpy().astype(np.float64)) * channel.factor
            for channel in channels
        ]
    )
    return mne.io.RawArray(values, info, verbose="error")


def _describe(raw: Any, recording: Recording, grid: Grid, beyond: list[dict[str, Any]]) -> None:
    """Keep what MNE has no place for in the description, which it saves and does not look at."""
    facts = facts_of(recording) | {"first_ms": grid.first_ms, "losses": list(grid.losses)}
    if beyond:
        facts["outside"] = beyond
    # Pauses are annotated; what is merely lost is NaN there, and no sample when it comes back.
    facts["lost_s"] = grid.lost()
    raw.info["description"] = json.dumps({ATTRS_KEY: facts})
    if recording.start_ns is not None:
        start = timedelta(microseconds=recording.start_ns // 1000, milliseconds=grid.first_ms)
        raw.set_meas_date(_EPOCH + start)
    people = set(recording.participants.values())
    if len(people) == 1:
        raw.info["subject_info"] = {"his_id": people.pop()}
