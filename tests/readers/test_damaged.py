"""Damage is never taken in silence: what it changes is refused, noted or counted.

Each golden text export is damaged in every way that real files were; what is read must then be what
was read before, or the reader must have said something that it does not say of the whole export.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from pyarrow.types import is_floating

from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from tests.damage import read, take_apart
from tests.places import GOLDEN

CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))
SEED = 7
MOST_COLUMNS = 8
LEAST_ROWS = 4
# Each of these fixations is a showing of its own: which came first, nothing tells.
IN_ANY_ORDER = {("gazepoint", "time_in_secs", "two rows swapped")}


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


def damaged(export, rng):
    """Yield what is damaged, and the export."""
    yield from rows_damaged(export, rng)
    if export.header is None:
        return
    names, times = export.names, clocks(export)
    for at in rng.permutation(len(names))[:MOST_COLUMNS].tolist():
        yield f"column {names[at]} nan", filled(export, [at], "nan")
        yield f"column {names[at]} empty", filled(export, [at], "")
        twin = names[int(rng.integers(len(names)))]
        if twin and twin != names[at]:
            header = export.header.split(export.delimiter)
            header[at] = header[names.index(twin)]
            yield (
                f"{names[at]} called {twin}",
                replace(export, header=export.delimiter.join(header)),
            )
    if times:
        yield "clock stands still", frozen(export, times)
        yield "all but times empty", filled(export, set(range(len(names))) - set(times), "")
    middle = len(export.rows) // 2
    yield (
        "header repeated",
        replace(export, rows=(*export.rows[:middle], export.header, *export.rows[middle:])),
    )
    if len(export.rows) > 1:
        yield "header missing", replace(export, header=export.rows[0], rows=export.rows[1:])


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


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_no_damage_is_taken_in_silence(path, tmp_path):
    export = take_apart(path, path.parts[-3])
    if (
        export is None or export.trials or path.parts[-2] == "jspsych_csv"
    ):  # a row has several lines there
        pytest.skip("no lines of text")
    given = path.parent / "columns.json"
    columns = json.loads(given.read_text()) if given.exists() else None
    whole = read(export, tmp_path, columns=columns)
    assert not isinstance(whole, GazetrackError), str(whole)
    rng = np.random.default_rng(SEED)
    silent = [
        what
        for what, bad in damaged(export, rng)
        if is_silent(what, whole, read(bad, tmp_path, columns=columns))
    ]
    silent = [what for what in silent if (*path.parts[-3:-1], what) not in IN_ANY_ORDER]
    assert not silent, f"{silent} changed what is read, and nothing was said"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_a_header_alone_is_refused(path, tmp_path):
    export = take_apart(path, path.parts[-3])
    if export is None or export.header is None:
        pytest.skip("no header")
    given = path.parent / "columns.json"
    columns = json.loads(given.read_text()) if given.exists() else None
    error = read(replace(export, rows=()), tmp_path, columns=columns)
    assert isinstance(error, GazetrackError)
    assert str(tmp_path) in str(error)
