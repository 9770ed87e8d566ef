"""What of a recording to use: one eye, and where its trials begin."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.schema import conform

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.recording import Recording

EYES = ("auto", "left", "right")


def select_eye(recording: Recording, eye: str) -> Recording:
    """Use one eye alone.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    eye : {"auto", "left", "right"}
        ``auto`` leaves all as it is: the mean of the eyes in samples, both eyes' events.

    Returns
    -------
    Recording
        Combined gaze is that of the eye; events and fixations of the other are left out, with a note. What the export
        gives for both eyes together stays.

    Raises
    ------
    DataError
        The recording has no gaze of that eye.
    """
    if eye == "auto":
        return recording
    other = "left" if eye == "right" else "right"
    samples, events, fixations = recording.samples, recording.events, recording.fixations
    if samples is not None:
        own = {axis: samples[f"{eye}_{axis}"] for axis in ("x_px", "y_px")}
        if not np.isfinite(own["x_px"].to_numpy()).any():
            what = f"has no samples of the {eye} eye"
            raise DataError(what, hint=f"it has {recording.eyes}; leave out --eye")
        samples = conform({name: own.get(name, samples[name]) for name in samples.column_names}, samples.schema)
    events, left_out = _without(events, other)
    if fixations is not None:
        fixations, more = _without(fixations, other)
        left_out += more
        if not fixations.num_rows:
            raise DataError(f"has no fixations of the {eye} eye", hint="leave out --eye")
    notes = (*recording.notes, f"{eye} eye alone: {left_out} events of the {other} eye left out")
    return replace(recording, samples=samples, events=events, fixations=fixations, eyes=eye, notes=notes)


def _without(table: pa.Table, eye: str) -> tuple[pa.Table, int]:
    keep = pa.array(table["eye"].cast("string").to_numpy() != eye)
    kept = table.filter(keep)
    return kept, table.num_rows - kept.num_rows


def split_trials(recording: Recording, rule: str | None) -> Recording:
    """Let trials begin where a rule says, in place of the export's own.

    Parameters
    ----------
    recording : Recording
        With one clock for all of each recording in it.
    rule : str or None
        ``stimulus``: whenever another stimulus is shown; ``message=REGEX``: at each message in which the pattern is
        found, named by its first group where it has one; None for the export's own trials.

    Returns
    -------
    Recording
        Trials are numbered from 1 where nothing names them; before the first message it is the empty trial.

    Raises
    ------
    ConfigError
        An unknown rule, or a pattern that is none.
    DataError
        No message matches.
    """
    if rule is None:
        return recording
    if rule == "stimulus":
        return _by_stimulus(recording)
    kind, mark, pattern = rule.partition("=")
    if kind != "message" or not mark or not pattern:
        raise ConfigError(f"trials by {quote(rule, 60)!r}", hint="use --trial-by stimulus or --trial-by message=REGEX")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"the pattern {quote(pattern, 60)!r}: {error}", hint="give a regular expression") from error
    return _by_message(recording, compiled)


def _by_stimulus(recording: Recording) -> Recording:
    def trials(table: pa.Table) -> pa.Table:
        frame = table.select(["recording", "stimulus"]).to_pandas().astype(str)
        changes = frame["stimulus"].ne(frame.groupby("recording")["stimulus"].shift())
        return _with_trial(table, changes.groupby(frame["recording"]).cumsum().astype(str).to_numpy(object))

    samples, fixations = recording.samples, recording.fixations
    return replace(
        recording,
        samples=None if samples is None else trials(samples),
        events=trials(recording.events) if samples is None else recording.events,
        fixations=None if fixations is None else trials(fixations),
    )


def _by_message(recording: Recording, pattern: re.Pattern[str]) -> Recording:
    events = recording.events.select(["recording", "kind", "onset_ms", "text"]).to_pandas()
    messages = events[events["kind"] == "message"].sort_values("onset_ms", kind="stable")
    found = [(row.recording, row.onset_ms, pattern.search(str(row.text))) for row in messages.itertuples()]
    starts: dict[str, list[tuple[float, str]]] = {}
    for name, onset, match in found:
        if match is not None:
            own = starts.setdefault(str(name), [])
            label = match[1] if pattern.groups and match[1] else str(len(own) + 1)
            own.append((float(onset), label))
    if not starts:
        what = f"none of {len(messages)} messages matches {quote(pattern.pattern, 60)!r}"
        raise DataError(what, hint="look at the messages: gazetrack convert --events")

    def trials(table: pa.Table, time: str) -> pa.Table:
        labels = np.full(table.num_rows, "", object)
        names, times = table["recording"].cast("string").to_numpy(), table[time].to_numpy()
        for name, own in starts.items():
            rows = np.flatnonzero(names == name)
            at = np.searchsorted([onset for onset, _ in own], times[rows], side="right") - 1
            labels[rows] = np.array(["", *(label for _, label in own)], object)[at + 1]
        return _with_trial(table, labels)

    samples, fixations = recording.samples, recording.fixations
    return replace(
        recording,
        samples=None if samples is None else trials(samples, "t_ms"),
        events=trials(recording.events, "onset_ms"),
        fixations=None if fixations is None else trials(fixations, "onset_ms"),
    )


def _with_trial(table: pa.Table, labels: npt.NDArray[np.object_]) -> pa.Table:
    column = pa.array(pd.Categorical(labels)).cast(table.schema.field("trial").type)
    return table.set_column(table.column_names.index("trial"), table.schema.field("trial"), column)
