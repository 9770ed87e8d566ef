"""Damage is never taken in silence: what it changes is refused, noted or counted.

Each golden text export is damaged in every way that real files were; what is read must then be what
was read before, or the reader must have said something that it does not say of the whole export.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from tests.damage import clocks, filled, frozen, is_silent, read, rows_damaged, take_apart
from tests.places import GOLDEN

CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))
SEED = 7
MOST_COLUMNS = 8
# Each of these fixations is a showing of its own: which came first, nothing tells.
IN_ANY_ORDER = {("gazepoint", "time_in_secs", "two rows swapped")}


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
