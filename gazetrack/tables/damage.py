"""What is wrong with a recording as a whole: its clock, its positions, lost gaze.

Each is a note with a count, or an error where nothing sensible is left.
`gazetrack.tables.plausible` asks after every reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.tables.clock import Clock
from gazetrack.tables.kinds import count_kinds, not_of_kinds, of_kinds
from gazetrack.tables.rates import doubt_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.tables.recording import Recording

_NO_MOVEMENT = ("message", "input", "button")
_LEAST_UNCHANGED = 20  # positions that may be one by chance, as those of a few fixations on a cross
_EXPORT_AGAIN = "export the recording again, or correct the column"
_AXES = {"x_px": "horizontal", "y_px": "vertical"}
_RATE_TOLERANCE = 0.2
_ENOUGH_FOR_RATE = 100  # samples
# No eye tracker is slower or faster: then the unit of the times is another than was said.
_SLOWEST_HZ, _FASTEST_HZ = 2.0, 10_000.0
# Half of somebody's fixations are never as short or as long: then the unit of the durations is
# another.
_SHORTEST_MEDIAN_MS, _LONGEST_MEDIAN_MS = 10.0, 60e3
_ENOUGH_FIXATIONS = 5  # to say anything of half of them
_MOST_AGAIN = 0.05  # of all fixations
_MOST_OVERLAP = 0.05  # of the time of all fixations; in real exports it is at most .002


def refuse_nothing(recording: Recording) -> None:
    """Refuse a file of which nothing is left: no sample, no fixation, no other eye movement.

    Raises
    ------
    ParseError
        With how many rows there were, and why none of them is used.
    """
    tables = (recording.sample_table, recording.fixation_table)
    has_rows = any(table is not None and table.num_rows for table in tables)
    if has_rows or _n_movements(recording.event_table):
        return
    what = "a header and no rows"
    if recording.rows_in:
        what = f"none of its {recording.rows_in} rows can be used"
        reasons = ", ".join(f"{count} {reason}" for reason, count in recording.dropped.items())
        what += f" ({reasons})" if reasons else ""
    raise ParseError(what, hint="export the recording again, with gaze or fixations")


def check_times(recording: Recording, notes: list[str]) -> None:
    """Note times that do not go forward, and a sampling rate that is not that of the times.

    Raises
    ------
    ParseError
        The samples are in no order of time, their clock never goes forward, or it begins again
        within a recording.
    """
    if recording.sample_table is None or not recording.sample_table.num_rows:
        _check_onsets(recording, notes)
        return
    keys = ["recording", "trial", "stimulus"] if recording.time_origin == "trial" else ["recording"]
    clock = _followed(recording.sample_table, keys, "t_ms")
    hint = "sort the rows by time, or export the recording again"
    if clock.in_no_order:
        raise ParseError(clock.disorder, hint=hint)
    if clock.never_forward:
        raise ParseError(
            f"the clock stands still: {clock.pairs + 1} samples have one time", hint=_EXPORT_AGAIN
        )
    if clock.first_restart >= 0 and _overlap(recording.sample_table, keys):
        what = (
            f"the time steps back: a second recording begins with sample {clock.first_restart + 1}"
        )
        raise ParseError(what, hint="give each recording a file or a name of its own")
    if clock.restarts:
        notes.append(
            f"the time steps back {clock.restarts} times to where there are no samples: "
            "trials in any order"
        )
    notes += clock.notes
    stated, measured = recording.rate_hz, recording.effective_rate_hz
    enough = recording.sample_table.num_rows >= _ENOUGH_FOR_RATE
    if enough and stated and measured and abs(stated - measured) > _RATE_TOLERANCE * stated:
        notes.append(
            f"the file states a sampling rate of {stated:.4g} Hz, its times say {measured:.4g} Hz"
        )
    if enough and not stated and (doubt := doubt_of(recording.sample_table["t_ms"])):
        notes.append(doubt)
    if enough and measured and not _SLOWEST_HZ <= measured <= _FASTEST_HZ:
        notes.append(f"by its times it was sampled at {measured:.4g} Hz: are they in another unit?")


def check_durations(recording: Recording, notes: list[str]) -> None:
    """Note fixations of odd durations, and those that begin while another goes on."""
    table = _fixations(recording)
    if table is None:
        return
    durations = table["duration_ms"].to_numpy()
    value, count = _only_value(table["duration_ms"])
    if count >= _LEAST_UNCHANGED:
        notes.append(f"all {count} fixations last {value:g} ms")
    if np.isfinite(durations).sum() < _ENOUGH_FIXATIONS:
        return
    median = float(np.nanmedian(durations))
    if median < _SHORTEST_MEDIAN_MS or median > _LONGEST_MEDIAN_MS:
        side = "less" if median < _SHORTEST_MEDIAN_MS else "more"
        notes.append(
            f"half of the fixations last {median:.3g} ms or {side}: are durations in another unit?"
        )
    n_again = _n_again(table)
    if n_again > _MOST_AGAIN * len(durations):
        what = f"{n_again} of {len(durations)} fixations are another one to the last digit"
        notes.append(f"{what}: onset, duration and place; are the same rows in the file twice?")
    total, shared, n_within = _overlapping(table)
    if shared > _MOST_OVERLAP * total:
        what = f"{n_within} of {len(durations)} fixations begin before the one before them ends"
        notes.append(f"{what}: are onsets and durations in one unit, and the rows of one person?")


def check_gaze(recording: Recording, notes: list[str]) -> None:
    """Note gaze that is lost throughout, and positions that never change.

    Raises
    ------
    ParseError
        A position is the same throughout, and off the screen.
    """
    samples, fixations = recording.sample_table, _fixations(recording)
    if samples is not None and samples.num_rows:
        if recording.loss == 1:
            notes.append(f"all gaze is lost: none of {samples.num_rows} samples has a position")
        _check_unchanged(recording, samples, "samples", notes)
    if fixations is not None:
        _check_unchanged(recording, fixations, "fixations", notes)


def check_names(recording: Recording, notes: list[str]) -> None:
    """Note rows of no recording or trial, of a table in which others are of one."""
    tables = {"samples": recording.sample_table, "fixations": recording.fixation_table}
    for what, table in tables.items():
        if table is None or not table.num_rows:
            continue
        for name in ("recording", "trial"):
            n_nowhere = sum(_n_nameless(chunk) for chunk in table[name].chunks)
            if 0 < n_nowhere < table.num_rows:
                notes.append(f"{n_nowhere} of {table.num_rows} {what} are of no {name}")


def _n_nameless(names: pa.DictionaryArray) -> int:
    """Return how many rows of a part of a table have no name."""
    nameless = [code for code, name in enumerate(names.dictionary.to_pylist()) if not name]
    if not nameless:
        return 0
    return int(np.isin(names.indices.to_numpy(), nameless).sum())


def _n_movements(events: pa.Table) -> int:
    counts = count_kinds(events)
    return int(events.num_rows) - sum(counts.get(kind, 0) for kind in _NO_MOVEMENT)


def _fixations(recording: Recording) -> pa.Table | None:
    """Return the export's own fixations, its rows or some of its events; None without any."""
    table = recording.fixation_table
    if table is None:
        table = of_kinds(recording.event_table, "fixation")
    return table if table.num_rows else None


def _check_onsets(recording: Recording, notes: list[str]) -> None:
    """Note fixations that are not in the order of time. Their onsets still say when they were."""
    table, what = recording.fixation_table, "fixations"
    keys = (
        ["recording", "trial", "stimulus", "eye"]
        if recording.time_origin == "trial"
        else ["recording", "eye"]
    )
    if table is None:  # each kind of event may have a table of its own
        table, what = not_of_kinds(recording.event_table, *_NO_MOVEMENT), "events"
        keys.append("kind")
    clock = _followed(table, keys, "onset_ms")
    if clock.backwards:
        notes.append(
            f"{clock.backwards} {what} begin before the one above them: "
            "the rows are not in order of time"
        )
    if clock.still:
        notes.append(f"{clock.still} {what} begin together with the one above them")


def _n_again(table: pa.Table) -> int:
    """Return how many fixations are the same as one before, of whatever recording.

    The same are onset, duration, place, eye and stimulus.
    """
    names = ["onset_ms", "duration_ms", "x_px", "y_px", "eye", "stimulus"]
    present = [name for name in names if name in table.column_names]
    return int(table.select(present).to_pandas().duplicated().sum())


def _overlapping(table: pa.Table) -> tuple[float, float, int]:
    """Return how long fixations last, how long two go on at once, and how often they do.

    Fixations are compared with those of the same recording, participant, trial, stimulus and eye.
    """
    keys = ["recording", "participant", "trial", "stimulus", "eye"]
    present = [key for key in keys if key in table.column_names]
    frame = (
        table.select([*present, "onset_ms", "duration_ms"])
        .to_pandas()
        .dropna(subset=["onset_ms", "duration_ms"])
    )
    frame = frame.sort_values("onset_ms", kind="stable")
    end = frame["onset_ms"] + frame["duration_ms"]
    groups = [frame[key] for key in present]
    latest_before = (
        end.groupby(groups, observed=True).cummax().groupby(groups, observed=True).shift()
    )
    within = (np.minimum(latest_before, end) - frame["onset_ms"]).clip(lower=0).fillna(0)
    return float(frame["duration_ms"].sum()), float(within.sum()), int((within > 0).sum())


def _followed(table: pa.Table, keys: Sequence[str], time: str) -> Clock:
    """Return the clock of a table's times, of which those with the same keys belong together."""
    clock = Clock()
    chosen = table.select([*keys, time]).unify_dictionaries()
    sizes = [len(chosen[key].chunk(0).dictionary) if chosen[key].num_chunks else 0 for key in keys]
    for batch in chosen.to_batches():
        groups: npt.NDArray[np.integer] = np.zeros(batch.num_rows, np.int64)
        for key, size in zip(keys, sizes, strict=True):
            groups = groups * size + batch.column(key).indices.to_numpy()
        clock.take(batch.column(time).to_numpy(), groups)
    return clock


def _overlap(table: pa.Table, keys: Sequence[str]) -> bool:
    """Return whether what follows a step back is of the same time as what is above it."""
    frame = table.select([*keys, "t_ms"]).to_pandas()
    t, group = frame["t_ms"], frame.groupby(list(keys), observed=True, sort=False).ngroup()
    again = np.zeros(len(frame), np.int64)
    again[Clock().take(t.to_numpy(), group.to_numpy())] = 1
    stretch = pd.Series(again).groupby(group).cumsum()
    spans = (
        t.groupby([group, stretch])
        .agg(["min", "max"])
        .rename_axis(["group", "stretch"])
        .reset_index()
    )
    spans = spans.sort_values(["group", "min"])
    end_before = spans.groupby("group")["max"].cummax().groupby(spans["group"]).shift()
    return bool((spans["min"] <= end_before).any())


def _check_unchanged(recording: Recording, table: pa.Table, what: str, notes: list[str]) -> None:
    screen = recording.screen
    sizes = {} if screen is None else {"x_px": screen.width_px, "y_px": screen.height_px}
    on_image = "image_width_px" in table.column_names and bool(
        np.isfinite(table["image_width_px"].to_numpy()).any()
    )
    for eye in ("", "left_", "right_"):
        for axis, word in _AXES.items():
            value, count = (
                _only_value(table[eye + axis]) if eye + axis in table.column_names else (np.nan, 0)
            )
            if count < _LEAST_UNCHANGED:
                continue
            of_eye = f" of the {eye[:-1]} eye" if eye else ""
            found = (
                f"the {word} position{of_eye} is {value:g} px in all {count} {what} that have one"
            )
            if axis in sizes and not on_image and not eye and not 0 <= value <= sizes[axis]:
                raise ParseError(f"{found}, off the screen of {sizes[axis]} px", hint=_EXPORT_AGAIN)
            notes.append(found)


def _only_value(column: pa.ChunkedArray) -> tuple[float, int]:
    """Return the value that all known numbers of a column share, and how many there are.

    Where they differ, the count is 0.
    """
    value, count = np.nan, 0
    for chunk in column.chunks:
        numbers = chunk.to_numpy()
        known = numbers[np.isfinite(numbers)]
        if known.size and not count:
            value = float(known[0])
        if (known != value).any():
            return np.nan, 0
        count += known.size
    return value, count
