"""Tables of every kind as Arrow tables that say what they are: units, meanings, and origin.

polars, DuckDB, R's arrow and others read Arrow without a copy. What they give back are rows alone;
`to_arrow` puts types, units and origin on them again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, InputError, SchemaError, quote, refuse_other_type
from gazetrack.interop.facts import facts_of
from gazetrack.tables import schema as schemas
from gazetrack.tables.movements import MOVEMENTS
from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS
from gazetrack.tables.recording import ATTRS_KEY, Recording
from gazetrack.tables.schema import conform
from gazetrack.tables.store import KEY, metadata_schema, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    # Anything that exports Arrow's C stream is one too: polars, DuckDB, narwhals.
    Rows: TypeAlias = Recording | pd.DataFrame | pa.Table | str | Path

PARTS = ("samples", "events", "fixations")
KNOWN = (
    schemas.FIXATIONS,
    schemas.SAMPLES,
    MOVEMENTS,
    schemas.EVENTS,
    PUPIL,
    PUPIL_TRIALS,
    schemas.QUALITY,
    schemas.AOI_MEASURES,
    schemas.AOI_TRANSITIONS,
    schemas.AOI_ENTROPY,
)
_HINT = "give a recording, a data frame, an Arrow or polars table, or the path of a Parquet file"


def to_arrow(source: Rows, part: str = "samples", *, like: Rows | None = None) -> pa.Table:
    """Return a table as Arrow, with its units and meanings and with what is known of its origin.

    Parameters
    ----------
    source : Recording, pandas.DataFrame, pyarrow.Table or path-like
        A recording; a data frame of this library, or part of one; the path of a Parquet file; or
        any table that exports Arrow's C stream, such as one of polars or a relation of DuckDB.
    part : {"samples", "events", "fixations"}
        Of a recording, which of its tables is meant. Anything else is one table.
    like : Recording, pandas.DataFrame, pyarrow.Table or path-like, optional
        A table that says what is known of the rows, where the program that they come from does not
        keep it: polars and DuckDB keep rows alone.

    Returns
    -------
    pyarrow.Table
        The metadata of each column hold its ``unit`` and ``meaning``. Those of the table hold one
        JSON text under ``gazetrack``, as in our Parquet files. Columns that are none of ours stay
        as they are.

    Raises
    ------
    ConfigError
        The source is no table, or a recording has no part of this name.
    InputError
        A path at which there is no Parquet file.
    SchemaError
        A column of ours holds something else than it must.

    Examples
    --------
    >>> fixations = gazetrack.detect_fixations(gazetrack.read("raw.tsv"))  # doctest: +SKIP
    >>> table = gazetrack.to_arrow(fixations)  # doctest: +SKIP
    >>> polars.from_arrow(table).group_by("stimulus").len()  # doctest: +SKIP
    """
    table = _table_of(source, part)
    facts = facts_in(table) or ({} if like is None else facts_in(_table_of(like, part)))
    return _described(table, facts)


def facts_in(table: pa.Table) -> dict[str, Any]:
    """Return what the metadata of an Arrow table say of its origin; empty where nobody did.

    Raises
    ------
    SchemaError
        The text under the key ``gazetrack`` is no JSON object.
    """
    text = (table.schema.metadata or {}).get(KEY, b"{}")
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        what = "the metadata under 'gazetrack' are no JSON object"
        raise SchemaError(what, hint="leave them out, or copy those of the table it comes from")
    return facts


def _table_of(source: Rows, part: str) -> pa.Table:
    """Return any of the forms of a table as Arrow, with the metadata of the whole where known."""
    if isinstance(source, Recording):
        return _with_facts(_part(source, part), facts_of(source))
    if isinstance(source, str | Path):
        return read_table(source)[0]
    if isinstance(source, pd.DataFrame):
        table = pa.Table.from_pandas(source, preserve_index=False)
        return _with_facts(table, source.attrs.get(ATTRS_KEY, {}))
    if isinstance(source, pa.Table):
        return source
    if not hasattr(source, "__arrow_c_stream__"):
        refuse_other_type(source, pa.Table, "the table", _HINT)
    return pa.table(source)


def _part(recording: Recording, part: str) -> pa.Table:
    if part == "samples":
        return recording.arrow("samples")
    if part == "events":
        return recording.event_table
    if part != "fixations":
        known = ", ".join(PARTS)
        raise ConfigError(f"part {quote(part, 40)!r} of a recording", hint=f"use one of {known}")
    if recording.fixation_table is None:
        what = f"{quote(recording.name)} has no table of fixations"
        hint = "give gazetrack.exported_fixations(recording), or detect_fixations(recording)"
        raise InputError(what, hint=hint)
    return recording.fixation_table


def _with_facts(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """Put the facts in place of all metadata of the table: pandas' own are no use elsewhere."""
    metadata = metadata_schema(table.schema, facts).metadata if facts else None
    return table.replace_schema_metadata(metadata)


def _described(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """Return the table with the types, units and meanings of the columns that are ours."""
    kind = _kind(table.column_names)
    if kind is None:
        return _with_facts(table, facts)
    ours = [name for name in table.column_names if name in kind.names]
    wanted = pa.schema([kind.field(name) for name in ours])
    typed = conform(table.select(ours), wanted)
    for name in ours:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, wanted.field(name), typed[name])
    return _with_facts(table, facts)


def _kind(names: list[str]) -> pa.Schema | None:
    """Return which of our tables these columns are of: the one that has most of them."""
    if len(set(names)) < len(names):
        raise SchemaError("two columns have one name", hint="rename one of them")
    shared = [len(set(names) & set(kind.names)) for kind in KNOWN]
    return KNOWN[shared.index(max(shared))] if any(shared) else None
