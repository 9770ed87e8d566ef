"""Tobii Studio 2: the lines before the table, and which of Studio's exports a file is.

Source: "Tobii Studio 2.x User Manual", Tobii Technology, "Exporting data as text". A preamble of
properties (``Recording resolution: 1280 x 1024``) stands before the names of the columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, NoGaze, ParseError, quote
from gazetrack.readers.text.header import Header, header_of
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.readers.base import Head

_GAZE_NAMES = {"GazePointX", "GazePointXLeft", "GazePointXRight"}
# Names of All-Data that other programs do not use; which of them are there is the user's choice.
_STUDIO_NAMES = {
    "DateTimeStamp",
    "DateTimeStampStartOffset",
    "Number",
    "CamXLeft",
    "CamXRight",
    "ValidityLeft",
    "ValidityRight",
    "FixationIndex",
    "FixationDuration",
    "MappedFixationPointX",
    "MappedGazeDataPointX",
    "MicroSecondTimestamp",
    "StimuliName",
    "StimuliID",
    "EventKey",
}
_FIXATION_NAMES = {
    "Timestamp",
    "FixationIndex",
    "FixationDuration",
    "MappedFixationPointX",
    "MappedFixationPointY",
}
_EVENT_NAMES = {"Timestamp", "Event", "EventKey"}
_ENOUGH_NAMES = 3
_PROPERTY = re.compile(r"([A-Z][A-Za-z ]+?)\s*:\s+(\S.*)")
_SIZE = re.compile(r"([0-9]{1,6}) x ([0-9]{1,6})")

NO_GAZE = "a Tobii Studio Event-Data export: export All-Data or Fixation-Data"


@dataclass(frozen=True)
class Layout:
    """What a Studio export says before its first row.

    Parameters
    ----------
    kind : str
        ``samples``, ``fixations``, or ``events`` (no gaze).
    header : Header
        The line with the names of the columns.
    properties : mapping of str to str
        The lines before the header, as name and value.
    """

    kind: str
    header: Header
    properties: Mapping[str, str]

    def stated(self, *names: str) -> str:
        """Return the first of these properties, or nothing when none is stated."""
        return next((self.properties[name] for name in names if name in self.properties), "")


def layout_of(head: Head) -> Layout | None:
    """Find Studio's header line below any number of lines that describe the recording, or None."""
    for i, line in enumerate(head.lines):
        if "imestamp" not in line:
            continue
        header = header_of(replace(head, lines=(line,)))
        kind = _kind_of(set(header.names)) if header is not None else ""
        if header is not None and kind:
            found = (_PROPERTY.fullmatch(before.strip()) for before in head.lines[:i])
            properties = {match[1]: match[2] for match in found if match}
            return Layout(kind, replace(header, lines=i + 1), properties)
    return None


def needed_layout(head: Head) -> Layout:
    """Return the layout of an export that holds gaze in pixels.

    Raises
    ------
    ParseError
        There is no header of Studio's, the export holds no gaze, or its positions are not in
        pixels.
    """
    layout = layout_of(head)
    if layout is None:
        hint = "export All-Data or Fixation-Data as text"
        raise ParseError("no header line of Tobii Studio", path=head.path, line=1, hint=hint)
    if layout.kind == "events":
        found, _, hint = NO_GAZE.partition(": ")
        what = f"holds no gaze: it is {found}"
        raise NoGaze(what, path=head.path, line=layout.header.lines, hint=hint)
    unit = layout.stated("Coordinate unit") or "Pixels"
    if unit.casefold() != "pixels":
        what = f"positions in {quote(unit, 30)!r}"
        hint = "set the coordinate unit to pixels and export again"
        raise ParseError(what, path=head.path, hint=hint)
    return layout


def screen_of(layout: Layout, notes: list[str]) -> Screen | None:
    """Return the screen that the lines before the header state, None without a usable size."""
    size = layout.stated("Recording resolution", "Screen resolution")
    match = _SIZE.fullmatch(size)
    try:
        if match:
            return Screen(int(match[1]), int(match[2]))
    except ConfigError:
        match = None
    if size:
        notes.append("the recording resolution is not usable: ignored")
    return None


def _kind_of(names: set[str]) -> str:
    """Return which export has these columns, as `Layout.kind`, or an empty text for none."""
    has_gaze = "Timestamp" in names and bool(names & _GAZE_NAMES)
    if has_gaze and len(names & _STUDIO_NAMES) >= _ENOUGH_NAMES:
        return "samples"
    if names >= _FIXATION_NAMES:
        return "fixations"
    return "events" if names >= _EVENT_NAMES else ""
