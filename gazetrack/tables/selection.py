"""What of a recording to use: whose eye's gaze and fixations, and where its trials begin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.tables.eyes import DEFAULT_EYE, EYE_CHOICES
from gazetrack.tables.schema import conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.tables.recording import Recording

RULE = (
    "where each eye has fixations of its own, those of the eye with more fixation time in the "
    "recording (the right one when equal); a trial in which that eye has none keeps the other's; "
    "what the export gives for both eyes together comes before either"
)
_SIDES = {"left", "right"}
_NEVER = 3  # the rank of a row that no trial falls back on
_SUM_ERROR_MS = 1e-6  # the same durations added up in another order


@dataclass(frozen=True, kw_only=True)
class EyeChoice:
    """Whose fixations a table holds.

    Parameters
    ----------
    asked : {"auto", "left", "right", "both"}
        Which eye's fixations were asked for, see `one_eye`.
    held : tuple of str
        The eyes of the table's rows, in the order of the alphabet.
    left_out : int
        Number of fixations of the other eye, which the table does not hold.
    fixation_ms : mapping of (str, str) to dict of str to float
        Of each recording and participant with fixations of each eye, the fixation time of ``left``
        and ``right``.
    """

    asked: str
    held: tuple[str, ...]
    left_out: int = 0
    fixation_ms: Mapping[tuple[str, ...], Mapping[str, float]] = field(default_factory=dict)

    @property
    def a_row_per_eye(self) -> bool:
        """Whether one moment may have a row of each eye.

        Then durations add up to more than the time there was.
        """
        return self.asked == "both" and set(self.held) >= _SIDES

    def as_json(self) -> dict[str, str]:
        """Return the choice for a table's metadata."""
        rows = "a row per fixation and eye" if self.a_row_per_eye else "a row per fixation"
        facts = {"asked": self.asked, "held": " and ".join(self.held), "rows": rows}
        return facts | {"rule": RULE} if self.asked == "auto" and self.left_out else facts

    @property
    def note(self) -> str:
        """What the user is to know of the choice, empty where there was nothing to choose."""
        if self.a_row_per_eye:
            return (
                "a row per fixation and eye: take one eye, or group by eye, "
                "before durations are added up"
            )
        if self.asked != "auto" or not self.left_out:
            return ""
        chosen = [favoured_eye(times) for times in self.fixation_ms.values()]
        if not chosen:
            return (
                "the table holds the fixations of both eyes together, not each eye's; "
                "--eye left or right for these"
            )
        if len(chosen) == 1:
            eye = chosen[0]
            other = _other(eye)
            times = next(iter(self.fixation_ms.values()))
            own_s = times[eye] / 1000
            other_s = times[other] / 1000
            whose = f"of the {eye} eye ({own_s:.1f} s in all, {other_s:.1f} s of the {other} eye)"
        else:
            left = chosen.count("left")
            right = chosen.count("right")
            whose = f"of the left eye in {left} recordings and of the right eye in {right}"
        return (
            f"each eye has fixations of its own: the table holds those {whose}; "
            "--eye left, right or both for others"
        )


def favoured_eye(fixation_ms: Mapping[str, float]) -> str:
    """Return the eye with more fixation time, the right one when equal."""
    return "right" if fixation_ms["right"] >= fixation_ms["left"] - _SUM_ERROR_MS else "left"


def _other(eye: str) -> str:
    return "left" if eye == "right" else "right"


def one_eye(fixations: pa.Table, eye: str = DEFAULT_EYE) -> tuple[pa.Table, EyeChoice]:
    """Keep the fixations of one eye, so that no moment is counted twice.

    Parameters
    ----------
    fixations : pyarrow.Table
        Fixations of either eye or both, in the schema `FIXATIONS`.
    eye : {"auto", "left", "right", "both"}
        ``auto`` follows `RULE`: the same eye for all of a recording, unless a trial has the other's
        fixations alone. ``left`` and ``right`` keep that eye's; trials that have none of it keep
        those of both eyes together. ``both`` keeps every row.

    Returns
    -------
    pyarrow.Table, EyeChoice
        The rows that stay, in their order.

    Raises
    ------
    ConfigError
        There is no such choice of an eye.
    """
    if eye not in EYE_CHOICES:
        raise ConfigError(f"eye {eye!r}", hint=f"use one of {', '.join(EYE_CHOICES)}")
    names = fixations["eye"].cast("string").to_numpy()
    if eye == "both" or not set(names) & _SIDES:
        return fixations, EyeChoice(asked=eye, held=tuple(sorted(set(names))))
    frame = fixations.select(["recording", "participant", "trial", "duration_ms"]).to_pandas()
    person, people = _numbered(frame, ["recording", "participant"])
    trial, trials = _numbered(frame, ["recording", "participant", "trial"])
    lasts = np.nan_to_num(frame["duration_ms"].to_numpy(np.float64))
    left_ms = np.bincount(person, np.where(names == "left", lasts, 0.0))
    right_ms = np.bincount(person, np.where(names == "right", lasts, 0.0))
    spent = [
        {"left": float(left), "right": float(right)}
        for left, right in zip(left_ms, right_ms, strict=True)
    ]
    if eye == "auto":
        favoured = np.array([favoured_eye(times) for times in spent], object)[person]
        # Both eyes together before the favoured eye before the other.
        rank = np.where(names == favoured, 1, np.where(np.isin(names, list(_SIDES)), 2, 0))
    else:
        rank = np.where(names == eye, 0, np.where(names == _other(eye), _NEVER, 1))
    best = np.full(len(trials), _NEVER)
    np.minimum.at(best, trial, rank)
    keep = (rank == best[trial]) & (rank != _NEVER)
    choice = EyeChoice(
        asked=eye,
        held=tuple(sorted(set(names[keep]))),
        left_out=int((~keep).sum()),
        fixation_ms={
            key: times for key, times in zip(people, spent, strict=True) if min(times.values()) > 0
        },
    )
    return fixations if keep.all() else fixations.filter(pa.array(keep)), choice


def _numbered(
    frame: pd.DataFrame, keys: list[str]
) -> tuple[npt.NDArray[np.integer], list[tuple[str, ...]]]:
    """Return the number of each row's group, and the groups in the order in which they begin."""
    numbers = frame.groupby(keys, observed=True, sort=False).ngroup().to_numpy()
    groups = frame[keys].drop_duplicates().itertuples(index=False, name=None)
    return numbers, [tuple(map(str, group)) for group in groups]


def select_eye(recording: Recording, eye: str) -> Recording:
    """Use one eye alone.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.
    eye : {"auto", "left", "right", "both"}
        ``auto`` and ``both`` leave all as it is: the mean of the eyes in samples, each eye's
        events.

    Returns
    -------
    Recording
        Combined gaze is that of the eye; events and fixations of the other are left out, with a
        note. What the export gives for both eyes together stays.

    Raises
    ------
    ConfigError
        There is no such choice of eyes.
    DataError
        The recording has no gaze of that eye.
    """
    if eye not in EYE_CHOICES:
        raise ConfigError(f"eye {eye!r}", hint=f"use one of {', '.join(EYE_CHOICES)}")
    if eye not in _SIDES:
        return recording
    other = _other(eye)
    samples, events, fixations = (
        recording.sample_table,
        recording.event_table,
        recording.fixation_table,
    )
    if samples is not None:
        if not has_gaze(samples, eye):
            what = f"has no samples of the {eye} eye"
            raise DataError(what, hint=f"it has {recording.eyes}; leave out --eye")
        samples = gaze_of(samples, eye)
    events, left_out = _without(events, other)
    if fixations is not None:
        fixations, more = _without(fixations, other)
        left_out += more
        if not fixations.num_rows:
            raise DataError(f"has no fixations of the {eye} eye", hint="leave out --eye")
    notes = (*recording.notes, f"{eye} eye alone: {left_out} events of the {other} eye left out")
    return replace(
        recording,
        sample_table=samples,
        event_table=events,
        fixation_table=fixations,
        eyes=eye,
        notes=notes,
    )


def has_gaze(samples: pa.Table, eye: str) -> bool:
    """Return whether a table of samples has any gaze of the left or right eye."""
    return bool(np.isfinite(samples[f"{eye}_x_px"].to_numpy()).any())


def gaze_of(samples: pa.Table, eye: str) -> pa.Table:
    """Return the samples with the gaze of the left or right eye in place of the combined one."""
    own = {axis: samples[f"{eye}_{axis}"] for axis in ("x_px", "y_px")}
    return conform(
        {name: own.get(name, samples[name]) for name in samples.column_names}, samples.schema
    )


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
        ``stimulus``: whenever another stimulus is shown; ``message=REGEX``: at each message in
        which the pattern is found, named by its first group where it has one; None for the export's
        own trials.

    Returns
    -------
    Recording
        Trials are numbered from 1 where nothing names them; before the first message it is the
        empty trial.

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
        raise ConfigError(
            f"trials by {quote(rule, 60)!r}",
            hint="use --trial-by stimulus or --trial-by message=REGEX",
        )
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"the pattern {quote(pattern, 60)!r}: {error}", hint="give a regular expression"
        ) from error
    return _by_message(recording, compiled)


def _by_stimulus(recording: Recording) -> Recording:
    def trials(table: pa.Table) -> pa.Table:
        frame = table.select(["recording", "stimulus"]).to_pandas().astype(str)
        changes = frame["stimulus"].ne(frame.groupby("recording")["stimulus"].shift())
        return _with_trial(
            table, changes.groupby(frame["recording"]).cumsum().astype(str).to_numpy(object)
        )

    samples, fixations = recording.sample_table, recording.fixation_table
    return replace(
        recording,
        sample_table=None if samples is None else trials(samples),
        event_table=trials(recording.event_table) if samples is None else recording.event_table,
        fixation_table=None if fixations is None else trials(fixations),
    )


def _by_message(recording: Recording, pattern: re.Pattern[str]) -> Recording:
    events = recording.event_table.select(["recording", "kind", "onset_ms", "text"]).to_pandas()
    messages = events[events["kind"] == "message"].sort_values("onset_ms", kind="stable")
    found = [
        (row.recording, row.onset_ms, pattern.search(str(row.text)))
        for row in messages.itertuples()
    ]
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

    samples, fixations = recording.sample_table, recording.fixation_table
    return replace(
        recording,
        sample_table=None if samples is None else trials(samples, "t_ms"),
        event_table=trials(recording.event_table, "onset_ms"),
        fixation_table=None if fixations is None else trials(fixations, "onset_ms"),
    )


def _with_trial(table: pa.Table, labels: npt.NDArray[np.object_]) -> pa.Table:
    column = pa.array(pd.Categorical(labels)).cast(table.schema.field("trial").type)
    return table.set_column(table.column_names.index("trial"), table.schema.field("trial"), column)
