"""What a tracker called an event, from the ``*_physioevents.tsv.gz`` beside a BIDS table of gaze.

Specification: "Brain Imaging Data Structure" 1.11, "Physiological recordings": columns onset,
duration, trial_type, blink and message; ``OnsetSource`` (``ForeignIndexColumn`` in examples of
before) names the column of the gaze table that onsets are values of. Without it they are seconds.
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
_NOTED = ("input", "button", "eyes_not_found")  # kinds whose message is their text
_KINDS = {name: name for name in ("fixation", "saccade", "blink", *_NOTED)}
_SLACK_MS = 1000.0  # trackers write their last messages a little after the last sample
_TEXTS = ("trial_type", "message")
# Columns beyond those of BIDS, as `gazetrack bids` writes them, and what they are in our table.
_OWN_TEXTS = ("eye", "trial", "stimulus")
_OWN_NUMBERS = {
    "index": "index",
    "x_coordinate": "x_px",
    "y_coordinate": "y_px",
    "end_x_coordinate": "end_x_px",
    "end_y_coordinate": "end_y_px",
    "amplitude": "amplitude_deg",
    "peak_velocity": "peak_velocity_deg_s",
    "pupil_size": "pupil",
}
_MOST_INDEX = 2**31
_EYES = ("left", "right", "both")


@dataclass(frozen=True)
class GazeRows:
    """The rows of gaze that events belong to.

    Parameters
    ----------
    beside : pathlib.Path
        The table of gaze; while its events are read, the file of these.
    name : str
        What the recording is called.
    eye : str
        Whose gaze it is: ``left``, ``right`` or ``both``.
    time_column : str
        The column of the table of gaze that holds the times.
    unit_ms : float
        The milliseconds in a unit of that column.
    origin_ms : float
        The time of the first sample as exported, in ms.
    samples : pyarrow.Table
        The samples, with times in ms counted from `origin_ms` and positions in px.
    participant : str
        Who was recorded; empty where the name does not say it.
    """

    beside: Path
    name: str
    eye: str
    time_column: str
    unit_ms: float
    origin_ms: float
    samples: pa.Table
    participant: str = ""

    def column(self, name: str) -> npt.NDArray[np.floating]:
        """Return a column of the samples, shape (n,): all of it, for what looks at any place."""
        values: npt.NDArray[np.floating] = self.samples[name].to_numpy()
        return values


def events_beside(own: Head, gaze: GazeRows, notes: list[str]) -> pa.Table:
    """Return the events of the file beside a table of gaze.

    There are none when there is no such file, or an empty one.

    Parameters
    ----------
    own : Head
        The first look at the table of gaze.
    gaze : GazeRows
        What the rows of that table hold.
    notes : list of str
        Receives what had to be inferred, and what was left out.

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
    header = _header(head, facts)
    if header is None or not {"onset", "duration"} <= set(header.names):
        notes.append("the physioevents file beside it has no sidecar with its columns: no events")
        return conform({}, EVENTS)
    wanted: dict[str, tuple[int, Kind]] = {
        "onset": (header.index("onset", beside), "float64"),
        "duration": (header.index("duration", beside), "float64"),
    }
    for key in (*_TEXTS, *_OWN_TEXTS):
        if key in header.names:
            wanted[key] = header.index(key, beside), "text"
    for key in _OWN_NUMBERS:
        if key in header.names:
            wanted[key] = header.index(key, beside), "float64"
    table = read_columns(head, header, wanted)
    for what, count in head.reading.mended.items():
        notes.append(f"{count} rows of the physioevents file beside it {what}")
    return _table(table, facts, replace(gaze, beside=beside), notes)


def _header(head: Head, facts: dict[str, Any]) -> Header | None:
    """Return the header, which stands in the sidecar since 1.11, or None where neither has one."""
    header = header_of(head)
    if header is None or "onset" in header.names:
        return header
    listed = facts.get("Columns")
    # Quotes are part of a message: BIDS knows no other meaning of theirs.
    n_cells = next(line for line in head.lines if line.strip(" ")).count("\t") + 1
    if not isinstance(listed, list) or len(listed) != n_cells:
        return None
    return replace(header, names=tuple(map(str, listed)), lines=0, delimiter="\t", quoted=False)


def _table(table: Columns, facts: dict[str, Any], gaze: GazeRows, notes: list[str]) -> pa.Table:
    """Return the rows as events; those without a ``trial_type`` are messages."""
    onset, unit_ms = _onsets(table, facts, gaze, notes)
    of_durations = stated_unit(facts, "duration", gaze.beside)
    if of_durations is None:
        notes.append("durations of events taken in the unit of their onsets: no sidecar gives it")
        of_durations = unit_ms
    duration = table.number("duration") * of_durations

    types = table.text("trial_type")
    messages = table.text("message")
    kinds = np.array([_KINDS.get(name.lower(), "unclassified") for name in types], object)
    is_message = np.isin(types.astype(str), ("", "n/a"))
    kinds[is_message] = "message"
    # The text of an event of a kind that we do not know is what the tracker calls it.
    texts = np.where(kinds == "unclassified", types, "")
    is_ours = types == "unclassified"
    has_message = is_message | is_ours | np.isin(kinds.astype(str), _NOTED)
    texts = np.where(has_message, messages, texts)
    duration = np.where(np.isnan(duration) & is_message, 0.0, duration)

    usable = np.isfinite(onset) & (duration >= 0)
    if not usable.all():
        notes.append(f"{int((~usable).sum())} events without onset or duration: left out")
    usable &= _within(
        gaze, onset=onset, duration=duration, is_message=is_message, usable=usable, notes=notes
    )

    columns = {"kind": kinds, "onset_ms": onset, "duration_ms": duration, "text": texts}
    frame = pd.DataFrame(columns)[usable]
    frame["text"] = frame["text"].where(frame["text"] != "n/a", "")
    frame["index"] = (frame.groupby("kind").cumcount() + 1).astype(np.int32)
    frame["eye"] = np.where(frame["kind"] == "message", "", gaze.eye)
    frame["recording"] = gaze.name
    frame["participant"] = gaze.participant
    _take_own(frame, table, usable)
    if "x_px" not in frame:
        _place(frame, gaze, notes)
    return conform({name: frame[name].to_numpy() for name in frame}, EVENTS)


def _take_own(frame: pd.DataFrame, table: Columns, usable: npt.NDArray[np.bool_]) -> None:
    """Add what columns beyond those of BIDS say of the events."""
    for key in _OWN_TEXTS:
        if key in table.found:
            own = table.text(key)[usable]
            own = np.where(own == "n/a", "", own)
            frame[key] = np.where(np.isin(own.astype(str), _EYES), own, "") if key == "eye" else own
    for key, name in _OWN_NUMBERS.items():
        if key not in table.found:
            continue
        numbers = table.number(key)[usable]
        if name != "index":
            frame[name] = numbers.astype(np.float32)
        elif np.isfinite(numbers).all() and (np.abs(numbers) < _MOST_INDEX).all():
            frame[name] = numbers.astype(np.int32)


def _onsets(
    table: Columns, facts: dict[str, Any], gaze: GazeRows, notes: list[str]
) -> tuple[npt.NDArray[np.floating], float]:
    """Return onsets in ms from the first sample, and the milliseconds in their unit."""
    stated = stated_unit(facts, "onset", gaze.beside)
    # Before 1.11 was released, the key was called otherwise.
    source = facts.get("OnsetSource", facts.get("ForeignIndexColumn"))
    if source == gaze.time_column:
        unit = gaze.unit_ms if stated is None else stated
        return table.number("onset") * unit - gaze.origin_ms, unit
    unit = 1e3 if stated is None else stated
    words = "seconds" if stated is None else described(facts, "onset", "Units")
    notes.append(f"events without an OnsetSource: onsets taken as {words} from the first sample")
    return table.number("onset") * unit, unit


def _within(
    gaze: GazeRows,
    *,
    onset: npt.NDArray[np.floating],
    duration: npt.NDArray[np.floating],
    is_message: npt.NDArray[np.bool_],
    usable: npt.NDArray[np.bool_],
    notes: list[str],
) -> npt.NDArray[np.bool_]:
    """Return which events lie within the recording.

    Messages of the set-up before it count as within.

    Raises
    ------
    ParseError
        Most of them do not: onsets are of another clock or in another unit.
    """
    length = float(gaze.column("t_ms").max(initial=0.0))
    after = onset > length + _SLACK_MS
    before = (onset + duration < -_SLACK_MS) & ~is_message
    outside = usable & (after | before)
    count = int(outside.sum())
    total = int(usable.sum())
    if 2 * count > total:
        first = float(onset[outside][0])
        what = (
            f"{count} of {total} events lie outside the recording: "
            f"the first at {first:g} ms of {length:g} ms"
        )
        hint = "state OnsetSource and the Units of onset in its sidecar"
        raise ParseError(what, path=gaze.beside, hint=hint)
    if count:
        notes.append(f"{count} events outside the recording: left out")
    return ~outside


def stated_unit(facts: dict[str, Any], column: str, path: Path) -> float | None:
    """Return the milliseconds in the unit that the sidecar states for a column of times.

    It is None where the sidecar states no unit.

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
    t = gaze.column("t_ms")
    if (np.diff(t) < 0).any():
        notes.append("times step back: fixations have no position")
        return
    onset = frame["onset_ms"]
    offset = onset + frame["duration_ms"]
    starts = np.searchsorted(t, onset.to_numpy())
    ends = np.searchsorted(t, offset.to_numpy())
    for axis in ("x_px", "y_px"):
        values = gaze.column(axis)
        # Sums up to each sample make the mean of any stretch a difference of two of them.
        seen = np.isfinite(values)
        sums = np.r_[0.0, np.cumsum(np.where(seen, values, 0.0))]
        counts = np.r_[0, np.cumsum(seen)]
        n = counts[ends] - counts[starts]
        with np.errstate(invalid="ignore"):
            mean = (sums[ends] - sums[starts]) / n
        frame[axis] = np.where(fixations & (n > 0), mean, np.nan)
    if fixations.any():
        notes.append(f"{int(fixations.sum())} fixations without a position: mean of their samples")
