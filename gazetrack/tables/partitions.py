"""Many recordings as one data set of Parquet: which file a row lies in.

The layout is Hive's, which pandas, Polars, DuckDB and Spark read:
``fixations/by_participant=ada/by_recording=raw/part-raw-1f0c2a3b.parquet``. The names of folders
tell readers which files to leave out. They are no columns of ours, and a column never has to be
guessed from them: readers would take the participants ``001`` and ``01`` for the number 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote as percent_encoded

import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.publish import digest_of, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# By the endings that tables of one recording have beside their export.
KINDS = {
    ".fixations.parquet": "fixations",
    ".samples.parquet": "samples",
    ".events.parquet": "events",
}
MERGED = "merged"
MERGED_FOLDER = f"by_participant={MERGED}/by_recording={MERGED}"
_UNNAMED = "unnamed"
_MOST_CHARS = 100


def part_path(kind: str, participant: str, recording: str, stem: str) -> str:
    """Return where the rows of one recording lie within a data set.

    Parameters
    ----------
    kind : {"fixations", "samples", "events"}
        What the rows are, one table of the export.
    participant, recording : str
        Names as they stand in the columns; empty where there is none.
    stem : str
        How outputs of the export begin, so that two exports never share a part.

    Returns
    -------
    str
        Folders and name with ``/`` between them; the same for the same recording, always.

    Examples
    --------
    >>> part_path("fixations", "Ada L.", "", "raw")
    'fixations/by_participant=Ada%20L./by_recording=unnamed/part-raw-3c97b3d7.parquet'
    """
    folders = f"by_participant={_folder(participant)}/by_recording={_folder(recording)}"
    # Some systems take names for the same that differ in case alone.
    apart = digest_of(f"{participant}\0{recording}")
    return f"{kind}/{folders}/part-{safe_name(stem)}-{apart}.parquet"


def split(table: pa.Table, participants: Mapping[str, str]) -> Iterator[tuple[str, str, pa.Table]]:
    """Split a table into the rows of each participant and recording, in their order.

    Parameters
    ----------
    table : pyarrow.Table
        Fixations, samples or events: it has a column ``recording``.
    participants : mapping of str to str
        Who was recorded, by recording, where the table has no column ``participant``.

    Yields
    ------
    str, str, pyarrow.Table
        Participant, recording, and their rows.
    """
    recordings = pc.cast(table["recording"], pa.string())
    if "participant" in table.column_names:
        people = pc.cast(table["participant"], pa.string())
    else:
        people = pa.chunked_array([[participants.get(one, "") for one in recordings.to_pylist()]])
    names = pa.table({"participant": people, "recording": recordings})
    groups = names.group_by(names.column_names).aggregate([]).to_pylist()
    for group in sorted(groups, key=lambda one: (one["participant"], one["recording"])):
        participant, recording = group["participant"], group["recording"]
        if len(groups) == 1:
            yield participant, recording, table
            continue
        own = pc.and_(pc.equal(people, participant), pc.equal(recordings, recording))
        yield participant, recording, table.filter(own)


def parts_of(
    tables: Mapping[str, pa.Table], participants: Mapping[str, str], stem: str
) -> dict[str, pa.Table]:
    """Return the parts of a data set that the tables of one export make, by their paths.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        By their endings, see `KINDS`.
    participants : mapping of str to str
        Who was recorded, by recording, where no table says it.
    stem : str
        How outputs of the export begin.
    """
    known = dict(participants)
    for table in tables.values():
        if "participant" in table.column_names:
            named = table.select(["recording", "participant"]).group_by(
                ["recording", "participant"]
            )
            rows = named.aggregate([]).to_pylist()
            known |= {row["recording"]: row["participant"] for row in rows if row["participant"]}
    return {
        part_path(KINDS[ending], participant, recording, stem): rows
        for ending, table in tables.items()
        for participant, recording, rows in split(table, known)
    }


def _folder(name: str) -> str:
    """Return a name as the value of a folder's key; Hive's readers decode it."""
    encoded = percent_encoded(name or _UNNAMED, safe="")
    return encoded if len(encoded) <= _MOST_CHARS else safe_name(name)
