"""Which fixations lay in which areas, as the export of a vendor's software has recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.measures.aoi_files import dataviewer_hits, named_hits, tobii_hits
from gazetrack.readers.head import read_head
from gazetrack.readers.smi.events import TABLE
from gazetrack.readers.text.header import header_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.measures.recorded import RecordedAois


def read_aoi_hits(path: Path) -> RecordedAois:
    """Read which fixations lay in which areas, as an export of a vendor's software has it.

    That is Tobii Pro Lab's data export, Data Viewer's fixation report, or an export of BeGaze,
    Gazepoint Analysis, iMotions or Tobii Studio that names areas.

    Parameters
    ----------
    path : pathlib.Path
        The export that the fixation tables were made of, known by the names of its columns.

    Raises
    ------
    GazetrackError
        It cannot be read, or holds no hits, see `tobii_hits`, `dataviewer_hits` and `named_hits`.
    """
    head = read_head(path)
    header = header_of(head)
    if header is not None and dataviewer_hits.is_report(header):
        return dataviewer_hits.aoi_hits_of(path)
    if named_hits.is_named(head):
        return named_hits.aoi_hits_of(path)
    if any(line.startswith(TABLE) for line in head.lines):
        # Its column `AOI hit` was empty in every export at hand: nobody knows what it holds.
        what = "is a table of events of SMI's IDF Event Detector, whose AOI hit is not read"
        hint = "export events or samples with AOI Name from BeGaze; or give shapes as --aois"
        raise InputError(what, path=path, hint=hint)
    return tobii_hits.aoi_hits_of(path)
