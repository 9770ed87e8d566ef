"""Tables of BIDS as text: tabs between cells, ``n/a`` for what is missing, the same bytes twice.

Times have three decimals of a millisecond; 32-bit numbers as few digits as give the very same
number again.
"""

from __future__ import annotations

import gzip
import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from gazetrack.publish import publish, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

MISSING = "n/a"
_GZIP_LEVEL = 6
_NOT_IN_CELLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_TIME = pa.decimal128(22, 3)
_TSV = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")


def text_cell(text: str) -> str:
    """Return a text as a cell: on one line, without tabs, ``n/a`` where it is empty."""
    return _NOT_IN_CELLS.sub(" ", text).strip() or MISSING


def number_cell(value: float, decimals: int | None = None) -> str:
    """Return a number as a cell.

    Parameters
    ----------
    value : float or int
        A number of Python or of NumPy; what is not finite is missing.
    decimals : int, optional
        How many decimals it is rounded to; all that the type of the number has by default.
    """
    if not math.isfinite(value):
        return MISSING
    if decimals is None:
        whole = float(value).is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else str(value)
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}".rstrip("0").rstrip(".")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Publish a table with a header, of cells that are texts already."""
    lines = ["\t".join(header), *("\t".join(row) for row in rows)]
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_packed_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Publish a compressed table without a header, of cells that are texts already."""
    with packed(path) as file:
        for row in rows:
            file.write(("\t".join(row) + "\n").encode("utf-8", "backslashreplace"))


@contextmanager
def packed(path: Path) -> Iterator[Any]:
    """Publish what is written as gzip, without the time and the name that gzip would keep."""
    with (
        publish(path) as file,
        gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as compressed,
    ):
        yield compressed


def write_batch(file: Any, columns: Sequence[pa.Array]) -> None:
    """Write columns of texts to an open file as rows of cells."""
    names = [str(number) for number in range(len(columns))]
    csv.write_csv(pa.record_batch(list(columns), names), file, _TSV)


def time_cells(times_ms: npt.NDArray[np.float64], *, whole: bool) -> pa.Array:
    """Return times in ms as cells.

    Parameters
    ----------
    times_ms : ndarray of float64
        The times, in milliseconds; none may be missing.
    whole : bool
        Whether all times of the table are whole milliseconds, so that none has decimals.
    """
    if whole:
        return pc.cast(pa.array(np.rint(times_ms).astype(np.int64)), pa.string())
    rounded = pc.cast(pa.array(np.round(times_ms, 3)), _TIME, safe=False)
    return pc.cast(rounded, pa.string())


def float_cells(values: pa.Array) -> pa.Array:
    """Return 32-bit numbers as cells; what is not finite is missing."""
    texts = pc.cast(values, pa.string())
    return pc.if_else(pc.is_finite(values), texts, MISSING)
