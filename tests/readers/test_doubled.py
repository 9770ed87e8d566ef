"""Two recordings in one file: the second is told apart or refused, whatever the format."""

import json
from dataclasses import replace

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from gazetrack.readers.base import read_head
from tests.conftest import DATA
from tests.damage import NAMES, read, take_apart
from tests.places import GOLDEN

CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))
EXPORTS = DATA / "exports"
REAL = sorted(
    path for path in EXPORTS.rglob("*") if path.is_file() and path.stat().st_size < 2_000_000
)


def nameless(export):
    """Leave out the columns that tell recordings apart."""
    return (
        export
        if export.header is None
        else export.without([name for name in export.names if NAMES.fullmatch(name)])
    )


def doubled(export):
    """The same rows again, as of a second recording that the export puts below the first."""
    return replace(export, rows=export.rows * 2, trials=export.trials * 2)


def clocks(recording):
    """The stretches that are told apart, and the samples in them."""
    table = recording.sample_table.select(["recording", "trial"]).to_pandas().astype(str)
    return len(table.drop_duplicates()), len(table)


def n_fixations(recording):
    if recording.fixation_table is not None:
        return recording.fixation_table.num_rows
    return recording.event_table["kind"].to_pylist().count("fixation")


def check(export, folder, columns=None):
    once, twice = (read(one, folder, columns=columns) for one in (export, doubled(export)))
    assert not isinstance(once, GazetrackError), str(once)
    if isinstance(twice, GazetrackError):
        assert twice.code == "PARSE"
        assert twice.line is not None or "of trial" in str(twice), str(twice)
        return "refused"
    if once.sample_table is not None:
        assert clocks(twice) == tuple(2 * np.array(clocks(once))), (
            "two recordings were taken for one"
        )
        assert any("recording" in note or "trial" in note for note in twice.notes)
        return "split"
    assert n_fixations(twice) == 2 * n_fixations(once)
    assert n_fixations(once)
    return "twice the fixations"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_a_doubled_export_is_refused_or_split_or_has_twice_the_fixations(path, tmp_path):
    export = take_apart(path, path.parts[-3])
    if export is None:
        pytest.skip("no text")
    columns = path.parent / "columns.json"
    check(nameless(export), tmp_path, json.loads(columns.read_text()) if columns.exists() else None)


@pytest.mark.real_data
@pytest.mark.parametrize("path", REAL, ids=lambda path: str(path.relative_to(EXPORTS)))
def test_a_doubled_real_export_is_refused_or_split_or_has_twice_the_fixations(
    path, data_dir, tmp_path
):
    try:
        recording = gazetrack.read(path)
        export = take_apart(path, registry.detect(read_head(path)).name)
        once = None if export is None else read(nameless(export), tmp_path)
    except (GazetrackError, UnicodeDecodeError, ValueError):
        pytest.skip("no text export with gaze")
    if export is None or isinstance(once, GazetrackError):
        pytest.skip("not readable apart from its neighbours or without its names")
    assert recording.format == export.format
    check(nameless(export), tmp_path)
