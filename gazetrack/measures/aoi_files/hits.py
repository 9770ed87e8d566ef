"""Which fixations lay in which areas, as the export of a vendor's software has recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.measures.aoi_files import dataviewer_hits, tobii_hits
from gazetrack.readers.head import read_head
from gazetrack.readers.text.header import header_of

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.measures.recorded import RecordedAois


def read_aoi_hits(path: Path) -> RecordedAois:
    """Read the AOI hits of an export of Tobii, or of a Data Viewer fixation report.

    Parameters
    ----------
    path : pathlib.Path
        The export that the fixation tables were made of, known by the names of its columns.

    Raises
    ------
    GazetrackError
        It cannot be read, or holds no hits, see `tobii_hits` and `dataviewer_hits`.
    """
    header = header_of(read_head(path))
    if header is not None and dataviewer_hits.is_report(header):
        return dataviewer_hits.aoi_hits_of(path)
    return tobii_hits.aoi_hits_of(path)
