"""What a trial's gaze was looking for: its target, read off its names or out of a table.

A study that asks for several things, each in trials of its own, gives a map for each of them. Where
one trial asks for several, the target is what gaze fell on: the label of an area of interest.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.tables.named_rows import read_named_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gazetrack.maps.track import Track

COLUMNS = ("trial", "stimulus", "recording", "participant")
TARGET = "target"
AOI = "aoi"
_HINT = "use trial, stimulus, recording or participant, such as trial=REGEX, or a CSV file"
# How `build_tracks` numbers an image's second showing within a trial.
_SHOWING = re.compile(r"#\d+$")


def check_rule(rule: str) -> None:
    """Refuse a rule that is none; see `target_rule`, but that no file is opened."""
    _parsed(rule)


def target_rule(rule: str) -> Callable[[Track], str]:
    """Return what reads the target of a track.

    Parameters
    ----------
    rule : str
        One of `COLUMNS`, whole; ``COLUMN=REGEX``, for the pattern's first group, or all that it
        matches; or the name of a CSV file with some of these columns and ``target``, whose rows are
        matched by all of them.

    Returns
    -------
    callable
        The target of a `Track`; empty where the rule says nothing of it.

    Raises
    ------
    ConfigError
        It is no rule, or its pattern no regular expression.
    InputError
        The file cannot be read, lacks columns, or names a trial twice.

    Examples
    --------
    >>> read = target_rule("trial=find (.*)")
    """
    column, pattern = _parsed(rule)
    if not column:
        return _from_table(Path(rule))

    def target(track: Track) -> str:
        text = _SHOWING.sub("", getattr(track, column)) if column == "trial" else ""
        text = text or getattr(track, column)
        if pattern is None:
            return str(text)
        return _first_of(pattern, text)

    return target


def is_of_areas(rule: str | None) -> bool:
    """Return whether a rule is ``aoi`` or ``aoi=REGEX``: a target is the label of an area."""
    return rule is not None and rule.partition("=")[0] == AOI


def area_rule(rule: str) -> Callable[[str], str]:
    """Return what reads the target of an area of interest off its label.

    Parameters
    ----------
    rule : str
        ``aoi``, for the label itself, or ``aoi=REGEX``, for the pattern's first group, or all that
        it matches: ``aoi=([a-z]+)`` makes one target of polyp-1 and polyp-2.

    Returns
    -------
    callable
        The target of a label; empty where the pattern does not match.

    Raises
    ------
    ConfigError
        The pattern is no regular expression.

    Examples
    --------
    >>> area_rule("aoi=([a-z]+)")("polyp-2")
    'polyp'
    """
    pattern = _pattern(rule)
    return lambda label: label if pattern is None else _first_of(pattern, label)


def with_targets(tracks: Iterable[Track], rule: str) -> list[Track]:
    """Return tracks with their targets; parameters and errors as of `target_rule`."""
    target = target_rule(rule)
    return [replace(track, target=target(track)) for track in tracks]


def _parsed(rule: str) -> tuple[str, re.Pattern[str] | None]:
    """Return column and pattern of a rule; no column for a file."""
    column = rule.partition("=")[0]
    if column in COLUMNS:
        return column, _pattern(rule)
    if is_of_areas(rule):
        what = f"target {quote(rule)!r}: which areas gaze fell on is said as maps are rendered"
        raise ConfigError(what, hint="gazetrack render --target aoi --aois FILE, and train on that")
    if not rule.endswith(".csv"):
        raise ConfigError(f"target {quote(rule)!r}", hint=_HINT)
    return "", None


def _pattern(rule: str) -> re.Pattern[str] | None:
    """Return the pattern of ``NAME=REGEX``; None where there is the name alone."""
    name, mark, text = rule.partition("=")
    if not mark:
        return None
    hint = "use aoi, or aoi=REGEX" if name == AOI else _HINT
    if not text:
        raise ConfigError(f"target {quote(rule)!r}", hint=hint)
    try:
        return re.compile(text)
    except re.error as error:
        what = f"target {quote(rule)!r} is no regular expression: {error}"
        raise ConfigError(what, hint=hint) from error


def _first_of(pattern: re.Pattern[str], text: str) -> str:
    """Return the first group of what a pattern finds, or all of it; empty where that is nothing."""
    found = pattern.search(text)
    if found is None:
        return ""
    return (found[1] if pattern.groups else found[0]) or ""


def _from_table(path: Path) -> Callable[[Track], str]:
    """Return what looks the target up in a table of trials."""
    found, rows = read_named_rows(path, "a table of targets")
    keys = [name for name in COLUMNS if name in found]
    if TARGET not in found or not keys:
        hint = f"name the columns target and some of {', '.join(COLUMNS)}"
        raise InputError("is no table of targets", path=path, hint=hint)
    targets: dict[tuple[str, ...], str] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        target = row[TARGET]
        if targets.setdefault(key, target) != target:
            what = f"gives {quote(' '.join(key))!r} two targets"
            raise InputError(what, path=path, hint="add a column that tells the trials apart")

    def target_of(track: Track) -> str:
        names = {name: getattr(track, name) for name in keys}
        if "trial" in names:
            names["trial"] = _SHOWING.sub("", names["trial"])
        return targets.get(tuple(names.values()), "")

    return target_of
