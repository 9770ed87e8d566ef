"""Tables on disk: Parquet that explains itself, written whole or not at all.

`pandas.read_parquet` reads every file; what a recording, screen or detector was stands as one JSON
text under the key ``gazetrack`` of the file's metadata. The same table gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gazetrack.errors import ConfigError, InputError, OutputError, SchemaError, quote
from gazetrack.publish import output_errors, publish, write_text
from gazetrack.tables.parquet import read_parquet
from gazetrack.tables.schema import FIXATIONS, VERSION, conform
from gazetrack.version import __version__

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Mapping

KEY = b"gazetrack"
SUFFIX = ".fixations.parquet"
ROW_GROUP_ROWS = 1 << 18
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_FORMULA_STARTS = ("=", "+", "-", "@")
_MOST_HEADER_BYTES = 64 * 1024
_NEEDED = ("stimulus", "onset_ms", "duration_ms", "x_px", "y_px")  # of a table of fixations


def write_table(
    path: str | os.PathLike[str], table: pa.Table, meta: Mapping[str, Any], *, force: bool = False
) -> None:
    """Publish a table as Parquet.

    Parameters
    ----------
    path : path-like
        The Parquet file that is written.
    table : pyarrow.Table
        One of the schemas of `gazetrack.tables.schema`.
    meta : mapping
        JSON values about the source and how the table was made.
    force : bool
        Also replace a file that gazetrack did not write.

    Raises
    ------
    OutputError
        The file cannot be written, or is not gazetrack's own and `force` is not set.
    """
    refuse_foreign(path, force=force)
    table = table.replace_schema_metadata({KEY: _metadata(meta)})
    with publish(path) as file, table_writer(file, table.schema) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def write_by_suffix(
    path: str | os.PathLike[str], table: pa.Table, meta: Mapping[str, Any], *, force: bool = False
) -> None:
    """Publish a table in the format its name asks for: ``.parquet``, ``.csv`` or ``.tsv``.

    Texts have no metadata; numbers that are missing are empty cells, and no spreadsheet takes a
    name for a formula.

    Raises
    ------
    ConfigError
        Another suffix.
    OutputError
        As `write_table`; of a text, the file is there and its first line is not that of such a
        table.
    """
    check_suffix(path, table.schema, force=force)
    delimiter = _DELIMITERS.get(Path(path).suffix.lower())
    if delimiter is None:
        write_table(path, table, meta, force=force)
        return
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows([csv_cell(value) for value in row.values()] for row in table.to_pylist())
    write_text(path, text.getvalue())


def check_suffix(path: str | os.PathLike[str], schema: pa.Schema, *, force: bool) -> None:
    """Refuse what `write_by_suffix` refuses, to be called before any work starts."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        refuse_foreign(path, force=force)
        return
    if suffix not in _DELIMITERS:
        known = ", ".join((".parquet", *_DELIMITERS))
        raise ConfigError(
            f"cannot tell the format of {quote(path, 80)} from its name", hint=f"end it in {known}"
        )
    if force or not path.is_file():
        return
    with path.open("rb") as file:
        first = file.readline(_MOST_HEADER_BYTES).decode("utf-8", "replace").rstrip("\r\n")
    if first != _DELIMITERS[suffix].join(schema.names):
        what = "exists and is no such table"
        raise OutputError(what, path=path, hint="choose another --out, or give --force")


def csv_cell(value: object) -> str:
    """Return a cell of a text table.

    NaN is an empty cell; a text that a spreadsheet could take for a formula is quoted.
    """
    if isinstance(value, float):
        return "" if value != value else repr(value)
    text = str(value)
    is_formula = isinstance(value, str) and any(
        line.lstrip().startswith(_FORMULA_STARTS) or line.startswith(("\t", "\r"))
        for line in text.split("\n")
    )
    return f"'{text}" if is_formula else text


@contextmanager
def table_writer(
    file: Any, schema: pa.Schema, *, no_statistics: Collection[str] = ()
) -> Iterator[pq.ParquetWriter]:
    """Open a Parquet writer that writes small, quickly read files, and the same every time.

    Parameters
    ----------
    file : binary file
        An open file, written from its position on.
    schema : pyarrow.Schema
        Columns and metadata of every table that is written.
    no_statistics : collection of str
        Columns whose least and largest values are not kept.

    Yields
    ------
    pyarrow.parquet.ParquetWriter
    """
    texts = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    # The least and largest value of a column leave NaN out, and DuckDB takes them at their word:
    # `where isnan(pupil)` finds nothing. Without statistics it looks.
    certain = [name for name in schema.names if name not in {*floats, *no_statistics}]
    writer = pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=texts,
        use_byte_stream_split=floats,
        write_statistics=certain,
    )
    with writer:
        yield writer


def metadata_schema(schema: pa.Schema, meta: Mapping[str, Any]) -> pa.Schema:
    """Return the schema with gazetrack's metadata, for files that are written piece by piece."""
    return schema.with_metadata({KEY: _metadata(meta)})


def read_table(
    path: str | os.PathLike[str], names: Collection[str] | None = None
) -> tuple[pa.Table, dict[str, Any]]:
    """Read any Parquet table and gazetrack's metadata of it.

    Parameters
    ----------
    path : path-like
        The Parquet file that is read.
    names : collection of str, optional
        Columns to read, those of them that are there; all by default.

    Returns
    -------
    pyarrow.Table, dict
        The metadata are empty when another program wrote the file.

    Raises
    ------
    InputError
        No such file, a damaged one, or one that would fill the memory.
    """
    path = Path(path)
    meta = read_meta(path)
    try:
        table = read_parquet(path, path, path.stat().st_size, names)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise InputError(
            f"damaged Parquet file: {error}", path=path, hint="write it again"
        ) from error
    return table, meta


def read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read gazetrack's metadata of a Parquet file; see `read_table`."""
    path = Path(path)
    if not path.is_file():
        raise InputError("no such file", path=path, hint="check the name and the folder")
    try:
        raw = (pq.read_schema(path).metadata or {}).get(KEY, b"{}")
        meta = json.loads(raw)
    except (pa.ArrowException, OSError, ValueError, RecursionError) as error:
        raise InputError(
            "is no Parquet table", path=path, hint="make one with: gazetrack convert EXPORT"
        ) from error
    return meta if isinstance(meta, dict) else {}


def read_fixations(path: str | os.PathLike[str]) -> tuple[pa.Table, dict[str, Any]]:
    """Read a fixation table, gazetrack's own or anybody's with the same columns.

    Parameters
    ----------
    path : path-like
        A Parquet file that holds a fixation table.

    Returns
    -------
    pyarrow.Table, dict
        The table in the schema `FIXATIONS`, and its metadata.

    Raises
    ------
    InputError
        No such file, or no Parquet.
    SchemaError
        A needed column is missing (``stimulus``, ``onset_ms``, ``duration_ms``, ``x_px``, ``y_px``)
        or has another type.
    """
    table, meta = read_table(path, FIXATIONS.names)
    return conform_fixations(table, Path(path)), meta


def conform_fixations(table: pa.Table, path: Path | None = None) -> pa.Table:
    """Return a table of fixations in the schema `FIXATIONS`.

    Parameters
    ----------
    table : pyarrow.Table
        Ours, or anybody's with the same columns; further columns are left out.
    path : pathlib.Path, optional
        The file it comes from, for the errors.

    Raises
    ------
    SchemaError
        A needed column is missing, or a column has another type; see `read_fixations`.
    """
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        hint = "give a *.fixations.parquet file, or rename the columns"
        raise SchemaError(
            f"is no fixation table: it has no column {', '.join(missing)}", path=path, hint=hint
        )
    known = [name for name in table.column_names if name in FIXATIONS.names]
    refuse_doubled(known, path)
    try:
        return conform(table.select(known), FIXATIONS)
    except SchemaError as error:
        raise SchemaError(error.what, path=path, hint=error.hint) from error


def refuse_doubled(names: Iterable[str], path: Path | None = None) -> None:
    """Refuse columns of one name: nobody knows which of them is meant.

    Parameters
    ----------
    names : iterable of str
        The names of all columns that count.
    path : pathlib.Path, optional
        The file that they are in.

    Raises
    ------
    SchemaError
        One is there twice.
    """
    doubled = next((name for name, n in Counter(names).items() if n > 1), None)
    if doubled is not None:
        what = f"has several columns called {doubled}"
        raise SchemaError(what, path=path, hint="keep one of them, or rename the others")


def refuse_foreign(path: str | os.PathLike[str], *, force: bool) -> None:
    """Refuse to replace a file that gazetrack did not write, unless `force` is set."""
    path = Path(path)
    with output_errors(path):  # a name may be too long to be looked for
        if force or not path.is_file():
            return
    try:
        ours = KEY in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        ours = False
    if not ours:
        raise OutputError(
            "exists and was not written by gazetrack",
            path=path,
            hint="choose another --out, or give --force",
        )


def refuse_other_origin(
    path: str | os.PathLike[str], meta: Mapping[str, Any], *, force: bool, same_bytes: bool
) -> None:
    """Refuse to replace a table of ours of another origin, unless `force` is set.

    The export's own fixations are never replaced by detected ones without a word, nor a detector's
    by another's, nor one person's by those of somebody whose file is called the same.

    Parameters
    ----------
    path : path-like
        The file that is to be written.
    meta : mapping
        The metadata of what is to be written there.
    force : bool
        Replace whatever file is there.
    same_bytes : bool
        Whether the source must be the very same bytes. Beside its export, a table is that of the
        file of this name, changed or not; in a folder for all tables the name alone does not say
        so.

    Raises
    ------
    OutputError
        The file is there and has another origin.
    """
    path = Path(path)
    if force or not path.is_file():
        return
    refuse_foreign(path, force=False)
    there = read_meta(path)
    mine, yours = _origin(there), _origin(meta)
    if same_bytes and mine["sha256"] != yours["sha256"]:
        hint = "choose another --out, or give --force to replace it"
        raise OutputError(
            f"holds another recording, of {quote(mine['file'], 60)}", path=path, hint=hint
        )
    if (mine["file"], mine["fixations"]) != (yours["file"], yours["fixations"]):
        what = f"holds {mine['fixations']} of {quote(mine['file'], 60)}, not {yours['fixations']}"
        raise OutputError(
            what, path=path, hint="give --force to replace it, or choose another --out"
        )


def origin_of(meta: Mapping[str, Any]) -> str:
    """Return in words for the user where the fixations of a table come from."""
    if isinstance(meta.get("movements"), dict):
        return "eye movements of gazetrack events"
    detector = meta.get("detector")
    if not isinstance(detector, dict):
        return "the export's own fixations"
    return f"fixations detected by {detector.get('name', 'a detector')}"


def first_source(meta: Mapping[str, Any]) -> dict[str, str]:
    """Return the name and hash of the export that a table was made of.

    A table of samples may lie between the two.
    """
    source = meta.get("source")
    source = source if isinstance(source, dict) else {}
    first = source.get("made_of")
    first = first if isinstance(first, dict) else source
    return {name: str(first.get(name) or "") for name in ("file", "sha256")}


def _origin(meta: Mapping[str, Any]) -> dict[str, str]:
    return {**first_source(meta), "fixations": origin_of(meta)}


def _metadata(meta: Mapping[str, Any]) -> bytes:
    full = {"schema_version": VERSION, "gazetrack": __version__, **meta}
    return json.dumps(full, ensure_ascii=False, sort_keys=True, default=_plain).encode(
        "utf-8", "backslashreplace"
    )


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON value")
