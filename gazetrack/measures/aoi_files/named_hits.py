"""Names of areas of interest in the rows of an export: which of its fixations lay in which areas.

BeGaze, Gazepoint Analysis, iMotions and Tobii Studio write the name of the area that gaze lay in
into a column, row by row; the shapes are not in it, and neither are areas that no fixation lay in.
A fixation lay in an area where one of its rows says so. Columns: "BeGaze Manual", SMI, ``AOI Name``
with the eye behind it; "Gazepoint Analysis", Gazepoint, ``AOI``; "Sensor Data Export", iMotions,
``FixationAOI``; "Tobii Studio 2.x User Manual", Tobii Technology, ``AoiNames``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.measures.aoi_files import named_rows
from gazetrack.measures.aois import EVERY
from gazetrack.measures.recorded import recorded_aois
from gazetrack.publish import sha256_of
from gazetrack.readers.head import read_head
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gazetrack.measures.aoi_files.named_rows import NamedRow
    from gazetrack.measures.recorded import FixationKey, RecordedAois
    from gazetrack.readers.head import Head

_NOTHING = ("", "-")  # BeGaze's empty cell is a hyphen
_ONLY_LOOKED_AT = "areas that no fixation of the export lay in are not known: they have no rows"
_SEPARATOR = ";"


@dataclass
class _Found:
    """What the rows add up to."""

    stimuli: dict[str, dict[str, None]] = field(default_factory=dict)
    hits: dict[str, dict[FixationKey, set[str]]] = field(default_factory=dict)
    # On which stimulus a fixation was, which tells whether a number is there twice.
    shown: dict[tuple[str, FixationKey], str] = field(default_factory=dict)

    def take(self, rows: Iterable[NamedRow], path: Path) -> None:
        """Take the rows of an export, each of which belongs to a fixation."""
        for row in rows:
            stimulus = stem(row.stimulus) or EVERY
            before = self.shown.setdefault((row.recording, row.key), stimulus)
            if before != stimulus:
                number = row.key if isinstance(row.key, int) else row.key[1]
                what = f"fixation {number} is on {quote(before, 30)!r} and {quote(stimulus, 30)!r}"
                hint = "its numbers begin again: export each stimulus by itself"
                raise ParseError(what, path=path, hint=hint)
            names = [name.strip() for name in row.aois.split(_SEPARATOR)]
            areas = [name for name in names if name not in _NOTHING]
            self.hits.setdefault(row.recording, {}).setdefault(row.key, set()).update(areas)
            if areas:
                self.stimuli.setdefault(stimulus, {}).update(dict.fromkeys(areas))


def is_named(head: Head) -> bool:
    """Whether an export is of a vendor that writes the names of areas into its rows."""
    return named_rows.vendor_of(head) is not None


def aoi_hits_of(path: Path) -> RecordedAois:
    """Read the AOI names of an export of BeGaze, Gazepoint Analysis, iMotions or Tobii Studio.

    Parameters
    ----------
    path : pathlib.Path
        The export that the fixation tables were made of.

    Raises
    ------
    InputError
        It cannot be read, has no column of names, or no fixation lay in any area.
    ParseError
        A row is damaged, or the number of a fixation is that of another one as well.
    """
    head = read_head(path)
    vendor = named_rows.vendor_of(head)
    if vendor is None:
        hint = "give an export of BeGaze, Gazepoint Analysis, iMotions or Tobii Studio"
        raise InputError("has no column with names of areas of interest", path=path, hint=hint)
    found = _Found()
    found.take(vendor.rows(head), path)
    if not found.stimuli:
        what = "names no area of interest in any row of a fixation"
        hint = f"draw the areas in {vendor.title}, and export again; or give their shapes"
        raise InputError(what, path=path, hint=hint)
    source = {"file": path.name, "format": f"{vendor.name}-hits", "sha256": sha256_of(path)}
    return recorded_aois(
        {name: list(own) for name, own in found.stimuli.items()},
        {
            recording: {key: frozenset(names) for key, names in own.items()}
            for recording, own in found.hits.items()
        },
        source,
        by_trial=vendor.by_trial,
        notes=[_ONLY_LOOKED_AT],
    )
