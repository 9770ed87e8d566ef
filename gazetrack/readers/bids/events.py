"""What a tracker called an event, from the ``*_physioevents.tsv.gz`` beside a BIDS table of gaze.

Specification: "Brain Imaging Data Structure" 1.11, "Physiological recordings": columns onset,
duration, trial_type, blink and message; ``OnsetSource`` names the column of the gaze table that
onsets are values of. Without it they are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.readers.base import read_head
from gazetrack.readers.bids.sidecars import described, sibling, sidecar
from gazetrack.readers.text.header import Header, Kind, header_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.base import Head

UNITS_MS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1e3),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-3),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-6),
}
_KINDS = {"fixation": "fixation", "saccade": "saccade", "blink": "blink"}
_SLACK_MS = 1000.0  # trackers write their last messages a little after the last sample
_TEXTS = ("trial_type", "message")


@dataclass(frozen=True)
class GazeRows:
    """The rows of gaze the events belong to, and the file of the events."""

    beside: Path
    name: str
    eye: str
    time_column: str
    unit_ms: float
    origin_ms: float
    t: npt.NDArray[np.float64]
    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.floating]


def events_beside(own: Head, gaze: GazeRows, notes: list[str]) -> pa.Table:
    """Return the events of the file beside a table of gaze; none when there is no such file, or an empty one.

    Raises
    ------
    ParseError
        A damaged file or sidecar.
    """
    beside = sibling(own.path, "physioevents") if "_physio." in own.path.name else None
    if beside is None:
        return conform({}, EVENTS)
    try:
        head = read_head(beside, own.reading.for_companion())
    except InputError:
        notes.append("the physioevents file beside it is empty: no events")
        return conform({}, EVENTS)
    facts = sidecar(beside)
    header = header_of(head)
    if header is not None and "onset" not in header.names:
        listed = facts.get("Columns")
        names = tuple(map(str, listed)) if isinstance(listed, list) else ()
        header = (
            Header(names=names, lines=0, delimiter=header.delimiter, quoted=header.quoted)
            if len(names) == len(header.names)
            else None
        )
    if header is None or not {"onset", "duration"} <= set(header.names):
        notes.append("the physioevents file beside it has no sidecar with its columns: no events")
        return conform({}, EVENTS)
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(key, beside), "float64") for key in ("onset", "duration")
    } | {key: (header.index(key, beside), "text") for key in _TEXTS if key in header.names}
    table = read_columns(head, header, wanted)
    notes += [
        f"{count} rows of the physioevents file beside it {what}"
        for what, count in head.reading.mended.items()
    ]
    return _table(table, facts, replace(gaze, beside=beside), notes)


def _table(table: Columns, facts: dict[str, Any], gaze: GazeRows, notes: list[str]) -> pa.Table:
    onset, unit = _onsets(table, facts, gaze, notes)
    of_durations = stated_unit(facts, "duration", gaze.beside)
    if of_durations is None:
        notes.append("durations of events taken in the unit of their onsets: no sidecar gives it")
    duration = table.number("duration") * (unit if of_durations is None else of_durations)
    kinds = np.array(
        [_KINDS.get(name.lower(), "unclassified") for name in table.text("trial_type")], object
    )
    unnamed = np.isin(table.text("trial_type").astype(str), ("", "n/a"))
    kinds[unnamed] = "message"
    texts = np.where(
        unnamed,
        table.text("message"),
        np.where(kinds == "unclassified", table.text("trial_type"), ""),
    )
    duration = np.where(np.isnan(duration) & (kinds == "message"), 0.0, duration)
    usable = np.isfinite(onset) & (duration >= 0)
    if not usable.all():
        notes.append(f"{int((~usable).sum())} events without onset or duration: left out")
    usable &= _within(onset, duration, kinds == "message", usable, gaze, notes)
    frame = pd.DataFrame(
        {"kind": kinds, "onset_ms": onset, "duration_ms": duration, "text": texts}
    )[usable]
    frame["text"] = frame["text"].where(frame["text"] != "n/a", "")
    frame["index"] = (frame.groupby("kind").cumcount() + 1).astype(np.int32)
    frame["eye"] = np.where(frame["kind"] == "message", "", gaze.eye)
    frame["recording"] = gaze.name
    _place(frame, gaze, notes)
    return conform({name: frame[name].to_numpy() for name in frame}, EVENTS)


def _onsets(
    table: Columns, facts: dict[str, Any], gaze: GazeRows, notes: list[str]
) -> tuple[npt.NDArray[np.floating], float]:
    """Return onsets in ms from the first sample, and the milliseconds in the unit they are written in."""
    stated = stated_unit(facts, "onset", gaze.beside)
    if facts.get("OnsetSource") == gaze.time_column:
        unit = gaze.unit_ms if stated is None else stated
        return table.number("onset") * unit - gaze.origin_ms, unit
    unit = 1e3 if stated is None else stated
    words = "seconds" if stated is None else described(facts, "onset", "Units")
    notes.append(f"events without an OnsetSource: onsets taken as {words} from the first sample")
    return table.number("onset") * unit, unit


def _within(
    onset: npt.NDArray[np.floating],
    duration: npt.NDArray[np.floating],
    is_message: npt.NDArray[np.bool_],
    usable: npt.NDArray[np.bool_],
    gaze: GazeRows,
    notes: list[str],
) -> npt.NDArray[np.bool_]:
    """Return which events lie within the recording; messages of the set-up before it count as within.

    Raises
    ------
    ParseError
        Most of them do not: onsets are of another clock or in another unit.
    """
    length = float(gaze.t.max(initial=0.0))
    after, before = onset > length + _SLACK_MS, (onset + duration < -_SLACK_MS) & ~is_message
    outside = usable & (after | before)
    count, total = int(outside.sum()), int(usable.sum())
    if 2 * count > total:
        first = float(onset[outside][0])
        what = f"{count} of {total} events lie outside the recording: the first at {first:g} ms of {length:g} ms"
        raise ParseError(
            what, path=gaze.beside, hint="state OnsetSource and the Units of onset in its sidecar"
        )
    if count:
        notes.append(f"{count} events outside the recording: left out")
    return ~outside


def stated_unit(facts: dict[str, Any], column: str, path: Path) -> float | None:
    """Return the milliseconds in the unit that the sidecar states for a column of times, None without one.

    Raises
    ------
    ParseError
        A unit that is none of time.
    """
    unit = described(facts, column, "Units")
    if not unit:
        return None
    if unit.lower() not in UNITS_MS:
        hint = "use s, ms, us or ns in the sidecar"
        raise ParseError(f"{quote(column)} in the unit {quote(unit, 30)!r}", path=path, hint=hint)
    return UNITS_MS[unit.lower()]


def _place(frame: pd.DataFrame, gaze: GazeRows, notes: list[str]) -> None:
    """Give fixations the mean position of their samples: the file states none."""
    fixations = (frame["kind"] == "fixation").to_numpy()
    if (np.diff(gaze.t) < 0).any():
        notes.append("times step back: fixations have no position")
        return
    starts = np.searchsorted(gaze.t, frame["onset_ms"].to_numpy())
    ends = np.searchsorted(gaze.t, (frame["onset_ms"] + frame["duration_ms"]).to_numpy())
    for axis, values in (("x_px", gaze.x), ("y_px", gaze.y)):
        seen = np.isfinite(values)
        sums = np.r_[0.0, np.cumsum(np.where(seen, values, 0.0))]
        counts = np.r_[0, np.cumsum(seen)]
        n = counts[ends] - counts[starts]
        with np.errstate(invalid="ignore"):
            frame[axis] = np.where(fixations & (n > 0), (sums[ends] - sums[starts]) / n, np.nan)
    if fixations.any():
        notes.append(f"{int(fixations.sum())} fixations without a position: mean of their samples")
