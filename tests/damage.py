"""Text exports, taken apart into preamble, header and rows, put together in a damaged way.

What is read of them is compared with what was read before: damage may be refused, noted or counted,
and never taken in silence.
"""

import gzip
import json
import re
from dataclasses import dataclass, replace

import numpy as np
from pyarrow.types import is_floating

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.readers.base import read_head

# Columns a user may leave out of an export, which alone tell its recordings apart.
NAMES = re.compile(
    r"(recording|participant|subject)( ?name| ?id)?|recording_session_label|studyname|name|"
    r"session|recording date",
    re.IGNORECASE,
)
LEAST_ROWS = 4  # for damage to their order or their times
# Of lines of several kinds, or of several tables.
LINE_FORMATS = {"eyelink_asc", "viewpoint", "tobii_glasses2", "tobii_glasses3", "tobii_logs"}


@dataclass(frozen=True)
class Export:
    """A text export.

    preamble, header: lines before the table, and its own; header None where every line speaks for
    itself. rows: the lines after; delimiter, encoding and the name of the format."""

    format: str
    preamble: tuple
    header: str | None
    rows: tuple
    delimiter: str
    encoding: str
    trials: tuple = ()  # of a JSON document

    @property
    def names(self):
        return [name.strip().strip('"') for name in self.header.split(self.delimiter)]

    def column(self, name):
        return self.names.index(name)

    def cells(self, row):
        return row.split(self.delimiter)

    def with_cells(self, change):
        """Change the cells of each row; change(number of the row, cells) returns cells."""
        rows = [self.delimiter.join(change(i, self.cells(row))) for i, row in enumerate(self.rows)]
        return replace(self, rows=tuple(rows))

    def without(self, names):
        """Leave columns out."""
        left = [i for i, name in enumerate(self.names) if name not in names]

        def kept(line):
            cells = line.split(self.delimiter)
            return self.delimiter.join(cells[i] for i in left if i < len(cells))

        return replace(self, header=kept(self.header), rows=tuple(map(kept, self.rows)))

    def encoded(self):
        if self.trials:
            return json.dumps(self.trials).encode()
        lines = [*self.preamble, *([] if self.header is None else [self.header]), *self.rows]
        return ("\n".join(lines) + "\n").encode(self.encoding)

    def write(self, path):
        path.write_bytes(self.encoded())
        return path


def take_apart(path, format):
    """Return an export, or None for one that is no text."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    if format == "xdf" or data.startswith(b"PAR1"):
        return None
    encoding = read_head(path).encoding
    text = data.decode(encoding).removeprefix("\ufeff")
    encoding = {"utf-16-le": "utf-16"}.get(encoding, encoding)
    if text.lstrip().startswith(("[", "{")) and format == "webgazer":
        trials = json.loads(text)
        return Export(
            format,
            (),
            None,
            (),
            "",
            "utf-8",
            tuple(trials["trials"] if isinstance(trials, dict) else trials),
        )
    lines = [line for line in text.splitlines() if line.strip()]
    if format in LINE_FORMATS:
        return Export(format, (), None, tuple(lines), "", encoding)
    delimiter = max(
        "\t;,", key=lambda mark: (sum(line.count(mark) for line in lines), mark == "\t")
    )
    if format == "arff":
        first = next(i for i, line in enumerate(lines) if line.lower().startswith("@data")) + 1
        return Export(format, tuple(lines[:first]), None, tuple(lines[first:]), delimiter, encoding)
    lines = lines[
        : next((i for i, line in enumerate(lines) if line.startswith("# ---")), len(lines))
    ]  # WebGazer
    width = max(line.count(delimiter) for line in lines)
    first = next(i for i, line in enumerate(lines) if line.count(delimiter) == width)
    if (
        lines[0].startswith('"')
        or any(line.startswith("Table Header") for line in lines)
        or "webgazer_data" in text
    ):
        return Export(format, (), None, tuple(lines), delimiter, encoding)
    return Export(
        format, tuple(lines[:first]), lines[first], tuple(lines[first + 1 :]), delimiter, encoding
    )


def read(export, folder, suffix=".txt", columns=None):
    """Read what a damaged export makes: a recording, or the error."""
    path = export.write(folder / f"a{suffix}")
    try:
        return gazetrack.read(path, export.format, columns=columns or {})
    except GazetrackError as error:
        return error


def numbers(export, at):
    """The numbers of a column, NaN for all else; short rows have none."""
    cells = [export.cells(row) for row in export.rows]
    found = np.full(len(cells), np.nan)
    for i, row in enumerate(cells):
        try:
            found[i] = float(row[at].strip('"').replace(",", "."))
        except (IndexError, ValueError):
            continue
    return found


def clocks(export):
    """The columns whose numbers always grow: times, and whatever counts the rows."""
    known = [numbers(export, at) for at in range(len(export.names))]
    return [
        at for at, t in enumerate(known) if (np.diff(t[np.isfinite(t)]) > 0).sum() >= LEAST_ROWS - 1
    ]


def filled(export, columns, value):
    """All cells of some columns become a value; the text of a message is of no column."""
    chosen = set(columns)

    def change(_, cells):
        whole = 0 if cells[0] == "MSG" else 3 if cells[1:2] == ["MSG"] else len(cells)
        return [value if at in chosen and at < whole else cell for at, cell in enumerate(cells)]

    return export.with_cells(change)


def frozen(export, columns):
    """The columns of times keep the value of the row in the middle from there on."""
    middle = len(export.rows) // 2
    while middle < len(export.rows) - 1 and len(export.cells(export.rows[middle])) <= max(columns):
        middle += 1  # a row of a message may be short
    held = export.cells(export.rows[middle])

    def change(row, cells):
        return [
            held[at] if row >= middle and at in columns else cell for at, cell in enumerate(cells)
        ]

    return export.with_cells(change)


def in_order(export, order):
    return replace(export, rows=tuple(export.rows[i] for i in order))


def rows_damaged(export, rng):
    """Yield what is damaged, and the export, for damage that needs no header."""
    n = len(export.rows)
    if n >= LEAST_ROWS:
        yield "rows shuffled", in_order(export, rng.permutation(n))
        yield "rows backwards", in_order(export, range(n)[::-1])
        swapped = list(range(n))
        at = int(rng.integers(1, n - 1))
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        yield "two rows swapped", in_order(export, swapped)


def said(recording):
    return set(recording.notes), dict(recording.dropped), recording.rows_in


def same(one, other):
    """Whether two recordings hold the same; rows with onsets may stand in any order."""
    for name in ("sample_table", "event_table", "fixation_table"):
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None) or (a is not None and not rows_of(a).equals(rows_of(b))):
            return False
    return True


def rows_of(table):
    """The rows in an order of their own, as pandas, which calls NaN equal to itself."""
    frame = table.to_pandas().astype(
        {field.name: str for field in table.schema if not is_floating(field.type)}
    )
    return frame.sort_values(list(frame)).reset_index(drop=True)


def times_of(recording):
    return [] if recording.sample_table is None else recording.sample_table["t_ms"].to_pylist()


def is_silent(what, whole, found):
    """Whether damage was taken without a word: other tables, and nothing new was said."""
    if isinstance(found, GazetrackError) or same(whole, found):
        return False
    if what == "clock stands still" and (
        len(times_of(whole)) < LEAST_ROWS or times_of(whole) == times_of(found)
    ):
        # Too few samples to stand still, or the columns that count were not those of the time
        return False
    notes, dropped, rows_in = said(found)
    before = said(whole)
    counted = (
        dropped != before[1] or dict(found.mended) != dict(whole.mended) or rows_in != before[2]
    )
    return not counted and notes <= before[0]
