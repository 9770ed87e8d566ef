"""EyeLink ASC: the table of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers._eyelink_lines import Event, Lines, Segment

_FIRST_COLUMN = {"left": 0, "right": 3}


def events_table(
    name: str,
    lines: Lines,
    segments: list[Segment],
    origin: float,
    t: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
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
    t : ndarray, shape (N,)
        Times of the samples from `origin`, ms.
    values : ndarray, shape (N, 6)
        x, y, pupil of the left and the right eye.
    """
    if not lines.events:
        return conform({}, EVENTS)
    events = _in_pixels(lines, origin, t, values)
    frame = pd.DataFrame(events, columns=events[0]._fields)
    onsets = frame["onset"].to_numpy(np.float64)
    owner = _owner(onsets, segments)
    frame["trial"] = [segments[i].trial for i in owner]
    frame["stimulus"] = [segments[i].stimulus for i in owner]
    frame["duration"] = _durations(frame, t, lines)
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


def _owner(onsets: npt.NDArray[np.float64], segments: list[Segment]) -> npt.NDArray[np.intp]:
    # An event line follows the event's end, by then the next trial may have begun: its onset decides.
    starts = np.maximum.accumulate([segment.time for segment in segments])
    return np.maximum(np.searchsorted(starts, onsets, side="right") - 1, 0)


def _durations(frame: pd.DataFrame, t: npt.NDArray[np.float64], lines: Lines) -> npt.NDArray[np.float64]:
    """End - onset + one sample; the export's own column says the same, where it is not garbage."""
    length = (frame["last"] - frame["onset"]).to_numpy(np.float64)
    vendor, step = frame["vendor_duration"].to_numpy(np.float64), frame["step"].to_numpy(np.float64)
    usual = float(np.median(np.diff(t))) if t.size > 1 else 0.0
    sane = (vendor >= length) & (vendor <= length + 100.0)
    if garbage := int((~sane & np.isfinite(vendor)).sum()):
        lines.notes[f"{garbage} durations in the export are not end - start: computed instead"] = None
    unknown = np.isnan(step)
    return np.where(unknown & sane, vendor, length + np.where(unknown, usual, step))


def _in_pixels(lines: Lines, origin: float, t: npt.NDArray[np.float64], values: npt.NDArray[np.float32]) -> list[Event]:
    """Replace positions that are not screen pixels by those of the samples in the interval."""
    angular = [event for event in lines.events if not event.in_pixels]
    if not angular:
        return lines.events
    lines.notes[f"{len(angular)} events have positions in HREF, not px: taken from the samples instead"] = None
    ordered = bool((np.diff(t) >= 0).all())
    return [event if event.in_pixels else _from_samples(event, origin, t, values, ordered) for event in lines.events]


def _from_samples(
    event: Event, origin: float, t: npt.NDArray[np.float64], values: npt.NDArray[np.float32], ordered: bool
) -> Event:
    first, last = np.searchsorted(t, event.onset - origin), np.searchsorted(t, event.last - origin, side="right")
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
