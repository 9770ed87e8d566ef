"""EyeLink ASC: the table of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.readers.eyelink.lines import Event
from gazetrack.readers.shared.gaze import PLANE, PLANE_DISTANCE_MM
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.eyelink.lines import Lines, Movements, Segment

_COLUMNS = ("left_x_px", "left_y_px", "left_pupil", "right_x_px", "right_y_px", "right_pupil")
HREF_DISTANCE = 15_000
_FIRST_COLUMN = {"left": 0, "right": 3}


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
        The recording.
    lines : Lines
        What the lines of the file say.
    segments : list of Segment
        Trials and stimuli.
    origin : float
        Tracker time of t = 0, ms.
    samples : pyarrow.Table or None
        The samples.
    """
    if not lines.n_events:
        return conform({}, EVENTS)
    frame = pd.concat(
        [_frame_of_lines(lines, origin, samples), _frame(lines.movements())], ignore_index=True
    )
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
    """Leave out eye movements that start before the first START line: their onset was never measured (often 0)."""
    if lines.origin is None:
        return frame
    early = frame["kind"].isin(["fixation", "saccade", "blink"]) & (frame["onset"] < lines.origin)
    if not early.any():
        return frame
    lines.drop("event that starts before the recording", int(early.sum()))
    return frame[~early]


def _frame_of_lines(lines: Lines, origin: float, samples: pa.Table | None) -> pd.DataFrame:
    return pd.DataFrame(_in_pixels(lines, origin, samples), columns=Event._fields)


def _frame(movements: Movements) -> pd.DataFrame:
    """Return eye movements that the kernel has parsed with the columns of `Event`."""
    kinds, fields, _, _ = movements
    fixation, saccade = kinds == 1, kinds == 2
    lost = np.full(len(kinds), np.nan)
    columns: dict[str, object] = {
        "kind": np.array(["", "fixation", "saccade", "blink"], object)[kinds],
        "eye": np.array(["left", "right"], object)[fields[:, 0].astype(np.intp)],
        "onset": fields[:, 1],
        "last": fields[:, 2],
        "vendor_duration": fields[:, 3],
        "step": movements.steps,
        "x": np.where(kinds < 3, fields[:, 4], lost),
        "y": np.where(kinds < 3, fields[:, 5], lost),
        "pupil": np.where(fixation & (fields[:, 6] != 0), fields[:, 6], lost),
        "text": "",
        "in_pixels": True,
        "line": movements.lines,
    }
    for name, at in (("end_x", 6), ("end_y", 7), ("amplitude", 8), ("peak_velocity", 9)):
        columns[name] = np.where(saccade, fields[:, at], lost)
    return pd.DataFrame(columns)


def _owner(onsets: npt.NDArray[np.float64], segments: list[Segment]) -> npt.NDArray[np.intp]:
    # An event line follows the event's end, by then the next trial may have begun: its onset
    # decides.
    starts = np.maximum.accumulate([segment.time for segment in segments])
    return np.maximum(np.searchsorted(starts, onsets, side="right") - 1, 0)


def _durations(
    frame: pd.DataFrame, samples: pa.Table | None, lines: Lines
) -> npt.NDArray[np.float64]:
    """End - onset + one sample; the export's own column says the same, where it is not garbage."""
    length = (frame["last"] - frame["onset"]).to_numpy(np.float64)
    vendor, step = frame["vendor_duration"].to_numpy(np.float64), frame["step"].to_numpy(np.float64)
    sane = (vendor >= length) & (vendor <= length + 100.0)
    if garbage := int((~sane & np.isfinite(vendor)).sum()):
        lines.notes[f"{garbage} durations in the export are not end - start: computed instead"] = (
            None
        )
    unknown = np.isnan(step)
    if not unknown.any():
        whole: npt.NDArray[np.float64] = length + step
        return whole
    t = np.empty(0) if samples is None else samples["t_ms"].to_numpy()
    usual = float(np.median(np.diff(t))) if t.size > 1 else 0.0
    return np.where(unknown & sane, vendor, length + np.where(unknown, usual, step))


def lies_on_plane(lines: Lines, any_samples: bool) -> bool:
    """Return whether positions are directions: those of the samples, or without any samples those of all events."""
    if any_samples:
        return bool(lines.href)
    return not _any_in_pixels(lines) and any(not event.in_pixels for event in lines.events)


def samples_disagree(lines: Lines) -> bool:
    """Return whether samples are directions while events have places on the screen."""
    return bool(lines.href) and _any_in_pixels(lines)


def _any_in_pixels(lines: Lines) -> bool:
    moved = any(event.in_pixels and event.kind in ("fixation", "saccade") for event in lines.events)
    return moved or bool((lines.movements().kinds < 3).any())


def on_plane(href: Any) -> Any:
    """Return positions on the plane of directions, of EyeLink's HREF coordinates.

    These are units on a plane 15,000 units before the eye, x to the right and y down (EyeLink 1000
    Plus User Manual, "HREF"). The tracker takes the amplitude of a saccade as the angle between two
    such points.
    """
    return PLANE.width_px / 2 + href * (PLANE_DISTANCE_MM / HREF_DISTANCE)


def _in_pixels(lines: Lines, origin: float, samples: pa.Table | None) -> list[Event]:
    """Replace positions that are not screen pixels by those of the samples in the interval, or on the plane."""
    angular = [event for event in lines.events if not event.in_pixels]
    if not angular:
        return lines.events
    if lies_on_plane(lines, samples is not None):
        return [event if event.in_pixels else _moved_on_plane(event) for event in lines.events]
    lines.notes[
        f"{len(angular)} events have positions in HREF, not px: taken from the samples instead"
    ] = None
    t = np.empty(0) if samples is None else samples["t_ms"].to_numpy()
    values = np.empty((0, 6), np.float32)
    if samples is not None:
        values = np.column_stack([samples[name].to_numpy() for name in _COLUMNS])
    ordered = bool((np.diff(t) >= 0).all())
    return [
        event if event.in_pixels else _from_samples(event, origin, t, values, ordered)
        for event in lines.events
    ]


def _moved_on_plane(event: Event) -> Event:
    names = ("x", "y", "end_x", "end_y")
    return event._replace(**{name: on_plane(getattr(event, name)) for name in names})


def _from_samples(
    event: Event,
    origin: float,
    t: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
    ordered: bool,
) -> Event:
    first, last = (
        np.searchsorted(t, event.onset - origin),
        np.searchsorted(t, event.last - origin, side="right"),
    )
    at = _FIRST_COLUMN[event.eye]
    seen = values[first:last, at : at + 2]
    seen = seen[np.isfinite(seen).all(axis=1)]
    if not ordered or not len(seen):
        nan = float("nan")
        return event._replace(x=nan, y=nan, end_x=nan, end_y=nan)
    if event.kind == "fixation":
        x, y = seen.mean(axis=0, dtype=np.float64)
        return event._replace(x=float(x), y=float(y))
    (x, y), (end_x, end_y) = seen[0], seen[-1]
    return event._replace(x=float(x), y=float(y), end_x=float(end_x), end_y=float(end_y))
