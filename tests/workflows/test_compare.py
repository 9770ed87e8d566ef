"""How well two sets of fixations agree, in whatever form they come."""

from __future__ import annotations

import pytest

from gazetrack.errors import DataError, InputError
from gazetrack.tables.store import read_fixations
from gazetrack.workflows.compare import compare
from tests.fixation_tables import write_fixations


@pytest.fixture
def looks(tmp_path):
    """Three looks of 300 ms, at 0, 400 and 800 ms."""
    return write_fixations(tmp_path / "a" / "x.fixations.parquet", ["p.png"] * 3, recording="x")


def frame(path):
    return read_fixations(path)[0].to_pandas()


def test_fixations_agree_with_themselves_in_any_form(looks):
    table = read_fixations(looks)[0]
    for other in (looks, str(looks), looks.parent, table, table.to_pandas()):
        same = compare(looks, other)
        assert (same.overall["f1"], same.overall["kappa"]) == (1, 1)
        assert (same.overall["matched"], same.overall["reference"]) == (3, 3)
        assert (same.left_out, same.taken_for_one, same.notes) == ([], None, ())


def test_figures_by_hand(looks):
    fixations = frame(looks)
    later = fixations.assign(onset_ms=fixations["onset_ms"] + 20).iloc[:2]
    found = compare(fixations, later)
    # Two of three and two are matched: F1 is 2 * 2 / (3 + 2).
    assert found.overall["f1"] == pytest.approx(4 / 5)
    assert found.frame["onset_error_ms"].tolist() == pytest.approx([20])
    assert found.frame["offset_error_ms"].tolist() == pytest.approx([20])
    assert len(found.rows) == len(found.frame) == 1
    text = repr(found)
    assert text.startswith("<Agreement: F1 0.800, kappa 0.")
    assert text.endswith("2 of 3 and 2 fixations matched>")
    assert "<table" in found._repr_html_()


def test_which_is_the_reference_matters_for_the_counts_alone(looks):
    fixations = frame(looks)
    some = fixations.iloc[:2]
    one, other = compare(fixations, some), compare(some, fixations)
    assert (one.overall["reference"], one.overall["other"]) == (3, 2)
    assert (other.overall["reference"], other.overall["other"]) == (2, 3)
    assert one.overall["f1"] == other.overall["f1"]


def test_the_only_recordings_of_both_are_taken_for_one_and_said_so(looks):
    fixations = frame(looks)
    renamed = fixations.assign(recording="y")
    found = compare(fixations, renamed)
    assert found.taken_for_one == ("x", "y")
    assert found.overall["f1"] == 1


def test_recordings_that_one_lacks_are_named(looks, tmp_path):
    both = tmp_path / "b"
    write_fixations(both / "x.fixations.parquet", ["p.png"] * 3, recording="x")
    write_fixations(both / "z.fixations.parquet", ["p.png"] * 3, recording="z")
    found = compare(looks, both)
    assert [name for name in found.left_out if "z" in name]
    assert found.overall["f1"] == 1


def test_nothing_in_common_is_an_error(looks, tmp_path):
    other = tmp_path / "b"
    for name in "yz":
        write_fixations(other / f"{name}.fixations.parquet", ["p.png"], recording=name)
    with pytest.raises(DataError, match="no recording in common"):
        compare(looks, other)
    with pytest.raises(InputError):
        compare(looks, tmp_path / "gone.fixations.parquet")
