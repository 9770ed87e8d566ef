"""EyeLink ASC: the table of events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.readers.eyelink.movements import (
    AMPLITUDE,
    BLINK,
    DURATION,
    END_X,
    END_Y,
    EYE,
    FIXATION,
    LAST,
    ONSET,
    PEAK_VELOCITY,
    PUPIL,
    SACCADE,
    Event,
    X,
    Y,
)
from gazetrack.readers.eyelink.plane import on_plane
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.eyelink.lines import Lines
    from gazetrack.readers.eyelink.movements import Movements
    from gazetrack.readers.eyelink.trials import Segment

_MOVEMENTS = ["fixation", "saccade", "blink"]
_KINDS = np.array(["", *_MOVEMENTS], object)  # as the kernel numbers them
_EYES = np.array(["left", "right"], object)
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
    if not lines.n_events:
        return conform({}, EVENTS)
    of_lines = pd.DataFrame(_in_pixels(lines, origin, samples), columns=Event._fields)
    of_kernel = _frame(lines.movements())
    frame = pd.concat([of_lines, of_kernel], ignore_index=True)
    frame = _since_the_start(frame, lines)
    frame = frame.sort_values("line", kind="stable", ignore_index=True)
    owner = _owner(frame["onset"].to_numpy(np.float64), segments)
    frame["trial"] = np.array([segment.trial for segment in segments], object)[owner]
    frame["stimulus"] = np.array([segment.stimulus for segment in segments], object)[owner]
    frame["duration"] = _durations(frame, samples, lines)
    frame = frame.sort_values("onset", kind="stable")
    columns = {
        "recording": name,
        "stimulus": frame["stimulus"],
        "trial": frame["trial"],
        "kind": frame["kind"],
        "index": frame.groupby(["kind", "eye", "trial"], sort=False).cumcount() + 1,
        "eye": frame["eye"],
        "onset_ms": frame["onset"] - origin,
        "duration_ms": frame["duration"],
        "x_px": frame["x"],
        "y_px": frame["y"],
        "end_x_px": frame["end_x"],
        "end_y_px": frame["end_y"],
        "amplitude_deg": frame["amplitude"],
        "peak_velocity_deg_s": frame["peak_velocity"],
        "pupil": frame["pupil"],
        "text": frame["text"],
    }
    return conform(columns, EVENTS)


def _since_the_start(frame: pd.DataFrame, lines: Lines) -> pd.DataFrame:
    """Leave out eye movements that start before the first START line.

    Their onset was never measured; often it is 0.
    """
    origin = lines.declared.origin
    if origin is None:
        return frame
    early = frame["kind"].isin(_MOVEMENTS) & (frame["onset"] < origin)
    if not early.any():
        return frame
    lines.findings.drop("event that starts before the recording", int(early.sum()))
    return frame[~early]


def _frame(movements: Movements) -> pd.DataFrame:
    """Return eye movements that the kernel has parsed, with the columns of `Event`."""
    kinds = movements.kinds
    fields = movements.fields
    is_placed = kinds != BLINK
    has_pupil = (kinds == FIXATION) & (fields[:, PUPIL] != 0)

    def only(rows: npt.NDArray[np.bool_], at: int) -> npt.NDArray[np.float64]:
        return np.where(rows, fields[:, at], np.nan)

    columns: dict[str, object] = {
        "kind": _KINDS[kinds],
        "eye": _EYES[fields[:, EYE].astype(np.intp)],
        "onset": fields[:, ONSET],
        "last": fields[:, LAST],
        "vendor_duration": fields[:, DURATION],
        "step": movements.steps,
        "x": only(is_placed, X),
        "y": only(is_placed, Y),
        "pupil": only(has_pupil, PUPIL),
        "text": "",
        "in_pixels": True,
        "line": movements.lines,
        "end_x": only(kinds == SACCADE, END_X),
        "end_y": only(kinds == SACCADE, END_Y),
        "amplitude": only(kinds == SACCADE, AMPLITUDE),
        "peak_velocity": only(kinds == SACCADE, PEAK_VELOCITY),
    }
    return pd.DataFrame(columns)


def _owner(onsets: npt.NDArray[np.float64], segments: list[Segment]) -> npt.NDArray[np.intp]:
    """Return the place of each event's segment."""
    # An event line follows the event's end, by then the next trial may have begun: its onset
    # decides.
    starts = np.maximum.accumulate([segment.time for segment in segments])
    return np.maximum(np.searchsorted(starts, onsets, side="right") - 1, 0)


def _durations(
    frame: pd.DataFrame, samples: pa.Table | None, lines: Lines
) -> npt.NDArray[np.float64]:
    """Return durations: end - onset + the time between two samples, ms.

    The export's own column says the same, where it is not garbage. It is taken where no line says
    how long a sample is; without it, that is the usual time between two samples.
    """
    length = (frame["last"] - frame["onset"]).to_numpy(np.float64)
    vendor = frame["vendor_duration"].to_numpy(np.float64)
    step = frame["step"].to_numpy(np.float64)
    is_sane = (vendor >= length) & (vendor <= length + _MOST_LONGER_MS)
    n_garbage = int((~is_sane & np.isfinite(vendor)).sum())
    if n_garbage:
        lines.findings.note(
            f"{n_garbage} durations in the export are not end - start: computed instead"
        )
    is_unknown = np.isnan(step)
    if not is_unknown.any():
        whole: npt.NDArray[np.float64] = length + step
        return whole
    t = np.empty(0) if samples is None else samples["t_ms"].to_numpy()
    usual = float(np.median(np.diff(t))) if t.size > 1 else 0.0
    computed = length + np.where(is_unknown, usual, step)
    return np.where(is_unknown & is_sane, vendor, computed)


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
    return not _any_in_pixels(lines) and any(not event.in_pixels for event in lines.events)


def samples_disagree(lines: Lines) -> bool:
    """Return whether samples are directions while events have places on the screen."""
    return bool(lines.declared.href) and _any_in_pixels(lines)


def _any_in_pixels(lines: Lines) -> bool:
    moved = any(event.in_pixels and event.kind in ("fixation", "saccade") for event in lines.events)
    return moved or bool((lines.movements().kinds < BLINK).any())


def _in_pixels(lines: Lines, origin: float, samples: pa.Table | None) -> list[Event]:
    """Return the events of lines with all positions in screen pixels, or all on the plane.

    A position in HREF beside samples in pixels is replaced by theirs in the event's interval.
    """
    n_angular = sum(not event.in_pixels for event in lines.events)
    if not n_angular:
        return lines.events
    if lies_on_plane(lines, samples is not None):
        return [event if event.in_pixels else _moved_on_plane(event) for event in lines.events]
    lines.findings.note(
        f"{n_angular} events have positions in HREF, not px: taken from the samples instead"
    )
    gaze = _Gaze.of(samples, origin)
    return [event if event.in_pixels else _placed_by(event, gaze) for event in lines.events]


def _moved_on_plane(event: Event) -> Event:
    return event._replace(
        x=on_plane(event.x),
        y=on_plane(event.y),
        end_x=on_plane(event.end_x),
        end_y=on_plane(event.end_y),
    )


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


def _placed_by(event: Event, gaze: _Gaze) -> Event:
    """Return an event at the positions of the samples: a fixation at their mean."""
    first = np.searchsorted(gaze.t_ms, event.onset - gaze.origin)
    end = np.searchsorted(gaze.t_ms, event.last - gaze.origin, side="right")
    seen = gaze.positions[event.eye][first:end]
    seen = seen[np.isfinite(seen).all(axis=1)]
    if not gaze.in_order or not len(seen):
        return event._replace(x=math.nan, y=math.nan, end_x=math.nan, end_y=math.nan)
    if event.kind == "fixation":
        x, y = seen.mean(axis=0, dtype=np.float64).tolist()
        return event._replace(x=x, y=y)
    x, y = seen[0].tolist()
    end_x, end_y = seen[-1].tolist()
    return event._replace(x=x, y=y, end_x=end_x, end_y=end_y)
