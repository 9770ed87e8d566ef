"""Small tables that users write: CSV files whose first line names the columns."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from gazetrack.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def read_named_rows(path: Path, what: str) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Read a CSV file with a line of names.

    Parameters
    ----------
    path : pathlib.Path
        The file to be read, in UTF-8, with commas between cells.
    what : str
        What it is to be, for the message of an error, such as ``a manifest``.

    Returns
    -------
    names : tuple of str
        The columns, as the first line names them; none of an empty file.
    rows : list of dict of str to str
        The cells of each further line by their columns; of a line too short, the last are empty.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read as CSV.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            # Asked for while the file is open, since of an empty one it would be read again.
            names = tuple(reader.fieldnames or ())
            rows = list(reader)
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        told = f"cannot be read as {what}"
        raise InputError(told, path=path, hint="write it as CSV, UTF-8") from error
    return names, rows
