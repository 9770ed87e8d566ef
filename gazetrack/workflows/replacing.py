"""Which tables of events may take each other's place.

`gazetrack convert --events` and `gazetrack events` write a file of the same name. The second holds
all that the first does, so it takes its place; the first never takes the place of the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from gazetrack.errors import OutputError
from gazetrack.tables.movements import DETECTED, TRACKER
from gazetrack.tables.store import (
    first_source,
    read_meta,
    read_table,
    refuse_foreign,
    refuse_other_origin,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

EVENTS_ENDING = ".events.parquet"
_HOW = "movements"  # in the metadata of `gazetrack events` alone
_TELLS_APART = (
    "recording",
    "participant",
    "stimulus",
    "trial",
    "kind",
    "eye",
    "onset_ms",
    "duration_ms",
    "text",
)


def kept_richer(path: Path, table: pa.Table, meta: Mapping[str, Any]) -> bool:
    """Tell whether events of an export need no file, since a richer table of them is there.

    Parameters
    ----------
    path : pathlib.Path
        Where the table is to be written.
    table : pyarrow.Table
        What is to be written there: of any kind, but only events of the export are looked at.
    meta : mapping
        The metadata of what is to be written there.

    Returns
    -------
    bool
        True where `gazetrack events` has written all rows of the table there, and detected events
        beside them.

    Raises
    ------
    OutputError
        The table of `gazetrack events` that is there is of another export, of an earlier state of
        it, or lacks some of the rows.
    """
    if not path.name.endswith(EVENTS_ENDING) or _HOW in meta or not path.is_file():
        return False
    refuse_foreign(path, force=False)
    there = read_meta(path)
    if _HOW not in there:
        return False
    is_of_these_bytes = first_source(there)["sha256"] == first_source(meta)["sha256"]
    if is_of_these_bytes and _rows(table) <= _rows(read_table(path, (*_TELLS_APART, "source"))[0]):
        return True
    state = "without all of" if is_of_these_bytes else "of another export than"
    raise OutputError(
        f"holds eye movements of gazetrack events, {state} the events to be written",
        path=path,
        hint="run gazetrack events again for both in one table; give --force to replace it by "
        "the export's own events alone, or choose another --out",
    )


def refuse_other(path: Path, meta: Mapping[str, Any], *, force: bool, same_bytes: bool) -> None:
    """Refuse to replace a table of another origin, as `store.refuse_other_origin` does.

    The table of `gazetrack convert --events` gives way to that of `gazetrack events` which holds
    the same rows: that of the same export, with its own events.

    Parameters
    ----------
    path : pathlib.Path
        The file that is to be written.
    meta : mapping
        The metadata of what is to be written there.
    force : bool
        Replace whatever file is there.
    same_bytes : bool
        Whether the source must be the very same bytes.

    Raises
    ------
    OutputError
        The file is there and has another origin.
    """
    refuse_foreign(path, force=force)
    how = meta.get(_HOW)
    if how is not None and how["source"] != DETECTED and path.is_file() and not force:
        there = read_meta(path)
        if path.name.endswith(EVENTS_ENDING) and _HOW not in there:
            # Events are the export's own, whatever has detected the fixations beside them: what is
            # left to compare is the export.
            meta = {"source": meta["source"], "detector": there.get("detector")}
    refuse_other_origin(path, meta, force=force, same_bytes=same_bytes)


def _rows(table: pa.Table) -> set[tuple[Any, ...]]:
    """Return the tracker's own events of a table, as far as they tell one from another."""
    if "source" in table.column_names:
        table = table.filter(pc.equal(table["source"].cast("string"), TRACKER))
    frame = table.select([name for name in _TELLS_APART if name in table.column_names]).to_pandas()
    for name in ("onset_ms", "duration_ms"):
        frame[name] = frame[name].fillna(-1.0)  # NaN equals nothing, not even itself
    return set(frame.itertuples(index=False, name=None))
