"""EyeLink ASC: the table of events."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from gazetrack.readers.eyelink.event_rows import EYES, KINDS
from gazetrack.readers.eyelink.movements import BLINK, FIXATION
from gazetrack.readers.eyelink.plane import on_plane
from gazetrack.readers.shared.event_sink import EventSink
from gazetrack.readers.shared.number_rows import least_behind
from gazetrack.readers.shared.steps import median_step
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.readers.eyelink.lines import Lines
    from gazetrack.readers.eyelink.trials import Segment

_AXES = ("x", "y", "end_x", "end_y")
_OF_ONE = ("kind", "eye", "onset", "last", "end_x", "end_y")
# How much longer than its end - start a duration in the export may be, ms: some versions of the
# tracker's software write garbage there.
_MOST_LONGER_MS = 100.0


def events_table(
    name: str,
    lines: Lines,
    segments: list[Segment],
    origin: float,
    samples: pa.Table | None,
) -> pa.Table:
    """Return the events of a recording, in the order of their onsets.

    Parameters
    ----------
    name : str
        The name of the recording.
    lines : Lines
        What the lines of the file say.
    segments : list of Segment
        Its trials and stimuli, in the order of the file.
    origin : float
        The tracker's time of t = 0, ms.
    samples : pyarrow.Table or None
        The samples, where the table of the recording has them.
    """
    if not lines.events.count:
        return conform({}, EVENTS)
    names = {
        "recording": [name],
        "stimulus": [segment.stimulus for segment in segments],
        "trial": [segment.trial for segment in segments],
        "kind": KINDS,
        "eye": EYES,
    }
    making = _Making(lines, segments, origin, samples)
    sink = EventSink(names)
    parts = lines.events.parts()
    firsts = [making.first_onset(part) for part in parts]
    sink.take(map(making.columns, parts), least_behind(firsts))
    making.note()
    return sink.table()


class _Making:
    """Makes columns of `EVENTS` from the events of a file, part by part.

    Parameters are those of `events_table`.
    """

    def __init__(
        self, lines: Lines, segments: list[Segment], origin: float, samples: pa.Table | None
    ) -> None:
        self._findings = lines.findings
        self._start = lines.declared.origin
        self._origin = origin
        # An event line follows the event's end, by then the next trial may have begun: its onset
        # decides.
        self._starts = np.maximum.accumulate([segment.time for segment in segments])
        self._samples = samples
        self._any_angular = lines.events.n_angular > 0
        self._on_plane = self._any_angular and lies_on_plane(lines, samples is not None)
        self._n_angular = lines.events.n_angular
        self._n_early = 0
        self._n_garbage = 0

    @cached_property
    def _gaze(self) -> _Gaze:
        return _Gaze.of(self._samples, self._origin)

    @cached_property
    def _usual_step_ms(self) -> float:
        """The usual time between two samples, 0 without any."""
        return 0.0 if self._samples is None else median_step(self._samples["t_ms"])

    def first_onset(self, part: pa.RecordBatch) -> float:
        """Return the earliest onset of the part's events that are kept, ms from t = 0."""
        onsets = part["onset"].to_numpy()[self._kept(part)]
        return float(onsets.min()) - self._origin if len(onsets) else np.inf

    def _kept(self, part: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Leave out eye movements that start before the first START line.

        Their onset was never measured; often it is 0.
        """
        kinds = part["kind"].to_numpy()
        is_movement = (kinds >= FIXATION) & (kinds <= BLINK)
        if self._start is None:
            return np.ones(len(kinds), np.bool_)
        kept: npt.NDArray[np.bool_] = ~(is_movement & (part["onset"].to_numpy() < self._start))
        return kept

    def columns(self, part: pa.RecordBatch) -> pa.RecordBatch:
        """Return the columns of `EVENTS`, all but ``index``, of a part of `ROWS`."""
        kept = self._kept(part)
        self._n_early += int(np.count_nonzero(~kept))
        positions = self._in_pixels(part)
        if not kept.all():
            part = part.filter(pa.array(kept))
            positions = {name: values[kept] for name, values in positions.items()}
        onset = part["onset"].to_numpy()
        place = np.searchsorted(self._starts, onset, side="right") - 1
        owner = np.maximum(place, 0).astype(np.int32)
        columns = {
            "recording": np.zeros(len(onset), np.int32),
            "stimulus": owner,
            "trial": owner,
            "kind": part["kind"].to_numpy().astype(np.int32),
            "eye": part["eye"].to_numpy().astype(np.int32),
            "onset_ms": onset - self._origin,
            "duration_ms": self._durations(part),
            "x_px": positions["x"],
            "y_px": positions["y"],
            "end_x_px": positions["end_x"],
            "end_y_px": positions["end_y"],
            "amplitude_deg": part["amplitude"].to_numpy(),
            "peak_velocity_deg_s": part["peak_velocity"].to_numpy(),
            "pupil": part["pupil"].to_numpy(),
        }
        single = {
            name: values.astype(np.float32) if EVENTS.field(name).type == pa.float32() else values
            for name, values in columns.items()
        }
        arrays = [*map(pa.array, single.values()), part["text"]]
        return pa.record_batch(arrays, names=[*columns, "text"])

    def _durations(self, part: pa.RecordBatch) -> npt.NDArray[np.float64]:
        """Return durations: end - onset + the time between two samples, ms.

        The export's own column says the same, where it is not garbage. It is taken where no line
        says how long a sample is; without it, that is the usual time between two samples.
        """
        length = part["last"].to_numpy() - part["onset"].to_numpy()
        vendor = part["vendor_duration"].to_numpy()
        step = part["step"].to_numpy()
        is_sane = (vendor >= length) & (vendor <= length + _MOST_LONGER_MS)
        self._n_garbage += int(np.count_nonzero(~is_sane & np.isfinite(vendor)))
        is_unknown = np.isnan(step)
        if not is_unknown.any():
            whole: npt.NDArray[np.float64] = length + step
            return whole
        computed = length + np.where(is_unknown, self._usual_step_ms, step)
        durations: npt.NDArray[np.float64] = np.where(is_unknown & is_sane, vendor, computed)
        return durations

    def _in_pixels(self, part: pa.RecordBatch) -> dict[str, npt.NDArray[np.float64]]:
        """Return positions [n] by axis: all in screen pixels, or all on the plane.

        A position in HREF beside samples in pixels is replaced by theirs in the event's interval.
        """
        positions = {name: part[name].to_numpy() for name in _AXES}
        angular = np.flatnonzero(part["in_pixels"].to_numpy() == 0)
        if not len(angular):
            return positions
        positions = {name: values.copy() for name, values in positions.items()}
        if self._on_plane:
            for values in positions.values():
                values[angular] = on_plane(values[angular])
            return positions
        for row in angular.tolist():
            found = _placed_by({name: part[name][row].as_py() for name in _OF_ONE}, self._gaze)
            for name, value in zip(_AXES, found, strict=True):
                positions[name][row] = value
        return positions

    def note(self) -> None:
        """Note what had to be inferred, when all parts are made."""
        if self._n_angular and not self._on_plane:
            self._findings.note(
                f"{self._n_angular} events have positions in HREF, not px: "
                "taken from the samples instead"
            )
        if self._n_early:
            self._findings.drop("event that starts before the recording", self._n_early)
        if self._n_garbage:
            self._findings.note(
                f"{self._n_garbage} durations in the export are not end - start: computed instead"
            )


def lies_on_plane(lines: Lines, any_samples: bool) -> bool:
    """Return whether positions are directions of the eye.

    Those of the samples say so, or without any samples those of all events.

    Parameters
    ----------
    lines : Lines
        What the lines of the file say.
    any_samples : bool
        Whether the table of the recording has samples.
    """
    if any_samples:
        return bool(lines.declared.href)
    return not lines.events.any_in_pixels and lines.events.n_angular > 0


def samples_disagree(lines: Lines) -> bool:
    """Return whether samples are directions while events have places on the screen."""
    return bool(lines.declared.href) and lines.events.any_in_pixels


class _Gaze(NamedTuple):
    """The samples of each eye: times [S] in ms since `origin`, and positions [S, 2] in px."""

    t_ms: npt.NDArray[np.float64]
    origin: float
    positions: dict[str, npt.NDArray[np.float32]]
    in_order: bool

    @classmethod
    def of(cls, samples: pa.Table | None, origin: float) -> _Gaze:
        """Return the gaze of a table of samples; without one, no gaze."""
        if samples is None:
            nothing = np.empty((0, 2), np.float32)
            return cls(np.empty(0), origin, {"left": nothing, "right": nothing}, in_order=True)
        t_ms = samples["t_ms"].to_numpy()
        positions = {}
        for eye in ("left", "right"):
            x = samples[f"{eye}_x_px"].to_numpy()
            y = samples[f"{eye}_y_px"].to_numpy()
            positions[eye] = np.column_stack([x, y])
        return cls(t_ms, origin, positions, in_order=bool((np.diff(t_ms) >= 0).all()))


def _placed_by(event: Mapping[str, Any], gaze: _Gaze) -> tuple[float, float, float, float]:
    """Return where an event is by the samples: x, y and, unless it is a fixation, its end."""
    nowhere = (math.nan, math.nan, math.nan, math.nan)
    eye = EYES[event["eye"]]
    if not gaze.in_order or eye not in gaze.positions:
        return nowhere
    first = np.searchsorted(gaze.t_ms, event["onset"] - gaze.origin)
    end = np.searchsorted(gaze.t_ms, event["last"] - gaze.origin, side="right")
    seen = gaze.positions[eye][first:end]
    seen = seen[np.isfinite(seen).all(axis=1)]
    if not len(seen):
        return nowhere
    if event["kind"] == FIXATION:
        x, y = seen.mean(axis=0, dtype=np.float64).tolist()
        return x, y, event["end_x"], event["end_y"]
    x, y = seen[0].tolist()
    end_x, end_y = seen[-1].tolist()
    return x, y, end_x, end_y
