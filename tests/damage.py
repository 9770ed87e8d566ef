"""Text exports, taken apart into preamble, header and rows, put together in a damaged way."""

import gzip
import json
import re
from dataclasses import dataclass, replace

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.readers.base import read_head

# Columns a user may leave out of an export, which alone tell its recordings apart.
NAMES = re.compile(
    r"(recording|participant|subject)( ?name| ?id)?|recording_session_label|studyname|name|"
    r"session|recording date",
    re.IGNORECASE,
)
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

    def write(self, path):
        if self.trials:
            path.write_text(json.dumps(self.trials), encoding="utf-8")
            return path
        lines = [*self.preamble, *([] if self.header is None else [self.header]), *self.rows]
        path.write_bytes(("\n".join(lines) + "\n").encode(self.encoding))
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
