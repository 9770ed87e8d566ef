"""Parquet that anybody may have written: limits hold before anything is unpacked.

A column that repeats one value takes a few bytes a million rows, so a small file can unpack to any
size. Real gaze does not: a file of ours takes 2 to 10 times its size in memory. Texts are read as
codes and a dictionary, which stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gazetrack.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# What a table may take in memory: so many times the file's size, or so many bytes where that is
# more.
MAX_PARQUET_RATIO = 200
PARQUET_RATIO_FROM_BYTES = 100 * 1024**2
_BYTES = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_CODE_BYTES = 4
_HINT = "it is damaged, or made to fill the memory: write it again, or get it from its author"


def open_parquet(
    source: Any, path: Path, size: int | None, names: Collection[str] | None = None
) -> pq.ParquetFile:
    """Open a Parquet file whose columns of these names fit into the limits.

    Parameters
    ----------
    source : path-like or binary file
        The file, by its path or opened for reading bytes.
    path : pathlib.Path
        What the file is called in errors.
    size : int or None
        Its size in bytes; None where the caller keeps limits of its own.
    names : collection of str, optional
        Columns that will be read; all by default.

    Returns
    -------
    pyarrow.parquet.ParquetFile
        It reads texts as dictionaries.

    Raises
    ------
    InputError
        Two columns have one name, or the columns would take too much memory.
    pyarrow.ArrowException, OSError
        The file is damaged.
    """
    schema = pq.read_schema(source)
    if twice := {name for name in schema.names if schema.names.count(name) > 1}:
        raise InputError(f"has two columns {min(twice)!r}", path=path, hint="rename one of them")
    texts = [
        field.name
        for field in schema
        if _is_text(field.type) and (names is None or field.name in names)
    ]
    if hasattr(source, "seek"):
        source.seek(0)
    file = pq.ParquetFile(source, read_dictionary=texts)
    if size is not None:
        _refuse_large(_declared(file.metadata, names), size, path)
    return file


def read_parquet(
    source: Any, path: Path, size: int, names: Collection[str] | None = None
) -> pa.Table:
    """Read the columns of these names that a Parquet file has.

    Arguments and errors are those of `open_parquet`.
    """
    file = open_parquet(source, path, size, names)
    wanted = [field for field in file.schema_arrow if names is None or field.name in names]
    if lists := [field.name for field in wanted if pa.types.is_nested(field.type)]:
        raise InputError(
            f"has lists in column {lists[0]!r}", path=path, hint="write one value a row"
        )
    table = file.read(columns=[field.name for field in wanted])
    table.validate(full=True)
    _refuse_large(sum(_spelled_out(column) for column in table.columns), size, path)
    return table


def _is_text(kind: pa.DataType) -> bool:
    return any(
        test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    )


def _declared(metadata: pq.FileMetaData, names: Collection[str] | None) -> int:
    """Return the bytes that flat columns take in memory, by what the file says of itself.

    What it says of single columns is not asked: Arrow ends the whole process over some damage
    there.
    """
    leaves = [metadata.schema.column(number) for number in range(metadata.num_columns)]
    chosen = [leaf for leaf in leaves if names is None or leaf.path.partition(".")[0] in names]
    # Of texts, a code a row; what they are coded with is among the bytes of the row groups.
    per_row = sum(_BYTES.get(leaf.physical_type, _CODE_BYTES) for leaf in chosen)
    coded = any(leaf.physical_type not in _BYTES for leaf in chosen)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    n_rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    unpacked = sum(group.total_byte_size for group in groups)
    return int(n_rows * per_row + (unpacked if coded else 0))


def _spelled_out(column: pa.ChunkedArray) -> int:
    """Return the bytes of a column of texts, each written out."""
    if not pa.types.is_dictionary(column.type):
        return 0
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        longest = pc.max(lengths).as_py() or 0
        if longest * len(chunk) <= PARQUET_RATIO_FROM_BYTES:
            total += longest * len(chunk)
        else:
            total += pc.sum(lengths.cast(pa.int64()).take(chunk.indices)).as_py() or 0
    return total


def most_bytes(size: int) -> int:
    """Return what a file of this size may take in memory."""
    return max(PARQUET_RATIO_FROM_BYTES, MAX_PARQUET_RATIO * size)


def _refuse_large(n_bytes: int, size: int, path: Path) -> None:
    if n_bytes > most_bytes(size):
        raise InputError(
            f"would take {n_bytes / 1e6:,.0f} MB of memory from {size / 1e6:,.1f} MB",
            path=path,
            hint=_HINT,
        )
